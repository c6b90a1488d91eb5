//! Clients that are slow, many or greedy.

use std::io::Write;
use std::time::Duration;

use http::StatusCode;
use test_support::process::{Reading, listening};
use test_support::{Samples, client, eventually, raw};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::{assert_problem, redpane};
use crate::served::Served;

const PATIENCE: Duration = Duration::from_secs(10);

/// Reads what comes until the service closes the connection; fails if it does not.
async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    // A reset ends it too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the service closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let served = Served::with(|config| config.header_timeout = Duration::from_millis(100)).await;
    let mut stream = raw::send(served.address, "GET /hello/ada HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let answer = until_closed(&mut stream).await;
    assert!(answer.ends_with("Hello, ada!\"}"), "answered, then closed: {answer}");
    served.observed.only_request().await;
}

/// Sends a head that never ends, until the service closes the connection.
async fn send_slowly(stream: TcpStream) {
    let (mut reading, mut writing) = stream.into_split();
    let endless = tokio::spawn(async move {
        while writing.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    });
    until_closed(&mut reading).await;
    endless.abort();
}

/// It began earlier than one on a new connection, and is closed earlier. The rest of the upload is waited for as long as two
/// seconds, and all of it has come.
#[tokio::test]
async fn a_slow_head_has_no_more_time_behind_an_upload_that_nobody_wanted() {
    let served = Served::with(|config| config.header_timeout = Duration::from_millis(2500)).await;
    let head = "POST /nope HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n";
    let mut behind = raw::send(served.address, head).await;
    raw::read_until(&mut behind, "}").await;
    behind.write_all(&[b'x'; 1000]).await.unwrap();
    let behind = tokio::spawn(send_slowly(behind));
    sleep(Duration::from_millis(800)).await;
    let alone = send_slowly(TcpStream::connect(served.address).await.unwrap());
    tokio::select! {
        biased;
        ended = behind => ended.unwrap(),
        () = alone => panic!("the later head was closed first"),
    }
}

#[tokio::test]
async fn an_answer_that_does_not_begin_in_time() {
    let served = Served::with(|config| {
        config.request_timeout = Duration::from_millis(50);
        config.faults = true;
    });
    let served = served.await;
    let answer = client::get(served.address, "/faults/delay/60000").await;
    assert_eq!(assert_problem(&answer, 503), "no answer within 50ms");
    let line = served.observed.only_request().await;
    answer.belongs_to(&line);
    assert_eq!((line.str("outcome"), line.str("level")), ("timeout", "ERROR"));
    assert_eq!(line.str("route"), "/faults/delay/{ms}");
}

#[tokio::test]
async fn a_body_that_never_comes_is_a_timeout_too() {
    let served = Served::with(|config| config.request_timeout = Duration::from_millis(50)).await;
    let head = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n1";
    let mut stream = raw::send(served.address, head).await;
    let answer = raw::read_until(&mut stream, "}").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("no answer within 50ms"), "{answer}");
    assert_eq!(served.observed.only_request().await.str("outcome"), "timeout");
}

