//! The URL of a receiver.

use std::borrow::Cow;

use http::Uri;
use http::uri::{Authority, Scheme};

const RIGHT: &str = "a URL with a host is right, as in http://localhost:4318";
/// Where a base has traces.
const TRACES: &str = "/v1/traces";

/// Reads the URL of an endpoint.
///
/// # Errors
/// What is wrong, and what would be right.
pub(crate) fn read(text: &str) -> Result<Uri, String> {
    let uri: Uri = text.trim().parse().map_err(|_| RIGHT.to_owned())?;
    let authority = uri.authority().filter(|authority| !authority.host().is_empty()).ok_or(RIGHT)?;
    if has_user(authority) {
        return Err("a user and a password belong into a header, as in authorization=Basic%20…".into());
    }
    if has_bad_port(authority) {
        return Err("a port is a number from 1 to 65535".into());
    }
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTP => Ok(uri),
        Some(scheme) if *scheme == Scheme::HTTPS && cfg!(feature = "otlp-tls") => Ok(uri),
        Some(scheme) if *scheme == Scheme::HTTPS => Err("https:// needs redpane's feature otlp-tls".into()),
        _ => Err(RIGHT.into()),
    }
}

fn has_user(authority: &Authority) -> bool {
    authority.as_str().contains('@')
}

fn has_bad_port(authority: &Authority) -> bool {
    authority.as_str().len() > authority.host().len() && authority.port_u16().is_none_or(|port| port == 0)
}

/// The endpoint of traces below a base, as the specification has it. A query stays behind the path.
pub(crate) fn below(base: &str) -> String {
    let (path, query) = base.split_at(base.find('?').unwrap_or(base.len()));
    format!("{}{TRACES}{query}", path.trim_end_matches('/'))
}

/// A URL as it is told: what stands between the scheme and an `@` may be a password, and a query a key.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    let rest = text.split('?').next().unwrap_or_default();
    let cut = if rest.len() < text.len() { "?…" } else { "" };
    let (scheme, after) = rest.split_at(rest.find("://").map_or(0, |at| at + 3));
    match (after.rsplit_once('@'), cut) {
        (None, "") => text.into(),
        (None, cut) => format!("{rest}{cut}").into(),
        (Some((_, host)), cut) => format!("{scheme}…@{host}{cut}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_endpoint_says_what_one_is() {
        for (bad, right) in [
            ("tempo:4318", RIGHT),
            ("http://", RIGHT),
            ("grpc://tempo:4317", RIGHT),
            ("http://:4318", RIGHT),
            ("http://tempo:99999", "65535"),
            ("http://tempo:0", "65535"),
            ("http://tempo:", "65535"),
            ("http://[::1]:x/", "65535"),
            ("http://ada:secret@tempo:4318", "authorization"),
        ] {
            assert!(read(bad).is_err_and(|error| error.contains(right)), "{bad}");
        }
        for good in ["http://tempo", "http://[::1]:4318/a", "http://[::1]", " http://tempo:4318/a?b=c "] {
            assert!(read(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_path_of_traces_comes_before_a_query() {
        assert_eq!(below("http://a"), "http://a/v1/traces");
        assert_eq!(below("http://a/b/"), "http://a/b/v1/traces");
        assert_eq!(below("http://a/b/?key=c/"), "http://a/b/v1/traces?key=c/");
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        assert_eq!(shown("http://a:1/b"), "http://a:1/b");
        assert_eq!(shown("http://ada:s3cret@a:1/b?key=s3cret"), "http://…@a:1/b?…");
        assert_eq!(shown("ada:s3cret@a"), "…@a");
    }
}
