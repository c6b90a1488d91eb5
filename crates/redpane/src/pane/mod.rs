//! The pane: a page about this process, made from one snapshot a second and the newest log lines.
//!
//! * [`input`] is what comes from outside; [`state`] is what all parts share, [`collector`] the thread that fills it ([`pace`] says how often).
//! * [`history`] holds the rings: [`timeline`] says which steps there are, [`counts`] and [`mod@column`] are one ring each,
//!   [`traffic`] those of requests and [`metric`] those of metrics by name. [`quantile`] and [`judge`] (with
//!   [`burn`] over [`windows`], and [`blame`]) read them, [`rules`] are what is wrong, and [`queries`] the same in PromQL.
//! * [`lines`] are the newest lines, [`span_store`] the newest spans ([`span`]).
//! * [`api`] has the addresses and the way of a request: [`guard`], [`mod@site`] and [`token`] say who may ask, [`overview`] (with
//!   [`routes`] and [`metric_list`]), [`series`], [`lines_query`], [`trace`], [`live`] (with [`feed`], [`mod@event`] and [`viewers`]) and
//!   [`log_filter`] make the answers with [`answer`], [`page`] is what a browser gets, and [`compression`] and [`hardening`] are last.
//!   [`parameters`] and [`problem`] say what is wrong with a request.
//! * [`server`] is the listener of its own.

mod answer;
pub(crate) mod api;
mod blame;
mod burn;
pub(crate) mod collector;
mod column;
mod compression;
mod counts;
mod event;
mod feed;
pub(crate) mod guard;
mod hardening;
mod history;
pub(crate) mod input;
mod judge;
pub(crate) mod lines;
mod lines_query;
mod live;
mod log_filter;
mod metric;
mod metric_list;
mod overview;
mod pace;
mod page;
mod parameters;
mod problem;
mod process;
mod quantile;
mod queries;
mod routes;
mod rules;
mod series;
pub(crate) mod server;
mod site;
pub(crate) mod span;
pub(crate) mod span_store;
pub(crate) mod state;
mod timeline;
pub(crate) mod token;
mod trace;
mod traffic;
mod viewers;
mod windows;
