//! Addresses that exclude each other.

use std::net::{IpAddr, SocketAddr};

/// Whether a listener at `other` takes `address`: the same one, or the same port of all addresses of this machine.
pub(super) fn is_taken_by(address: SocketAddr, other: SocketAddr) -> bool {
    let (one, another) = (address.ip().to_canonical(), other.ip().to_canonical());
    let overlap = one == another || contains(one, another) || contains(another, one);
    // Port 0 is another one each time.
    address.port() == other.port() && address.port() != 0 && overlap
}

/// Whether a listener at `all` gets what comes for `one`. `[::]` gets what comes for addresses of IPv4 too, where a system is not
/// told otherwise.
fn contains(all: IpAddr, one: IpAddr) -> bool {
    all.is_unspecified() && (all.is_ipv6() || one.is_ipv4())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_system_says() {
        let taken = |one: &str, another: &str| {
            let (one, another) = (one.parse().expect("an address"), another.parse().expect("an address"));
            assert_eq!(is_taken_by(one, another), is_taken_by(another, one), "{one} {another}");
            is_taken_by(one, another)
        };
        for (one, another) in [
            ("127.0.0.1:8000", "127.0.0.1:8000"),
            ("127.0.0.1:8000", "0.0.0.0:8000"),
            ("127.0.0.1:8000", "[::]:8000"),
            ("127.0.0.1:8000", "[::ffff:127.0.0.1]:8000"),
            ("[::1]:8000", "[::]:8000"),
            ("0.0.0.0:8000", "[::]:8000"),
        ] {
            assert!(taken(one, another), "{one} {another}");
        }
        for (one, another) in [
            ("127.0.0.1:8000", "127.0.0.1:8001"),
            ("127.0.0.1:8000", "127.0.0.2:8000"),
            ("[::1]:8000", "0.0.0.0:8000"),
            ("[::1]:8000", "127.0.0.1:8000"),
            ("0.0.0.0:0", "0.0.0.0:0"),
        ] {
            assert!(!taken(one, another), "{one} {another}");
        }
    }
}
