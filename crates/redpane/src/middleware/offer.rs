//! A delivery on its way to the middleware, without the request.

use std::cell::Cell;
use std::mem::ManuallyDrop;

use super::delivery::Delivery;

thread_local! {
    // As with the current context: a destructor would be asked after at every look, and every scope takes its own out again.
    static OFFERED: Cell<Option<ManuallyDrop<Delivery>>> = const { Cell::new(None) };
}

impl Delivery {
    /// Runs `work`, in which the next request that is observed takes the delivery out of `slot`. It goes before one in the
    /// extensions of the request, and costs less: they are a map on the heap, which may have to grow for it.
    ///
    /// For each poll of the future that serves the request, until `slot` is empty. If nobody has taken it, it is in `slot`
    /// again afterwards, panic or not.
    ///
    /// It is for servers whose routes are observed and have nothing in front of the middleware that serves requests of its own
    /// or passes them to other tasks. The first observed request takes it, whoever makes it: that of a layer outside, or that
    /// of a handler which is not observed itself. A request that is served by another task does not find it, and ends with its
    /// body.
    pub fn offer<R>(slot: &mut Option<Self>, work: impl FnOnce() -> R) -> R {
        let outer = OFFERED.replace(slot.take().map(ManuallyDrop::new));
        let _offer = Offer { outer, slot };
        work()
    }

    /// What is offered to the code on this thread.
    pub(super) fn take_offered() -> Option<Self> {
        OFFERED.take().map(ManuallyDrop::into_inner)
    }
}

struct Offer<'a> {
    outer: Option<ManuallyDrop<Delivery>>,
    slot: &'a mut Option<Delivery>,
}

impl Drop for Offer<'_> {
    fn drop(&mut self) {
        *self.slot = OFFERED.replace(self.outer.take()).map(ManuallyDrop::into_inner);
    }
}
