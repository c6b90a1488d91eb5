//! The page and its files, compiled in.
//!
//! Files are served below `assets/<hash>/`, where the hash is that of all of them: files import each other by relative names,
//! and are cached for ever.

use std::io::Read;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::compression::{GZIP, accepts_gzip, compressed};

/// The page, and what is shown where a token is needed. `{{assets}}` stands for the folder of the files.
const INDEX: &str = include_str!("page/index.html");
const LOGIN: &str = include_str!("page/login.html");

const HTML: &str = "text/html; charset=utf-8";
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A file as it was compressed when this was built.
struct File {
    name: &'static str,
    media_type: &'static str,
    gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The page, as it is seen at an address: with relative links, which begin at its last slash.
///
/// `has_login` says that whoever asks without a browser has to know a token.
pub(super) fn index(headers: &HeaderMap, address: &str, has_login: bool) -> Response {
    let access = if has_login { "token" } else { "open" };
    let tag = format!("{HASH}-{access}");
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        let tags = value.to_str().unwrap_or_default().split(',');
        tags.map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"')).any(|found| found == tag || found == "*")
    });
    let etag = HeaderValue::try_from(format!("\"{tag}\"")).unwrap_or(HeaderValue::from_static("\"\""));
    let fresh = [(header::CACHE_CONTROL, HeaderValue::from_static("no-cache")), (header::ETAG, etag)];
    let page = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => html(&INDEX.replace("{{access}}", access), address, headers),
    };
    (fresh, page).into_response()
}

/// The page that asks for the token, and leads to a view then; `is_wrong` where one was given that is not it.
pub(super) fn login(headers: &HeaderMap, view: &str, is_wrong: bool) -> Response {
    let problem = if is_wrong { "This is not the token." } else { "" };
    let form = LOGIN.replace("{{problem}}", problem).replace("{{view}}", &attribute(view));
    let fresh = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::UNAUTHORIZED, fresh, html(&form, "/", headers)).into_response()
}

/// A file of the page, if this is `hash/name` of one.
pub(super) fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    let name = name.strip_prefix(HASH)?.strip_prefix('/')?;
    let file = FILES.iter().find(|file| file.name == name)?;
    let answer = match accepts_gzip(headers) {
        true => respond(file.media_type, true, Bytes::from_static(file.gzip)),
        false => {
            let mut plain = Vec::new();
            GzDecoder::new(file.gzip).read_to_end(&mut plain).ok()?;
            respond(file.media_type, false, plain.into())
        }
    };
    Some(([(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER))], answer).into_response())
}

fn html(template: &str, address: &str, headers: &HeaderMap) -> Response {
    let root = match address.rsplit('/').next() {
        None | Some("") => String::new(),
        // The dot: a folder may have a colon in it, and what is before that would be a scheme.
        Some(folder) => {
            format!("./{}/", attribute(folder))
        }
    };
    let plain = template.replace("{{assets}}", &format!("{root}assets/{HASH}"));
    let compress = || compressed(plain.as_bytes(), Compression::best());
    match accepts_gzip(headers).then(compress).flatten() {
        Some(gzip) => respond(HTML, true, gzip),
        None => respond(HTML, false, plain.into()),
    }
}

/// A text in an attribute of HTML.
fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

fn respond(media_type: &'static str, is_gzip: bool, content: Bytes) -> Response {
    let kind = [(header::CONTENT_TYPE, media_type), (header::VARY, "accept-encoding")];
    let mut response = (kind, Body::from(content)).into_response();
    if is_gzip {
        response.headers_mut().insert(header::CONTENT_ENCODING, GZIP);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that nobody serves is a page that does not start.
    #[test]
    fn every_file_is_served_as_it_is() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/pane/page");
        for part in ["css", "icons", "js"] {
            for entry in std::fs::read_dir(format!("{folder}/{part}")).unwrap() {
                let name = format!("{part}/{}", entry.unwrap().file_name().to_str().unwrap());
                let file = FILES.iter().find(|file| file.name == name);
                let file = file.unwrap_or_else(|| panic!("{name} is not served"));
                let mut content = Vec::new();
                GzDecoder::new(file.gzip).read_to_end(&mut content).unwrap();
                assert!(content == std::fs::read(format!("{folder}/{name}")).unwrap(), "{name}");
            }
        }
        for page in [INDEX, LOGIN] {
            let used = page.split("{{assets}}/").skip(1).map(|rest| rest.split('"').next().unwrap());
            let missing: Vec<_> = used.filter(|name| FILES.iter().all(|file| file.name != *name)).collect();
            assert!(missing.is_empty(), "{missing:?}");
        }
    }
}
