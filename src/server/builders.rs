//! How hyper is told to speak HTTP/1 and HTTP/2.

use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;

use super::limits::Limits;
use super::phase::Phase;

/// Room for an HTTP/1 request head, in bytes; other servers and proxies take 8 to 60 KiB unless told otherwise. One that
/// fits is counted and logged like any request, one that does not is answered 431 before a request exists.
pub(super) const HEAD_LIMIT: usize = 64 * 1024;
/// Requests at once on an HTTP/2 connection: what RFC 9113, section 6.5.2, recommends at least.
const STREAMS: u32 = 100;
/// Bytes of request bodies that an HTTP/2 connection may send before they are read, on each stream and on all together: what
/// RFC 9113, section 6.9.2, begins with, and one.
pub(super) const WINDOW: u32 = 64 * 1024;

/// Where nothing else bounds how long an answer may be on its way.
const HOUR: Duration = Duration::from_secs(3600);

/// One builder for connections that stay open, one for connections that end with their first answer.
pub(super) struct ConnectionBuilders {
    keep_alive: Builder<TokioExecutor>,
    /// For connections accepted during shutdown: their one answer says `connection: close`.
    one_answer: Builder<TokioExecutor>,
}

impl ConnectionBuilders {
    pub(super) fn new(limits: &Limits) -> Self {
        let pings = limits.header_timeout / 2;
        // A ping waits behind the answers that its client reads slowly: it gets the time that they have.
        let pongs = limits.request_timeout.unwrap_or(HOUR).max(pings);
        let mut keep_alive = Builder::new(TokioExecutor::new());
        // The keeper of the connections knows how long a head takes, in both protocols.
        keep_alive.http1().header_read_timeout(None).max_buf_size(HEAD_LIMIT);
        // Pings find clients that are gone without a word while their requests are being answered.
        keep_alive
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .keep_alive_interval(pings)
            .keep_alive_timeout(pongs);
        let mut one_answer = keep_alive.clone();
        one_answer.http1().keep_alive(false);
        Self { keep_alive, one_answer }
    }

    /// The builder for a connection that is accepted in `phase`.
    pub(super) fn accepted_in(&self, phase: Phase) -> &Builder<TokioExecutor> {
        if phase == Phase::Serving { &self.keep_alive } else { &self.one_answer }
    }
}
