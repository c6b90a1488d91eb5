//! What the clients of a server hold of it: bytes, connections, time. All of it has bounds.
//!
//! * [`clients`](self::Clients) is the whole: the bytes held for all clients, and every open connection.
//! * [`account`] is one connection. Its [`socket`] tells which bytes arrive and whether writes wait; it gives way to others
//!   after some bytes, or [`frames`] of HTTP/2, and waits for its next of the [`turns`]. Its [`streams`] are tasks of their own.
//! * [`exchange`] is one request and its answer: [`arrival`] is the body that comes, [`answer`] the one that goes.
//! * [`keeper`] looks at all connections a few times a second and closes those that hold too much for too long.

mod account;
mod answer;
mod arrival;
mod command;
mod counts;
mod exchange;
mod frames;
mod keeper;
mod registry;
mod socket;
mod streams;
mod turns;
mod unread;

pub(super) use account::Account;
pub(super) use answer::DeliveredBody;
pub(super) use arrival::{Arrival, Ending};
pub(super) use command::Command;
pub(super) use exchange::Exchange;
pub(super) use keeper::keep;
pub(super) use registry::{Clients, IdleFor, Registered};
pub(super) use socket::Socket;
pub(super) use streams::StreamExecutor;
pub(super) use turns::{NextTurn, next_turn};
