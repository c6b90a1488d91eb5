//! Looks after the connections: ends those that do nothing, and cuts those whose clients take nothing or too much.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use metrics::{Counter, counter, describe_counter};
use redpane::Telemetry;
use tokio::time::{sleep, timeout};

use super::account::{Account, signed};
use super::command::Command;
use super::registry::Clients;
use super::streams::OpenStream;
use crate::log_targets::SERVER;
use crate::server::every_second::EverySecond;

/// Time a connection without a request has at shutdown to send the one its client connected for. Its bytes may be on their
/// way already; closing without reading them would lose the request.
const FIRST_REQUEST_GRACE: Duration = Duration::from_millis(500);
/// Time an idle client has to agree to the end of its connection, as HTTP/2 wants it.
const FAREWELL: Duration = Duration::from_secs(1);
/// Age up to which a connection is not to blame for memory that is short, unless far too much is held.
const YOUNG: Duration = Duration::from_secs(1);
/// Time between two looks; at most an eighth of a time limit, so that limits are kept that closely.
const LOOKS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// Looks after `clients` until it is dropped.
pub(in crate::server) async fn keep(clients: Arc<Clients>, telemetry: Telemetry) {
    let mut keeper = Keeper::new(clients, &telemetry);
    let limits = &keeper.clients.limits;
    let shortest = limits.request_timeout.map_or(limits.header_timeout, |timeout| timeout.min(limits.header_timeout));
    let interval = (shortest / 8).clamp(LOOKS.0, LOOKS.1);
    loop {
        // An error means that the time is over and nobody has called.
        drop(timeout(interval, keeper.clients.pressure.notified()).await);
        keeper.look();
        sleep(LOOKS.0).await;
    }
}

const STALLED: &str = "the client took nothing within the request timeout";

enum Reason {
    Stalled,
    Memory,
}

enum Stalled {
    Connection,
    Streams(Vec<OpenStream>),
}

struct Keeper {
    clients: Arc<Clients>,
    stalled: Counter,
    memory: Counter,
    lines: EverySecond,
}

impl Keeper {
    fn new(clients: Arc<Clients>, telemetry: &Telemetry) -> Self {
        const NAME: &str = "redpane_client_connections_cut_total";
        let [stalled, memory] = metrics::with_local_recorder(&telemetry.recorder(), || {
            describe_counter!(NAME, "Connections cut because their clients took nothing, or memory was short.");
            ["stalled", "memory"].map(|reason| counter!(NAME, "reason" => reason))
        });
        Self { clients, stalled, memory, lines: EverySecond::default() }
    }

    fn look(&mut self) {
        self.clients.tick();
        let accounts = self.clients.all();
        for account in &accounts {
            account.tell();
            if account.command() == Some(Command::Cut) {
                continue;
            }
            match self.stalled(account) {
                Some(Stalled::Connection) => self.cut(account, Reason::Stalled),
                Some(Stalled::Streams(streams)) => self.reset(account, &streams),
                None => self.look_at_idle(account),
            }
        }
        if self.clients.is_over() {
            self.relieve(&accounts);
        }
    }

    /// Ends a connection that has no request.
    fn look_at_idle(&self, account: &Account) {
        // Before the time: bytes that come in between must not be judged by it.
        let is_between_requests = account.is_between_requests();
        let Some(idle) = account.idle_for() else { return };
        let limit = self.clients.limits.header_timeout;
        // An idle client is told; one that is about to say something would never hear.
        let command = match is_between_requests {
            true if idle >= limit + FAREWELL => Command::Cut,
            true if idle >= limit => Command::End,
            true if account.ending_for() >= FAREWELL && idle >= FAREWELL => Command::Cut,
            false if idle >= limit => Command::Cut,
            false if account.ending_for() >= FIRST_REQUEST_GRACE => Command::End,
            _ => return,
        };
        if account.give(command) && command == Command::Cut && !account.has_asked() {
            tracing::debug!(target: SERVER, client = %account.peer, "connection closed: no request within the header timeout");
        }
    }

    /// What of a connection takes nothing for too long. A stream that does so is no reason to end the others.
    fn stalled(&self, account: &Account) -> Option<Stalled> {
        let limit = self.clients.limits.request_timeout?;
        let is_over = |time: Option<Duration>| time.is_some_and(|time| time >= limit);
        if is_over(account.blocked_for()) {
            return Some(Stalled::Connection);
        }
        if !account.is_http2() {
            return None;
        }
        let mut streams = account.streams.open();
        // Their tasks have not run yet.
        streams.retain(|stream| !stream.is_being_reset());
        let open = streams.len();
        streams.retain(|stream| is_over(stream.exchange.stalled_for()));
        // What is in the protocol's hands cannot be reset: it is little, and ends with the connection.
        let is_all = !streams.is_empty() && streams.len() == open;
        if is_all && streams.iter().all(|stream| !stream.can_be_reset()) {
            return Some(Stalled::Connection);
        }
        streams.retain(OpenStream::can_be_reset);
        (!streams.is_empty()).then_some(Stalled::Streams(streams))
    }

    fn reset(&mut self, account: &Account, streams: &[OpenStream]) {
        for stream in streams {
            self.clients.add_stalled_stream();
            stream.reset();
        }
        if let Some(connections) = self.lines.let_through() {
            let client = account.peer;
            let (streams, why) = (streams.len(), STALLED);
            tracing::warn!(target: SERVER, %client, streams, connections, "streams reset: {why}");
        }
    }

    /// Cuts those that hold much for long, until a quarter of the memory is free.
    fn relieve(&mut self, accounts: &[Arc<Account>]) {
        let longest = self.clients.limits.request_timeout.unwrap_or(Duration::MAX);
        // What was cut is given back as soon as its tasks run, and nobody else is to blame for it until then.
        let mut left = self.clients.total.load(Ordering::Relaxed);
        let mut holders = Vec::new();
        for account in accounts {
            match (account.command(), account.held()) {
                (Some(Command::Cut), held) => left -= signed(held),
                (_, 0) => {}
                (_, held) => holders.push((held, account.holding_for().min(longest), account)),
            }
        }
        let is_urgent = left > signed(self.clients.limits.urgent_memory());
        // Whoever asks why must get an answer, even then.
        holders.retain(|(_, time, account)| *time >= YOUNG || is_urgent && !account.is_probe());
        holders.sort_unstable_by_key(|(held, time, _)| Reverse(*held as u128 * (time.as_millis() + 1)));
        for (held, _, account) in holders {
            if left <= signed(self.clients.limits.client_memory / 4 * 3) {
                break;
            }
            left -= signed(held);
            self.cut(account, Reason::Memory);
        }
    }

    fn cut(&mut self, account: &Account, reason: Reason) {
        let answers = account.exchanges_open();
        if !account.give(Command::Cut) {
            return;
        }
        let (counter, why) = match reason {
            Reason::Stalled => (&self.stalled, STALLED),
            Reason::Memory => (&self.memory, "memory for clients is short, and it held much for long"),
        };
        counter.increment(1);
        self.clients.add_cut(answers as u64);
        if let Some(connections) = self.lines.let_through() {
            let (client, held_bytes) = (account.peer, account.held());
            tracing::warn!(
                target: SERVER,
                %client,
                held_bytes,
                answers,
                connections,
                "connection cut: {why}"
            );
        }
    }
}
