//! What the service says of itself during an attack, and what another client sees of it.

use std::time::{Duration, Instant};

use http::StatusCode;
use test_support::Samples;
use tokio::time::timeout;

use crate::probes::Probes;
use crate::service::{Service, is_at_rest};
use crate::{ANOTHER_CLIENT_WAITS, HELD_AT_REST};

/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Watch {
    pub(crate) probes: Probes,
    /// Scrapes that were not answered in time.
    pub(crate) unanswered: usize,
    /// The most that the service said it held for clients; `None` where it does not say.
    pub(crate) held: Option<f64>,
    /// The last scrape that was answered.
    last: Option<Samples>,
}

impl Watch {
    pub(crate) fn begin(service: &Service) -> Self {
        Self { probes: Probes::start(service.address), unanswered: 0, held: None, last: None }
    }

    /// Looks on until `over`, or until so much time is gone; says whether it was over.
    pub(crate) async fn until(
        &mut self,
        service: &Service,
        patience: Duration,
        over: impl Fn(Option<&Samples>) -> bool,
    ) -> bool {
        let start = Instant::now();
        loop {
            self.look(service).await;
            if over(self.last.as_ref()) {
                return true;
            }
            if start.elapsed() > patience {
                return false;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn look(&mut self, service: &Service) {
        let scrape = timeout(ANOTHER_CLIENT_WAITS, service.ask("/metrics")).await;
        self.last = match scrape {
            Ok(Ok(answer)) if answer.status == StatusCode::OK && answer.whole => Some(Samples::parse(answer.text())),
            _ => None,
        };
        self.unanswered += usize::from(self.last.is_none());
        let held = self.last.as_ref().and_then(held);
        self.held = [self.held, held].into_iter().flatten().reduce(f64::max);
    }
}

/// What the service says it holds for clients, in bytes.
pub(crate) fn held(samples: &Samples) -> Option<f64> {
    samples.of("redpane_client_memory_bytes", &[]).next().map(|sample| sample.value)
}

/// Whether nothing of an attack is left in the service, whatever its clients do.
pub(crate) fn is_over(samples: Option<&Samples>, descriptors: f64) -> bool {
    samples.is_some_and(|samples| {
        is_at_rest(samples, descriptors) && held(samples).is_none_or(|bytes| bytes <= HELD_AT_REST)
    })
}
