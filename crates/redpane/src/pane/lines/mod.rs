//! The newest log lines, as they were written, and the search in them.
//!
//! * [`store`] keeps them in chunks; the thread that writes the log fills it.
//! * [`head`] reads the beginning of a line, [`filter`] says which lines are wanted ([`text`] for a text of them), and [`search`]
//!   finds them.

pub(super) mod filter;
pub(super) mod head;
pub(super) mod search;
pub(super) mod store;
mod text;
