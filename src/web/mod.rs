//! What routes of every room share: JSON bodies, the request timeout, answers to unknown paths and wrong methods.

pub(crate) mod json_body;

mod busy;
mod fallbacks;
mod timeout;

pub(crate) use busy::Busy;
pub(crate) use fallbacks::with_problem_fallbacks;
pub(crate) use timeout::with_timeout;