/// Address space is short in many containers: what a head declares must not take any before it comes.
#[tokio::test]
async fn bodies_that_are_declared_and_do_not_come_take_no_memory() {
    const HEADS: usize = 128;
    const DECLARED: usize = 32 * 1024 * 1024;
    let (_process, address) = listening(redpane(&[], &[("REDPANE_BODY_LIMIT", "32MiB")]), Reading::AsItComes).await;
    let memory = async |in_flight: f64| {
        eventually("all of them are in flight", async || {
            let samples = Samples::parse(client::get(address, "/metrics").await.text());
            let reached = samples.value("http_requests_in_flight", &[]) == in_flight;
            reached.then(|| samples.value("process_virtual_memory_bytes", &[]))
        })
        .await
    };
    let before = memory(0.0).await;
    let head = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ";
    let mut streams = Vec::new();
    for _ in 0..HEADS {
        streams.push(raw::send(address, format!("{head}{DECLARED}\r\n\r\n")).await);
    }
    let grown = memory(HEADS as f64).await - before;
    assert!(grown < (HEADS * DECLARED / 8) as f64, "{grown} bytes of address space for bodies that did not come");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_left_before_it_was_accepted_is_counted() {
    let served = Served::with_faults().await;
    for _ in 0..200 {
        // Some of them are found together with their end.
        let mut stream = std::net::TcpStream::connect(served.address).unwrap();
        stream.write_all(b"GET /faults/delay/1000 HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    }
    let lines = served.observed.access_lines(200).await;
    assert!(lines.iter().all(|line| line["status"] == 499 && line["outcome"] == "aborted"), "{lines:#?}");
    assert_eq!(served.observed.samples().requests(), [("GET /faults/delay/{ms} 499".into(), 200.0)]);
}

/// RFC 9113, section 6.5.2: a client learns from the first SETTINGS frame how many streams it may open.
#[tokio::test]
async fn an_http2_connection_has_at_most_a_hundred_streams() {
    const MAX_CONCURRENT_STREAMS: [u8; 2] = [0, 3];
    let served = Served::start().await;
    let mut stream = raw::send(served.address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let mut head = [0; 9];
    timeout(PATIENCE, stream.read_exact(&mut head)).await.expect("the first frame comes").unwrap();
    assert_eq!(head[3], 4, "it is SETTINGS");
    let mut settings = vec![0; usize::from(head[2])];
    stream.read_exact(&mut settings).await.unwrap();
    let streams = settings.chunks(6).find(|setting| setting[..2] == MAX_CONCURRENT_STREAMS);
    assert_eq!(streams.map(|setting| &setting[2..]), Some(&100_u32.to_be_bytes()[..]), "{settings:?}");
}

#[tokio::test]
async fn beyond_the_limit_new_connections_wait_and_old_ones_are_served() {
    let served = Served::with(|config| {
        config.max_connections = 2;
        config.faults = true;
    });
    let served = served.await;
    // Busy, since an idle one would be closed for the third.
    let first = raw::send(served.address, "GET /faults/delay/60000 HTTP/1.1\r\nhost: a\r\n\r\n").await;
    eventually("it is being served", async || (served.observed.telemetry.in_flight() == 1).then_some(())).await;
    let asked = "GET /hello/ada HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut second = raw::send(served.address, asked).await;
    raw::read_until(&mut second, "}").await;

    let mut third = raw::send(served.address, asked).await;
    // Busy from here on: the last of them takes a minute.
    let pipeline = format!("{}GET /faults/delay/60000 HTTP/1.1\r\nhost: a\r\n\r\n", asked.repeat(50));
    second.write_all(pipeline.as_bytes()).await.unwrap();
    for _ in 0..50 {
        raw::read_until(&mut second, "}").await;
    }
    let mut byte = [0];
    let nothing = timeout(Duration::from_millis(50), third.peek(&mut byte)).await;
    assert!(nothing.is_err(), "it waits, connected and neither answered nor closed: {nothing:?}");

    drop(first);
    let answer = timeout(PATIENCE, raw::read_until(&mut third, "}")).await.expect("it is its turn");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(second);
    served.observed.access_lines(54).await;
}

/// RFC 9112, section 3.2.2: a target in absolute form is a longer head, whose bytes are gone with the request all the same.
#[tokio::test]
async fn heads_in_absolute_form_leave_nothing_behind() {
    let served = Served::start().await;
    let host = "a".repeat(60);
    let asked = format!(
        "POST http://{host}:8000/echo HTTP/1.1\r\nhost:   {host}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    let mut stream = raw::send(served.address, &asked).await;
    for _ in 0..300 {
        raw::read_until(&mut stream, "\r\n\r\n{}").await;
        stream.write_all(asked.as_bytes()).await.unwrap();
    }
    raw::read_until(&mut stream, "\r\n\r\n{}").await;
    let held = client::get(served.address, "/metrics").await;
    let held = test_support::Samples::parse(held.text()).value("redpane_client_memory_bytes", &[]);
    assert!(held < 8192.0, "{held} bytes are held for an idle connection and a scrape");
}

#[tokio::test]
async fn a_connection_that_idles_makes_room_for_one_that_waits() {
    let served = Served::with(|config| config.max_connections = 1).await;
    let asked = "GET /hello/ada HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut idle = raw::send(served.address, asked).await;
    raw::read_until(&mut idle, "}").await;
    let mut waiting = raw::send(served.address, asked).await;
    let answer = timeout(PATIENCE, raw::read_until(&mut waiting, "}")).await.expect("it is its turn");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(until_closed(&mut idle).await, "", "closed, long before the header timeout");
}

/// A client that asks all the time is not cut off with a request on its way: an answer tells it that it was the last.
#[tokio::test]
async fn an_answer_says_that_a_connection_makes_room() {
    let served = Served::with(|config| config.max_connections = 1).await;
    let asked = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 3\r\n\r\n[0]";
    // Where this machine stands still for a moment, it idles, and may be closed.
    eventually("an answer says that it is the last", async || {
        let mut busy = raw::send(served.address, asked).await;
        let mut last = raw::try_read_until(&mut busy, "[0]").await.ok();
        let mut waiting = raw::send(served.address, "GET /hello/ada HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let told = async {
            while last.as_ref().is_some_and(|answer| !answer.contains("\r\nconnection: close\r\n")) {
                last = match busy.write_all(asked.as_bytes()).await {
                    Ok(()) => raw::try_read_until(&mut busy, "[0]").await.ok(),
                    Err(_) => None,
                };
            }
            last
        };
        let last = timeout(PATIENCE, told).await.expect("no answer says so");
        let answer = timeout(PATIENCE, raw::read_until(&mut waiting, "}")).await.expect("it is its turn");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        last.map(drop)
    })
    .await;
}

/// Over HTTP/2 both sides agree on the last request: one that asks all the time is told, and loses none.
#[tokio::test]
async fn a_connection_of_http_2_makes_room_though_it_is_never_idle() {
    let served = Served::with(|config| config.max_connections = 1).await;
    let mut busy = client::connect_http2(served.address).await;
    let ask = || client::for_http2(served.address, super::bare("GET", "/hello/ada"));
    let first = client::read(busy.send_request(ask()).await.unwrap()).await;
    assert_eq!(first.status, 200);
    let mut waiting = raw::send(served.address, "GET /hello/ada HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let told = async {
        loop {
            // An error before it is sent: the connection takes no more.
            if busy.ready().await.is_err() {
                return;
            }
            match busy.send_request(ask()).await {
                Ok(answer) => assert_eq!(client::read(answer).await.status, 200),
                Err(error) => assert!(error.is_canceled(), "a request that was sent is lost: {error:?}"),
            }
        }
    };
    timeout(PATIENCE, told).await.expect("it is told");
    let answer = timeout(PATIENCE, raw::read_until(&mut waiting, "}")).await.expect("it is its turn");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Who gets the place of another while more wait gives it back with its answer: a queue moves on at once.
#[tokio::test]
async fn a_crowd_does_not_keep_the_places_it_gets() {
    const CROWD: usize = 40;
    let served = Served::with(|config| config.max_connections = 1).await;
    let asked = "GET /hello/ada HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut first = raw::send(served.address, asked).await;
    raw::read_until(&mut first, "}").await;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(raw::send(served.address, asked).await);
    }
    let mut told = 0;
    for connection in &mut crowd {
        let answer = timeout(PATIENCE, raw::read_until(connection, "}")).await.expect("it is its turn");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        told += usize::from(answer.contains("\r\nconnection: close\r\n"));
    }
    assert!(told >= CROWD - 1, "only {told} were told; nobody waits behind the last");
}

/// More than there is room for, of clients that do not go on: who comes next is told to come later, and probes are answered.
#[tokio::test]
async fn without_room_new_requests_are_told_when_to_come_again() {
    const BODY: usize = 1024 * 1024;
    let served = Served::with(|config| {
        config.client_memory = 2 * BODY;
        config.request_timeout = Duration::from_secs(60);
    });
    let served = served.await;
    let head =
        format!("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {BODY}\r\n\r\n");
    let mut greedy = Vec::new();
    for _ in 0..2 {
        let mut stream = raw::send(served.address, &head).await;
        // With what a request takes besides, and the buffers that it is read into, a little more than there may be.
        stream.write_all(&vec![b' '; BODY - 16]).await.unwrap();
        greedy.push(stream);
    }
    // Until the keeper cuts one of them, a second after it began to hold.
    let answer = eventually("there is no room", async || {
        let answer = client::get(served.address, "/hello/ada").await;
        (answer.status == StatusCode::SERVICE_UNAVAILABLE).then_some(answer)
    })
    .await;
    assert!(assert_problem(&answer, 503).contains("REDPANE_CLIENT_MEMORY"));
    assert_eq!(answer.header("retry-after"), "2");
    assert_eq!(client::get(served.address, "/healthz").await.status, StatusCode::OK);
    eventually("one of them is cut, and there is room again", async || {
        let samples = served.observed.samples();
        let cut = samples.value("redpane_client_connections_cut_total", &[("reason", "memory")]);
        let held = samples.value("redpane_client_memory_bytes", &[]);
        (cut == 1.0 && held <= 2.0 * BODY as f64).then_some(())
    })
    .await;
    assert_eq!(client::get(served.address, "/hello/ada").await.status, StatusCode::OK);
}

/// Contract, section 3: the status is the code that was sent, and 499 where none was.
#[tokio::test]
async fn a_client_that_leaves_in_its_upload_was_not_sent_anything() {
    let served = Served::start().await;
    let head = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    for framing in ["content-length: 100000\r\n\r\n", "transfer-encoding: chunked\r\n\r\n1000\r\n"] {
        let stream = raw::send(served.address, format!("{head}{framing}[1,")).await;
        eventually("it is being read", async || {
            (served.observed.samples().value("http_requests_in_flight", &[]) == 1.0).then_some(())
        })
        .await;
        stream.set_zero_linger().unwrap();
        drop(stream);
        eventually("it is over", async || {
            (served.observed.samples().value("http_requests_in_flight", &[]) == 0.0).then_some(())
        })
        .await;
    }
    for line in served.observed.access_lines(2).await {
        assert_eq!((&line["status"], line.str("outcome")), (&499.into(), "aborted"), "{}", line.text);
    }
}
