use super::*;

const V1: &str = "PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\r\n";
const V1_V6: &str = "PROXY TCP6 2001:db8::9 2001:db8::1 56324 443\r\n";

/// A header of version 2.
fn v2(version_and_command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    let length = u16::try_from(block.len()).unwrap().to_be_bytes();
    [V2_BEGIN, &[version_and_command, family], &length, block].concat()
}

fn ipv4() -> Vec<u8> {
    [&[203, 0, 113, 9, 10, 0, 0, 1][..], &56324_u16.to_be_bytes(), &443_u16.to_be_bytes()].concat()
}

fn client(address: &str) -> Source {
    Source::Client(address.parse().unwrap())
}

fn right() -> Vec<(Vec<u8>, Source)> {
    let text = |line: &str, source| (line.as_bytes().to_vec(), source);
    let with_tlvs = [&ipv4()[..], &[0x05, 0, 3, 1, 2, 3], &[0xE0, 0, 0], &[0x20, 0xff]].concat();
    let ipv6 = [&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9][..], &[0; 16], &[0xdc, 4, 1, 0xbb]].concat();
    vec![
        text(V1, client("203.0.113.9:56324")),
        text(V1_V6, client("[2001:db8::9]:56324")),
        text("PROXY UNKNOWN\r\n", Source::Unknown),
        text("PROXY UNKNOWN ffff::ffff ffff::ffff 65535 65535\r\n", Source::Unknown),
        (v2(0x21, 0x11, &ipv4()), client("203.0.113.9:56324")),
        (v2(0x21, 0x12, &ipv4()), client("203.0.113.9:56324")),
        (v2(0x21, 0x21, &ipv6), client("[2001:db8::9]:56324")),
        // The last of them is cut: nobody here reads them.
        (v2(0x21, 0x11, &with_tlvs), client("203.0.113.9:56324")),
        (v2(0x21, 0x11, &[&ipv4()[..], &vec![0; V2_LONGEST - V2_FIXED - 12]].concat()), client("203.0.113.9:56324")),
        (v2(0x21, 0x31, &[b'/'; 216]), Source::Unknown),
        (v2(0x21, 0x00, &[]), Source::Unknown),
        (v2(0x21, 0x00, &[1, 2, 3]), Source::Unknown),
        (v2(0x20, 0x00, &[]), Source::Peer),
        (v2(0x20, 0x11, &ipv4()), Source::Peer),
        (v2(0x20, 0xff, b"left unread"), Source::Peer),
    ]
}

#[test]
fn every_kind_of_header_is_found_whatever_follows_it() {
    for (header, source) in right() {
        for rest in [&b""[..], b"GET / HTTP/1.1\r\n", b"\n", &header.clone()] {
            let found = find(&[&header, rest].concat());
            assert_eq!(found, Ok(Found::Header(header.len(), source)), "{}", header.escape_ascii());
        }
    }
}

#[test]
fn a_part_of_a_header_waits_for_the_rest() {
    for (header, _) in right() {
        for end in 0..header.len() {
            assert_eq!(find(&header[..end]), Ok(Found::TooShort), "{}", header[..end].escape_ascii());
            assert_eq!(has_begun(&header[..end]), end >= TELLING, "{}", header[..end].escape_ascii());
        }
    }
}

#[test]
fn http_is_no_header() {
    for begin in
        ["GET / HTTP/1.1", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PROPFIND / HTTP/1.1", "PROXy ", "\r\n\r\nGET /", "\n"]
    {
        assert_eq!((find(begin.as_bytes()), has_begun(begin.as_bytes())), (Ok(Found::NoHeader), false), "{begin:?}");
    }
}

#[test]
fn what_is_wrong_with_a_header_is_said() {
    let text = |line: &str| line.as_bytes().to_vec();
    let line = "a line of version 1 is";
    for (header, problem) in [
        (text("PROXY TCP4 203.0.113.9 10.0.0.1 56324\r\n"), line),
        (text("PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\n"), line),
        (text("PROXY TCP4 203.0.113.9 10.0.0.1 56324 65536\r\n"), line),
        (text("PROXY TCP4 2001:db8::9 2001:db8::1 56324 443\r\n"), line),
        (text("PROXY TCP4  203.0.113.9 10.0.0.1 56324 443\r\n"), line),
        (text("PROXY TCP4 203.0.113.9 10.0.0.1 56324 443 \r\n"), line),
        (text("PROXY tcp4 203.0.113.9 10.0.0.1 56324 443\r\n"), line),
        (text("PROXY \r\n"), line),
        (text("PROXY / HTTP/1.1\r\nhost: a\r\n\r\n"), line),
        (text(&format!("PROXY UNKNOWN {}\r\n", "x".repeat(V1_LONGEST))), "at most 107 bytes"),
        (v2(0x11, 0x11, &ipv4()), "commands 0x20 (LOCAL) and 0x21 (PROXY); this one has 0x11"),
        (v2(0x22, 0x11, &ipv4()), "this one has 0x22"),
        (v2(0x21, 0x11, &ipv4()[..11]), "this one has 0x11 and 11 bytes"),
        (v2(0x21, 0x21, &[0; 35]), "this one has 0x21 and 35 bytes"),
        (v2(0x21, 0x31, &[0; 215]), "this one has 0x31 and 215 bytes"),
        (v2(0x21, 0x41, &[0; 300]), "this one has 0x41 and 300 bytes"),
        (v2(0x21, 0x13, &ipv4()), "this one has 0x13 and 12 bytes"),
        (v2(0x21, 0x11, &vec![0; V2_LONGEST]), "at most 16384 bytes are taken; this one announces 16400"),
    ] {
        let error = find(&header).expect_err(&header.escape_ascii().to_string());
        assert!(error.contains(problem), "{error:?} for {}", header.escape_ascii());
    }
    // As soon as it is certain: nobody waits for the rest.
    assert!(find(&v2(0x23, 0, &[])[..V2_FIXED]).is_err());
    assert!(find(&[V1_BEGIN, &[b'x'; V1_LONGEST]].concat()[..V1_LONGEST]).is_err());
}

/// The crate that reads whole headers must not panic, whatever a header holds.
#[test]
fn no_change_of_a_byte_breaks_the_reader() {
    for (header, _) in right().into_iter().filter(|(header, _)| header.len() < 256) {
        for at in 0..header.len() {
            for byte in 0..=255 {
                let mut changed = header.clone();
                changed[at] = byte;
                if let Ok(Found::Header(length, _)) = find(&changed) {
                    assert!(length <= changed.len());
                }
            }
        }
    }
}
