//! The real service under the mix, and the account of it.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use axum::body::Body;
use http::Method;
use hyper::client::conn::http1::SendRequest;
use test_support::client::Failure;
use test_support::process::{self, Process, Reading};
use test_support::{Line, Samples, client};
use tokio::task::JoinSet;

use crate::account::{Account, Sum};
use crate::client::{Client, Trust};
use crate::mix::{Asked, BODY_LIMIT, Mix, REQUEST_TIMEOUT, Without};
use crate::seen::{Ending, Fate, Seen};

/// How long the account may take to be right once all requests are made.
const PATIENCE: Duration = Duration::from_secs(60);

/// Clients that ask for one thing so far: the ids of their requests are theirs alone.
static REPEATING: AtomicU64 = AtomicU64::new(0);

pub(crate) struct Service {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// Where `/metrics` is: at the API, unless a test knows better.
    pub(crate) metrics_address: SocketAddr,
    pub(crate) account: Account,
    scraper: Option<SendRequest<Body>>,
    scrapes: u64,
    report: Sender<Seen>,
    reports: Receiver<Seen>,
}

/// Clients at work.
pub(crate) struct Load {
    clients: JoinSet<()>,
    stop: Arc<AtomicBool>,
}

impl Load {
    /// Lets the clients finish what they are doing.
    pub(crate) async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.finish().await;
    }

    /// Waits for the clients; their failures are failures of the test.
    pub(crate) async fn finish(mut self) {
        while let Some(client) = self.clients.join_next().await {
            client.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        }
    }
}

impl Service {
    pub(crate) async fn start(variables: &[(&str, &str)]) -> Self {
        Self::run(crate::redpane(&[], variables)).await
    }

    /// The same by a command that ends up as the service.
    pub(crate) async fn run(mut command: Command) -> Self {
        let limit = BODY_LIMIT.to_string();
        for (name, value) in [("FAULTS", "1"), ("REQUEST_TIMEOUT", REQUEST_TIMEOUT), ("BODY_LIMIT", &limit)] {
            let name = format!("REDPANE_{name}");
            if command.get_envs().all(|(set, _)| set != &name[..]) {
                command.env(name, value);
            }
        }
        let (process, address) = process::listening(command, Reading::AsItComes).await;
        let (report, reports) = channel();
        let account = Account::default();
        Self { process, address, metrics_address: address, account, scraper: None, scrapes: 0, report, reports }
    }

    pub(crate) fn client(&self, name: impl Into<String>, mix: Mix, trust: Trust) -> Client {
        Client::new(self.address, name.into(), mix, trust, self.report.clone())
    }

    /// Lets this many clients do this many deeds in all.
    pub(crate) fn load(&self, seed: u64, clients: usize, deeds: usize, without: Without, trust: Trust) -> Load {
        let stop = Arc::<AtomicBool>::default();
        let mut load = JoinSet::new();
        for number in 0..clients {
            let own_seed = seed.wrapping_mul(0x9e37_79b9).wrapping_add(number as u64);
            let client = self.client(format!("{own_seed:x}"), Mix::new(own_seed, without), trust);
            load.spawn(client.run(deeds.div_ceil(clients), Arc::clone(&stop)));
        }
        Load { clients: load, stop }
    }

    /// Lets clients make long lines, and nothing else, until they are told to stop.
    pub(crate) fn noise(&self, clients: usize, trust: Trust) -> Load {
        self.repeat(&Asked::loud(), clients, trust)
    }

    /// Lets clients ask for one thing again and again, until they are told to stop.
    pub(crate) fn repeat(&self, asked: &Asked, clients: usize, trust: Trust) -> Load {
        let stop = Arc::<AtomicBool>::default();
        let mut repeating = JoinSet::new();
        for _ in 0..clients {
            let name = format!("repeating{}", REPEATING.fetch_add(1, Ordering::Relaxed));
            let client = self.client(name, Mix::new(0, Without::default()), trust);
            repeating.spawn(client.repeat(asked.clone(), Arc::clone(&stop)));
        }
        Load { clients: repeating, stop }
    }

    /// A scrape of a service that is there.
    pub(crate) async fn scrape(&mut self) -> Samples {
        self.try_scrape().await.unwrap()
    }

    /// Scrapes, on a connection that is kept: it costs no descriptor when there are none left.
    async fn try_scrape(&mut self) -> Result<Samples, Failure> {
        if self.scraper.as_ref().is_none_or(SendRequest::is_closed) {
            self.scraper = Some(client::try_keep_alive(self.metrics_address).await?);
        }
        let sender = self.scraper.as_mut().unwrap();
        sender.ready().await?;
        let asked = client::request(Method::GET, "/metrics").body(Body::empty()).unwrap();
        let answer = client::read(sender.send_request(asked).await?).await;
        self.scrapes += 1;
        let fate = Fate::Answered(answer.status.as_u16(), Ending::Whole(answer.body.len() as u64));
        let samples = Samples::parse(answer.text());
        // This scrape is counted in the next one.
        let seen = Seen {
            id: format!("scrape-{}", self.scrapes),
            what: "GET /metrics".into(),
            fate,
            trace_id: None,
            at: Instant::now(),
        };
        self.report.send(seen).unwrap();
        Ok(samples)
    }

    /// Enters what clients saw up to now; gives how many answers were new.
    pub(crate) fn hear(&mut self) -> usize {
        let mut answers = 0;
        for seen in self.reports.try_iter() {
            answers += usize::from(matches!(seen.fate, Fate::Answered(..)));
            self.account.saw(seen);
        }
        answers
    }

    /// Enters what clients saw and what was logged up to now.
    pub(crate) fn read(&mut self) {
        self.hear();
        self.process.take_lines().into_iter().for_each(|line| self.account.read(line));
    }

    /// Waits until the account is right; fails, saying what is wrong, where it never is.
    pub(crate) async fn settle(&mut self) -> Sum {
        let start = Instant::now();
        let mut wrong = "nothing was looked at".to_owned();
        loop {
            self.read();
            let scraped = self.try_scrape().await;
            let samples = scraped.unwrap_or_else(|error| panic!("{error} after {:?}: {wrong}", start.elapsed()));
            self.process.take_lines().into_iter().for_each(|line| self.account.read(line));
            match self.account.check(&samples) {
                Ok(sum) => return sum,
                Err(error) => wrong = error,
            }
            assert!(start.elapsed() < PATIENCE, "{wrong}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Ends the service as an operator would. All requests must be over: the rest of its lines are its last words.
    pub(crate) async fn end(mut self) {
        self.scraper = None;
        self.process.signal("TERM");
        assert_eq!(self.process.exit_code().await, 0, "{}", self.process.errors());
        let rest: Vec<_> = self.process.take_lines();
        assert_eq!(rest.last().unwrap().str("message"), "shut down: no request was cut");
        assert!(!rest.iter().any(Line::is_access), "lines that come late: {rest:#?}");
        assert_eq!(self.process.output(), "", "all of it is whole lines");
    }
}
