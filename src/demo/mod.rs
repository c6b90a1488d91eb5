//! The demo API: what a user replaces with an API of their own.

mod checkout;
mod echo;
mod faults;
mod hello;
mod representable;
mod root;
mod router;
mod state;

pub(crate) use checkout::calls;
pub(crate) use router::{Options, router, routes};
