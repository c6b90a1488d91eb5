//! A live feed, and what it sends when.
//!
//! A feed keeps no queue: it knows how far it has read, and what it sends next is made when the connection has room for it.
//! Whoever is slow, or asleep, finds the newest second and the newest lines then, and is told what was left out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::event::{Points, event};
use super::lines::filter::Filter;
use super::lines::search::{Bounds, Page, search};
use super::lines_query;
use super::series::{self, Query};
use super::state::{Pane, Tick, now_ms};
use super::timeline::Range;
use super::viewers::Viewer;

/// How often lines are sent, and how many then.
const LINES_EVERY: Duration = Duration::from_millis(250);
const LINES: usize = 50;
const LINE_BYTES: usize = 128 * 1024;
/// So many lines that are not looked at yet are looked at where they hold nobody up.
const MANY_LINES: u64 = 5_000;

/// One viewer's feed.
pub(super) struct Feed {
    pane: Arc<Pane>,
    viewer: Viewer,
    ticks: watch::Receiver<Option<Arc<Tick>>>,
    lines: Option<Arc<Filter>>,
    query: Query,
    timer: Interval,
    /// The first line that it has not looked at.
    next_id: u64,
    last_second: Option<u64>,
    /// Events that are made and not taken yet.
    ready: VecDeque<Bytes>,
}

impl Feed {
    /// `lines` says which lines are sent; none without.
    pub(super) fn new(pane: &Arc<Pane>, viewer: Viewer, lines: Option<Filter>, query: Query) -> Self {
        let mut timer = interval(LINES_EVERY);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let next_id = pane.lines.next_id();
        let identity = &pane.identity;
        let hello = serde_json::json!({
            "app": identity.app, "version": identity.version, "revision": identity.revision, "instance": identity.instance,
            "started_ms": pane.started_ms, "now_ms": now_ms(), "next_id": next_id,
        });
        let hello = [&b"retry: 2000\n"[..], &event("hello", hello.to_string().as_bytes())].concat();
        let mut ticks = pane.tick.subscribe();
        ticks.mark_unchanged();
        Self {
            pane: Arc::clone(pane),
            viewer,
            ticks,
            lines: lines.map(Arc::new),
            query,
            timer,
            next_id,
            last_second: None,
            ready: VecDeque::from([hello.into()]),
        }
    }

    /// The next event, when there is one; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        loop {
            if !self.viewer.take(Instant::now()) {
                return None;
            }
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            tokio::select! {
                biased;
                changed = self.ticks.changed() => {
                    changed.ok()?;
                    self.tick();
                }
                _ = self.timer.tick() => {
                    self.pane.host()?;
                    self.more_lines().await;
                }
            }
        }
    }

    fn tick(&mut self) {
        let Some(tick) = self.ticks.borrow_and_update().clone() else { return };
        let missed = self.last_second.map_or(0, |last| tick.second.saturating_sub(last + 1));
        self.last_second = Some(tick.second);
        self.dropped(0, missed);
        let history = self.pane.history();
        let newest = Range { length: 0, first: tick.second, end: tick.second + 1 };
        let read = series::read(&history, &self.query, newest);
        let metrics_count = history.metrics.len() + history.refused.len();
        drop(history);
        let points = Points::of(&read, tick.second, metrics_count);
        // One object of two: the overview is the same for all who watch.
        if let (Ok(points), Some(overview)) = (serde_json::to_vec(&points), tick.overview.strip_suffix(b"}")) {
            let data = [overview, b",", &points[1..]].concat();
            self.ready.push_back(event("tick", &data).into());
        }
    }

    /// Sends the newest of the lines that came, and says how many others there were.
    async fn more_lines(&mut self) {
        let end = self.pane.lines.next_id();
        let Some(filter) = &self.lines else { return };
        if end == self.next_id {
            return;
        }
        let bounds = Bounds { since: self.next_id, before: end, lines: LINES, bytes: LINE_BYTES, count_more: true };
        let (store, filter) = (Arc::clone(&self.pane.lines), Arc::clone(filter));
        let look = move || search(&store, &filter, bounds);
        let page = match end - self.next_id > MANY_LINES {
            true => tokio::task::spawn_blocking(look).await.unwrap_or_default(),
            false => look(),
        };
        // What was pushed out of the store before anybody looked is not known to match.
        self.next_id = end;
        let Page { lines, more, .. } = page;
        self.dropped(more, 0);
        if !lines.is_empty() {
            let mut data = vec![b'{'];
            lines_query::write(&mut data, lines.iter().rev());
            data.push(b'}');
            self.ready.push_back(event("lines", &data).into());
        }
    }

    fn dropped(&mut self, lines: u64, ticks: u64) {
        if lines > 0 || ticks > 0 {
            let data = format!("{{\"lines\":{lines},\"ticks\":{ticks}}}");
            self.ready.push_back(event("dropped", data.as_bytes()).into());
        }
    }
}
