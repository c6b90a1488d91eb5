//! No more file descriptors: the service waits, says so, serves those it has, and recovers.

use std::process::Command;
use std::time::Duration;

use test_support::{Line, eventually};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::Trust;
use crate::mix::{Asked, Mix, Without};
use crate::service::Service;
use crate::{deeds, redpane, seed};

const DESCRIPTORS: usize = 64;
/// More than there are descriptors for.
const CLIENTS: usize = 100;
const COMPLAINT: &str = "cannot accept connections";

/// The service with a few descriptors, and this much patience with connections that idle.
fn limited(header_timeout: &str) -> Command {
    let service = redpane(&[], &[("REDPANE_HEADER_TIMEOUT", header_timeout)]);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("ulimit -n {DESCRIPTORS} && exec \"$0\"")]).arg(service.get_program());
    command.env_clear().envs(service.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

/// When each complaint was made, in seconds.
fn complaints(lines: &[Line]) -> Vec<f64> {
    let complaints = lines.iter().filter(|line| line.str("message").starts_with(COMPLAINT));
    let time = |line: &Line| {
        assert!(line.str("error").contains("too many open files") || line.str("error").contains("Too many open files"));
        let time = humantime::parse_rfc3339(line.str("timestamp")).unwrap();
        time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
    };
    complaints.map(time).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_limit_all_have_their_turn_and_the_service_says_so_once_a_second() {
    let seed = seed();
    let mut service = Service::run(limited("1m")).await;
    service.scrape().await;
    let (leave, left) = watch::channel(false);
    let (mut clients, mut answered) = (JoinSet::new(), Vec::new());
    for number in 0..CLIENTS {
        let mut client = service.client(format!("c{number}"), Mix::new(seed, Without::default()), Trust::MayBreakOff);
        let (tell, told) = watch::channel(false);
        answered.push(told);
        let left = left.clone();
        clients.spawn(async move {
            let hello = Asked::get(format!("/hello/{number}"), "/hello/{name}");
            while !*left.borrow() {
                // A connection that makes room may do so at just this moment: then the request has an uncertain fate.
                if client.ask(&hello, false).await.is_ok() {
                    tell.send_replace(true);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
    }
    // Long before the first connection has idled for the header timeout.
    eventually("everyone is served, and the service complains for the third time", async || {
        let are_served = answered.iter().all(|answered| *answered.borrow());
        (are_served && complaints(&service.process.lines()).len() >= 3).then_some(())
    })
    .await;
    leave.send_replace(true);
    assert_eq!(clients.join_all().await.len(), CLIENTS);
    let times = complaints(&service.process.lines());
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| *gap > 0.95), "it complains once a second at most: {gaps:?}");
    let sum = service.settle().await;
    assert_eq!(sum.lost, 0, "{sum:?}");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mix_of_too_many_clients_is_accounted_for_all_the_same() {
    let seed = seed();
    // A client that waits for its second connection keeps its first one from others, but not for ever.
    let mut service = Service::run(limited("1s")).await;
    service.scrape().await;
    let without = Without { certainty: true, ..Without::default() };
    let few = (deeds() / 4).min(1500);
    service.load(seed, CLIENTS, few, without, Trust::MayBreakOff).finish().await;
    let sum = service.settle().await;
    assert!(sum.lost == 0 && sum.counted > 100, "{sum:?}");
    let mut late = service.client("late", Mix::new(seed, without), Trust::Answers);
    let hello = Asked::get("/hello/late", "/hello/{name}");
    tokio::time::timeout(Duration::from_secs(10), late.ask(&hello, true)).await.expect("it has recovered").unwrap();
    service.settle().await;
    service.end().await;
}
