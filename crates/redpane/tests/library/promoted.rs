//! Fields of `tracing` spans that become fields of the request.

mod around;
mod bounds;

use std::future::Future;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::handler::Handler;
use axum::routing::get;
use http::Request;
use redpane::Redpane;
use serde_json::{Value, json};
use test_support::{Line, Observed};
use tower::ServiceExt;
use tracing::field::Empty;
use tracing::subscriber::{DefaultGuard, set_default};
use tracing::{Instrument, Span, debug_span, info_span};
use tracing_subscriber::layer::SubscriberExt;

/// A telemetry that promotes two fields, and whose layer sees the spans of this thread.
fn promoting() -> (Observed, DefaultGuard) {
    subscribed(Observed::with(|redpane| redpane.promote_span_fields(["tenant", "items"])))
}

fn subscribed(observed: Observed) -> (Observed, DefaultGuard) {
    let guard = set_default(tracing_subscriber::registry().with(observed.telemetry.log_layer()));
    (observed, guard)
}

/// Asks for `/` without a socket, on this thread, and reads the answer to its end.
async fn ask(app: Router) {
    let answer = app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    to_bytes(answer.into_body(), 1 << 20).await.unwrap();
}

/// The line of one request to a handler.
async fn line_of<T: 'static>(observed: &Observed, handler: impl Handler<T, ()>) -> Line {
    ask(observed.telemetry.clone().instrument(Router::new().route("/", get(handler)))).await;
    observed.only_request().await
}

/// The fields behind those that every line has.
fn own(line: &Line) -> Vec<(String, Value)> {
    let known = line.fields().iter().position(|(key, _)| key == "request_id").unwrap();
    line.fields()[known + 1..].to_vec()
}

fn fields<const N: usize>(expected: [(&str, Value); N]) -> Vec<(String, Value)> {
    expected.map(|(name, value)| (name.to_owned(), value)).into()
}

async fn in_spans() {
    let work = async {
        Span::current().record("items", 3);
        debug_span!("of another level", tenant = "other", not_promoted = true).in_scope(|| ());
        tokio::task::yield_now().await;
        info_span!("nothing to promote", unit = "kg").in_scope(|| ());
    };
    work.instrument(info_span!("order", tenant = "acme", items = Empty, color = "red")).await;
}

#[tokio::test]
async fn promoted_fields_of_spans_are_on_the_line_and_the_last_value_stays() {
    let (observed, _subscriber) = promoting();
    let line = line_of(&observed, in_spans).await;
    assert_eq!(own(&line), fields([("tenant", json!("other")), ("items", json!(3))]), "{}", line.text);
}

#[tokio::test]
async fn without_the_option_nothing_is_promoted() {
    let (observed, _subscriber) = subscribed(Observed::new());
    let line = line_of(&observed, in_spans).await;
    assert_eq!(own(&line), [], "{}", line.text);
}

/// As `#[tracing::instrument(fields(tenant))]` makes it, also in an extractor and in a middleware.
#[tokio::test]
async fn a_middleware_inside_opens_a_span_around_the_handler() {
    let (observed, _subscriber) = promoting();
    let inside = |request: axum::extract::Request, next: axum::middleware::Next| {
        next.run(request).instrument(info_span!("inside", tenant = Empty))
    };
    let handler = || async {
        Span::current().record("tenant", tracing::field::display("acme"));
        redpane::record("items", 7);
    };
    let router = Router::new().route("/", get(handler)).layer(axum::middleware::from_fn(inside));
    ask(observed.telemetry.clone().instrument(router)).await;
    let line = observed.only_request().await;
    assert_eq!(own(&line), fields([("tenant", json!("acme")), ("items", json!(7))]));
}

#[test]
fn in_tasks_that_have_the_ids_of_the_request() {
    let observed = Observed::with(|redpane| redpane.promote_span_fields(["a", "b", "c", "d", "never"]));
    observed.run(async {
        let handler = || async {
            redpane::spawn(async { info_span!("in a task", a = 1).in_scope(|| ()) }).await.unwrap();
            redpane::spawn_blocking(|| info_span!("on a thread", b = 2).in_scope(|| ())).await.unwrap();
            // A plain task in a span of the request: its lines have the ids too.
            let plain = async { info_span!("inner", c = 3).in_scope(|| ()) };
            tokio::spawn(plain.instrument(info_span!("job"))).await.unwrap();
            let span = info_span!("elsewhere", d = Empty);
            tokio::spawn(async move { _ = span.record("d", 4) }).await.unwrap();
            tokio::spawn(async { info_span!("plain", never = true).in_scope(|| ()) }).await.unwrap();
        };
        let address = observed.serve(Router::new().route("/", get(handler))).await;
        test_support::client::get(address, "/").await;
        let line = observed.only_request().await;
        assert_eq!(own(&line), fields([("a", json!(1)), ("b", json!(2)), ("c", json!(3)), ("d", json!(4))]));
    });
}

#[test]
fn requests_at_the_same_time_keep_their_own() {
    let observed = Observed::with(|redpane| redpane.promote_span_fields(["number"]));
    observed.run(async {
        let handler = |axum::extract::Path(number): axum::extract::Path<u64>| async move {
            let span = info_span!("work", number = Empty);
            let record = async {
                tokio::task::yield_now().await;
                Span::current().record("number", number);
                tokio::task::yield_now().await;
            };
            record.instrument(span).await;
        };
        let address = observed.serve(Router::new().route("/{number}", get(handler))).await;
        let mut clients = tokio::task::JoinSet::new();
        for number in 0..32 {
            clients.spawn(async move { test_support::client::get(address, &format!("/{number}")).await });
        }
        while clients.join_next().await.is_some() {}
        for line in observed.access_lines(32).await {
            assert_eq!(line.str("path"), format!("/{}", line["number"]), "{}", line.text);
        }
    });
}

/// Two telemetries around one another, on one registry: each promotes what its own builder names.
#[tokio::test]
async fn two_telemetries_promote_their_own() {
    let promoting = |name: &'static str| Observed::with(|redpane: Redpane| redpane.promote_span_fields([name, "both"]));
    let (outer, inner, neither) = (promoting("tenant"), promoting("items"), Observed::new());
    let layers = tracing_subscriber::registry()
        .with(outer.telemetry.log_layer())
        .with(inner.telemetry.log_layer())
        .with(inner.telemetry.log_layer())
        .with(neither.telemetry.log_layer());
    let _subscriber = set_default(layers);
    let handler = || async {
        let span = info_span!("work", tenant = "acme", items = 3, both = Empty);
        span.in_scope(|| _ = Span::current().record("both", true));
    };
    let router = Router::new().route("/", get(handler)).layer(inner.telemetry.layer()).layer(neither.telemetry.layer());
    ask(outer.telemetry.clone().instrument(router)).await;
    let line = outer.only_request().await;
    assert_eq!(own(&line), fields([("tenant", json!("acme")), ("both", json!(true))]), "{}", line.text);
    let line = inner.only_request().await;
    assert_eq!(own(&line), fields([("items", json!(3)), ("both", json!(true))]), "{}", line.text);
    assert_eq!(own(&neither.only_request().await), []);
}

/// `Future` in the signature: a span may be made in one place and entered in another.
fn in_span<F: Future>(span: Span, future: F) -> impl Future<Output = F::Output> {
    future.instrument(span)
}
