//! Requests of every kind, each with its route and the statuses it may be answered with.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::{BODY_LIMIT, Mix};
use crate::seen::QUIET_ROUTES;

const JSON: &str = "application/json";

#[derive(Clone, Debug)]
pub(crate) enum Content {
    None,
    Sized(Vec<u8>),
    /// Of unknown length.
    Chunked(Vec<&'static str>),
}

/// A request and what may be answered.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// The label.
    pub(crate) route: &'static str,
    pub(crate) headers: Vec<(&'static str, Vec<u8>)>,
    pub(crate) content: Content,
    pub(crate) statuses: Vec<u16>,
    /// The trace that a valid `traceparent` continues.
    pub(crate) trace_id: Option<String>,
    /// An id that the service replaces, or none at all.
    pub(crate) unusable_id: Option<Option<Vec<u8>>>,
}

impl Asked {
    pub(crate) fn new(method: &'static str, path: impl Into<String>, route: &'static str, status: u16) -> Self {
        Self {
            method,
            path: path.into(),
            route,
            headers: Vec::new(),
            content: Content::None,
            statuses: vec![status],
            trace_id: None,
            unusable_id: None,
        }
    }

    pub(crate) fn get(path: impl Into<String>, route: &'static str) -> Self {
        Self::new("GET", path, route, 200)
    }

    /// A request whose access line is more than two kilobytes long.
    pub(crate) fn loud() -> Self {
        Self::get(format!("/hello/{}", "x".repeat(3000)), "/hello/{name}")
    }

    /// A request in which spans are opened and a call is made. Under load it may be too slow, or the next service.
    pub(crate) fn checkout() -> Self {
        Self { statuses: vec![200, 502, 503], ..Self::get("/checkout", "/checkout") }
    }

    /// `POST /echo`. The service reads the body, so a machine under load may find it too slow.
    fn echo(content: Content, content_type: &str, status: u16) -> Self {
        let headers = vec![("content-type", content_type.as_bytes().to_vec())];
        Self { content, headers, statuses: vec![status, 503], ..Self::new("POST", "/echo", "/echo", status) }
    }

    /// Whether its client may leave: whether a quiet request whose client left has a line depends on the moment, and a line
    /// that is lost could not be accounted for.
    pub(super) fn may_be_left(&self) -> bool {
        !QUIET_ROUTES.contains(&self.route)
    }

    /// Method and route as their labels say.
    pub(crate) fn what(&self) -> String {
        const STANDARD: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"];
        let method = if STANDARD.contains(&self.method) { self.method } else { "_OTHER" };
        format!("{method} {}", self.route)
    }

    /// The statuses of this request if its client leaves before the answer; a body that breaks off is a bad request.
    pub(crate) fn or_aborted(&self) -> Vec<u16> {
        let broken_off: &[u16] = if self.method == "POST" { &[400] } else { &[] };
        [&self.statuses[..], &[499], broken_off].concat()
    }
}

impl Mix {
    pub(super) fn asked(&mut self) -> Asked {
        match self.random.random_range(0..100) {
            0..10 => Asked::get("/", "/"),
            10..36 => self.hello(),
            36..56 => self.echo(),
            56..64 => self.wrong(),
            64..70 => self.probe(),
            _ => self.fault(),
        }
    }

    fn hello(&mut self) -> Asked {
        const HELLO: &str = "/hello/{name}";
        let names = ["ada", "caf%C3%A9", "%22%0a%7B", "a?x=1&y=%00", "%2e%2e%2f", "%F0%9F%A6%80", "..", "'$(x)'"];
        match self.random.random_range(0..10) {
            0..4 => Asked::get(format!("/hello/{}", self.random.random::<u64>()), HELLO),
            4..8 => Asked::get(format!("/hello/{}", names.choose(&mut self.random).unwrap()), HELLO),
            8 => Asked::get(format!("/hello/{}", "x".repeat(self.random.random_range(1..6000))), HELLO),
            _ => Asked { statuses: vec![400], ..Asked::get("/hello/%ff%fe", HELLO) },
        }
    }

    fn echo(&mut self) -> Asked {
        let sized = |text: &str| Content::Sized(text.as_bytes().to_vec());
        match self.random.random_range(0..10) {
            0..3 => Asked::echo(sized(&format!("{{\"n\":{}}}", self.random.random::<u32>())), JSON, 200),
            3 => {
                let text = "y".repeat(self.random.random_range(1..BODY_LIMIT - 2));
                Asked::echo(sized(&format!("\"{text}\"")), JSON, 200)
            }
            4 => Asked::echo(Content::Chunked(vec!["{\"a\":", "[1,", "2]}"]), JSON, 200),
            5 => Asked::echo(sized("{\"a\\u0000\": \"\u{1b}"), JSON, 400),
            6 => Asked::echo(sized("<a/>"), "text/xml", 415),
            7 => Asked::echo(Content::None, JSON, 400),
            8 => Asked::echo(sized(&("[".repeat(200) + &"]".repeat(200))), JSON, 422),
            _ => Asked::echo(sized(&"z".repeat(BODY_LIMIT + 1 + self.random.random_range(0..BODY_LIMIT))), JSON, 413),
        }
    }

    fn wrong(&mut self) -> Asked {
        let number: u32 = self.random.random();
        match self.random.random_range(0..8) {
            0 => Asked::new("GET", format!("/nope/{number}"), "unmatched", 404),
            1 => Asked::new("HEAD", format!("/{number}"), "unmatched", 404),
            2 => Asked::new("BREW", format!("/pots/{number}"), "unmatched", 404),
            3 => Asked::new("OPTIONS", "/hello/ada", "/hello/{name}", 405),
            4 => Asked::new("PROPFIND", "/", "/", 405),
            5 => Asked::new("DELETE", format!("/hello/{number}"), "/hello/{name}", 405),
            6 => Asked::new("TRACE", "/echo", "/echo", 405),
            _ => Asked::new("HEAD", "/hello/ada", "/hello/{name}", 200),
        }
    }

    fn probe(&mut self) -> Asked {
        match self.random.random_range(0..8) {
            0..3 => Asked::get("/healthz", "/healthz"),
            3..6 => self.ready(),
            6 => Asked::new("HEAD", "/healthz", "/healthz", 200),
            _ => Asked::new("PUT", "/readyz", "/readyz", 405),
        }
    }

    fn ready(&mut self) -> Asked {
        let statuses = if self.without.certainty { vec![200, 503] } else { vec![200] };
        Asked { statuses, ..Asked::get("/readyz?verbose", "/readyz") }
    }

    fn fault(&mut self) -> Asked {
        match self.random.random_range(0..100) {
            0..40 => {
                let code = self.random.random_range(200..600);
                Asked::new("GET", format!("/faults/status/{code}"), "/faults/status/{code}", code)
            }
            40..44 => Asked::new("GET", "/faults/status/9x", "/faults/status/{code}", 400),
            44..64 => {
                let ms = self.random.random_range(0..40);
                let delay = Asked::get(format!("/faults/delay/{ms}"), "/faults/delay/{ms}");
                Asked { statuses: vec![200, 503], ..delay }
            }
            64..68 if !self.without.timeouts => Asked::new("GET", "/faults/delay/60000", "/faults/delay/{ms}", 503),
            64..85 => {
                Asked::get(format!("/faults/chunked/{}", self.random.random_range(1..200)), "/faults/chunked/{n}")
            }
            85..93 => Asked::get("/faults/cut", "/faults/cut"),
            _ => Asked::new("GET", "/faults/panic", "/faults/panic", 500),
        }
    }
}
