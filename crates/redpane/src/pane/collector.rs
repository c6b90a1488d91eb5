//! The thread of a pane: reads a snapshot each second, and serves the pane's own listeners.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::guard::Access;
use super::judge::judge;
use super::overview::Overview;
use super::pace::Pace;
use super::state::{Pane, Tick};
use super::{process, server};

const THREAD: &str = "redpane-pane";
/// After the second is over: clocks do not agree to the microsecond.
const MARGIN: Duration = Duration::from_millis(2);
/// How long nothing is read after a hook of the application has panicked.
const AFTER_PANIC: u64 = 60;

/// The thread's end of life: it ends when this is dropped.
pub(crate) struct Running {
    listeners: mpsc::UnboundedSender<(std::net::TcpListener, Access)>,
}

impl Running {
    /// Serves the pane on a listener.
    pub(crate) fn serve(&self, listener: std::net::TcpListener, access: Access) {
        // The thread lives as long as this.
        let _ = self.listeners.send((listener, access));
    }
}

/// Starts the thread.
///
/// # Errors
/// If the system refuses it, or what its runtime needs.
pub(crate) fn start(pane: &Arc<Pane>) -> io::Result<Running> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (listeners, given) = mpsc::unbounded_channel();
    let pane = Arc::clone(pane);
    thread::Builder::new().name(THREAD.into()).spawn(move || runtime.block_on(run(&pane, given)))?;
    Ok(Running { listeners })
}

async fn run(pane: &Arc<Pane>, mut listeners: mpsc::UnboundedReceiver<(std::net::TcpListener, Access)>) {
    let (mut paused_until, mut pace) = (0, Pace::default());
    loop {
        tokio::select! {
            biased;
            given = listeners.recv() => match given {
                Some((listener, access)) => drop(tokio::spawn(server::serve(Arc::clone(pane), listener, access))),
                None => return,
            },
            () = sleep(until_next_second()) => {
                let second = since_1970().as_secs().saturating_sub(1);
                if second >= paused_until && !collect(pane, second, &mut pace) {
                    paused_until = second + AFTER_PANIC;
                }
            }
        }
    }
}

/// Records a second that is over. `false` after a panic.
fn collect(pane: &Pane, second: u64, pace: &mut Pace) -> bool {
    let Some(host) = pane.host() else { return true };
    let is_due = pace.is_due(second);
    let Ok(mut snapshot) = panic::catch_unwind(AssertUnwindSafe(|| host.snapshot(is_due))) else { return false };
    if is_due {
        pace.read(second, snapshot.application);
    }
    process::add_missing(&mut snapshot.families);
    let mut history = pane.history();
    history.record(&snapshot, second);
    history.rules = judge(&history, &pane.identity.app, pane.identity.metric_names == "otel");
    let second = history.timeline.last().unwrap_or(second);
    drop(history);
    if pane.viewers.count() > 0 {
        let overview = Overview::read(pane).and_then(|overview| serde_json::to_vec(&overview).ok());
        pane.tick.send_replace(overview.map(|overview| Arc::new(Tick { second, overview })));
    }
    true
}

fn until_next_second() -> Duration {
    let into = Duration::from_nanos(since_1970().subsec_nanos().into());
    Duration::from_secs(1).saturating_sub(into) + MARGIN
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
