//! Work that outlives the poll of its request.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use test_support::{Observed, client};
use tokio::sync::Notify;

use super::assert_message_has_ids;

#[test]
fn a_spawned_task_outlives_its_request_and_keeps_its_ids() {
    let observed = Observed::new();
    observed.run(async {
        let answered = Arc::new(Notify::new());
        let go_on = Arc::clone(&answered);
        let handler = move || async move {
            redpane::spawn(async move {
                go_on.notified().await;
                tracing::info!("after the answer");
                redpane::spawn(async { tracing::info!("a task of the task") });
            });
            "answered"
        };
        let address = observed.serve(Router::new().route("/", get(handler))).await;
        client::get(address, "/").await;
        observed.only_request().await;
        answered.notify_one();
        assert_message_has_ids(&observed, "after the answer").await;
        assert_message_has_ids(&observed, "a task of the task").await;
    });
}

#[test]
fn in_current_request_takes_the_ids_along() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || async {
            let future = redpane::in_current_request(async { tracing::info!("polled elsewhere") });
            tokio::spawn(future).await.unwrap();
        };
        client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
        assert_message_has_ids(&observed, "polled elsewhere").await;
    });
}

#[test]
fn a_blocking_thread_has_the_ids_for_this_work_only() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || async {
            redpane::spawn_blocking(|| tracing::info!("on a blocking thread")).await.unwrap();
            // Very likely the same thread, and in any case not the request's business.
            tokio::task::spawn_blocking(|| tracing::info!("somebody else's work")).await.unwrap();
        };
        client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
        assert_message_has_ids(&observed, "on a blocking thread").await;
        assert!(observed.messages("somebody else's work", 1).await[0]["trace_id"].is_null());
    });
}

#[test]
fn a_plain_task_does_not_know_its_request() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || async {
            tokio::spawn(async { tracing::info!("who am I?") }).await.unwrap();
        };
        client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
        assert!(observed.messages("who am I?", 1).await[0]["trace_id"].is_null());
        observed.only_request().await;
    });
}

#[test]
fn the_helpers_change_nothing_outside_of_a_request() {
    let observed = Observed::new();
    observed.run(async {
        assert!(redpane::current().is_none());
        redpane::spawn(async { tracing::info!("plain") }).await.unwrap();
        redpane::spawn_blocking(|| tracing::info!("plain")).await.unwrap();
        assert!(observed.messages("plain", 2).await.iter().all(|line| line["trace_id"].is_null()));
    });
}
