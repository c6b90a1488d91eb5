//! Every way in which a request can end: one sample, one line, and both agree.

mod broken;
mod delivery;
mod no_body;
mod panics;
mod policy;
mod protocol;
mod whole;

use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use test_support::client::{self, Answer};
use test_support::{Line, Observed};

fn asked() -> Request<Body> {
    client::request(Method::GET, "/").body(Body::empty()).unwrap()
}

/// Serves a router, sends it one request, and gives the answer and the access line after checking that the answer, the
/// line and the sample agree.
async fn one(router: Router, request: Request<Body>) -> (Answer, Line) {
    let observed = Observed::new();
    let address = observed.serve(router).await;
    let answer = client::send(address, request).await;
    let line = observed.only_request().await;
    answer.belongs_to(&line);
    (answer, line)
}

/// Asserts the essence of an access line: `INFO complete GET /hello/{name} 200`.
#[track_caller]
fn assert_line(line: &Line, essence: &str) {
    let status = line["status"].to_string();
    let [level, outcome, method, route] = ["level", "outcome", "method", "route"].map(|key| line.str(key));
    assert_eq!([level, outcome, method, route, &status].join(" "), essence, "{}", line.text);
    assert_eq!(line["message"], "request");
    assert_eq!(line["app"], "test");
}
