//! Sending one batch once: OTLP over HTTP, protobuf, gzip where it was asked for.

use std::error::Error;
use std::io::{self, Write as _};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::answer::{self, Answer};
use crate::request::error_chain::ErrorChain;

/// The most bytes of an answer that are read.
const MAX_ANSWER: usize = 64 * 1024;

#[cfg(feature = "otlp-tls")]
const NO_ROOTS: &str = "no certificate of the system's can be read that an https:// receiver could have; SSL_CERT_FILE can name a file of them";

/// Where spans are sent.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) endpoint: Uri,
    /// Sent with every batch.
    pub(crate) headers: HeaderMap,
    pub(crate) gzip: bool,
    /// The longest that one attempt takes.
    pub(crate) timeout: Duration,
}

/// A client with or without TLS.
enum AnyClient {
    Plain(Client<HttpConnector, Full<Bytes>>),
    #[cfg(feature = "otlp-tls")]
    Tls(Client<hyper_rustls::HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl AnyClient {
    #[cfg_attr(not(feature = "otlp-tls"), expect(clippy::unnecessary_wraps, reason = "certificates may fail"))]
    fn of(endpoint: &Uri) -> io::Result<Self> {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new());
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        #[cfg(feature = "otlp-tls")]
        if endpoint.scheme() == Some(&http::uri::Scheme::HTTPS) {
            http.enforce_http(false);
            let tls = hyper_rustls::HttpsConnectorBuilder::new()
                .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
                .map_err(|error| io::Error::new(error.kind(), format!("{NO_ROOTS}: {error}")))?;
            return Ok(Self::Tls(builder.build(tls.https_only().enable_http1().wrap_connector(http))));
        }
        let _ = endpoint;
        Ok(Self::Plain(builder.build(http)))
    }

    async fn request(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, ClientError> {
        match self {
            Self::Plain(client) => client.request(request).await,
            #[cfg(feature = "otlp-tls")]
            Self::Tls(client) => client.request(request).await,
        }
    }
}

/// The client of one receiver.
pub(crate) struct Transport {
    client: AnyClient,
    target: Target,
}

impl Transport {
    /// # Errors
    /// If the endpoint is one of `https://` and the system's certificates cannot be read.
    pub(crate) fn new(target: Target) -> io::Result<Self> {
        let client = AnyClient::of(&target.endpoint)?;
        Ok(Self { client, target })
    }

    /// The body of all attempts to send a request.
    pub(crate) fn body(&self, request: Vec<u8>) -> Bytes {
        if !self.target.gzip {
            return request.into();
        }
        let mut encoder = GzEncoder::new(Vec::with_capacity(request.len() / 8), Compression::fast());
        let written = encoder.write_all(&request).and_then(|()| encoder.finish());
        written.expect("writing to memory does not fail").into()
    }

    /// One attempt.
    pub(crate) async fn send(&self, body: Bytes) -> Answer {
        let attempt = async {
            let mut request = Request::post(self.target.endpoint.clone()).body(Full::new(body))?;
            let headers = request.headers_mut();
            headers.extend(self.target.headers.clone());
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
            if self.target.gzip {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            headers
                .entry(header::USER_AGENT)
                .or_insert(HeaderValue::from_static(concat!("redpane-otlp/", env!("CARGO_PKG_VERSION"))));
            let response = self.client.request(request).await?;
            let (parts, body) = response.into_parts();
            let answer = match Limited::new(body, MAX_ANSWER).collect().await {
                Ok(body) => answer::read(parts.status, &parts.headers, body.to_bytes(), MAX_ANSWER as u64),
                // With a status that says what became of the batch, its body says nothing more.
                Err(_) if parts.status.is_success() => {
                    Answer::Nonsense { why: format!("its answer broke off or is longer than {MAX_ANSWER} bytes") }
                }
                Err(_) => answer::read(parts.status, &parts.headers, Bytes::new(), MAX_ANSWER as u64),
            };
            Ok::<_, Box<dyn Error + Send + Sync>>(answer)
        };
        match tokio::time::timeout(self.target.timeout, attempt).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Answer::Again { after: None, why: ErrorChain(&*error).to_string() },
            Err(_) => Answer::Again { after: None, why: format!("no answer within {:?}", self.target.timeout) },
        }
    }
}
