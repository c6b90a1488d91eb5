//! Ports of URLs.

use http::Uri;

/// Whether a URL has a port that is none from 1 to 65535. [`Uri`] keeps it as text, and tells of no port then.
pub(crate) fn has_bad_port(uri: &Uri) -> bool {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    // What stands behind a user and the brackets of an IPv6 address.
    let has_port = authority.rsplit(['@', ']']).next().is_some_and(|rest| rest.contains(':'));
    has_port && uri.port_u16().is_none_or(|port| port == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_number_from_1_to_65535_or_is_left_out() {
        let is_bad = |url: &str| has_bad_port(&url.parse().expect("a URL"));
        for right in
            ["http://a", "http://a/x:y", "http://a:80", "http://[::1]", "http://[::1]:65535", "http://u:p@a", "/x"]
        {
            assert!(!is_bad(right), "{right}");
        }
        for wrong in ["http://a:0", "http://a:", "http://a:65536", "http://[::1]:99999", "http://u:p@a:0"] {
            assert!(is_bad(wrong), "{wrong}");
        }
    }
}
