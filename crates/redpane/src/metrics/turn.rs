//! Scrapes take turns, and those who wait share what is rendered.

use std::time::Instant;

use bytes::Bytes;

use super::encode::ExpositionFormat;

/// The one scrape that renders has it.
#[derive(Default)]
pub(super) struct Turn {
    /// Bytes that the last text would have needed.
    pub(super) capacity: usize,
    /// What was rendered while others waited, one of a kind.
    shared: Vec<Rendering>,
}

/// What a scraper has asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) format: ExpositionFormat,
    pub(super) gzip: bool,
}

/// The answer to everybody who has asked for the same before it was begun.
pub(super) struct Rendering {
    pub(super) begun: Instant,
    pub(super) wanted: Wanted,
    pub(super) body: Bytes,
}

impl Turn {
    /// What another scrape has begun to render since `arrived`: it holds everything that was counted before.
    pub(super) fn rendered_since(&self, arrived: Instant, wanted: Wanted) -> Option<Bytes> {
        let fresh = |rendering: &&Rendering| rendering.begun >= arrived && rendering.wanted == wanted;
        self.shared.iter().find(fresh).map(|rendering| rendering.body.clone())
    }

    /// Shows a rendering to those who wait, in place of an older one of its kind.
    pub(super) fn share(&mut self, rendering: Rendering) {
        self.shared.retain(|older| older.wanted != rendering.wanted);
        self.shared.push(rendering);
    }

    /// Nobody waits.
    pub(super) fn forget(&mut self) {
        self.shared = Vec::new();
    }
}
