//! Events that are too large, too many, or named like what is ours.

use std::sync::OnceLock;

use axum::Router;
use axum::routing::get;
use serde_json::Value;
use test_support::{Line, Observed, client};
use tracing::callsite::{Callsite, Identifier};
use tracing::field::FieldSet;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};

/// Serves one request whose handler runs `log`; gives the lines that it wrote.
fn logged(log: impl Fn() + Clone + Send + Sync + 'static) -> Vec<Line> {
    let observed = Observed::new();
    observed.run(async {
        let handler = move || async move { log() };
        let answer = client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
        assert_eq!(answer.status, 200);
        let access = observed.only_request().await;
        let lines: Vec<_> = observed.lines().into_iter().filter(|line| !line.is_access()).collect();
        assert!(lines.iter().all(|line| line["trace_id"] == access["trace_id"]));
        lines
    })
}

fn logged_once(log: impl Fn() + Clone + Send + Sync + 'static) -> Line {
    let mut lines = logged(log);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines.remove(0)
}

#[test]
fn line_breaks_and_control_characters_stay_inside() {
    let nasty = "one\ntwo\r\n\"three\"\\ \0\u{1b}[31m\u{7f}\u{2028}\u{feff}";
    let line = logged_once(move || tracing::info!(value = nasty, debug = ?nasty, "{nasty}"));
    assert_eq!((line.str("message"), line.str("value")), (nasty, nasty));
    assert_eq!(line["debug"], format!("{nasty:?}"));
    assert!(!line.text.contains(|character: char| character.is_ascii_control()), "{}", line.text);
}

/// What hides or reorders text, or steers a terminal without an ESC: C1 controls, the line ends of Unicode, marks and
/// overrides of the writing direction.
pub(crate) const HIDDEN: &str =
    "\u{80}\u{85}\u{9b}\u{9f}\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}";

#[test]
fn what_hides_or_reorders_text_is_escaped() {
    // Neighbours of the same first bytes are letters and signs like others.
    let plain = "\u{a0}\u{e9}\u{600}\u{61b}\u{200b}\u{200d}\u{2010}\u{2027}\u{202f}\u{2065}\u{206a}\u{1f980}";
    let text = format!("{HIDDEN}{plain}{HIDDEN}");
    let (logged, displayed) = (text.clone(), text.clone());
    let line = logged_once(move || {
        let span = tracing::info_span!("span", value = displayed);
        span.in_scope(|| tracing::info!(value = logged, "{logged}"));
    });
    assert_eq!((line.str("message"), line.str("value")), (&text[..], &text[..]), "nothing of it is lost");
    assert!(!line.text.contains(|c| HIDDEN.contains(c)), "{:?}", line.text);
    assert!(plain.chars().all(|c| line.text.contains(c)), "{:?}", line.text);
    assert!(line.text.contains("\\u0085") && line.text.contains("\\u202e"), "{:?}", line.text);
}

#[test]
fn fields_named_like_reserved_keys() {
    let line = logged_once(|| {
        tracing::info!(
            timestamp = 1,
            level = 2,
            app = 3,
            trace_id = 4,
            span_id = 5,
            target = 6,
            spans = 7,
            fields_left_out = 8,
            field.level = 9,
            "message"
        );
    });
    for (key, value) in
        [("timestamp", 1), ("level", 2), ("app", 3), ("trace_id", 4), ("span_id", 5), ("target", 6), ("spans", 7)]
    {
        assert_eq!(line[&format!("field.{key}")[..]], value, "{}", line.text);
    }
    assert_eq!(line["field.fields_left_out"], 8);
    assert_eq!(line["field.field.level"], 9, "what looks prefixed gets one more");
    assert_eq!((line.str("level"), line.str("app"), line.str("message")), ("INFO", "test", "message"));
}

#[test]
fn fields_of_the_same_name() {
    let line = logged_once(|| tracing::info!(value = 1, value = 2, other = 3, value = 4, "thrice"));
    let values: Vec<_> = ["value", "field.value", "field.field.value"].map(|key| line[key].clone()).into();
    assert_eq!(values, [1, 2, 4]);
}

#[test]
fn a_name_that_looks_like_that_of_a_repeated_field() {
    let line = logged_once(|| tracing::info!(field.value = 3, value = 1, value = 2, "prefixed"));
    let values: Vec<_> = ["value", "field.value", "field.field.value"].map(|key| line[key].clone()).into();
    assert_eq!(values, [1, 2, 3]);
}

