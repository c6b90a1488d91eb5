//! The lines and spans of one request.

use axum::Router;
use axum::routing::get;
use test_support::eventually;

use super::Shown;

async fn two_lines() -> &'static str {
    tracing::info!("in the handler");
    "done"
}

#[test]
fn a_trace_has_its_lines_in_order_and_a_span_of_its_access_line() {
    let observed = test_support::Observed::with(|redpane| redpane.pane_history());
    observed.run(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let pane = listener.local_addr().unwrap();
        observed.telemetry.serve_pane(listener, None).unwrap();
        let app = observed.serve(Router::new().route("/two", get(two_lines))).await;
        let answer = test_support::client::get(app, "/two").await;
        let id = answer.header("x-trace-id");
        observed.access_lines(1).await;
        let trace = eventually("the trace is shown", async || {
            let answer = test_support::client::get(pane, &format!("/api/traces/{}", id.to_uppercase())).await;
            let trace: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            (trace["lines"].as_array().map(Vec::len) == Some(2)).then_some(trace)
        })
        .await;
        assert_eq!((&trace["trace_id"], &trace["more"]), (&id.into(), &false.into()));
        let messages: Vec<_> = (0..2).map(|at| trace["lines"][at]["line"]["message"].as_str().unwrap()).collect();
        assert_eq!(messages, ["in the handler", "request"]);
        let span = &trace["spans"][0];
        assert_eq!(
            (&span["name"], &span["kind"], &span["source"]),
            (&"GET /two".into(), &"server".into(), &"access_line".into())
        );
        let line = &trace["lines"][1]["line"];
        assert_eq!((&span["span_id"], &span["duration_seconds"]), (&line["span_id"], &line["duration_seconds"]));
        assert_eq!(span["attributes"]["http.response.status_code"], 200);
        assert!(span["start_ms"].as_f64().unwrap() > 1.7e12, "{span}");
    });
}

#[cfg(feature = "otlp")]
#[tokio::test]
async fn exported_spans_are_shown_with_what_is_inside_of_them() {
    use redpane::Otlp;
    use test_support::otlp::Receiver;

    let receiver = Receiver::start().await;
    let endpoint = receiver.endpoint().to_owned();
    let shown = Shown::with(|redpane| redpane.otlp(Otlp::new(endpoint))).await;
    let answer = test_support::client::get(shown.app, "/status/500").await;
    let id = answer.header("x-trace-id").to_owned();
    let telemetry = shown.observed.telemetry.clone();
    let flush = move || telemetry.flush(std::time::Duration::from_secs(30)).unwrap();
    tokio::task::spawn_blocking(flush).await.unwrap();
    let trace = shown.json(&format!("/api/traces/{id}")).await;
    assert_eq!(trace["spans"].as_array().unwrap().len(), 1, "not a second one of its line: {trace}");
    let span = &trace["spans"][0];
    assert_eq!((&span["source"], &span["error"], &span["kind"]), (&"span".into(), &true.into(), &"server".into()));
    assert_eq!(span["attributes"]["url.path"], "/status/500");
    assert_eq!(trace["lines"].as_array().unwrap().len(), 1);
}
