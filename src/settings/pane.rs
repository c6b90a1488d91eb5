//! Where the pane is, and who may see it.

use std::fmt;
use std::net::SocketAddr;

use super::address::is_taken_by;
use super::reader::Reader;

const LISTEN: &str = "REDPANE_PANE_LISTEN";
const TOKEN: &str = "REDPANE_PANE_TOKEN";

/// Where the pane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaneListen {
    /// On 127.0.0.1:8001, or a free port of 127.0.0.1 where that one is taken.
    Default,
    /// Nowhere.
    Off,
    /// There.
    At(SocketAddr),
}

/// What opens the pane. Not shown where the settings are.
#[derive(Clone, PartialEq, Eq)]
pub struct PaneToken(String);

impl PaneToken {
    /// The text that must be known.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PaneToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaneToken(***)")
    }
}

/// `api` and `metrics` are the addresses that are taken already.
pub(super) fn read(
    reader: &mut Reader<'_>,
    api: SocketAddr,
    metrics: Option<SocketAddr>,
) -> (PaneListen, Option<PaneToken>) {
    let token = reader.secret(TOKEN, "16 to 256 visible ASCII characters", |text| {
        let is_token = (16..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_token.then(|| PaneToken(text.to_owned()))
    });
    let listen = reader.address_or_off(LISTEN).map_or(PaneListen::Default, |address| match address {
        Some(address) => PaneListen::At(address),
        None => PaneListen::Off,
    });
    if let PaneListen::At(address) = listen
        && !address.ip().is_loopback()
        && !reader.is_given(TOKEN)
    {
        let expected =
            "a loopback address such as 127.0.0.1:8001 where REDPANE_PANE_TOKEN is not set: others can reach this one";
        reader.reject(LISTEN, &address.to_string(), expected);
    }
    let taken = [("REDPANE_LISTEN", Some(api)), ("REDPANE_METRICS_LISTEN", metrics)];
    for (variable, taken) in taken {
        if let (PaneListen::At(address), Some(taken)) = (listen, taken)
            && is_taken_by(address, taken)
        {
            let expected = format!("another address than {variable} ({taken}): the pane has a listener of its own");
            reader.reject(LISTEN, &address.to_string(), &expected);
        }
    }
    (listen, token)
}
