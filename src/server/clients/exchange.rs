//! One request and its answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Uri, Version};
use http_body::Body;
use redpane::Delivery;

use super::account::{Account, signed};
use super::counts::GRANULE;

/// What an exchange takes beside its bytes: its future, its context, its headers' map; on HTTP/2 its task and its stream too.
/// Measured.
const BASE_HTTP1: usize = 2048;
const BASE_HTTP2: usize = 3328;
/// An answer that counts as part of that, in bytes.
const SMALL: usize = 512;
/// What a field takes beside its name and value, in bytes (RFC 9113, section 10.5.1, counts the same).
const FIELD: usize = 32;

/// Held by everything that holds bytes of it; its last holder ends it.
pub(in crate::server) struct Exchange {
    account: Arc<Account>,
    /// `None` once it has ended, which is when this is dropped.
    delivery: Option<Delivery>,
    /// Its place among the streams of an HTTP/2 connection.
    stream: Option<usize>,
    held: AtomicIsize,
    /// Of that, bytes of the answer that the system has taken meanwhile.
    released: AtomicUsize,
    /// Of that, what has arrived of the request's body.
    body: AtomicUsize,
    has_answer: AtomicBool,
    /// Bytes of the answer that the protocol has taken.
    taken: AtomicUsize,
    /// The application has nothing to send at the moment.
    waits_for_application: AtomicBool,
    /// The last time that something went its way.
    progress: AtomicU64,
    /// Bytes of the answer were thrown away.
    is_broken: AtomicBool,
    /// Its stream was reset.
    is_reset: AtomicBool,
    /// Bytes of the answer are in the protocol's buffer, which keeps the exchange open.
    is_in_buffer: AtomicBool,
}

impl Exchange {
    /// A request of `client` has arrived, with so many bytes of names and values. Called by the connection's task only.
    pub(in crate::server) fn begin<B: Body>(
        account: &Arc<Account>,
        client: SocketAddr,
        request: &Request<B>,
        fields: usize,
    ) -> Arc<Self> {
        let is_http2 = request.version() > Version::HTTP_11;
        let target = target_length(request.uri());
        // The request line and the empty line, then ": " and CR LF a field.
        let head = request.method().as_str().len() + target + 14 + fields + 4 * request.headers().len();
        let base = if is_http2 { BASE_HTTP2 } else { BASE_HTTP1 };
        let held = signed(base + target + fields + FIELD * request.headers().len());
        account.begin(head, !request.body().is_end_stream(), held);
        let now = account.clients.now();
        let build = |stream| Self {
            account: Arc::clone(account),
            delivery: Some(Delivery::to(client)),
            stream,
            held: AtomicIsize::new(held),
            released: AtomicUsize::new(0),
            body: AtomicUsize::new(0),
            has_answer: AtomicBool::new(false),
            taken: AtomicUsize::new(0),
            waits_for_application: AtomicBool::new(false),
            progress: AtomicU64::new(now),
            is_broken: AtomicBool::new(false),
            is_reset: AtomicBool::new(false),
            is_in_buffer: AtomicBool::new(false),
        };
        match is_http2 {
            true => account.streams.begin(now, |stream| Arc::new(build(Some(stream)))),
            false => Arc::new(build(None)),
        }
    }

    /// What the middleware waits for. A clone of it is offered while the request is served.
    pub(in crate::server) fn delivery(&self) -> &Delivery {
        self.delivery.as_ref().expect("it ends with its exchange")
    }

    /// Whether its answer is the last on a connection of HTTP/1: its client must not send another request.
    pub(in crate::server) fn ends_connection(&self) -> bool {
        self.stream.is_none() && (self.account.command().is_some() || self.account.makes_room())
    }

    /// Whether there is room for what the request holds so far.
    pub(in crate::server) fn has_room(&self) -> bool {
        self.account.clients.has_room(self.account.held())
    }

    pub(super) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    pub(super) fn hold(&self, bytes: usize) {
        self.change(signed(bytes));
    }

    fn change(&self, bytes: isize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
        self.account.hold(bytes);
    }

    /// Bytes of the request's body were passed to the application, which may keep them until it answers. `false`: there is
    /// no room for them.
    pub(super) fn arrived(&self, bytes: usize) -> bool {
        if self.has_answer.load(Ordering::Relaxed) {
            return true;
        }
        self.hold(bytes);
        self.body.fetch_add(bytes, Ordering::Relaxed);
        !self.account.clients.is_far_over()
    }

