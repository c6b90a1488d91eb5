//! The token that opens a pane which others can reach.

use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The beginning of the cookie's name: cookies are of a host, whose ports share them, so each token has a name of its own.
const COOKIE: &str = "redpane_pane_";

/// The token, as digests: comparing those takes the same time whatever was given, however long it is.
pub(crate) struct Token {
    token: [u8; 32],
    /// What the browser keeps: the token cannot be read from it, and it is the same after a restart.
    cookie: String,
    cookie_digest: [u8; 32],
    cookie_name: String,
}

impl Token {
    pub(crate) fn new(token: &str) -> Self {
        let derived = |of: &[u8], bytes: usize| -> String {
            let digest = Sha256::new_with_prefix(of).chain_update(token).finalize();
            digest.iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
        };
        let cookie = derived(b"redpane pane cookie\0", 32);
        let cookie_name = format!("{COOKIE}{}", derived(b"redpane pane cookie name\0", 4));
        Self { token: digest(token.as_bytes()), cookie_digest: digest(cookie.as_bytes()), cookie, cookie_name }
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
            || cookies.any(|(name, value)| {
                name == self.cookie_name && bool::from(digest(value.as_bytes()).ct_eq(&self.cookie_digest))
            })
    }

    /// Whether a form or query has the token.
    pub(super) fn is_given_by(&self, encoded: &[u8]) -> bool {
        form_urlencoded::parse(encoded).any(|(name, value)| name == "token" && self.is(value.as_bytes()))
    }

    /// Sent with links from elsewhere too: those open the page, and nothing else that another site asks for is answered.
    pub(super) fn set_cookie(&self) -> String {
        format!("{}={}; Path=/; HttpOnly; SameSite=Lax", self.cookie_name, self.cookie)
    }
}

fn digest(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}
