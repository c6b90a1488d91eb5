//! The pane as a part of an application's router, in each of the ways that axum has for that.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::Method;
use test_support::browser::{Browser, installed};
use test_support::client::{self, Answer};
use test_support::{Observed, is_required, serve};

use super::{problem, request};

/// An application with a state and a fallback of its own, which a pane's router must fit beside.
fn application(observed: &Observed) -> Router<&'static str> {
    let routes = Router::new().route("/shop", get(|State(name): State<&'static str>| async move { name }));
    observed.telemetry.clone().instrument(routes.fallback(async || "the application's own"))
}

/// All ways, and where the page is then.
fn ways(observed: &Observed) -> [(Router, &'static str); 5] {
    let pane = &observed.telemetry;
    let app = || application(observed);
    [
        (app().nest("/admin/pane", pane.pane_router()).with_state("shop"), "/admin/pane"),
        (app().nest_service("/admin/pane", pane.pane_router()).with_state("shop"), "/admin/pane"),
        (app().nest_service("/admin/pane", pane.pane_router()).with_state("shop"), "/admin/pane/"),
        (app().merge(pane.pane_router()).with_state("shop"), "/"),
        (app().nest("/of/{tenant}", pane.pane_router()).with_state("shop"), "/of/a\"b"),
    ]
}

async fn ask(address: std::net::SocketAddr, path: &str) -> Answer {
    client::send(address, request(Method::GET, path, &[("host", "shop.example")], "")).await
}

/// Resolves a relative link as a browser does.
fn resolved(page: &str, link: &str) -> String {
    let (folder, _) = page.rsplit_once('/').unwrap();
    format!("{folder}/{}", link.trim_start_matches("./"))
}

#[tokio::test]
async fn every_way_has_the_page_its_files_and_its_answers() {
    for number in 0..5 {
        let observed = Observed::with(|redpane| redpane.pane_history());
        let (router, at) = ways(&observed).into_iter().nth(number).unwrap();
        let address = serve(router).await;
        let page = ask(address, &format!("{at}?range=3h")).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"), "{at}");
        assert!(page.header("content-security-policy").contains("default-src 'none'"), "{at}");
        let text = page.text().replace("&quot;", "\"");
        let script = text.split("<script type=\"module\" src=\"").nth(1).unwrap();
        let script = script.split("/js/main.js").next().unwrap().to_owned() + "/js/api.js";
        let file = resolved(at, &script);
        let answer = ask(address, &file).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "text/javascript; charset=utf-8"),
            "{file}"
        );
        // As the script itself finds it.
        let root = file.split("assets/").next().unwrap();
        assert_eq!(ask(address, &format!("{root}api/overview")).await.status, 200, "{root}");
        problem(&ask(address, &format!("{root}api/none")).await, 404);
        let json = ("content-type", "application/json");
        let elsewhere = [("host", "shop.example"), ("origin", "https://evil.example"), json];
        let put = request(Method::PUT, &format!("{root}api/log-filter"), &elsewhere, "{}");
        problem(&client::send(address, put).await, 403);
        assert_eq!(ask(address, "/shop").await.text(), "shop");
        assert_eq!(ask(address, "/elsewhere").await.text(), "the application's own", "{at}");
        assert_eq!(observed.samples().sum("http_requests_total", &[]), 2.0, "the pane's own requests are not counted");
    }
}

#[tokio::test]
async fn a_browser_shows_it_wherever_it_is() {
    let Some(name) = installed() else {
        assert!(!is_required("chromium"), "no browser is installed");
        return;
    };
    let observed = Observed::with(|redpane| redpane.pane_history());
    let mut pages = Vec::new();
    for (router, at) in ways(&observed) {
        pages.push(format!("http://{}{}", serve(router).await, at.replace('"', "%22")));
    }
    let look = move || {
        let mut browser = Browser::start(name);
        browser.record();
        for page in pages {
            browser.open(&format!("{page}?range=3h"));
            browser.until("the feed is live", "document.getElementById('feed')?.dataset.state === 'live'");
            browser.until(
                "the charts have their history",
                "document.querySelector('[data-chart=memory] .plot-empty')?.textContent === ''",
            );
            // What is chosen is in the address, and a reload finds it there.
            browser.press("1", "1");
            browser.until("another range", "!location.search.includes('3h')");
            browser.press("e", "e");
            browser.until("errors only", "location.search.includes('level=error')");
            browser.ask("location.reload()");
            browser.until(
                "it is live again",
                "document.getElementById('feed')?.dataset.state === 'live' && location.search.includes('level=error')",
            );
        }
        let records = browser.records();
        assert!(records.problems.is_empty(), "{:#?}", records.problems);
    };
    tokio::task::spawn_blocking(look).await.unwrap();
}