    /// The answer begins, and holds so many bytes already.
    pub(super) fn answered(&self, bytes: usize) {
        self.has_answer.store(true, Ordering::Relaxed);
        self.progress.store(self.account.clients.now(), Ordering::Relaxed);
        // Most requests have none, and a load costs less.
        let body = if self.body.load(Ordering::Relaxed) == 0 { 0 } else { self.body.swap(0, Ordering::Relaxed) };
        // What every exchange takes has room for a small answer.
        let bytes = if bytes <= SMALL { 0 } else { bytes };
        if bytes != body {
            self.change(signed(bytes) - signed(body));
        }
    }

    /// The protocol was polled for the answer's next bytes.
    pub(super) fn polled(&self, is_pending: bool) {
        // On HTTP/1 the socket tells whether its client takes something.
        if self.is_http2() && self.waits_for_application.load(Ordering::Relaxed) != is_pending {
            self.waits_for_application.store(is_pending, Ordering::Relaxed);
            self.progress.store(self.account.clients.now(), Ordering::Relaxed);
        }
    }

    /// The protocol has taken bytes of the answer. Called by the one body that the answer has.
    pub(super) fn taken(&self, bytes: usize) {
        if !self.is_http2() {
            return;
        }
        self.taken.store(self.taken.load(Ordering::Relaxed) + bytes, Ordering::Relaxed);
    }

    /// The protocol has written bytes of the answer, or put them into the buffer that it writes next.
    pub(super) fn handed_over(self: &Arc<Self>, bytes: usize) {
        if self.is_http2() && !self.is_in_buffer.swap(true, Ordering::Relaxed) {
            self.account.streams.hold_until_written(Arc::clone(self));
        }
        self.delivery().handed_over(bytes as u64);
        self.progress.store(self.account.clients.now(), Ordering::Relaxed);
        let handed_over = self.bytes_handed_over();
        // The last few bytes go with the exchange.
        if signed(handed_over) - signed(self.released.load(Ordering::Relaxed)) >= GRANULE {
            let before = self.released.swap(handed_over, Ordering::Relaxed);
            self.account.hold(signed(before) - signed(handed_over));
        }
    }

    /// The protocol's buffer is written.
    pub(super) fn written(&self) {
        self.is_in_buffer.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_http2(&self) -> bool {
        self.stream.is_some()
    }

    fn bytes_handed_over(&self) -> usize {
        usize::try_from(self.delivery().bytes()).unwrap_or(usize::MAX)
    }

    /// Bytes of the answer are thrown away.
    pub(super) fn broken(&self) {
        self.is_broken.store(true, Ordering::Relaxed);
    }

    /// The body of the request broke off: its client has left or has closed its half of the connection, or was cut.
    pub(super) fn broke_off(&self) {
        self.delivery().client_left();
    }

    pub(super) fn set_reset(&self) {
        self.is_reset.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_reset(&self) -> bool {
        self.is_reset.load(Ordering::Relaxed)
    }

    /// How long its client has taken nothing of an answer that has something to give.
    pub(super) fn stalled_for(&self) -> Option<Duration> {
        let waits = self.waits_for_application.load(Ordering::Relaxed);
        let has_bytes = self.taken.load(Ordering::Relaxed) > self.bytes_handed_over() || !waits;
        let is_stalled = self.has_answer.load(Ordering::Relaxed) && has_bytes;
        is_stalled.then(|| self.account.clients.since(self.progress.load(Ordering::Relaxed)))
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(stream) = self.stream {
            self.account.streams.end(stream);
        }
        let held = *self.held.get_mut() - signed(*self.released.get_mut());
        let _finished = Finished { account: &self.account, held };
        if let Some(delivery) = self.delivery.take() {
            delivery.end(!*self.is_broken.get_mut());
        }
    }
}

/// Gives back what an exchange held once its request has ended, even if that panics.
struct Finished<'a> {
    account: &'a Account,
    held: isize,
}

impl Drop for Finished<'_> {
    fn drop(&mut self) {
        self.account.finish(self.held);
    }
}

/// The target of a request as it was sent, in bytes; in absolute form too (RFC 9112, section 3.2.2).
fn target_length(uri: &Uri) -> usize {
    let scheme = uri.scheme_str().map_or(0, |scheme| scheme.len() + "://".len());
    let authority = uri.authority().map_or(0, |authority| authority.as_str().len());
    scheme + authority + uri.path_and_query().map_or(0, |target| target.as_str().len())
}
