//! What is dropped for a request still logs with its ids.

use std::future::pending;

use axum::Router;
use axum::routing::get;
use http::{Method, StatusCode};
use test_support::client::{self, request};
use test_support::{Observed, Scripted, Step, raw};
use tokio::sync::mpsc;

use super::assert_message_has_ids;

/// Says so in the log when it goes.
struct LogsItsEnd;

impl Drop for LogsItsEnd {
    fn drop(&mut self) {
        tracing::info!("cleaned up");
    }
}

#[test]
fn a_local_of_a_handler_that_answers() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || async {
            let _local = LogsItsEnd;
            tokio::task::yield_now().await;
        };
        client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
        assert_message_has_ids(&observed, "cleaned up").await;
    });
}

#[test]
fn a_local_of_a_handler_whose_client_leaves() {
    let observed = Observed::new();
    observed.run(async {
        let (called, mut calls) = mpsc::unbounded_channel();
        let handler = move || async move {
            let _local = LogsItsEnd;
            called.send(()).unwrap();
            pending::<&str>().await
        };
        let address = observed.serve(Router::new().route("/", get(handler))).await;
        let stream = raw::send(address, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        calls.recv().await.unwrap();
        drop(stream);
        assert_message_has_ids(&observed, "cleaned up").await;
        assert_eq!(observed.access_lines(1).await[0]["status"], 499);
    });
}

#[test]
fn a_local_of_a_handler_that_panics() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || async {
            let _local = LogsItsEnd;
            if true {
                panic!("falls over")
            }
        };
        client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
        assert_message_has_ids(&observed, "cleaned up").await;
    });
}

#[test]
fn a_body_that_was_read() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || async { Scripted::body_with([Step::Data("all")], LogsItsEnd) };
        client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
        assert_message_has_ids(&observed, "cleaned up").await;
    });
}

#[test]
fn a_body_whose_client_leaves() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || async { Scripted::body_with([Step::Data("some"), Step::Hang], LogsItsEnd) };
        let address = observed.serve(Router::new().route("/", get(handler))).await;
        let mut stream = raw::send(address, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        raw::read_until(&mut stream, "some").await;
        drop(stream);
        assert_message_has_ids(&observed, "cleaned up").await;
    });
}

#[test]
fn a_body_that_nobody_reads() {
    for (method, status) in [(Method::HEAD, StatusCode::OK), (Method::GET, StatusCode::NO_CONTENT)] {
        let observed = Observed::new();
        observed.run(async {
            let handler = move || async move { (status, Scripted::body_with([Step::Data("unread")], LogsItsEnd)) };
            let address = observed.serve(Router::new().route("/", get(handler))).await;
            client::send(address, request(method, "/").body(axum::body::Body::empty()).unwrap()).await;
            assert_message_has_ids(&observed, "cleaned up").await;
        });
    }
}

#[test]
fn a_local_of_a_spawned_task_that_is_aborted() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || async {
            let (started, start) = tokio::sync::oneshot::channel();
            let task = redpane::spawn(async move {
                let _local = LogsItsEnd;
                started.send(()).unwrap();
                pending::<()>().await
            });
            start.await.unwrap();
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        };
        client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
        assert_message_has_ids(&observed, "cleaned up").await;
    });
}
