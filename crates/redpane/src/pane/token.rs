//! The token that opens a pane which others can reach.

use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const COOKIE: &str = "redpane_pane";

/// The token, as digests: comparing those takes the same time whatever was given, however long it is.
pub(crate) struct Token {
    token: [u8; 32],
    /// What the browser keeps: the token cannot be read from it, and it is the same after a restart.
    cookie: String,
    cookie_digest: [u8; 32],
}

impl Token {
    pub(crate) fn new(token: &str) -> Self {
        let mut cookie = String::with_capacity(64);
        let derived = Sha256::new_with_prefix(b"redpane pane cookie\0").chain_update(token).finalize();
        for byte in derived {
            cookie.push_str(&format!("{byte:02x}"));
        }
        Self { token: digest(token.as_bytes()), cookie_digest: digest(cookie.as_bytes()), cookie }
    }

    fn is(&self, given: &[u8]) -> bool {
        digest(given).ct_eq(&self.token).into()
    }

    /// Whether a request has the token (RFC 6750, section 2.1) or its cookie.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes()).and_then(|value| {
            let (scheme, token) = value.split_at_checked(7)?;
            scheme.eq_ignore_ascii_case(b"bearer ").then_some(token.trim_ascii())
        });
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut cookies = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        bearer.is_some_and(|given| self.is(given))
            || cookies
                .any(|(name, value)| name == COOKIE && bool::from(digest(value.as_bytes()).ct_eq(&self.cookie_digest)))
    }

    /// Whether a form or query has the token.
    pub(super) fn is_given_by(&self, encoded: &[u8]) -> bool {
        form_urlencoded::parse(encoded).any(|(name, value)| name == "token" && self.is(value.as_bytes()))
    }

    pub(super) fn set_cookie(&self) -> String {
        format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie)
    }
}

fn digest(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}
