//! What routes of every room share: JSON bodies, the request timeout, answers to unknown paths and wrong methods; and what
//! both ends of a connection know of URLs.

pub(crate) mod json_body;

mod busy;
mod fallbacks;
mod port;
mod timeout;

pub(crate) use busy::Busy;
pub(crate) use fallbacks::with_problem_fallbacks;
pub(crate) use port::has_bad_port;
pub(crate) use timeout::with_timeout;
