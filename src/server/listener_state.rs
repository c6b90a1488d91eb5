//! What connections share with the listener that accepted them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::phase::Phase;

/// Clones share one listener; `tasks` may differ.
#[derive(Clone)]
pub(super) struct ListenerState {
    phase: watch::Receiver<Phase>,
    /// A connection waits for its turn.
    is_full: Arc<AtomicBool>,
    /// The connections that its end waits for, and the streams of theirs.
    pub(super) tasks: TaskTracker,
}

impl ListenerState {
    pub(super) fn new(phase: watch::Receiver<Phase>, tasks: TaskTracker) -> Self {
        Self { phase, is_full: Arc::default(), tasks }
    }

    pub(super) fn with_tasks(&self, tasks: &TaskTracker) -> Self {
        Self { tasks: tasks.clone(), ..self.clone() }
    }

    pub(super) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits until it is in this phase or a later one.
    pub(super) async fn reached(&self, phase: Phase) {
        // An error: nobody is left who would change it.
        drop(self.phase.clone().wait_for(|reached| *reached >= phase).await);
    }

    pub(super) fn is_same(&self, phase: &watch::Receiver<Phase>) -> bool {
        self.phase.same_channel(phase)
    }

    pub(super) fn phases(&self) -> &watch::Receiver<Phase> {
        &self.phase
    }

    pub(super) fn set_full(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::Relaxed);
    }

    pub(super) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }
}
