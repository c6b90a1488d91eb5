//! Catching panics of the application's code.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

/// A panic payload.
pub(super) type Payload = Box<dyn Any + Send>;

/// Runs the application's code. What it broke by a panic is never touched again, except to be dropped, so nothing
/// half-changed can be seen: that is what `AssertUnwindSafe` promises here.
pub(super) fn catch<R>(run: impl FnOnce() -> R) -> Result<R, Payload> {
    panic::catch_unwind(AssertUnwindSafe(run))
}
