//! Finding lines, the newest first.

use std::sync::Arc;

use super::filter::Filter;
use super::store::{Chunk, LineStore};

/// A line, kept together with the chunk it lies in.
pub(in crate::pane) struct Found {
    pub(in crate::pane) id: u64,
    chunk: Arc<Chunk>,
    at: usize,
}

impl Found {
    /// The line as it was written, without its line break.
    pub(in crate::pane) fn line(&self) -> &[u8] {
        self.chunk.line(self.at)
    }
}

/// Lines that were found.
#[derive(Default)]
pub(in crate::pane) struct Page {
    /// The newest first.
    pub(in crate::pane) lines: Vec<Found>,
    /// Where the search ended because it had enough: older lines than this one were not looked at.
    pub(in crate::pane) next_before: Option<u64>,
    /// Lines beyond those that were wanted, where they were counted.
    pub(in crate::pane) more: u64,
}

/// How far a search goes.
#[derive(Clone, Copy)]
pub(in crate::pane) struct Bounds {
    /// Lines of this number and later ones.
    pub(in crate::pane) since: u64,
    /// Lines before this number.
    pub(in crate::pane) before: u64,
    /// The most lines, and the most bytes of them beyond the first.
    pub(in crate::pane) lines: usize,
    pub(in crate::pane) bytes: usize,
    /// Whether those beyond are counted.
    pub(in crate::pane) count_more: bool,
}

/// Looks for lines.
pub(in crate::pane) fn search(store: &LineStore, filter: &Filter, bounds: Bounds) -> Page {
    let mut page = Page::default();
    let (mut bytes, mut is_full) = (0, false);
    for chunk in store.since(bounds.since).into_iter().rev() {
        if !filter.may_want(chunk.start_ms(), chunk.end_ms()) {
            continue;
        }
        let place = |id: u64| usize::try_from(id.saturating_sub(chunk.first_id)).unwrap_or(usize::MAX);
        let (first, end) = (place(bounds.since), place(bounds.before).min(chunk.starts.len()));
        if is_full && filter.is_empty() {
            page.more += end.saturating_sub(first) as u64;
            continue;
        }
        for at in (first..end).rev() {
            let line = chunk.line(at);
            if !filter.may_be(line) {
                continue;
            }
            if is_full {
                // Not parsed: this counts a few too many rather than costing what showing them would.
                page.more += 1;
                continue;
            }
            if !filter.confirms(line) {
                continue;
            }
            is_full = page.lines.len() >= bounds.lines || (bytes + line.len() > bounds.bytes && bytes > 0);
            if is_full {
                if !bounds.count_more {
                    page.next_before = page.lines.last().map(|found| found.id);
                    return page;
                }
                page.more += 1;
                continue;
            }
            bytes += line.len();
            page.lines.push(Found { id: chunk.first_id + at as u64, chunk: Arc::clone(&chunk), at });
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Bounds = Bounds { since: 0, before: u64::MAX, lines: usize::MAX, bytes: usize::MAX, count_more: false };

    fn filled() -> LineStore {
        let store = LineStore::default();
        for number in 0..5000 {
            let level = if number % 10 == 0 { "ERROR" } else { "INFO" };
            store.append(format!("{{\"timestamp\":\"2026-01-02T03:04:{:02}.{:03}000Z\",\"level\":\"{level}\",\"n\":{number},\"x\":\"{}\"}}\n", number / 1000, number % 1000, "x".repeat(200)).as_bytes());
        }
        store
    }

    fn errors() -> Filter {
        let mut filter = Filter::default();
        filter.level = Some(0);
        filter
    }

    fn ids(page: &Page) -> Vec<u64> {
        page.lines.iter().map(|found| found.id).collect()
    }

    #[test]
    fn the_newest_first_and_then_the_next_page() {
        let store = filled();
        let filter = errors();
        let first = search(&store, &filter, Bounds { lines: 3, ..ALL });
        assert_eq!((ids(&first), first.next_before), (vec![4990, 4980, 4970], Some(4970)));
        let second = search(&store, &filter, Bounds { lines: 3, before: 4970, ..ALL });
        assert_eq!(ids(&second), [4960, 4950, 4940]);
        assert!(second.lines[0].line().ends_with(b"x\"}"));
        let all = search(&store, &filter, ALL);
        assert_eq!((all.lines.len(), all.next_before), (500, None));
    }

    #[test]
    fn what_is_beyond_is_counted() {
        let store = filled();
        let bounds = Bounds { since: 1000, lines: 50, count_more: true, ..ALL };
        let page = search(&store, &Filter::default(), bounds);
        assert_eq!((page.lines.len(), page.more), (50, 3950));
        let errors = search(&store, &errors(), bounds);
        assert_eq!((errors.lines.len(), errors.more), (50, 350));
        let few = search(&store, &Filter::default(), Bounds { bytes: 1000, ..bounds });
        assert_eq!(few.lines.len() as u64 + few.more, 4000);
        assert_eq!(few.lines.len(), 3);
    }

    #[test]
    fn a_range_of_time() {
        let store = filled();
        let second = super::super::head::time_ms(store.since(0)[0].line(0)).unwrap() + 1000;
        let mut filter = Filter::default();
        (filter.from_ms, filter.to_ms) = (Some(second), Some(second + 2));
        assert_eq!(ids(&search(&store, &filter, ALL)), [1001, 1000]);
    }
}
