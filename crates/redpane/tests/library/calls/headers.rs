//! What a call carries.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::get as route;
use http::{HeaderMap, Method, Request, Response};
use redpane::{RequestContext, Telemetry, TraceParent};
use test_support::client as http_client;
use test_support::{Line, Observed};
use tower::ServiceExt;
use tracing_subscriber::layer::SubscriberExt;

use super::{PEER, client, get};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// What the calls of a test carried.
type Seen = Arc<Mutex<Vec<HeaderMap>>>;

/// Calls with this request; keeps what arrives.
async fn call(telemetry: &Telemetry, seen: &Seen, request: Request<Body>) {
    let keep = |request: Request<Body>| {
        seen.lock().unwrap().push(request.headers().clone());
        async { Ok::<_, Infallible>(Response::new(Body::empty())) }
    };
    client(telemetry.outgoing_layer(PEER), keep).oneshot(request).await.unwrap();
}

/// A request that was sent with these headers makes two calls, with the headers that `prepare` puts there.
async fn calls_of_a_request(
    observed: &Observed,
    sent: &[(&'static str, &str)],
    prepare: fn(&HeaderMap, &mut HeaderMap),
) -> (Vec<HeaderMap>, Line) {
    let (telemetry, seen) = (observed.telemetry.clone(), Seen::default());
    let handler = async move |State((telemetry, seen)): State<(Telemetry, Seen)>, got: HeaderMap| {
        for _ in 0..2 {
            let mut request = get("http://stock/");
            prepare(&got, request.headers_mut());
            call(&telemetry, &seen, request).await;
        }
    };
    let router = Router::new().route("/", route(handler)).with_state((telemetry, Arc::clone(&seen)));
    let address = observed.serve(router).await;
    let mut asked = http_client::request(Method::GET, "/").body(Body::empty()).unwrap();
    for (name, value) in sent {
        asked.headers_mut().append(*name, value.parse().unwrap());
    }
    http_client::send(address, asked).await;
    let line = observed.access_lines(1).await.remove(0);
    (std::mem::take(&mut seen.lock().unwrap()), line)
}

fn parent(headers: &HeaderMap) -> TraceParent {
    let values: Vec<_> = headers.get_all("traceparent").iter().collect();
    let [value] = values[..] else { panic!("one traceparent: {headers:?}") };
    TraceParent::from_header(value.as_bytes()).unwrap()
}

#[tokio::test]
async fn each_call_has_a_span_of_its_own_in_the_trace_of_its_request() {
    let traceparent = format!("00-{TRACE}-{PARENT}-00");
    let sent = [("traceparent", &*traceparent), ("tracestate", "a=1"), ("baggage", "k=v"), ("x-request-id", "r-1")];
    let (seen, line) = calls_of_a_request(&Observed::new(), &sent, |_, _| ()).await;
    let [one, other] = &seen[..] else { panic!("two calls: {seen:?}") };
    for headers in [one, other] {
        assert_eq!((parent(headers).trace_id.as_str(), parent(headers).flags), (TRACE, 0));
        for (name, value) in &sent[1..] {
            assert_eq!(headers[*name], *value);
        }
    }
    let spans = [parent(one).parent_id, parent(other).parent_id].map(|id| id.to_string());
    assert_ne!(spans[0], spans[1]);
    assert!(spans.iter().all(|span| *span != line.str("span_id") && *span != PARENT), "{spans:?}");
}

#[tokio::test]
async fn a_request_without_a_trace_hands_on_the_one_that_it_starts() {
    let (seen, line) = calls_of_a_request(&Observed::new(), &[], |_, _| ()).await;
    for headers in &seen {
        assert_eq!((parent(headers).trace_id.as_str(), parent(headers).flags), (line.str("trace_id"), 1));
        assert_eq!(headers["x-request-id"], line.str("request_id"));
        assert!(!headers.contains_key("tracestate") && !headers.contains_key("baggage"), "{headers:?}");
    }
}

/// A proxy hands on everything that it got.
#[tokio::test]
async fn copied_headers_do_not_make_the_caller_the_parent() {
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let sent = [("traceparent", &*traceparent), ("tracestate", "a=1"), ("x-request-id", "r-1")];
    let copy = |got: &HeaderMap, call: &mut HeaderMap| *call = got.clone();
    let (seen, line) = calls_of_a_request(&Observed::new(), &sent, copy).await;
    assert_eq!((line.str("trace_id"), line.str("parent_span_id")), (TRACE, PARENT));
    for headers in &seen {
        assert_eq!(parent(headers).trace_id.as_str(), TRACE);
        assert_ne!(parent(headers).parent_id.as_str(), PARENT);
        assert_eq!(
            (&headers["tracestate"], &headers["x-request-id"]),
            (&"a=1".parse().unwrap(), &"r-1".parse().unwrap())
        );
    }

    let edge = Observed::with(|redpane| redpane.trust_trace_context(false));
    let (seen, line) = calls_of_a_request(&edge, &sent, copy).await;
    assert_eq!(line["caller_trace_id"], TRACE);
    for headers in &seen {
        assert_eq!(parent(headers).trace_id.as_str(), line.str("trace_id"));
        assert!(!headers.contains_key("tracestate"), "that of a stranger: {headers:?}");
    }
}

#[tokio::test]
async fn what_the_application_sets_stays() {
    let own = |_: &HeaderMap, call: &mut HeaderMap| {
        call.insert("x-request-id", "mine".parse().unwrap());
        call.insert("baggage", "mine=1".parse().unwrap());
    };
    let (seen, _) = calls_of_a_request(&Observed::new(), &[("baggage", "k=v")], own).await;
    assert!(seen.iter().all(|headers| headers["x-request-id"] == "mine" && headers["baggage"] == "mine=1"), "{seen:?}");
}

#[tokio::test]
async fn outside_of_a_request_no_trace_is_started_and_no_parent_replaced() {
    let (observed, seen) = (Observed::new(), Seen::default());
    call(&observed.telemetry, &seen, get("/")).await;
    let mut traced = get("/");
    // As the application wrote it, what this version does not know included.
    let own = format!("cc-{TRACE}-{PARENT}-09-more");
    traced.headers_mut().insert("traceparent", own.parse().unwrap());
    call(&observed.telemetry, &seen, traced).await;
    let mut broken = get("/");
    broken.headers_mut().insert("traceparent", "nonsense".parse().unwrap());
    call(&observed.telemetry, &seen, broken).await;
    let seen = seen.lock().unwrap();
    assert!(seen[0].is_empty(), "{seen:?}");
    assert_eq!((seen[1].len(), &seen[1]["traceparent"]), (1, &own.parse().unwrap()));
    assert_eq!((seen[2].len(), &seen[2]["traceparent"]), (1, &"nonsense".parse().unwrap()));
}

/// As behind `tower::buffer`, whose worker is a task of its own.
#[tokio::test]
async fn a_call_from_another_task_takes_the_context_along() {
    let (observed, seen) = (Observed::new(), Seen::default());
    let (telemetry, kept) = (observed.telemetry.clone(), Arc::clone(&seen));
    let handler = async move |context: RequestContext| {
        let mut request = get("/");
        request.extensions_mut().insert(context);
        tokio::spawn(async move { call(&telemetry, &kept, request).await }).await.unwrap();
    };
    http_client::get(observed.serve(Router::new().route("/", route(handler))).await, "/").await;
    let line = observed.access_lines(1).await.remove(0);
    assert_eq!(parent(&seen.lock().unwrap()[0]).trace_id.as_str(), line.str("trace_id"));
}

/// A service that is called in the same process, even by itself, is another request.
#[tokio::test]
async fn a_service_that_calls_itself_counts_both() {
    let observed = Observed::new();
    let layer = observed.telemetry.outgoing_layer("itself");
    let inner = observed.telemetry.clone().instrument(Router::new().route("/", route(async || "inner")));
    let handler = async move |got: HeaderMap| {
        let mut request = get("/");
        *request.headers_mut() = got;
        let answer = tower::ServiceBuilder::new().layer(layer).service(inner).oneshot(request).await.unwrap();
        axum::body::to_bytes(Body::new(answer.into_body()), 100).await.unwrap()
    };
    let address = observed.serve(Router::new().route("/", route(handler))).await;
    assert_eq!(http_client::get(address, "/").await.text(), "inner");
    let lines = observed.access_lines(2).await;
    assert_eq!(lines[0]["trace_id"], lines[1]["trace_id"]);
    assert_ne!(lines[0]["parent_span_id"], lines[1]["span_id"], "the call stands between");
    super::assert_counted(&observed, [("GET itself 200", 1.0)]);
}

#[test]
fn a_call_is_a_line_where_that_is_asked_for() {
    let observed = Observed::with(|redpane| redpane.log_filter("info,redpane::client=debug".parse().unwrap()));
    let (seen, line) = observed.run(async {
        // With one dispatcher in the process, tracing asks the thread that comes first whether anybody wants this line, and
        // other tests have none. A second one makes it ask all.
        let _second = tracing::Dispatch::new(tracing_subscriber::registry().with(observed.telemetry.log_layer()));
        calls_of_a_request(&observed, &[], |_, _| ()).await
    });
    let lines: Vec<_> = observed.lines().into_iter().filter(|line| line["message"] == "call").collect();
    assert_eq!(lines.len(), 2);
    for (call, headers) in lines.iter().zip(&seen) {
        assert_eq!((call.str("target"), call.str("level")), ("redpane::client", "DEBUG"));
        assert_eq!((&call["trace_id"], &call["span_id"]), (&line["trace_id"], &line["span_id"]));
        assert_eq!(
            call["client_span_id"],
            parent(headers).parent_id.as_str(),
            "what the next service has as its parent"
        );
        assert_eq!(call["parent_span_id"], line["span_id"]);
        assert_eq!((call.str("method"), call.str("peer"), &call["status"]), ("GET", PEER, &200.into()));
        assert!(call["duration_seconds"].as_f64().is_some() && call.get("error").is_none(), "{}", call.text);
    }
}
