use super::*;

/// The addresses of a line, the nearest first, as text; `-` for one that is not known.
fn shown(addresses: impl Iterator<Item = Option<SocketAddr>>) -> String {
    addresses.map(|found| found.map_or("-".into(), |address| address.to_string())).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_standard_header_follows_its_grammar() {
    for (line, nearest_first) in [
        ("for=192.0.2.43", "192.0.2.43:0"),
        ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17:0 192.0.2.43:0"),
        ("For=\"[2001:db8:cafe::17]:4711\"", "[2001:db8:cafe::17]:4711"),
        ("for=\"[2001:db8:cafe::17]\"", "[2001:db8:cafe::17]:0"),
        ("for=\"192.0.2.43:47011\"", "192.0.2.43:47011"),
        ("for=192.0.2.43:47011", "192.0.2.43:47011"),
        ("for=\"192.0.2.43:_port\"", "192.0.2.43:0"),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60:0"),
        ("by=203.0.113.43; FOR=192.0.2.60 ;host=\"a,b;for=1.2.3.4\"", "192.0.2.60:0"),
        ("for=192.0.2.60;host=\"x\\\",for=\\\"1.2.3.4\"", "192.0.2.60:0"),
        ("for=\"19\\2.0.2.60\"", "192.0.2.60:0"),
        // Those that do not tell.
        ("for=unknown", "-"),
        ("for=\"_gazonk\"", "-"),
        ("for=_SEVKISEK:80, for=192.0.2.1", "192.0.2.1:0 -"),
        ("proto=https", "-"),
        ("for=\"\"", "-"),
        ("for=2001:db8::9", "-"),
        ("for=[192.0.2.1]", "-"),
        ("for=192.0.2.1:", "-"),
        ("for=192.0.2.1:65536", "-"),
        ("for=\"[::1]80\"", "-"),
        // Lists may have empty parts.
        ("", ""),
        (" , ;, ", ""),
        (",for=192.0.2.1,,;", "192.0.2.1:0"),
        // What does not follow the grammar is not believed as a whole.
        ("for", "-"),
        ("for=", "-"),
        ("=192.0.2.1", "-"),
        ("for =192.0.2.1", "-"),
        ("for= 192.0.2.1", "-"),
        ("for=192.0.2.1 for=192.0.2.2", "-"),
        ("for=192.0.2.1;for=192.0.2.2", "-"),
        ("for=\"192.0.2.1", "-"),
        ("for=\"x, for=192.0.2.1", "-"),
        ("for=\"192.0.2.1\\", "-"),
        ("192.0.2.1", "-"),
        ("f/r=192.0.2.1", "-"),
    ] {
        assert_eq!(shown(standard(&HeaderValue::from_str(line).unwrap())), nearest_first, "{line}");
    }
    assert_eq!(shown(standard(&HeaderValue::from_bytes(b"for=192.0.2.1;host=\"\xff\"").unwrap())), "-");
}

#[test]
fn the_common_header_is_a_list_of_addresses() {
    for (line, nearest_first) in [
        ("192.0.2.43", "192.0.2.43:0"),
        ("192.0.2.43, 198.51.100.17", "198.51.100.17:0 192.0.2.43:0"),
        (
            "192.0.2.43:47011,2001:db8::17,[2001:db8::18],[2001:db8::19]:80",
            "[2001:db8::19]:80 [2001:db8::18]:0 [2001:db8::17]:0 192.0.2.43:47011",
        ),
        ("\t192.0.2.43\t,, ", "192.0.2.43:0"),
        ("", ""),
        ("unknown, 192.0.2.43", "192.0.2.43:0 -"),
        ("for=192.0.2.43", "-"),
        ("192.0.2.43 192.0.2.44", "-"),
        ("192.0.2", "-"),
        ("192.0.2.1:99999", "-"),
        ("localhost", "-"),
    ] {
        assert_eq!(shown(common(&HeaderValue::from_str(line).unwrap())), nearest_first, "{line}");
    }
    assert_eq!(shown(common(&HeaderValue::from_bytes(b"192.0.2.1,\xff").unwrap())), "-");
}

#[test]
fn a_line_longer_than_any_chain_is_not_read() {
    let line = |elements: usize| HeaderValue::from_str(&vec!["for=192.0.2.1"; elements].join(",")).unwrap();
    assert_eq!(standard(&line(MOST_ELEMENTS)).count(), MOST_ELEMENTS);
    assert_eq!(shown(standard(&line(MOST_ELEMENTS + 1))), "-");
}
