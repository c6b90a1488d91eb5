//! The pictures of the documentation, made of a service that burns.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::Method;
use test_support::browser::Browser;
use test_support::client;

use crate::fixture::{Pane, ROWS, browser, open};

/// What asks for pictures: a folder, such as `docs/images`.
const VARIABLE: &str = "REDPANE_TEST_PICTURES";
/// Time that goes well, and time that does not.
const WELL: Duration = Duration::from_secs(150);
const BADLY: Duration = Duration::from_secs(75);
/// Visitors at once, and the middle time between two requests of one.
const VISITORS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn are_made_when_asked_for() {
    let Ok(folder) = std::env::var(VARIABLE) else {
        return println!("not made: {VARIABLE} names no folder, such as docs/images");
    };
    let Some(mut browser) = browser() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    assert!(folder.is_dir(), "{VARIABLE} names no folder: {}", folder.display());
    let pane = Pane::start().await;
    let visitors: Vec<_> = (0..VISITORS).map(|number| tokio::spawn(visit(pane.service, number))).collect();
    tokio::time::sleep(WELL).await;
    browser.resize(1440, 900);
    open(&mut browser, &pane, "");
    let faults = r#"{"error_ratio":0.12,"delay_ms":120,"panic_ratio":0.01}"#;
    let body = client::request(Method::PUT, "/faults")
        .header("content-type", "application/json")
        .body(Body::from(faults))
        .unwrap();
    assert!(client::send(pane.service, body).await.status.is_success());
    tokio::time::sleep(BADLY).await;
    browser.prefer("light");
    picture(&mut browser, &folder.join("pane-light.png"));
    browser.prefer("dark");
    browser.open(&pane.url("?level=error"));
    browser.until("errors", &format!("{ROWS}.length > 5"));
    // Rows stand still below the pointer only.
    browser.press(" ", " ");
    browser.click("a failed request", &format!("{ROWS}.find(row => row.textContent.includes('GET /checkout 500'))"));
    browser.press(" ", " ");
    browser.until("its trace", "document.querySelector('.trace-lines .chosen')");
    picture(&mut browser, &folder.join("pane.png"));
    browser.resize(360, 740);
    open(&mut browser, &pane, "");
    picture(&mut browser, &folder.join("pane-telephone.png"));
    visitors.iter().for_each(tokio::task::JoinHandle::abort);
}

/// Sends requests of all kinds, more and fewer of them, for ever.
async fn visit(service: SocketAddr, visitor: u32) {
    let from = Instant::now();
    for number in visitor * 5.. {
        let path = match number % 20 {
            0..=8 => "/hello/ada",
            9..=12 => "/checkout",
            13..=17 => "/",
            18 => "/nope",
            _ => "/hello/grace",
        };
        client::get_many(service, path.to_owned(), 1).await;
        let busy = 1.0 + 0.6 * (from.elapsed().as_secs_f64() / 40.0).sin();
        tokio::time::sleep(PAUSE.div_f64(busy)).await;
    }
}

fn picture(browser: &mut Browser, file: &Path) {
    browser.ask("document.activeElement.blur()");
    // A second for the next tick and what it draws.
    browser.until("all of it is drawn", "new Promise(done => setTimeout(() => done(true), 1500))");
    browser.until(
        "nothing is said for a moment",
        "[...document.querySelectorAll('.toast')].every(toast => getComputedStyle(toast).opacity === '0')",
    );
    browser.picture(file);
}
