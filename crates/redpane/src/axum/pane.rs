//! The pane of a telemetry, as the application gets it.

use std::io;
use std::net::TcpListener;

use axum::Router;

use crate::pane::api;
use crate::pane::guard::Access;
use crate::pane::token::Token;
use crate::telemetry::Telemetry;

/// The fewest and the most characters of a token.
const TOKEN: std::ops::RangeInclusive<usize> = 16..=256;

impl Telemetry {
    /// The pane, to be nested where the application wants it, behind the application's own login: it shows log lines and
    /// changes the log filter. Put it into the router that was instrumented, after that: its requests are then neither
    /// counted nor logged.
    ///
    /// `nest("/pane", ..)` has the page at `/pane`, and, as with every router that is nested, nothing at `/pane/`;
    /// `nest_service` has it at both. `merge` has it at the root. It has no fallback of its own.
    ///
    /// It checks that `Origin` is the `Host`, and leaves the `Host` to the login: a password or cookie belongs to a host's
    /// name, so that DNS rebinding gains nothing. Live feeds last as long as their viewers like; a server that waits for its
    /// connections at the end should stop waiting for these.
    ///
    /// # Panics
    /// If the builder was not told to keep a history: [`pane`](crate::Redpane::pane) or
    /// [`pane_history`](crate::Redpane::pane_history).
    pub fn pane_router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let Some(running) = self.pane() else {
            panic!("redpane: there is no pane to show; call pane_history() or pane() on the builder");
        };
        api::router(&running.pane)
    }

    /// Says where the application itself is reached, such as `http://127.0.0.1:8000`, so that the pane can show a request as a
    /// `curl` command. The first one counts; without one the command has a placeholder.
    pub fn set_pane_service_url(&self, url: impl Into<String>) {
        if let Some(running) = self.pane() {
            running.pane.set_service_url(url.into());
        }
    }

    /// Serves the pane on a listener of its own, by a thread of its own, as long as there is a handle of this telemetry. With
    /// a `token` (16 to 256 visible ASCII characters) whoever comes must know it; without one the listener must be on a
    /// loopback address, and only requests for one of this machine's own names are answered. A log line says the address.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for an address that others can reach without a token, for a token that
    /// is none, and where the builder was not told to keep a history.
    pub fn serve_pane(&self, listener: TcpListener, token: Option<&str>) -> io::Result<()> {
        let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        let address = listener.local_addr()?;
        let access = match token {
            Some(token) if !TOKEN.contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                return refuse("the token of the pane must be 16 to 256 visible ASCII characters");
            }
            Some(token) => Access::Token(Token::new(token)),
            None if !address.ip().is_loopback() => {
                return refuse("the pane needs a token on an address that others can reach");
            }
            None => Access::Loopback,
        };
        let Some(running) = self.pane() else {
            return refuse("there is no pane to serve; call pane_history() or pane() on the builder");
        };
        running.serve(listener, address, access);
        Ok(())
    }
}
