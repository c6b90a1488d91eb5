//! Who sent a request.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderMap, header};

use super::TrustedProxies;
use super::forwarded;
use super::header::Source;

/// Who sends the requests of a connection.
pub(in crate::server) struct Client {
    /// The peer, or whom its PROXY header names.
    nearest: SocketAddr,
    /// Who is believed, where the nearest is: then each request may name somebody farther away.
    trusted: Option<Arc<TrustedProxies>>,
}

impl Client {
    pub(super) fn new(peer: SocketAddr, source: Source, trusted: &Arc<TrustedProxies>) -> Self {
        let (nearest, is_known) = match source {
            Source::Peer => (peer, true),
            Source::Client(address) => (address, true),
            // The requests are somebody's who may have written any header.
            Source::Unknown => (peer, false),
        };
        let trusted = (is_known && trusted.may_write_headers(nearest.ip())).then(|| Arc::clone(trusted));
        Self { nearest, trusted }
    }

    /// The client of a request with these headers: the address that is nearest and not trusted. Where it is not known, or
    /// all are trusted, the farthest that is certain. Its port is 0 where nobody says it.
    pub(in crate::server) fn of(&self, headers: &HeaderMap) -> SocketAddr {
        match &self.trusted {
            None => self.nearest,
            Some(trusted) => self.behind(trusted, headers),
        }
    }

    fn behind(&self, trusted: &TrustedProxies, headers: &HeaderMap) -> SocketAddr {
        let [standard, common] = [header::FORWARDED, forwarded::X_FORWARDED_FOR].map(|name| headers.get_all(name));
        let walked = [
            self.farthest(trusted, standard.iter().rev().flat_map(forwarded::standard)),
            self.farthest(trusted, common.iter().rev().flat_map(forwarded::common)),
        ];
        match walked {
            [standard, None] => standard.unwrap_or(self.nearest),
            [None, Some(common)] => common,
            // A proxy writes one of the two and lets pass what its client sent of the other. Nobody here knows which is
            // which, so both count only where they agree.
            [Some(standard), Some(common)] if standard.ip() == common.ip() => match standard.port() {
                0 => common,
                _ => standard,
            },
            [Some(_), Some(_)] => self.nearest,
        }
    }

    /// Follows addresses, the nearest first, up to the first that is not trusted. `None` if there are none.
    fn farthest(
        &self,
        trusted: &TrustedProxies,
        addresses: impl Iterator<Item = Option<SocketAddr>>,
    ) -> Option<SocketAddr> {
        let mut addresses = addresses.peekable();
        addresses.peek()?;
        let mut farthest = self.nearest;
        for address in addresses {
            // What is behind somebody unknown was said by somebody unknown.
            let Some(address) = address else { break };
            farthest = address;
            if !trusted.may_write_headers(address.ip()) {
                break;
            }
        }
        Some(farthest)
    }
}
