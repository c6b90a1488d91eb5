//! Programs that end by themselves, with all that they had to say.

use std::process::Command;

use test_support::process::run;
use test_support::{Line, client};

use super::{program, start};

#[tokio::test]
async fn testing() {
    let (code, output, errors) = run(Command::new(program("testing"))).await;
    assert_eq!((code, &*errors), (0, ""));
    let (found, line) = output.split_once("\nlogged: ").unwrap();
    let counted = r#"http_requests_total{method="GET",route="/orders",status="409"} 1"#;
    assert!(found.starts_with("answered: sold out\ncounted: ") && found.contains(counted), "{found}");
    let line = Line::parse(line.trim_end());
    assert_eq!((&line["level"], &line["route"], &line["status"]), (&"WARN".into(), &"/orders".into(), &409.into()));
}

#[tokio::test]
async fn graceful() {
    for signal in ["TERM", "INT"] {
        let (mut process, address) = start("graceful").await;
        let asked = tokio::spawn(async move { client::get(address, "/work/300").await });
        process.line("working").await;
        process.signal(signal);
        let answer = asked.await.unwrap();
        assert_eq!((answer.text(), answer.whole), ("done\n", true));
        assert_eq!((process.exit_code().await, &*process.errors()), (0, ""));
        let lines = process.lines();
        let messages: Vec<_> = lines.iter().map(|line| line.str("message")).collect();
        assert_eq!(messages, ["working", "stopping", "request", "stopped"]);
        answer.belongs_to(&lines[2]);
    }
}
