//! Who may see it, what every answer says to a browser, and the page itself.

use std::io::ErrorKind;
use std::net::TcpListener;

use axum::Router;
use http::Method;
use test_support::client::{self, Answer};
use test_support::{Observed, eventually};

use super::{Shown, problem, request};

const TOKEN: &str = "a-token-of-20-letters";

async fn ask(shown: &Shown, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    client::send(shown.pane, request(method, path, headers, "")).await
}

#[tokio::test]
async fn other_hosts_and_other_sites_are_refused() {
    let shown = Shown::new().await;
    for host in
        ["localhost", "localhost:9000", "LOCALHOST.", "a.localhost:1", "127.0.0.1", "127.8.8.8:80", "[::1]:8001"]
    {
        assert_eq!(ask(&shown, Method::GET, "/api/overview", &[("host", host)]).await.status, 200, "{host}");
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.168.1.2",
        "xlocalhost",
        "127.0.0.1:9311.evil",
        "localhost:99999",
        "user@localhost",
    ] {
        let refused = ask(&shown, Method::GET, "/api/overview", &[("host", host)]).await;
        assert!(problem(&refused, 403).contains(host), "{host}");
    }
    let local = ("host", "localhost:8001");
    for (name, value) in
        [("origin", "http://localhost:8001"), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")]
    {
        assert_eq!(ask(&shown, Method::GET, "/api/overview", &[local, (name, value)]).await.status, 200, "{value}");
    }
    for (name, value) in [
        ("origin", "http://localhost:3000"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for path in ["/api/live", "/api/log-filter"] {
            problem(&ask(&shown, Method::GET, path, &[local, (name, value)]).await, 403);
        }
        let json = ("content-type", "application/json");
        problem(&ask(&shown, Method::PUT, "/api/log-filter", &[local, json, (name, value)]).await, 403);
    }
    let link = [local, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    assert_eq!(ask(&shown, Method::GET, "/", &link).await.status, 200, "a link from elsewhere opens the page");
}

#[tokio::test]
async fn a_token_opens_it_in_three_ways() {
    let observed = Observed::with(|redpane| redpane.pane_history());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let pane = listener.local_addr().unwrap();
    observed.telemetry.serve_pane(listener, Some(TOKEN)).unwrap();
    let host = ("host", "pane.example");
    let ask = async |method, path: &str, headers: &[(&str, &str)], body| {
        client::send(pane, request(method, path, headers, body)).await
    };
    let refused = ask(Method::GET, "/api/overview", &[host], "").await;
    assert!(problem(&refused, 401).contains("REDPANE_PANE_TOKEN"));
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    for wrong in ["Bearer wrong", "Basic a-token-of-20-letters", "Bearer ", TOKEN] {
        problem(&ask(Method::GET, "/api/overview", &[host, ("authorization", wrong)], "").await, 401);
    }
    let bearer = format!("bearer {TOKEN}");
    assert_eq!(ask(Method::GET, "/api/overview", &[host, ("authorization", &bearer)], "").await.status, 200);

    let form = ask(Method::GET, "/", &[host], "").await;
    assert_eq!((form.status.as_u16(), form.text().contains("type=\"password\"")), (401, true));
    let style = form.text().split_once("href=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    assert_eq!(ask(Method::GET, &format!("/{style}"), &[host], "").await.status, 200, "the form's own files");
    let urlencoded = ("content-type", "application/x-www-form-urlencoded");
    assert_eq!(ask(Method::POST, "/login", &[host, urlencoded], "token=wrong").await.status, 401);
    let by_form = ask(Method::POST, "/login", &[host, urlencoded], "token=a-token-of-20-letters").await;
    let by_address = ask(Method::GET, "/?token=a-token-of-20-letters", &[host], "").await;
    for opened in [by_form, by_address] {
        assert_eq!((opened.status.as_u16(), opened.header("location")), (303, "./"));
        let cookie = opened.header("set-cookie");
        assert!(cookie.contains("; HttpOnly; SameSite=Lax") && !cookie.contains(TOKEN), "{cookie}");
        let pair = format!("other=1; {}", cookie.split(';').next().unwrap());
        assert_eq!(ask(Method::GET, "/api/overview", &[host, ("cookie", &pair)], "").await.status, 200);
    }
    problem(&ask(Method::GET, "/api/overview", &[host, ("cookie", "redpane_pane=x")], "").await, 401);
    let warned =
        observed.lines().into_iter().filter(|line| line["target"] == "redpane::pane" && line["level"] == "WARN");
    assert!(warned.count() >= 1, "a wrong token is a line");
}

/// A pane that asks for this token, and a way to ask it.
fn with_token(observed: &Observed, token: &str) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let pane = listener.local_addr().unwrap();
    observed.telemetry.serve_pane(listener, Some(token)).unwrap();
    pane
}

#[tokio::test]
async fn a_login_leads_to_what_was_asked_for() {
    let observed = Observed::with(|redpane| redpane.pane_history());
    let pane = with_token(&observed, TOKEN);
    let ask = async |method, path: &str, headers: &[(&str, &str)], body| {
        let headers = [&[("host", "pane.example")], headers].concat();
        client::send(pane, request(method, path, &headers, body)).await
    };
    let urlencoded = [("content-type", "application/x-www-form-urlencoded")];
    let view = "?level=warn&search=%22a%22";
    let form = ask(Method::GET, &format!("/{view}"), &[], "").await;
    assert!(form.text().contains("action=\"login?level=warn&amp;search=%22a%22\""), "{}", form.text());
    assert!(!form.text().contains("This is not the token") && !form.text().contains("{{"), "{}", form.text());
    let wrong = ask(Method::POST, &format!("/login{view}"), &urlencoded, "token=wrong").await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text().contains("This is not the token.") && wrong.text().contains("level=warn&amp;"));
    let opened = ask(Method::POST, &format!("/login{view}"), &urlencoded, "token=a-token-of-20-letters").await;
    assert_eq!((opened.status.as_u16(), opened.header("location")), (303, &*format!("./{view}")));
    let cookie = opened.header("set-cookie").split(';').next().unwrap().to_owned();
    let by_address = ask(Method::GET, "/?level=warn&token=a-token-of-20-letters&range=3h", &[], "").await;
    assert_eq!((by_address.status.as_u16(), by_address.header("location")), (303, "./?level=warn&range=3h"));
    let wrong = ask(Method::GET, "/?token=wrong&level=warn", &[], "").await;
    assert!(wrong.status == 401 && wrong.text().contains("action=\"login?level=warn\""), "{}", wrong.text());
    assert!(wrong.text().contains("This is not the token."));
    let again = ask(Method::GET, "/?token=old&level=warn", &[("cookie", &cookie)], "").await;
    assert_eq!((again.status.as_u16(), again.header("location")), (303, "./?level=warn"), "it leaves the address");
    for headers in [&[][..], &[("cookie", cookie.as_str())]] {
        let reloaded = ask(Method::GET, &format!("/login{view}"), headers, "").await;
        assert_eq!((reloaded.status.as_u16(), reloaded.header("location")), (303, &*format!("./{view}")));
    }
    let other = ask(Method::PUT, "/login", &[], "").await;
    assert!(problem(&other, 405).contains("PUT") && other.header("allow") == "GET, HEAD, POST");
    let page = ask(Method::GET, "/", &[("cookie", &cookie)], "").await;
    assert!(page.text().contains("data-access=\"token\""), "copied commands need the token too");
    let link = [("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    assert_eq!(ask(Method::GET, "/?level=warn", &link, "").await.status, 200, "a link in a chat");
    for (method, path) in [(Method::GET, "/api/overview"), (Method::DELETE, "/api/log-filter")] {
        problem(&ask(method, path, &link, "").await, 403);
    }
}

#[tokio::test]
async fn two_panes_of_one_host_let_both_be_open() {
    let observed = Observed::with(|redpane| redpane.pane_history());
    let tokens = [TOKEN, "another-token-of-27-letters"];
    let mut cookies = Vec::new();
    let panes = tokens.map(|token| with_token(&observed, token));
    let ask = async |pane, path: &str, cookie: &str| {
        let headers = [("host", "pane.example"), ("cookie", cookie)];
        client::send(pane, request(Method::GET, path, &headers, "")).await
    };
    for (pane, token) in panes.into_iter().zip(tokens) {
        let opened = ask(pane, &format!("/?token={token}"), "").await;
        cookies.push(opened.header("set-cookie").split(';').next().unwrap().to_owned());
    }
    let name = |cookie: &str| cookie.split('=').next().unwrap().to_owned();
    assert_ne!(name(&cookies[0]), name(&cookies[1]));
    for pane in panes {
        assert_eq!(ask(pane, "/api/overview", &cookies.join("; ")).await.status, 200);
    }
    assert_eq!(ask(panes[0], "/api/overview", &cookies[1]).await.status, 401);
}

#[tokio::test]
async fn refused_tokens_are_counted_in_the_line_after() {
    let observed = Observed::with(|redpane| redpane.pane_history());
    let pane = with_token(&observed, TOKEN);
    let refused = async || {
        let headers = [("host", "pane.example"), ("authorization", "Bearer wrong")];
        client::send(pane, request(Method::GET, "/api/overview", &headers, "")).await
    };
    refused().await;
    eventually("a line says how many there were", async || {
        refused().await;
        let mut lines = observed.lines().into_iter().filter(|line| line["target"] == "redpane::pane");
        lines.find(|line| line.get_str("detail").is_some_and(|detail| detail.contains(" more were refused since")))
    })
    .await;
}

#[test]
fn an_address_that_others_reach_needs_a_token() {
    let telemetry = redpane::Redpane::new("test").log_writer(std::io::sink()).pane_history().build().unwrap();
    let open = || TcpListener::bind("0.0.0.0:0").unwrap();
    for (token, part) in
        [(None, "needs a token"), (Some("short"), "16 to 256"), (Some("with spaces in between"), "visible")]
    {
        let error = telemetry.serve_pane(open(), token).unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains(part), "{error}");
    }
    telemetry.serve_pane(open(), Some(TOKEN)).unwrap();
    let without = redpane::Redpane::new("test").log_writer(std::io::sink()).build().unwrap();
    assert!(without.serve_pane(open(), Some(TOKEN)).unwrap_err().to_string().contains("pane_history()"));
}

#[tokio::test]
async fn the_page_and_its_files_are_cached_and_hardened() {
    let shown = Shown::new().await;
    let page = shown.get("/").await;
    assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, "no-cache"));
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'")
            && policy.contains("frame-ancestors 'none'")
            && !policy.contains("unsafe")
    );
    assert_eq!((page.header("x-content-type-options"), page.header("referrer-policy")), ("nosniff", "same-origin"));
    let known = [("host", "localhost"), ("if-none-match", page.header("etag"))];
    assert_eq!(ask(&shown, Method::GET, "/", &known).await.status, 304);
    let style = page.text().split_once("href=\"assets/").unwrap().1.split_once('"').unwrap().0.to_owned();
    let gzip = [("host", "localhost"), ("accept-encoding", "br, gzip;q=0.5")];
    let file = ask(&shown, Method::GET, &format!("/assets/{style}"), &gzip).await;
    assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!((file.header("content-encoding"), file.header("vary")), ("gzip", "accept-encoding"));
    let plain = ask(
        &shown,
        Method::GET,
        &format!("/assets/{style}"),
        &[("host", "localhost"), ("accept-encoding", "gzip;q=0")],
    )
    .await;
    assert!(!plain.headers.contains_key("content-encoding") && plain.body.len() > file.body.len());
    problem(&shown.get("/assets/0000000000000000/pane.css").await, 404);
    let plain = eventually("there is a history", async || {
        let answer = shown.get("/api/series?name=requests&name=heatmap").await;
        (answer.body.len() > 4096).then_some(answer)
    })
    .await;
    let small = ask(&shown, Method::GET, "/api/series?name=requests&name=heatmap", &gzip).await;
    assert_eq!((small.header("content-encoding"), small.header("vary")), ("gzip", "accept-encoding"));
    assert!(small.body.len() * 5 < plain.body.len(), "{} of {}", small.body.len(), plain.body.len());
    let head = ask(&shown, Method::HEAD, "/api/overview", &[("host", "localhost")]).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    let wrong = ask(&shown, Method::POST, "/api/overview", &[("host", "localhost")]).await;
    assert!(problem(&wrong, 405).contains("POST") && wrong.header("allow").contains("GET"));
    assert_eq!(wrong.header("cache-control"), "no-store");
    let samples = shown.observed.samples();
    assert_eq!(samples.sum("http_requests_total", &[]), 0.0, "the pane's own requests are not counted");
    assert!(!shown.observed.lines().iter().any(test_support::Line::is_access));
}

#[tokio::test]
async fn the_one_word_serves_it_on_this_machine() {
    let log = test_support::Log::default();
    let app: Router = redpane::Redpane::new("one").log_writer(log.clone()).pane().instrument(Router::new());
    let line = test_support::until("the address is told", || {
        log.lines().into_iter().find(|line| line["target"] == "redpane::pane")
    })
    .await;
    let url = line.str("url");
    assert_eq!(line.str("message"), format!("the pane is at {url}"));
    let address: std::net::SocketAddr = url.strip_prefix("http://").unwrap().trim_end_matches('/').parse().unwrap();
    assert!(address.ip().is_loopback());
    assert_eq!(client::get(address, "/api/overview").await.status, 200, "the router keeps it");
    drop(app);
    eventually("it ends with the router", async || client::try_keep_alive(address).await.err()).await;
}

#[test]
#[should_panic(expected = "call pane_history() or pane() on the builder")]
fn a_router_without_a_history_says_what_is_missing() {
    drop(redpane::Redpane::new("test").log_writer(std::io::sink()).build().unwrap().pane_router::<()>());
}
