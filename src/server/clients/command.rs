//! What a connection is told from outside of its task.

use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use atomic_waker::AtomicWaker;

/// In order: a later one replaces an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::server) enum Command {
    /// End after the answers that are being given.
    End = 1,
    /// End at once.
    Cut = 2,
}

/// Holds the last command, and wakes the connection's task for it.
#[derive(Default)]
pub(super) struct CommandCell {
    command: AtomicU8,
    waker: AtomicWaker,
}

impl CommandCell {
    /// Whether it is news.
    pub(super) fn give(&self, command: Command) -> bool {
        let is_news = self.command.fetch_max(command as u8, Ordering::AcqRel) < command as u8;
        if is_news {
            self.waker.wake();
        }
        is_news
    }

    pub(super) fn get(&self) -> Option<Command> {
        match self.command.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Command::End),
            _ => Some(Command::Cut),
        }
    }

    /// The first command after `known`.
    pub(super) fn poll(&self, known: Option<Command>, context: &mut Context<'_>) -> Poll<Command> {
        let news = || self.get().filter(|command| Some(*command) > known);
        if let Some(command) = news() {
            return Poll::Ready(command);
        }
        self.waker.register(context.waker());
        // Given between the two: the waker was not there yet.
        news().map_or(Poll::Pending, Poll::Ready)
    }
}
