//! Spans of the application: their fields are in the line, and they take the ids along.

use axum::Router;
use axum::routing::get;
use serde_json::json;
use test_support::{Observed, client};
use tracing::{Instrument, info_span};

use super::assert_message_has_ids;

#[test]
fn the_fields_of_all_spans_are_in_the_line() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || {
            let inside = async {
                let query = info_span!("query", table = "orders", rows = 3);
                async { tracing::info!("deep inside") }.instrument(query).await
            };
            inside.instrument(info_span!("checkout", user.id = 17, name = "ada"))
        };
        client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
        let line = assert_message_has_ids(&observed, "deep inside").await;
        // The outermost first; a field called `name` gives way to the span's own name.
        let checkout = json!({"name": "checkout", "user.id": 17, "field.name": "ada"});
        let query = json!({"name": "query", "table": "orders", "rows": 3});
        assert_eq!(line["spans"], json!([checkout, query]));
    });
}

#[test]
fn a_field_that_is_recorded_later() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || async {
            let span = info_span!("checkout", total = tracing::field::Empty, state = "open");
            span.record("total", 99);
            span.record("state", "paid");
            span.in_scope(|| tracing::info!("paid"));
        };
        client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
        let line = assert_message_has_ids(&observed, "paid").await;
        assert_eq!(line["spans"], json!([{"name": "checkout", "state": "paid", "total": 99}]));
    });
}

#[test]
fn a_span_of_a_request_takes_its_ids_into_a_plain_task() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || async {
            let task = async { tracing::info!("in the task") }.instrument(info_span!("job"));
            tokio::spawn(task).await.unwrap();
        };
        client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
        assert_message_has_ids(&observed, "in the task").await;
    });
}

#[test]
fn a_span_from_outside_does_not_hide_the_request() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || async {
            // As a span around all of a server, or one that a connection keeps.
            let span = tokio::spawn(async { info_span!("server") }).await.unwrap();
            span.in_scope(|| tracing::info!("inside"));
        };
        client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
        let line = assert_message_has_ids(&observed, "inside").await;
        assert_eq!(line["spans"], json!([{"name": "server"}]));
    });
}
