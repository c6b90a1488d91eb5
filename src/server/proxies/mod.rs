//! The proxies in front: which are trusted, and what they say of a connection's and a request's client.
//!
//! A trusted proxy tells in two ways: with the header of the PROXY protocol before the first request of a connection, and
//! with `Forwarded` or `X-Forwarded-For` in each request. Nobody else is listened to.

mod client;
mod forwarded;
mod header;
mod opening;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use ipnet::IpNet;

use super::every_second::EverySecond;

pub(super) use client::Client;
pub(super) use header::Source;
pub(super) use opening::Opening;

/// Addresses and networks of the proxies that are believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    proxy_protocol_only: Vec<IpNet>,
}

impl TrustedProxies {
    /// Trusts the addresses of `networks`, and of `proxy_protocol_only` for the PROXY protocol alone: a proxy that hands on
    /// connections and does not read requests lets pass whatever its clients write into their headers. None of them:
    /// nobody is trusted.
    #[must_use]
    pub fn new(networks: Vec<IpNet>, proxy_protocol_only: Vec<IpNet>) -> Self {
        Self { networks, proxy_protocol_only }
    }

    fn may_write_headers(&self, address: IpAddr) -> bool {
        within(&self.networks, address)
    }

    fn may_send_proxy_protocol(&self, address: IpAddr) -> bool {
        self.may_write_headers(address) || within(&self.proxy_protocol_only, address)
    }
}

fn within(networks: &[IpNet], address: IpAddr) -> bool {
    // A listener for both versions of IP sees IPv4 clients at IPv4-mapped IPv6 addresses.
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// What the connections of a listener share.
pub(super) struct Proxies {
    trusted: Arc<TrustedProxies>,
    /// For the lines about headers that cannot be read.
    unreadable: Mutex<EverySecond>,
}

impl Proxies {
    pub(super) fn new(trusted: TrustedProxies) -> Self {
        Self { trusted: Arc::new(trusted), unreadable: Mutex::default() }
    }
}
