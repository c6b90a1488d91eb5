//! How spans are exported: what the builder and the environment set.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::endpoint;
use super::keep::TraceKeep;
use super::sampler::Sampler;

/// Bytes of spans that wait in memory for their receiver; and as many again of those inside of requests that still run, whose
/// end decides.
pub(crate) const BUFFER_BYTES: usize = 16 * 1024 * 1024;

/// The attribute of a resource that the app is.
pub(super) const SERVICE_NAME: &str = "service.name";

/// Where and how spans are exported: OTLP over HTTP in protobuf. For [`Redpane::otlp`](crate::Redpane::otlp).
///
/// ```
/// use redpane::{Otlp, Redpane};
///
/// let redpane = Redpane::new("api").otlp(Otlp::new("http://localhost:4318/v1/traces"));
/// ```
#[derive(Clone)]
pub struct Otlp {
    pub(crate) endpoint: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) gzip: bool,
    pub(crate) timeout: Duration,
    pub(crate) sampler: Sampler,
    pub(crate) keep: TraceKeep,
    pub(crate) resource: Vec<(String, String)>,
    pub(crate) batch_spans: u64,
    pub(crate) max_spans: u64,
    pub(crate) delay: Duration,
    pub(crate) give_up_after: Option<Duration>,
    /// Settings that change nothing: a line at start for each.
    pub(crate) notes: Vec<String>,
    /// There are notes, and nothing else.
    pub(crate) is_off: bool,
}

impl fmt::Debug for Otlp {
    /// Without the values of headers, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Otlp").field("endpoint", &endpoint::shown(&self.endpoint)).finish_non_exhaustive()
    }
}

impl Otlp {
    /// Sends spans to this URL, its path included: `http://localhost:4318/v1/traces`.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            headers: Vec::new(),
            gzip: false,
            timeout: Duration::from_secs(10),
            sampler: Sampler::default(),
            keep: TraceKeep::default(),
            resource: Vec::new(),
            batch_spans: 512,
            max_spans: u64::MAX,
            delay: Duration::from_secs(5),
            give_up_after: None,
            notes: Vec::new(),
            is_off: false,
        }
    }

    /// Adds a header to every batch that is sent.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Whether batches are compressed. Defaults to `false`.
    #[must_use]
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// The longest that one attempt to send a batch takes. Defaults to 10 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Which requests are sampled. Defaults to `parentbased_always_on`.
    #[must_use]
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// Which requests are exported although the sampler said no. Defaults to those that end badly and those that take a
    /// second or longer. Their sampled flag stays as it was decided.
    #[must_use]
    pub fn keep(mut self, keep: TraceKeep) -> Self {
        self.keep = keep;
        self
    }

    /// Adds an attribute to the resource of all spans. `service.name` is the telemetry's app, and cannot be another one here: a
    /// line at start says so.
    #[must_use]
    pub fn resource(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let key = key.into();
        match key == SERVICE_NAME {
            true => self.notes.push("the resource's service.name is the app, and no other one that is given".into()),
            false => self.resource.push((key, value.into())),
        }
        self
    }

    /// The most spans of a batch. Defaults to 512; at least 1.
    #[must_use]
    pub fn batch_spans(mut self, spans: u64) -> Self {
        self.batch_spans = spans;
        self
    }

    /// How long a batch that is not full waits for more spans. Defaults to 5 seconds.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// How long a batch is tried, all attempts together. Defaults to as long as it takes: while the receiver is away, spans
    /// wait in a buffer of 16 MiB, and those inside of requests that still run in 16 MiB beside it.
    #[must_use]
    pub fn give_up_after(mut self, time: Duration) -> Self {
        self.give_up_after = Some(time);
        self
    }

    /// Whether nothing is exported, because the environment asks for exporters that are not supported.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.is_off
    }

    /// Where spans are sent: the URL without its query, which may hold a key.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.endpoint.split('?').next().unwrap_or_default()
    }

    /// The endpoint and the headers in the form that they are used in.
    ///
    /// # Errors
    /// What is wrong: the value (of a header its name alone, where it is one), and what would be right.
    pub(crate) fn check(&self) -> Result<(Uri, HeaderMap), Vec<(String, String)>> {
        let mut problems = Vec::new();
        let endpoint = endpoint::read(&self.endpoint);
        let endpoint =
            endpoint.map_err(|problem| problems.push((endpoint::shown(&self.endpoint).into_owned(), problem))).ok();
        let mut headers = HeaderMap::new();
        for (at, (name, value)) in self.headers.iter().enumerate() {
            match (HeaderName::from_str(name), HeaderValue::from_str(value)) {
                (Ok(name), Ok(value)) => _ = headers.append(name, value),
                // What is no name may be a secret.
                (name, _) => problems.push((
                    name.map_or_else(|_| format!("header {}", at + 1), |name| name.to_string()),
                    "a header is a name of letters, digits and dashes, and a value of visible ASCII characters".into(),
                )),
            }
        }
        if self.batch_spans == 0 {
            problems.push(("0".into(), "leaves no room in a batch; 1 span or more is right".into()));
        }
        match endpoint {
            Some(endpoint) if problems.is_empty() => Ok((endpoint, headers)),
            _ => Err(problems),
        }
    }
}
