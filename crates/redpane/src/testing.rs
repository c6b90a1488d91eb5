//! For tests of an application: what its requests have left behind.
//!
//! Each test has a telemetry of its own, so tests run in parallel and see nothing of each other.
//!
//! ```
//! # #[cfg(feature = "axum")]
//! # async fn test() {
//! use axum::body::{Body, to_bytes};
//! use axum::http::{Request, StatusCode};
//! use axum::{Router, extract::Path, routing::get};
//! use redpane::Redpane;
//! use tower::ServiceExt;
//!
//! async fn order(Path(number): Path<String>) -> Result<String, StatusCode> {
//!     let number: u32 = number.parse().map_err(|error| {
//!         redpane::record_error(&error);
//!         StatusCode::BAD_REQUEST
//!     })?;
//!     Ok(format!("order {number}\n"))
//! }
//!
//! let (telemetry, seen) = redpane::testing::observe(Redpane::new("test"));
//! let app: Router = telemetry.instrument(Router::new().route("/orders/{number}", get(order)));
//! let answer = app.oneshot(Request::get("/orders/x").body(Body::empty()).unwrap()).await.unwrap();
//! // The request ends with its body.
//! to_bytes(answer.into_body(), usize::MAX).await.unwrap();
//! assert_eq!(seen.requests("GET", "/orders/{number}", 400), 1);
//! assert_eq!(seen.line("/orders/{number}").text("error"), Some("invalid digit found in string"));
//! # }
//! # #[cfg(feature = "axum")]
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test());
//! ```

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::builder::Redpane;
use crate::logs::format::LogFormat;
use crate::telemetry::Telemetry;

/// The log is in memory: nobody has to wait for it longer.
const DEADLINE: Duration = Duration::from_secs(10);

/// Builds a telemetry whose lines and counters the test can read. Its lines go to memory as JSON, in the place of the builder's
/// writer and format. Nothing global is touched: `tracing` events are among the lines where the test's subscriber has
/// [`Telemetry::log_layer`], as with `tracing::subscriber::set_default`.
///
/// # Panics
/// If an option is bad, with the text of the [`ConfigError`](crate::ConfigError).
#[must_use]
pub fn observe(redpane: Redpane) -> (Telemetry, Observed) {
    let log = Memory::default();
    match redpane.log_format(LogFormat::Json).log_writer(log.clone()).build() {
        Ok(telemetry) => (telemetry.clone(), Observed { telemetry, log }),
        Err(error) => panic!("{error}"),
    }
}

/// What a telemetry has seen so far. Made by [`observe`].
#[derive(Clone, Debug)]
pub struct Observed {
    telemetry: Telemetry,
    log: Memory,
}

impl Observed {
    /// How many requests were counted with this method, route and status, whatever other labels they have. The route is the
    /// label: a template, such as `/orders/{number}`, or `unmatched`.
    #[must_use]
    pub fn requests(&self, method: &str, route: &str, status: u16) -> u64 {
        self.telemetry.count_requests(method, route, status)
    }

    /// All lines so far, in the order of their events.
    ///
    /// # Panics
    /// If they are not written within ten seconds.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        if let Err(error) = self.telemetry.flush(DEADLINE) {
            panic!("{error}");
        }
        let text = self.log.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8_lossy(&text).lines().map(Line::read).collect()
    }

    /// The access line of the only request of a route.
    ///
    /// # Panics
    /// If there is none, or more than one. The message has all lines.
    #[must_use]
    #[track_caller]
    pub fn line(&self, route: &str) -> Line {
        let lines = self.lines();
        let of_route = |line: &&Line| line.text("message") == Some("request") && line.text("route") == Some(route);
        let mut found = lines.iter().filter(of_route);
        match (found.next(), found.next()) {
            (Some(line), None) => line.clone(),
            (one, _) => {
                let many = if one.is_some() { "more than one request" } else { "no request that has ended" };
                let all: String = lines.iter().map(|line| format!("\n  {line}")).collect();
                panic!("{many} of the route {route:?}; a request ends with its body. All lines:{all}")
            }
        }
    }
}

/// A line of the log. It is shown as it was written.
#[derive(Clone, Debug)]
pub struct Line {
    text: String,
    fields: Map<String, Value>,
}

impl Line {
    fn read(text: &str) -> Self {
        // redpane writes nothing else.
        Self { text: text.to_owned(), fields: serde_json::from_str(text).unwrap_or_default() }
    }

    /// A field that is a text.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.as_str()
    }

    /// A field that is a number.
    #[must_use]
    pub fn number(&self, field: &str) -> Option<f64> {
        self.fields.get(field)?.as_f64()
    }

    /// Whether there is such a field. Its value may be `null`.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}
