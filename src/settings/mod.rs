//! Variables and flags: every setting with its default and bounds, and one message that names every bad one.

mod address;
mod arguments;
mod config;
mod error;
mod pane;
mod reader;
mod role;
mod source;
mod upstream;
mod variables;

pub use arguments::{Arguments, Command, Flags};
pub use config::{Config, listen_address};
pub use error::{BadSetting, BadSettings};
pub use pane::{PaneListen, PaneToken};
pub use role::Role;
pub use source::Source;
pub use upstream::Upstream;
pub use variables::{VARIABLES, flag, unknown_variables};
