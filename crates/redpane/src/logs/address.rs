//! Addresses of clients as JSON strings. The standard library's `Display` takes a tenth of all the instructions of a request.

use std::net::{IpAddr, SocketAddr};

use super::{json, number};

/// Appends an address between quotes, without its port where that is 0.
pub(crate) fn socket(out: &mut Vec<u8>, address: SocketAddr) {
    let port = address.port();
    match address.ip() {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            out.push(b'"');
            for octet in [a, b, c] {
                number::integer(out, octet);
                out.push(b'.');
            }
            number::integer(out, d);
            if port != 0 {
                out.push(b':');
                number::integer(out, port);
            }
            out.push(b'"');
        }
        IpAddr::V6(ip) if port == 0 => json::display(out, format_args!("{ip}")),
        IpAddr::V6(_) => json::display(out, format_args!("{address}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_what_the_standard_library_shows(ip: IpAddr, port: u16) {
            let mut out = Vec::new();
            socket(&mut out, SocketAddr::new(ip, port));
            let shown = if port == 0 { ip.to_string() } else { SocketAddr::new(ip, port).to_string() };
            prop_assert_eq!(String::from_utf8(out).unwrap(), format!("\"{shown}\""));
        }
    }

    #[test]
    fn without_a_port_it_is_an_ip_address() {
        let mut out = Vec::new();
        socket(&mut out, SocketAddr::from(([192, 0, 2, 1], 0)));
        assert_eq!(out, b"\"192.0.2.1\"");
    }
}
