//! How hyper is told to speak HTTP/1 and HTTP/2.
//!
//! The socket of a connection finds out which of them its client speaks. hyper-util's `auto` could do it, but its feature
//! `server-auto` also compiles HTTP/2 into hyper-util's clients: 0.4 MB of the binary that nothing calls.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioTimer;

use super::clients::StreamExecutor;
use super::limits::Limits;
use super::phase::Phase;

/// Room for an HTTP/1 request head, in bytes; other servers and proxies take 8 to 60 KiB unless told otherwise. One that
/// fits is counted and logged like any request, one that does not is answered 431 before a request exists. On HTTP/2 the same
/// for the fields of a request, with 32 bytes for each (RFC 9113, section 6.5.2).
pub(super) const HEAD_LIMIT: usize = 64 * 1024;
/// Requests at once on an HTTP/2 connection: what RFC 9113, section 6.5.2, recommends at least.
const STREAMS: u32 = 100;
/// Bytes of request bodies that an HTTP/2 connection may send before they are read, on each stream and on all together: what
/// RFC 9113, section 6.9.2, begins with, and one.
pub(super) const WINDOW: u32 = 64 * 1024;

/// Where nothing else bounds how long an answer may be on its way.
const HOUR: Duration = Duration::from_secs(3600);

/// A builder for one connection of HTTP/1, whose first bytes come in `phase`. One that begins during shutdown ends with its
/// first answer, which says `connection: close`.
pub(super) fn http1(phase: Phase) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // The keeper of the connections knows how long a head takes, in both protocols.
    builder.header_read_timeout(None).max_buf_size(HEAD_LIMIT).keep_alive(phase == Phase::Serving);
    builder.auto_date_header(has_clock());
    builder
}

/// A builder for one connection of HTTP/2.
pub(super) fn http2(limits: &Limits, streams: StreamExecutor) -> http2::Builder<StreamExecutor> {
    let pings = limits.header_timeout / 2;
    // A ping waits behind the answers that its client reads slowly: it gets the time that they have.
    let pongs = limits.request_timeout.unwrap_or(HOUR).max(pings);
    let mut builder = http2::Builder::new(streams);
    // Pings find clients that are gone without a word while their requests are being answered.
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD_LIMIT).unwrap_or(u32::MAX))
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .keep_alive_interval(pings)
        .keep_alive_timeout(pongs)
        .auto_date_header(has_clock());
    builder
}

/// A server without a clock must not date its answers (RFC 9110, section 6.6.1).
fn has_clock() -> bool {
    SystemTime::now() >= UNIX_EPOCH
}
