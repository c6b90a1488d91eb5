//! What became of an answer after the server took its body.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::observation::Observation;

/// Told by a server what became of an answer's bytes.
///
/// A body ends when the server has taken its last byte, which may be long before the client gets it, or instead of that: a
/// client that reads nothing, or resets its stream, would look like one that got everything. A server that knows better puts
/// a clone into the extensions of each request, or [offers](Self::offer) one. A request whose answer has a body then ends when
/// the server says so, not with the body; it is in flight until then, and `response_bytes` are those handed over if the answer
/// was not delivered.
///
/// What the server's system holds in its buffers when a connection breaks counts as handed over: nobody knows how much of
/// it arrived. Answers without a body, and those that end at their headers, end as they do without this.
///
/// Clones are the same delivery. When the last is dropped without a word, the answer counts as not delivered.
///
/// ```
/// use redpane::Delivery;
///
/// let delivery = Delivery::default();
/// let mut request = http::Request::new("");
/// request.extensions_mut().insert(delivery.clone());
/// // .. the request is served; then, for each write to the connection:
/// delivery.handed_over(1024);
/// // .. and when nothing of the answer is left:
/// delivery.end(true);
/// ```
#[derive(Clone, Default)]
pub struct Delivery {
    // One word: it moves with each request, most of which have none.
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    client: Option<SocketAddr>,
    seen: Seen,
    /// What the server says with the drop of the last handle.
    is_whole: AtomicBool,
    state: Mutex<State>,
}

/// What the server has seen so far.
#[derive(Default)]
struct Seen {
    /// Handed over, in bytes.
    bytes: AtomicU64,
    has_left: AtomicBool,
}

#[derive(Default)]
enum State {
    /// The body has not ended.
    #[default]
    Open,
    /// The body has ended well; the request ends with the delivery.
    Ended(Observation),
    /// The server has said its word.
    Over { whole: bool },
}

impl Delivery {
    /// One whose server knows the address of the client. It is the field `client` of the access line where the request has
    /// neither `ConnectInfo<SocketAddr>` nor [`ClientAddr`](crate::ClientAddr): one value in the extensions in place of two.
    #[must_use]
    pub fn to(client: SocketAddr) -> Self {
        let (seen, is_whole, state) = (Seen::default(), AtomicBool::default(), Mutex::default());
        Self { shared: Arc::new(Shared { client: Some(client), seen, is_whole, state }) }
    }

    /// The address of the client, where the server knows it.
    #[must_use]
    pub fn client(&self) -> Option<SocketAddr> {
        self.shared.client
    }

    /// So many bytes of the body, more than before, are on their way to the client: the system has taken them.
    ///
    /// For whoever writes to the connection, which is one at a time: of two calls at once one may be lost.
    pub fn handed_over(&self, bytes: u64) {
        // One writer needs no atomic addition, which takes as long as some dozens of other instructions.
        self.shared.seen.bytes.store(self.bytes() + bytes, Ordering::Relaxed);
    }

    /// The server is done with the answer. `whole`: everything that it took of the body was handed over. Only the first
    /// call counts.
    pub fn end(self, whole: bool) {
        match Arc::strong_count(&self.shared) {
            // Nobody else has it, or can get it any more: its drop is the end, and needs no lock.
            1 => self.shared.is_whole.store(whole, Ordering::Relaxed),
            _ => self.shared.end(whole),
        }
    }

    /// The client has left before its answer was made, as one does that breaks off its upload. An answer of which nothing is
    /// handed over then was not sent: the request has status 499 and outcome `aborted`, whatever the answer says.
    pub fn client_left(&self) {
        self.shared.seen.has_left.store(true, Ordering::Relaxed);
    }

    /// What the end of an answer that was not delivered whole makes of its request.
    pub(super) fn cut(&self, observation: &mut Observation) {
        self.shared.seen.cut(observation);
    }

    /// Bytes of the body handed over so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared.seen.bytes.load(Ordering::Relaxed)
    }

    /// The body has ended well. The observation waits for the end of the delivery, or ends here where that came first.
    pub(super) fn wait_with(&self, mut observation: Observation) {
        let mut state = self.shared.lock();
        match *state {
            State::Open => *state = State::Ended(observation),
            // A body ends once.
            State::Ended(_) => {}
            State::Over { whole } => {
                drop(state);
                self.shared.seen.settle(&mut observation, whole);
            }
        }
    }
}

impl Seen {
    fn cut(&self, observation: &mut Observation) {
        let bytes = self.bytes.load(Ordering::Relaxed);
        observation.sent_only(bytes);
        if bytes == 0 && self.has_left.load(Ordering::Relaxed) {
            observation.unsent();
        }
    }

    /// Notes how the request went, which ends with the drop of its observation.
    fn settle(&self, observation: &mut Observation, whole: bool) {
        if whole {
            return observation.delivered();
        }
        self.cut(observation);
        observation.undelivered();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, whole: bool) {
        let mut state = self.lock();
        if matches!(*state, State::Over { .. }) {
            return;
        }
        let ended = std::mem::replace(&mut *state, State::Over { whole });
        // Observers run at the end of a request: they must not find the lock taken.
        drop(state);
        if let State::Ended(mut observation) = ended {
            self.seen.settle(&mut observation, whole);
        }
    }
}

/// The server has said its last word, or is gone.
impl Drop for Shared {
    fn drop(&mut self) {
        if let State::Ended(observation) = self.state.get_mut().unwrap_or_else(PoisonError::into_inner) {
            self.seen.settle(observation, *self.is_whole.get_mut());
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}
