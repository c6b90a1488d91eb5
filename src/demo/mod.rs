//! The demo API: what a user replaces with an API of their own.

mod echo;
mod faults;
mod hello;
mod root;
mod router;
mod state;

pub(crate) use router::{Options, router, routes};
