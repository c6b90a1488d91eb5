//! The live feed.

use http::Method;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use test_support::{client, eventually};

use super::{Shown, problem, request};

/// A feed that is read event by event.
struct Feed {
    body: Incoming,
    text: String,
}

impl Feed {
    async fn open(shown: &Shown, query: &str) -> Self {
        let mut sender = client::keep_alive(shown.pane).await;
        let path = format!("/api/live{query}");
        let answer = sender.send_request(request(Method::GET, &path, &[("host", "localhost")], "")).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &http::HeaderValue::from_static("text/event-stream"))
        );
        Self { body: answer.into_body(), text: String::new() }
    }

    /// The next event's name and data; `None` where the feed ends.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let name = event.lines().find_map(|line| line.strip_prefix("event: ")).unwrap().to_owned();
                let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
                let event = (name, serde_json::from_str(data).unwrap());
                self.text = rest.to_owned();
                return Some(event);
            }
            let frame = tokio::time::timeout(std::time::Duration::from_secs(30), self.body.frame()).await.unwrap();
            let data = frame?.ok()?.into_data().unwrap();
            self.text.push_str(str::from_utf8(&data).unwrap());
        }
    }

    /// The data of the next event of this name.
    async fn event(&mut self, wanted: &str) -> Value {
        loop {
            let (name, data) = self.next().await.expect("the feed goes on");
            if name == wanted {
                return data;
            }
        }
    }
}

#[tokio::test]
async fn a_feed_says_hello_and_then_each_second_and_each_line() {
    let shown = Shown::new().await;
    let mut feed = Feed::open(&shown, "?series=requests&series=heatmap&field=message:request").await;
    let (name, hello) = feed.next().await.unwrap();
    assert_eq!((name.as_str(), &hello["app"]), ("hello", &"test".into()));
    assert_eq!(hello["instance"], shown.json("/api/overview").await["instance"]);
    shown.requests("/status/200", 10).await;
    let (mut lines, mut requests) = (0, 0.0);
    while lines < 10 || requests < 10.0 {
        match feed.next().await.unwrap() {
            (name, data) if name == "lines" => lines += data["lines"].as_array().unwrap().len(),
            (name, data) if name == "tick" => {
                requests += data["series"][0]["value"].as_f64().unwrap_or_default();
                assert_eq!((&data["series"][0]["name"], data["metrics"].is_null()), (&"requests".into(), true));
                assert_eq!(data["at_ms"].as_u64().unwrap() % 1000, 0);
                assert_eq!(data["pane"]["viewers"], 1);
            }
            other => panic!("nothing is dropped here: {other:?}"),
        }
    }
    assert_eq!((lines, requests), (10, 10.0));
    drop(feed);
    eventually("its place is free", async || (shown.json("/api/overview").await["pane"]["viewers"] == 0).then_some(()))
        .await;
}

#[tokio::test]
async fn a_filter_holds_for_a_feed_and_what_is_too_much_is_told() {
    let shown = Shown::new().await;
    let mut errors = Feed::open(&shown, "?level=error").await;
    let mut all = Feed::open(&shown, "?field=message:request").await;
    errors.event("hello").await;
    all.event("hello").await;
    shown.requests("/status/200", 3000).await;
    shown.requests("/status/500", 1).await;
    let data = errors.event("lines").await;
    assert_eq!((&data["lines"][0]["line"]["status"], data["lines"].as_array().unwrap().len()), (&500.into(), 1));
    let (mut seen, mut dropped) = (0, 0);
    while seen + dropped < 3001 {
        match all.next().await.unwrap() {
            (name, data) if name == "lines" => {
                let lines = data["lines"].as_array().unwrap();
                assert!(lines.len() <= 50, "{}", lines.len());
                seen += lines.len() as u64;
            }
            (name, data) if name == "dropped" => dropped += data["lines"].as_u64().unwrap(),
            _ => {}
        }
    }
    assert_eq!(seen + dropped, 3001, "every line is shown or counted");
    assert!(dropped > 0);
}

#[tokio::test]
async fn the_seventeenth_viewer_is_told_why_not() {
    let shown = Shown::new().await;
    let mut feeds = Vec::new();
    for _ in 0..16 {
        feeds.push(Feed::open(&shown, "?lines=0").await);
    }
    let refused = shown.get("/api/live").await;
    assert!(problem(&refused, 503).contains("16 viewers"));
    assert_eq!(refused.header("retry-after"), "5");
    drop(feeds);
    eventually("there is room again", async || {
        (shown.json("/api/overview").await["pane"]["viewers"] == 0).then_some(())
    })
    .await;
    Feed::open(&shown, "").await.event("hello").await;
}

#[tokio::test]
async fn a_feed_ends_with_its_telemetry() {
    let mut shown = Shown::new().await;
    let telemetry = redpane::Redpane::new("short").log_writer(std::io::sink()).pane_history().build().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    shown.pane = listener.local_addr().unwrap();
    telemetry.serve_pane(listener, None).unwrap();
    let mut feed = Feed::open(&shown, "").await;
    assert_eq!(feed.event("hello").await["app"], "short");
    drop(telemetry);
    while feed.next().await.is_some() {}
}
