//! What a client knows about a request it made.

use std::time::Instant;

/// Routes whose requests write no access line unless they fail.
pub(crate) const QUIET_ROUTES: [&str; 3] = ["/metrics", "/healthz", "/readyz"];

/// How an answer ended for its client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ending {
    /// Read to its proper end; the bytes of its body.
    Whole(u64),
    /// The service broke it off.
    Broken,
    /// The client left in the middle of it.
    Left,
}

/// What became of a request, as far as its client can know.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Answered(u16, Ending),
    /// It was sent whole on a connection that was closed in order: the service must have seen it, and ended it with one
    /// of these statuses.
    Arrived(Vec<u16>),
    /// It may have been lost on its way; if not, one of these.
    Uncertain(Vec<u16>),
    /// It was never a request.
    Never,
}

/// One request and its fate.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `X-Request-Id`, unique in a test.
    pub(crate) id: String,
    /// Method and route as their labels say, `GET /hello/{name}`.
    pub(crate) what: String,
    pub(crate) fate: Fate,
    /// `X-Trace-Id` of the answer.
    pub(crate) trace_id: Option<String>,
    /// When its client knew.
    pub(crate) at: Instant,
}

/// Statuses that say by themselves that time ran out.
const TIMEOUTS: [u64; 2] = [408, 504];

impl Seen {
    /// The label sets that may count it.
    pub(crate) fn labels(&self) -> Vec<String> {
        let statuses = match &self.fate {
            Fate::Answered(status, _) => &vec![*status],
            Fate::Arrived(statuses) | Fate::Uncertain(statuses) => statuses,
            Fate::Never => &vec![],
        };
        statuses.iter().map(|status| format!("{} {status}", self.what)).collect()
    }

    /// Whether its client has an answer that must have a line.
    pub(crate) fn is_logged(&self) -> bool {
        matches!(self.fate, Fate::Answered(..)) && !self.is_quiet()
    }

    /// Whether it writes no access line: probes and scrapes that went well.
    pub(crate) fn is_quiet(&self) -> bool {
        let well = match &self.fate {
            Fate::Answered(status, _) => *status < 400,
            Fate::Arrived(statuses) | Fate::Uncertain(statuses) => statuses.iter().any(|status| *status < 400),
            Fate::Never => false,
        };
        let (_, route) = self.what.split_once(' ').unwrap();
        well && QUIET_ROUTES.contains(&route)
    }

    /// Whether this outcome of an access line fits what the client saw.
    pub(crate) fn allows(&self, outcome: &str, status: u64) -> bool {
        let fits = match outcome {
            "complete" => {
                !TIMEOUTS.contains(&status) && (status != 499 || self.what.ends_with("/faults/status/{code}"))
            }
            "aborted" => true,
            "panic" => status == 500,
            "timeout" => status == 503 || TIMEOUTS.contains(&status),
            _ => outcome == "body_error" && self.what.ends_with("/faults/cut"),
        };
        let ended = match self.fate {
            Fate::Answered(_, Ending::Whole(_)) => outcome != "aborted" && outcome != "body_error",
            Fate::Answered(_, Ending::Broken) => outcome == "body_error",
            _ => true,
        };
        fits && ended
    }
}
