//! The tower middleware: one request, observed once.
//!
//! * [`layer`] wraps every endpoint of a router, fallbacks included; [`service`] starts the observation of a request.
//! * [`future`] holds it until the headers are sent, [`body`] until the last byte; a panic, a broken body, a timeout or a
//!   client that leaves ends it where it happens.
//! * [`observation`] is what was seen. It has one end, its `Drop`, which yields the metric sample and the access line.

mod body;
mod future;
mod layer;
mod observation;
mod service;
mod unwind;

pub(crate) use layer::InstrumentLayer;
pub use observation::TimedOut;
