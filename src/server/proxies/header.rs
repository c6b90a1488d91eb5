//! The header of the PROXY protocol, versions 1 and 2: where it ends, and whose connection it announces.
//!
//! The crate proxy-header reads whole headers. What stands before that is here: telling a header from HTTP, waiting for all
//! of it within bounds, and saying what is wrong.

use std::net::SocketAddr;

use proxy_header::{ParseConfig, ProxyHeader};

const V1_BEGIN: &[u8] = b"PROXY ";
/// The longest line of version 1 with its end, in bytes.
pub(super) const V1_LONGEST: usize = 107;
const V2_BEGIN: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// What version 2 has before its addresses: the signature, version and command, family and transport, length.
const V2_FIXED: usize = 16;
/// The longest header of version 2 that is taken, in bytes: as much as HAProxy's own buffer. The length field goes to 64 KiB.
const V2_LONGEST: usize = 16 * 1024;
/// As many bytes tell a header of either version from HTTP/1 and from the preface of HTTP/2.
const TELLING: usize = 6;

/// What the first bytes of a connection are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nobody knows yet.
    TooShort,
    /// Something else, such as HTTP.
    NoHeader,
    /// A header of so many bytes.
    Header(usize, Source),
}

/// Whose connection it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Source {
    /// The peer's own, as its health checks are.
    Peer,
    /// That of a client at this address.
    Client(SocketAddr),
    /// That of a client whose address the proxy does not tell: it has none, or none of IP.
    Unknown,
}

/// Whether a header has begun.
pub(super) fn has_begun(bytes: &[u8]) -> bool {
    [V1_BEGIN, V2_BEGIN].iter().any(|begin| bytes.starts_with(&begin[..TELLING]))
}

/// Looks at the first bytes of a connection.
///
/// # Errors
/// What is wrong with the header, if it is one.
pub(super) fn find(bytes: &[u8]) -> Result<Found, String> {
    if bytes.starts_with(V2_BEGIN) {
        return version_2(bytes);
    }
    if bytes.starts_with(V1_BEGIN) {
        return version_1(bytes);
    }
    let may_become = |begin: &&[u8]| begin.starts_with(bytes);
    Ok(if [V1_BEGIN, V2_BEGIN].iter().any(may_become) { Found::TooShort } else { Found::NoHeader })
}

fn version_1(bytes: &[u8]) -> Result<Found, String> {
    let Some(newline) = bytes.iter().take(V1_LONGEST).position(|&byte| byte == b'\n') else {
        let is_too_long = bytes.len() >= V1_LONGEST;
        let problem = format!("a line of version 1 has at most {V1_LONGEST} bytes; this one has more");
        return if is_too_long { Err(problem) } else { Ok(Found::TooShort) };
    };
    let problem = "a line of version 1 is \"PROXY TCP4\" or \"PROXY TCP6\" with source, destination and their ports, \
                   or \"PROXY UNKNOWN\", one space between them and CR LF behind; this one is not";
    whole(&bytes[..=newline]).ok_or_else(|| problem.into())
}

fn version_2(bytes: &[u8]) -> Result<Found, String> {
    let Some([version_and_command, family, length @ ..]) = bytes.get(V2_BEGIN.len()..V2_FIXED) else {
        return Ok(Found::TooShort);
    };
    let announced = length.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
    let end = V2_FIXED + announced;
    match version_and_command {
        _ if end > V2_LONGEST => {
            return Err(format!("at most {V2_LONGEST} bytes are taken; this one announces {end}"));
        }
        0x20 | 0x21 => {}
        other => {
            return Err(format!("version 2 has the commands 0x20 (LOCAL) and 0x21 (PROXY); this one has {other:#04x}"));
        }
    }
    let Some(header) = bytes.get(..end) else { return Ok(Found::TooShort) };
    if *version_and_command == 0x20 {
        // The specification: whatever else a LOCAL header says is left unread.
        return Ok(Found::Header(end, Source::Peer));
    }
    whole(header).ok_or_else(|| {
        format!(
            "version 2 has the families 0x00, 0x11, 0x12, 0x21, 0x22, 0x31 and 0x32, and room for their addresses; this \
             one has {family:#04x} and {announced} bytes"
        )
    })
}

/// Reads a header of which all is there; `None` if it is malformed.
fn whole(header: &[u8]) -> Option<Found> {
    let without_tlvs = ParseConfig { include_tlvs: false, ..ParseConfig::default() };
    let (read, length) = ProxyHeader::parse(header, without_tlvs).ok()?;
    let source = read.proxied_address().map_or(Source::Unknown, |address| Source::Client(address.source));
    (length == header.len()).then_some(Found::Header(length, source))
}

#[cfg(test)]
mod tests;
