//! Lines: all of them, in pages, and those that are asked for.

use serde_json::Value;
use test_support::eventually;
use tracing_subscriber::layer::SubscriberExt;

use super::Shown;

fn texts(page: &Value, key: &str) -> Vec<String> {
    let lines = page["lines"].as_array().unwrap();
    lines.iter().map(|found| found["line"][key].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn every_line_is_found_as_it_was_written() {
    let shown = Shown::new().await;
    shown.requests("/status/200", 12).await;
    shown.requests("/status/503", 2).await;
    let written: Vec<String> = shown.observed.lines().into_iter().map(|line| line.text).collect();
    let page = eventually("all lines are taken", async || {
        let page = shown.json("/api/lines?limit=1000").await;
        (page["lines"].as_array().unwrap().len() == written.len()).then_some(page)
    })
    .await;
    let raw = shown.get("/api/lines?limit=1000").await;
    for line in &written {
        assert!(raw.text().contains(line.trim_end()), "{line}");
    }
    let ids: Vec<_> = page["lines"].as_array().unwrap().iter().map(|found| found["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted_by(|one, other| one == &(other + 1)), "the newest first: {ids:?}");

    let errors = shown.json("/api/lines?level=error").await;
    assert_eq!(texts(&errors, "level"), ["ERROR"; 2]);
    let route = shown.json("/api/lines?method=GET&route=/status/%7Bstatus%7D&limit=5").await;
    assert_eq!((texts(&route, "route").len(), &route["more"]), (5, &true.into()));
    let rest =
        shown.json(&format!("/api/lines?method=GET&route=/status/%7Bstatus%7D&before={}", route["next_before"])).await;
    assert_eq!((texts(&rest, "route").len(), &rest["more"]), (9, &false.into()));
    let field = shown.json("/api/lines?field=status:503&field=outcome:complete").await;
    assert_eq!(texts(&field, "level"), ["ERROR"; 2]);
    assert_eq!(texts(&shown.json("/api/lines?contains=STATUS/503").await, "path"), ["/status/503"; 2]);
    let trace = texts(&errors, "trace_id")[0].clone();
    assert_eq!(texts(&shown.json(&format!("/api/lines?trace_id={trace}")).await, "trace_id"), [trace]);
    let after = shown.json("/api/lines?from=99999999999999").await;
    assert_eq!(after["lines"], serde_json::json!([]));
}

#[tokio::test]
async fn a_hostile_line_stays_one_line_and_a_text() {
    let shown = Shown::new().await;
    let subscriber = tracing_subscriber::registry().with(shown.observed.telemetry.log_layer());
    let text = "<script>alert(1)</script>\n\"},\"route\":\"/x\" \u{2028}";
    tracing::subscriber::with_default(subscriber, || tracing::warn!(note = text, "hostile"));
    shown.observed.lines();
    let page = eventually("the line is taken", async || {
        Some(shown.json("/api/lines?contains=hostile").await).filter(|page| page["lines"][0].is_object())
    })
    .await;
    assert_eq!(texts(&page, "note"), [text]);
    assert_eq!(shown.json("/api/lines?field=route:/x").await["lines"], serde_json::json!([]));
    let answer = shown.get("/api/lines").await;
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}
