//! What judges the others must itself refuse what is wrong.

use redpane::ExpositionFormat::{self, OpenMetrics};
use test_support::Line;
use test_support::exposition::parse;

#[test]
fn the_parser_refuses_what_is_not_valid() {
    for (broken, format) in [
        ("jobs 1\n", ExpositionFormat::Text),
        ("# TYPE jobs counter\njobs 1\njobs 2\n", ExpositionFormat::Text),
        ("# TYPE jobs counter\njobs{a=\"1\",b=\"2\"} 1\njobs{b=\"2\",a=\"1\"} 2\n", ExpositionFormat::Text),
        ("# TYPE jobs counter\njobs{a=\"\\q\"} 1\n", ExpositionFormat::Text),
        ("# TYPE jobs counter\njobs{__name__=\"a\"} 1\n", ExpositionFormat::Text),
        ("# TYPE jobs counter\njobs -1\n", ExpositionFormat::Text),
        ("# TYPE jobs gauge\njobs inf\n", ExpositionFormat::Text),
        ("# TYPE jobs gauge\n\njobs 1\n# EOF\n", OpenMetrics),
        ("# TYPE jobs gauge\njobs 1\n", OpenMetrics),
        ("# TYPE jobs counter\njobs 1\n# EOF\n", OpenMetrics),
        ("# TYPE jobs gauge\njobs 1\n# TYPE jobs counter\njobs_total 1\n# EOF\n", OpenMetrics),
        ("# TYPE t histogram\nt_bucket{le=\"1\"} 1\nt_bucket{le=\"+Inf\"} 1\nt_sum 1\nt_count 1\n# EOF\n", OpenMetrics),
        (
            "# TYPE t histogram\nt_bucket{le=\"1\"} 2\nt_bucket{le=\"+Inf\"} 1\nt_sum 1\nt_count 1\n",
            ExpositionFormat::Text,
        ),
        (
            "# TYPE t histogram\nt_bucket{le=\"1\"} 1\nt_bucket{le=\"+Inf\"} 1\nt_sum 1\nt_count 2\n",
            ExpositionFormat::Text,
        ),
        ("# TYPE t histogram\nt_bucket{le=\"1\"} 1\nt_sum 1\nt_count 1\n", ExpositionFormat::Text),
        ("# TYPE t histogram\nt_bucket{le=\"+Inf\"} 1 # {a=\"b\"} 1.0\nt_sum 1\nt_count 1\n", ExpositionFormat::Text),
    ] {
        assert!(parse(broken, format).is_err(), "{broken}");
    }
}

#[test]
fn the_reader_of_lines_refuses_what_is_not_valid() {
    let line = |rest: &str| {
        let first =
            r#"{"timestamp":"","level":"INFO","app":"a","trace_id":null,"span_id":null,"target":"t","message":"""#;
        Line::read(&format!("{first}{rest}"))
    };
    assert_eq!(line(r#","a":[{"b":1}]}"#).unwrap()["a"][0]["b"], 1);
    for broken in ["", r#","level":1}"#, r#","a":1,"a":1}"#, r#","a":[{"b":1,"b":1}]}"#, r#","a":1}{}"#] {
        assert!(line(broken).is_err(), "{broken}");
    }
    assert!(line(&format!(",\"a\":\"{}\"}}", "x".repeat(64 * 1024))).is_err(), "longer than a line may be");
    assert!(Line::read(r#"{"level":"INFO","timestamp":""}"#).is_err(), "not the keys that every line begins with");
}
