//! The next service.

use std::fmt;

use http::Uri;

use crate::web;

/// The base URL of another service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Without a slash at its end.
    base: String,
    host: String,
}

impl Upstream {
    /// What would be right, worded to follow "must be".
    pub(super) const EXPECTED: &str =
        "a base URL that starts with http://, without user, query or fragment, such as http://orders:8000";

    /// Reads a base URL. `None` for anything that is none, or has more than host, port and path.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let authority = uri.authority()?;
        let host = uri.host().filter(|host| !host.is_empty())?;
        let has_user = authority.as_str().contains('@');
        let is_plain = uri.scheme_str() == Some("http") && !has_user && !text.contains(['?', '#']);
        let base = format!("http://{authority}{}", uri.path().trim_end_matches('/'));
        (is_plain && !web::has_bad_port(&uri)).then(|| Self { base, host: host.to_owned() })
    }

    /// Its host: a name, or an address in the form of URLs.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_host_port_and_path() {
        for (text, base, host) in [
            ("http://orders:8000", "http://orders:8000", "orders"),
            ("http://orders/", "http://orders", "orders"),
            ("HTTP://10.0.0.1:80/shop/", "http://10.0.0.1:80/shop", "10.0.0.1"),
            ("http://[::1]:8000", "http://[::1]:8000", "[::1]"),
        ] {
            let upstream = Upstream::parse(text).expect(text);
            assert_eq!((upstream.to_string().as_str(), upstream.host()), (base, host));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "orders",
            "orders:8000",
            "/orders",
            "https://orders",
            "ftp://orders",
            "http://",
            "http:///x",
            "http://:8000",
            "http://a b",
            "http://me:secret@orders",
            "http://orders:0",
            "http://orders:99999",
            "http://orders:x",
            "http://orders?x=1",
            "http://orders/#x",
        ] {
            assert_eq!(Upstream::parse(text), None, "{text:?}");
        }
    }
}
