//! Programs that end, for the tests of what is written then: `ends MODE`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program of the tests")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use redpane::{Redpane, Telemetry};
use tokio::sync::Notify;
use tower::ServiceExt;

/// An output that never moves.
struct Stuck;

impl Write for Stuck {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        loop {
            std::thread::park();
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("one-line") => serve_one(|router| Redpane::new("ends").instrument(router)).await,
        Some("handle") => {
            let telemetry = Redpane::new("ends").build().unwrap();
            serve_one(|router| telemetry.clone().instrument(router)).await;
        }
        #[cfg(feature = "otlp")]
        Some("spans-one-line") => serve_one(|router| traced().instrument(router)).await,
        #[cfg(feature = "otlp")]
        Some("spans-installed") => {
            let telemetry = traced().install().unwrap();
            serve_one(|router| telemetry.instrument(router)).await;
        }
        #[cfg(feature = "otlp")]
        Some("spans-many") => many(&traced().build().unwrap()).await,
        Some("installed") => {
            let telemetry = Redpane::new("ends").install().unwrap();
            serve_one(|router| telemetry.instrument(router)).await;
            tracing::info!("after the last handle");
        }
        Some("many") => many(&Redpane::new("ends").install().unwrap()).await,
        Some("many-uninstalled") => many(&Redpane::new("ends").build().unwrap()).await,
        Some("at-once") => {
            let _telemetry = Redpane::new("ends").install().unwrap();
            tracing::info!("at once");
        }
        Some("at-once-dropped") => {
            drop(Redpane::new("ends").install().unwrap());
            tracing::info!("at once");
        }
        Some("installed-elsewhere") => {
            std::thread::spawn(|| drop(Redpane::new("ends").install().unwrap())).join().unwrap();
            tracing::info!("at once");
        }
        Some("stuck-thrice") => {
            let stuck = |_| Redpane::new("ends").log_writer(Stuck).build().unwrap();
            let telemetries = [(); 3].map(stuck);
            for telemetry in &telemetries {
                many(telemetry).await;
            }
        }
        Some("panic") => {
            let _telemetry = Redpane::new("ends").install().unwrap();
            panic!("main falls over");
        }
        Some("stuck") => {
            let _telemetry = Redpane::new("ends").log_writer(Stuck).install().unwrap();
            tracing::info!("never written");
        }
        mode => panic!("no mode {mode:?}"),
    }
}

/// Spans go where the environment says.
#[cfg(feature = "otlp")]
fn traced() -> Redpane {
    Redpane::new("ends").otlp_from_env().unwrap()
}

fn router() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

/// Serves one request over a socket and returns, as a program does that is asked to end.
async fn serve_one(instrument: impl FnOnce(Router) -> Router) {
    let served = Arc::new(Notify::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = instrument(router());
    let (ask, wait) = (Arc::clone(&served), served);
    tokio::task::spawn_blocking(move || {
        get_once(address);
        ask.notify_one();
    });
    axum::serve(listener, app).with_graceful_shutdown(async move { wait.notified().await }).await.unwrap();
}

fn get_once(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
}

/// A thousand requests, and the end.
async fn many(telemetry: &Telemetry) {
    let app = router().layer(telemetry.layer());
    for _ in 0..1000 {
        app.clone().oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    }
}
