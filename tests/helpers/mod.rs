//! What the tests over real sockets share: an observed application on port 0, its log and its metrics, and clients for it.

// Each binary of tests needs its own part of it.
#![allow(dead_code, unused_imports)]

mod agreement;
mod body;
pub(crate) mod client;
mod line;
mod log;
mod observed;
#[path = "../exposition/parser.rs"]
mod parser;
#[path = "../exposition/parts.rs"]
mod parts;
#[cfg(unix)]
pub(crate) mod process;
pub(crate) mod raw;
mod samples;
#[cfg(unix)]
mod served;
mod wait;

pub(crate) use body::{Scripted, Step};
pub(crate) use line::Line;
pub(crate) use log::Log;
pub(crate) use observed::{Observed, serve};
pub(crate) use samples::Samples;
#[cfg(unix)]
pub(crate) use served::Served;
pub(crate) use wait::{eventually, until};
