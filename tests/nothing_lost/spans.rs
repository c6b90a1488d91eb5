//! Spans under the mix: each request that has a line has a span, each checkout two inside of it and one for its call, and each
//! of them is exported or counted as dropped, whatever the receiver does.

use std::collections::BTreeSet;
use std::time::Duration;

use test_support::otlp::{Behaviour, Receiver};
use test_support::process::{self, Process, Reading};
use test_support::{Line, eventually};

use crate::client::Trust;
use crate::mix::{Asked, Without};
use crate::service::Service;
use crate::{deeds, seed};

/// A service under the mix that samples every request, and the next one, which checkouts ask.
struct Traced {
    service: Service,
    receiver: Receiver,
    _next: Process,
}

/// What became of the spans of a service, as its last line says it.
#[derive(Debug)]
struct Spans {
    exported: u64,
    dropped: u64,
    lines: u64,
}

impl Traced {
    async fn start(more: &[(&str, &str)]) -> Self {
        let receiver = Receiver::start().await;
        let endpoint = receiver.endpoint();
        let (next, address) = process::listening(crate::redpane(&[], &[]), Reading::AsItComes).await;
        let upstream = format!("http://{address}");
        let own = [
            ("REDPANE_UPSTREAM", upstream.as_str()),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint.as_str()),
            ("OTEL_TRACES_SAMPLER", "always_on"),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ];
        let variables: Vec<_> = own.into_iter().chain(more.iter().copied()).collect();
        Self { service: Service::start(&variables).await, receiver, _next: next }
    }

    async fn load(&mut self, deeds: usize) {
        let checkouts = self.service.repeat(&Asked::checkout(), 2, Trust::Answers);
        self.service.load(seed(), 16, deeds, Without::default(), Trust::Answers).finish().await;
        checkouts.stop().await;
    }

    /// The fewest and the most spans that checkouts made beside those of their requests: those that are cut off by a timeout
    /// may have made less than all three.
    async fn made_by_checkouts(&mut self) -> [u64; 2] {
        let samples = self.service.scrape().await;
        let count = |labels: &[(&str, &str)]| samples.sum("http_requests_total", labels) as u64;
        let whole = count(&[("route", "/checkout"), ("status", "200")]);
        assert!(whole > 0, "there are spans inside of requests, and calls");
        [3 * whole, 3 * count(&[("route", "/checkout")])]
    }

    /// Settles the account, ends the service, and compares.
    async fn end(mut self) -> (Spans, Receiver) {
        let sum = self.service.settle().await;
        assert_eq!(sum.lost, 0, "a line of each span is known");
        let lines = self.service.account.logged();
        let [least, most] = self.made_by_checkouts().await;
        self.service.process.signal("TERM");
        assert_eq!(self.service.process.exit_code().await, 0, "{}", self.service.process.errors());
        let rest = self.service.process.take_lines();
        assert!(!rest.iter().any(Line::is_access), "lines that come late: {rest:#?}");
        let count = |name| rest.last().and_then(|line| line[name].as_u64()).unwrap_or_else(|| panic!("{rest:#?}"));
        let spans = Spans { exported: count("exported"), dropped: count("dropped"), lines };
        let made = lines + least..=lines + most;
        assert!(made.contains(&(spans.exported + spans.dropped)), "{spans:?} of {made:?}");
        (spans, self.receiver)
    }
}

/// The spans that the receiver has are those that were exported, each of them once.
fn assert_received(spans: &Spans, receiver: &Receiver) {
    let received = receiver.spans();
    let ids: BTreeSet<_> = received.iter().map(|span| &span.span_id).collect();
    assert_eq!(ids.len(), received.len(), "a span was sent twice");
    assert_eq!(received.len() as u64, spans.exported, "{spans:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_takes_them_gets_all() {
    let mut traced = Traced::start(&[]).await;
    traced.load(deeds()).await;
    let (spans, receiver) = traced.end().await;
    assert_eq!((spans.dropped, spans.lines > 0), (0, true), "{spans:?}");
    assert_received(&spans, &receiver);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_stalls_and_refuses_for_a_while_gets_all() {
    let mut traced = Traced::start(&[("OTEL_EXPORTER_OTLP_TIMEOUT", "200")]).await;
    for behaviour in [Behaviour::Hang, Behaviour::Status(503, None), Behaviour::Status(429, Some("1"))] {
        let before = traced.receiver.attempts().len();
        traced.receiver.behave(behaviour);
        // All of it waits until the receiver takes spans again, and with the spans of checkouts it has to fit into the buffer.
        traced.load(deeds() / 16).await;
        let receiver = traced.receiver.clone();
        eventually("it is asked", async || (receiver.attempts().len() > before).then_some(())).await;
    }
    traced.receiver.behave(Behaviour::Accept);
    eventually("it has what waited", async || {
        let exported = traced.service.scrape().await.sum("trace_spans_exported_total", &[]);
        (exported > 0.0).then_some(())
    })
    .await;
    let (spans, receiver) = traced.end().await;
    assert_eq!(spans.dropped, 0, "{spans:?}");
    assert_received(&spans, &receiver);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_while_a_receiver_is_away_is_counted() {
    let mut traced = Traced::start(&[("OTEL_BSP_MAX_QUEUE_SIZE", "300"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "200")]).await;
    traced.load(100).await;
    let receiver = traced.receiver.clone();
    eventually("the first are there", async || (!receiver.spans().is_empty()).then_some(())).await;
    traced.receiver.behave(Behaviour::Hang);
    traced.receiver.die().await;
    traced.load(deeds()).await;
    let dropped = traced.service.scrape().await.value("trace_spans_dropped_total", &[("reason", "buffer_full")]);
    assert!(dropped > 0.0, "{dropped}");
    traced.receiver.behave(Behaviour::Accept);
    traced.receiver.come_back().await;
    let (spans, receiver) = traced.end().await;
    assert!(spans.dropped as f64 >= dropped, "{spans:?}");
    assert_received(&spans, &receiver);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_does_not_wait_for_a_receiver_that_is_gone() {
    let mut traced = Traced::start(&[]).await;
    traced.receiver.behave(Behaviour::Hang);
    traced.receiver.die().await;
    traced.load(200).await;
    let started = tokio::time::Instant::now();
    let (spans, receiver) = traced.end().await;
    assert!(started.elapsed() < Duration::from_secs(60), "its end is bounded");
    assert_eq!((spans.exported, receiver.spans().len()), (0, 0), "{spans:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_takes_half_is_believed() {
    let mut traced = Traced::start(&[]).await;
    traced.receiver.behave(Behaviour::Half);
    traced.load(200).await;
    let (spans, _) = traced.end().await;
    assert!(spans.exported > 0 && spans.dropped > 0, "{spans:?}");
}
