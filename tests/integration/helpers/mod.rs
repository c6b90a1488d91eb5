//! What the tests share: an observed application on port 0, its log and its metrics, and clients for it.

mod agreement;
mod body;
pub(crate) mod client;
mod line;
mod log;
mod observed;
pub(crate) mod raw;
mod samples;
mod wait;

pub(crate) use body::{Scripted, Step};
pub(crate) use line::Line;
pub(crate) use log::Log;
pub(crate) use observed::{Observed, serve};
pub(crate) use samples::Samples;
pub(crate) use wait::until;
