//! Addresses that exclude each other.

use std::net::SocketAddr;

/// Whether a listener at `other` takes `address`: the same one, or the same port of all addresses of this machine.
pub(super) fn is_taken_by(address: SocketAddr, other: SocketAddr) -> bool {
    let (one, another) = (address.ip().to_canonical(), other.ip().to_canonical());
    let overlap = one == another || one.is_unspecified() || another.is_unspecified();
    // Port 0 is another one each time.
    address.port() == other.port() && address.port() != 0 && overlap
}
