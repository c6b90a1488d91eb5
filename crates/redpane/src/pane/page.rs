//! The page and its files, compiled in.
//!
//! Files are served below `assets/<hash>/`, where the hash is that of all of them: files import each other by relative names,
//! and are cached for ever.

mod files;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::OnceLock;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use self::files::FILES;

/// The page, and what is shown where a token is needed. `{{assets}}` stands for the folder of the files.
const INDEX: &str = include_str!("page/index.html");
const LOGIN: &str = include_str!("page/login.html");

const HTML: &str = "text/html; charset=utf-8";
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A file as it is sent.
struct Prepared {
    name: &'static str,
    media_type: &'static str,
    plain: Bytes,
    /// `None` where it would not be smaller.
    gzip: Option<Bytes>,
}

/// All files, made ready when the first one is asked for.
struct Page {
    hash: String,
    /// For `If-None-Match`.
    etag: HeaderValue,
    index: Prepared,
    login: Prepared,
    files: Vec<Prepared>,
}

impl Page {
    fn get() -> &'static Self {
        static PAGE: OnceLock<Page> = OnceLock::new();
        PAGE.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            (FILES, INDEX, LOGIN).hash(&mut hasher);
            let hash = format!("{:016x}", hasher.finish());
            let page = |name, text: &str| {
                let text = text.replace("{{assets}}", &format!("assets/{hash}"));
                Prepared::new(name, HTML, text.into_bytes().into())
            };
            Self {
                etag: HeaderValue::try_from(format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\"")),
                index: page("index.html", INDEX),
                login: page("login.html", LOGIN),
                files: FILES
                    .iter()
                    .map(|(name, kind, content)| Prepared::new(name, kind, Bytes::from_static(content)))
                    .collect(),
                hash,
            }
        })
    }
}

/// The page.
pub(super) fn index(headers: &HeaderMap) -> Response {
    let page = Page::get();
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        let tags = value.to_str().unwrap_or_default().split(',');
        tags.map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag.as_bytes() == page.etag.as_bytes() || tag == "*")
    });
    let fresh = [(header::CACHE_CONTROL, HeaderValue::from_static("no-cache")), (header::ETAG, page.etag.clone())];
    if known {
        return (StatusCode::NOT_MODIFIED, fresh).into_response();
    }
    (fresh, page.index.answer(headers)).into_response()
}

/// The page that asks for the token; `again` where one was wrong.
pub(super) fn login(headers: &HeaderMap) -> Response {
    let fresh = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::UNAUTHORIZED, fresh, Page::get().login.answer(headers)).into_response()
}

/// A file of the page, if there is one of this hash and name.
pub(super) fn file(hash: &str, name: &str, headers: &HeaderMap) -> Option<Response> {
    let page = Page::get();
    let file = page.files.iter().find(|file| file.name == name).filter(|_| hash == page.hash)?;
    let cached = [(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER))];
    Some((cached, file.answer(headers)).into_response())
}

impl Prepared {
    fn new(name: &'static str, media_type: &'static str, plain: Bytes) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let gzip = encoder.write_all(&plain).and_then(|()| encoder.finish()).ok();
        let gzip = gzip.filter(|gzip| gzip.len() < plain.len()).map(Bytes::from);
        Self { name, media_type, plain, gzip }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let kind = [(header::CONTENT_TYPE, self.media_type), (header::VARY, "accept-encoding")];
        match &self.gzip {
            Some(gzip) if accepts_gzip(headers) => {
                (kind, [(header::CONTENT_ENCODING, "gzip")], Body::from(gzip.clone())).into_response()
            }
            _ => (kind, Body::from(self.plain.clone())).into_response(),
        }
    }
}

/// Answers of so many bytes are compressed.
const COMPRESSED_FROM: u64 = 4 * 1024;

/// Compresses large JSON where the client takes it.
pub(super) async fn compress(request: Request, next: Next) -> Response {
    let accepts = accepts_gzip(request.headers());
    let mut response = next.run(request).await;
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !is_json {
        return response;
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    // What has no length is a stream, or the answer to HEAD.
    let length = http_body::Body::size_hint(response.body()).exact();
    if !accepts || length.is_none_or(|length| length < COMPRESSED_FROM) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let plain = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 8), Compression::fast());
    let compressed = encoder.write_all(&plain).and_then(|()| encoder.finish());
    let body = match compressed {
        Ok(compressed) => {
            head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            head.headers.remove(header::CONTENT_LENGTH);
            compressed.into()
        }
        Err(_) => plain,
    };
    Response::from_parts(head, Body::from(body))
}

/// Whether `Accept-Encoding` has gzip, not with a weight of 0 (RFC 9110, section 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = parts.any(|part| {
            part.strip_prefix("q=").is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight == 0.0))
        });
        is_gzip && !refused
    })
}
