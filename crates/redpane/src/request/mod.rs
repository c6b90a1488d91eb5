//! What is known of a request when it arrives.

pub(crate) mod head;
pub(crate) mod headers;
pub(crate) mod id;
pub(crate) mod mount;
pub(crate) mod size;
