//! Counting: nothing is queued, nothing is lost, memory grows with label sets only.
//!
//! * [`histogram`] is fixed buckets in sharded atomics.
//! * [`series`] finds the histograms of a method, route and status ([`endpoint`]), and bounds how many there are.
//! * [`recorder`] takes what the application emits through the `metrics` macros.
//! * [`exposition`] writes both as text; [`scrape`] answers `GET /metrics` with it.

pub(crate) mod endpoint;
pub(crate) mod exemplars;
pub(crate) mod exposition;
mod foreign;
pub(crate) mod histogram;
pub(crate) mod negotiation;
pub(crate) mod recorder;
pub(crate) mod scrape;
pub(crate) mod series;
pub(crate) mod shards;

pub use exposition::ExpositionFormat;
pub use recorder::Recorder;
