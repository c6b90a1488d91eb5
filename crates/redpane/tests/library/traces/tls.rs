//! Receivers behind `https://`.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use test_support::otlp::Receiver;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::ends::ended;

/// Ends TLS in front of a receiver, with a certificate for `localhost` that it has signed itself.
struct Tls {
    endpoint: String,
    /// In a file of its own, which is removed with this.
    certificate: PathBuf,
}

impl Drop for Tls {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.certificate);
    }
}

async fn tls_in_front_of(receiver: &Receiver, name: &str) -> Tls {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = std::env::temp_dir().join(format!("redpane-tls-{name}-{}.pem", std::process::id()));
    std::fs::write(&certificate, cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
    let config = config.unwrap().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let behind = receiver.endpoint();
    let behind = behind.trim_start_matches("http://").trim_end_matches("/v1/traces").to_owned();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            tokio::spawn(async move {
                // Who does not trust it hangs up.
                let Ok(mut outer) = acceptor.accept(stream).await else { return };
                let mut inner = TcpStream::connect(behind).await.unwrap();
                let _ = copy_bidirectional(&mut outer, &mut inner).await;
            });
        }
    });
    Tls { endpoint: format!("https://localhost:{port}/v1/traces"), certificate }
}

#[tokio::test]
async fn a_receiver_whose_certificate_is_trusted_gets_the_spans() {
    let receiver = Receiver::start().await;
    let tls = tls_in_front_of(&receiver, "trusted").await;
    let trusted = tls.certificate.to_str().unwrap();
    let lines = ended("spans-one-line", &tls.endpoint, &[("SSL_CERT_FILE", trusted)]).await;
    assert_eq!(receiver.spans().len(), 1, "{lines:#?}");
    assert_eq!(receiver.attempts().len(), 1);
}

#[tokio::test]
async fn one_whose_certificate_is_not_trusted_gets_none_and_a_line_says_why() {
    let receiver = Receiver::start().await;
    let [tls, other] = [tls_in_front_of(&receiver, "untrusted").await, tls_in_front_of(&receiver, "other").await];
    let lines = ended("spans-one-line", &tls.endpoint, &[("SSL_CERT_FILE", other.certificate.to_str().unwrap())]).await;
    assert_eq!(receiver.attempts().len(), 0);
    let why = lines.iter().find(|line| line["target"] == "redpane::traces").map(|line| line.str("reason"));
    assert!(why.is_some_and(|why| why.contains("invalid peer certificate")), "{lines:#?}");
}

#[tokio::test]
async fn without_any_certificate_to_trust_the_start_fails_and_says_so() {
    let receiver = Receiver::start().await;
    let mut command = std::process::Command::new(crate::examples::program("test_ends"));
    let none = std::env::temp_dir().join("redpane-no-such-file.pem");
    command
        .args(["spans-one-line"])
        .env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", receiver.endpoint().replace("http:", "https:"));
    command.env("SSL_CERT_FILE", none).env_remove("SSL_CERT_DIR");
    let (code, _, errors) = test_support::process::run(command).await;
    assert!(code != 0 && errors.contains("certificate"), "{code}: {errors}");
}