/// Fields that are not ours to drop: some schemas name theirs like this.
#[test]
fn fields_whose_names_begin_with_log() {
    let line = logged_once(|| tracing::info!(log.file.path = "/var/log/x", log.level = "odd", log.line = 7, "kept"));
    assert_eq!((line.str("log.file.path"), line.str("log.level"), &line["log.line"]), ("/var/log/x", "odd", &7.into()));
}

#[test]
fn values_that_json_does_not_have() {
    let line = logged_once(|| {
        tracing::info!(
            nan = f64::NAN,
            infinite = f64::INFINITY,
            huge = u128::MAX,
            large = u64::MAX,
            small = i64::MIN,
            smaller = i128::MIN,
            tiny = 5e-324,
            "numbers"
        );
    });
    assert_eq!((line.str("nan"), line.str("infinite")), ("NaN", "+Inf"));
    assert_eq!((line["large"].as_u64(), line["small"].as_i64()), (Some(u64::MAX), Some(i64::MIN)));
    assert_eq!((line.str("huge"), line.str("smaller")), (&u128::MAX.to_string()[..], &i128::MIN.to_string()[..]));
    assert_eq!(line["tiny"], 5e-324);
}

#[test]
fn a_message_and_values_of_a_megabyte() {
    let lines = logged(|| {
        // The worst there is: each byte takes six in JSON.
        let (quotes, controls) = ("\"".repeat(1 << 20), "\u{1}".repeat(1 << 20));
        tracing::info!("{quotes}");
        tracing::info!(value = controls, "large value");
        tracing::info!(first = controls, second = controls, third = 3, "large values");
        let span = tracing::info_span!("large", first = controls, second = controls);
        span.in_scope(|| tracing::info!(value = 1, "in a large span"));
        span.in_scope(|| tracing::info!(value = controls, "{controls}"));
    });
    assert_eq!(lines.len(), 5);
    assert!(lines[0].str("message").ends_with("…[cut]") && lines[0].str("message").starts_with("\"\"\""));
    assert!(lines[1].str("value").ends_with("…[cut]"));
    assert_eq!(lines[2]["third"], 3, "what fits behind what does not fit is kept");
    assert_eq!((lines[2].get("second"), &lines[2]["fields_left_out"]), (None, &1.into()));
    assert_eq!((&lines[3]["value"], &lines[3]["fields_left_out"]), (&1.into(), &1.into()));
    assert_eq!(lines[4]["fields_left_out"], 2);
}

/// An event whose fields are made at run time, more than any macro would take.
struct ManyFields;

static METADATA: OnceLock<Metadata<'static>> = OnceLock::new();

impl Callsite for ManyFields {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        METADATA.get().expect("set before it is used")
    }
}

fn log_many_fields<const COUNT: usize>(name: impl Fn(usize) -> String) {
    let metadata: &'static Metadata<'static> = {
        let names: Vec<&'static str> = (0..COUNT).map(|number| &*name(number).leak()).collect();
        let fields = FieldSet::new(names.leak(), Identifier(&ManyFields));
        METADATA.get_or_init(|| {
            Metadata::new(
                "many fields",
                "hostile",
                Level::INFO,
                None,
                None,
                None,
                FieldSet::new(&[], Identifier(&ManyFields)),
                Kind::EVENT,
            )
        });
        Box::leak(Box::new(Metadata::new("many fields", "hostile", Level::INFO, None, None, None, fields, Kind::EVENT)))
    };
    let keys: Vec<_> = metadata.fields().iter().collect();
    let values: [_; COUNT] = std::array::from_fn(|number| (&keys[number], Some(&"value" as &dyn tracing::Value)));
    tracing::dispatcher::get_default(|dispatch| {
        if dispatch.enabled(metadata) {
            dispatch.event(&tracing::Event::new(metadata, &metadata.fields().value_set(&values)));
        }
    });
}

#[test]
fn ten_thousand_fields() {
    let line = logged_once(|| log_many_fields::<10_000>(|number| format!("field number {number}")));
    assert_eq!((&line["field number 0"], &line["field number 1000"]), (&"value".into(), &"value".into()));
    let kept = line.text.matches("field number").count() as u64;
    assert_eq!(line["fields_left_out"], Value::from(10_000 - kept), "those that are gone are counted");
    assert!(line.text.len() > 60_000);
}

#[test]
fn forty_fields_of_the_same_few_names() {
    let line =
        logged_once(|| log_many_fields::<40>(|number| if number % 2 == 0 { format!("a{number}") } else { "b".into() }));
    assert_eq!(line["a38"], "value");
    let deepest = format!("{}b", "field.".repeat(19));
    assert_eq!((&line["b"], &line[&deepest[..]]), (&"value".into(), &"value".into()));
}
