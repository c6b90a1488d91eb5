//! The request id, from whatever the caller sent.
//!
//! An input is lines, each an `X-Request-Id` header; the first one counts.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderValue, Request};
use redpane::{Redpane, RequestContext};

use super::service::Service;

thread_local! {
    static SERVICE: Service = Service::new(Redpane::new("fuzz"), Router::new().route("/", get(ids)));
}

/// The id that the handler is told, and the one for the next service.
async fn ids(context: RequestContext) -> String {
    let outgoing = context.outgoing_headers();
    format!("{}\n{}", context.request_id(), outgoing["x-request-id"].to_str().unwrap())
}

fn is_usable(id: &[u8]) -> bool {
    (1..=128).contains(&id.len()) && id.iter().all(|byte| (0x21..=0x7e).contains(byte))
}

/// It is echoed if it is 1 to 128 visible ASCII characters, else replaced by such; handler, log, answer and the next
/// service see the same one.
pub fn check(input: &[u8]) {
    let values: Vec<_> =
        input.split(|&byte| byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok()).collect();
    let mut request = Request::new(Body::empty());
    for value in &values {
        request.headers_mut().append("x-request-id", value.clone());
    }
    SERVICE.with(|service| {
        let answer = service.send(request);
        let mut echoes = answer.headers().get_all("x-request-id").iter();
        let echoed = echoes.next().expect("every answer has one").to_str().expect("visible ASCII");
        assert_eq!(echoes.next(), None, "two request ids in one answer");
        assert!(is_usable(echoed.as_bytes()), "{echoed:?}");
        let sent = values.first().map(HeaderValue::as_bytes).filter(|sent| is_usable(sent));
        match sent {
            Some(sent) => assert_eq!(echoed.as_bytes(), sent),
            None => assert!(values.iter().all(|value| value != echoed), "{echoed:?} was not usable"),
        }
        assert_eq!(answer.body(), &format!("{echoed}\n{echoed}"));
        assert_eq!(service.line().get_str("request_id"), Some(echoed));
    });
}
