//! The service with its pane, and a browser.

use std::net::SocketAddr;

use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::Value;
use test_support::browser::{Browser, NAMES, installed};
use test_support::process::{self, Process, Reading, free_address, listening};
use test_support::{client, is_required};

/// A large monitor.
pub(crate) const SIZE: (u32, u32) = (1920, 1080);

/// True once the feed is live and the charts have their history.
pub(crate) const LIVE: &str = "document.getElementById('feed')?.dataset.state === 'live' && document.querySelector('[data-chart=memory] .plot-empty')?.textContent === ''";

/// Rows of the list that are in use.
pub(crate) const ROWS: &str = "[...document.querySelectorAll('#list .row')].filter(row => !row.hidden)";

/// A browser, or nothing and a message where none is installed; a failure where it is required.
pub(crate) fn browser() -> Option<Browser> {
    let Some(name) = installed() else {
        assert!(!is_required("chromium"), "REDPANE_TEST_REQUIRE names chromium, which is not installed");
        println!("skipped: none of {NAMES:?} is installed");
        return None;
    };
    let mut browser = Browser::start(name);
    browser.resize(SIZE.0, SIZE.1);
    browser.prefer("dark");
    Some(browser)
}

/// The service with faults, and its pane.
pub(crate) struct Pane {
    pub(crate) process: Process,
    pub(crate) service: SocketAddr,
    address: SocketAddr,
}

impl Pane {
    pub(crate) async fn start() -> Self {
        Self::start_at(free_address(), free_address()).await
    }

    async fn start_at(service: SocketAddr, address: SocketAddr) -> Self {
        let (listen, pane) = (service.to_string(), address.to_string());
        let variables = [("REDPANE_LISTEN", &*listen), ("REDPANE_PANE_LISTEN", &*pane), ("REDPANE_FAULTS", "true")];
        let command = process::service(env!("CARGO_BIN_EXE_redpane"), &[], &variables);
        let (process, service) = listening(command, Reading::AsItComes).await;
        Self { process, service, address }
    }

    /// Kills the service.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it anew, where it was.
    pub(crate) async fn start_again(&mut self) {
        *self = Self::start_at(self.service, self.address).await;
    }

    /// The page with a query.
    pub(crate) fn url(&self, query: &str) -> String {
        format!("http://{}/{query}", self.address)
    }

    /// Sends a request some times, one after the other.
    pub(crate) async fn send(&self, path: &str, times: usize) -> Vec<StatusCode> {
        client::get_many(self.service, path.to_owned(), times).await
    }

    /// Sends a request with a header.
    pub(crate) async fn send_with(&self, path: &str, header: (&str, &str)) -> StatusCode {
        let request = client::request(Method::GET, path).header(header.0, header.1).body(Body::empty()).unwrap();
        client::send(self.service, request).await.status
    }
}

/// Opens the page with a query and waits until it is live.
pub(crate) fn open(browser: &mut Browser, pane: &Pane, query: &str) {
    browser.open(&pane.url(query));
    browser.until("the page is live", LIVE);
}

/// The visible text of an element.
pub(crate) fn text(browser: &mut Browser, selector: &str) -> String {
    let text = browser.ask(&format!("document.querySelector('{selector}').innerText"));
    text.as_str().unwrap_or_else(|| panic!("{selector} is not there: {text}")).to_owned()
}

/// The texts of a list of elements.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
