//! `Forwarded` (RFC 7239) and `X-Forwarded-For`: the addresses that proxies put into a request, the nearest last.
//!
//! Both are read here and by no crate: those for `Forwarded` split it at commas and semicolons inside of quotes too, where a
//! client can have put them.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::{HeaderName, HeaderValue};

pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// More than any chain of proxies has. A line with more is not read.
const MOST_ELEMENTS: usize = 256;

/// The addresses of one line of `Forwarded`, the nearest first. `None` for a proxy that does not tell, and once for a line
/// that does not follow the grammar.
pub(super) fn standard(line: &HeaderValue) -> impl Iterator<Item = Option<SocketAddr>> + use<> {
    line.to_str().ok().and_then(elements).unwrap_or_else(|| vec![None]).into_iter().rev()
}

/// The addresses of one line of `X-Forwarded-For`, the nearest first. `None` for what is no address.
pub(super) fn common(line: &HeaderValue) -> impl Iterator<Item = Option<SocketAddr>> + use<'_> {
    let parts = line.to_str().unwrap_or("no text").rsplit(',').map(trim);
    parts.filter(|part| !part.is_empty()).map(address)
}

/// An address, with or without a port. IPv6 may have brackets.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = |text: &str| text.parse::<IpAddr>().ok().map(|address| (address, 0).into());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    bare(text).or_else(|| text.parse().ok()).or_else(|| Some((bracketed()?, 0).into()))
}

/// The `for` of each element of a line.
fn elements(line: &str) -> Option<Vec<Option<SocketAddr>>> {
    let (mut found, mut rest) = (Vec::new(), trim(line));
    // Of the element that is being read: whether it has pairs, and its `for`.
    let (mut has_pairs, mut node) = (false, None);
    loop {
        if !rest.is_empty() && !rest.starts_with([',', ';']) {
            let (name, value, after) = pair(rest)?;
            has_pairs = true;
            if name.eq_ignore_ascii_case("for") && node.replace(self::node(&value)).is_some() {
                return None;
            }
            rest = trim(after);
        }
        let separator = rest.bytes().next();
        if separator != Some(b';') && std::mem::take(&mut has_pairs) {
            found.push(node.take().flatten());
        }
        match separator {
            None => return Some(found),
            Some(b',' | b';') if found.len() < MOST_ELEMENTS => rest = trim(&rest[1..]),
            Some(_) => return None,
        }
    }
}

/// Name and value of a pair, and what follows it.
fn pair(text: &str) -> Option<(&str, Cow<'_, str>, &str)> {
    let (name, value) = text.split_once('=')?;
    if name.is_empty() || !name.bytes().all(is_token) {
        return None;
    }
    if let Some(quoted) = value.strip_prefix('"') {
        let (value, after) = unquote(quoted)?;
        return Some((name, value.into(), after));
    }
    // Colons and brackets need quotes, but many leave them out, and they cannot be mistaken for anything else.
    let is_part = |byte: u8| is_token(byte) || b":[]".contains(&byte);
    let end = value.bytes().position(|byte| !is_part(byte)).unwrap_or(value.len());
    (end > 0).then(|| (name, value[..end].into(), &value[end..]))
}

/// A quoted text without its quotes and escapes, and what follows it.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut characters = quoted.char_indices();
    loop {
        match characters.next()? {
            (at, '"') => return Some((text, &quoted[at + 1..])),
            (_, '\\') => text.push(characters.next()?.1),
            (_, other) => text.push(other),
        }
    }
}

/// The address of a node: not `unknown`, no made-up name, and nothing malformed.
fn node(text: &str) -> Option<SocketAddr> {
    let (address, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address.parse::<Ipv6Addr>().ok()?.into(), port.strip_prefix(':').or(no_port(port))?),
        None => {
            let (address, port) = text.split_once(':').unwrap_or((text, "_"));
            (IpAddr::from(address.parse::<Ipv4Addr>().ok()?), port)
        }
    };
    let port = if port.starts_with('_') { 0 } else { port.parse().ok()? };
    Some((address, port).into())
}

/// Stands for a port that is not there: a made-up one, as RFC 7239 has them.
fn no_port(text: &str) -> Option<&'static str> {
    text.is_empty().then_some("_")
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Without the white space that may stand around parts of a list.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

#[cfg(test)]
mod tests;
