//! What a connection is told from outside of its task.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

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
    /// Stays when it is woken: a task that is polled again with the same waker need not lock.
    waker: Mutex<Option<Waker>>,
}

impl CommandCell {
    /// Whether it is news.
    pub(super) fn give(&self, command: Command) -> bool {
        let is_news = self.command.fetch_max(command as u8, Ordering::AcqRel) < command as u8;
        if is_news {
            let waker = self.waker().clone();
            if let Some(waker) = waker {
                waker.wake();
            }
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

    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears the commands of one connection, one after the other. A connection has one: a second takes its place.
pub(in crate::server) struct Commands<'a> {
    cell: &'a CommandCell,
    /// The last that was heard.
    heard: Option<Command>,
    /// The waker that the cell has.
    waker: Option<Waker>,
}

impl<'a> Commands<'a> {
    pub(super) fn of(cell: &'a CommandCell) -> Self {
        Self { cell, heard: None, waker: None }
    }

    /// The next command.
    pub(in crate::server) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Command> {
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            let waker = Some(context.waker().clone());
            self.cell.waker().clone_from(&waker);
            self.waker = waker;
        }
        // After the waker is there: what is given from now on wakes it.
        let news = self.cell.get().filter(|command| Some(*command) > self.heard);
        self.heard = news.or(self.heard);
        news.map_or(Poll::Pending, Poll::Ready)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn each_command_is_heard_once_and_wakes_whoever_polled_last() {
        let (first, second) = (Arc::<Woken>::default(), Arc::<Woken>::default());
        let (waker, other) = (Waker::from(Arc::clone(&first)), Waker::from(Arc::clone(&second)));
        let (mut context, mut moved) = (Context::from_waker(&waker), Context::from_waker(&other));
        let cell = CommandCell::default();
        let mut commands = Commands::of(&cell);
        assert_eq!(commands.poll(&mut context), Poll::Pending);
        assert!(cell.give(Command::End));
        assert!(!cell.give(Command::End), "no news");
        assert_eq!(first.0.load(Ordering::Relaxed), 1);
        assert_eq!(commands.poll(&mut context), Poll::Ready(Command::End));
        assert_eq!(commands.poll(&mut moved), Poll::Pending);
        assert!(cell.give(Command::Cut));
        assert_eq!((first.0.load(Ordering::Relaxed), second.0.load(Ordering::Relaxed)), (1, 1));
        assert_eq!(commands.poll(&mut moved), Poll::Ready(Command::Cut));
        assert_eq!(commands.poll(&mut moved), Poll::Pending);
    }
}
