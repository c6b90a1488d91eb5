//! Addresses of clients as JSON strings. The standard library's `Display` takes a tenth of all the instructions of a request.

use std::net::{Ipv4Addr, SocketAddr};

use super::json;

/// The longest address of IPv4 with its port, between quotes.
const LONGEST: usize = "\"255.255.255.255:65535\"".len();

/// For each octet its digits, and how many there are.
static OCTETS: [([u8; 3], usize); 256] = {
    let mut octets = [(*b"000", 1); 256];
    let mut value = 0;
    while value < 256 {
        let digits = [b'0' + (value / 100) as u8, b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8];
        octets[value] = match value {
            0..10 => ([digits[2], 0, 0], 1),
            10..100 => ([digits[1], digits[2], 0], 2),
            _ => (digits, 3),
        };
        value += 1;
    }
    octets
};

/// Appends an address between quotes, without its port where that is 0.
pub(crate) fn socket(out: &mut Vec<u8>, address: SocketAddr) {
    match address {
        SocketAddr::V4(address) => v4(out, *address.ip(), address.port()),
        SocketAddr::V6(address) if address.port() == 0 => json::display(out, format_args!("{}", address.ip())),
        SocketAddr::V6(_) => json::display(out, format_args!("{address}")),
    }
}

/// Put together first: a vector asks at each addition whether it has room.
fn v4(out: &mut Vec<u8>, ip: Ipv4Addr, port: u16) {
    let mut text = [b'"'; LONGEST];
    let mut length = 1;
    for octet in ip.octets() {
        let (digits, count) = OCTETS[usize::from(octet)];
        text[length..length + 3].copy_from_slice(&digits);
        text[length + count] = b'.';
        length += count + 1;
    }
    // In place of the last point.
    length -= 1;
    if port != 0 {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(port).as_bytes();
        text[length] = b':';
        text[length + 1..][..digits.len()].copy_from_slice(digits);
        length += 1 + digits.len();
    }
    text[length] = b'"';
    out.extend_from_slice(&text[..=length]);
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

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
