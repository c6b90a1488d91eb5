use bytes::Bytes;

use super::*;
use crate::metrics::grpc::GrpcMetrics;
use crate::middleware::grpc_answer::LINGERS;

/// A call whose headers were sent.
fn begun() -> Box<SeenCall> {
    let mut seen = SeenCall::new(&HeaderMap::new(), None);
    let method = GrpcMetrics::new(1).method("/shop.Orders/Take");
    seen.answered(StatusCode::OK, &HeaderMap::new(), true, Some(method), false);
    seen
}

/// A call that was answered with one message.
fn answered() -> Box<SeenCall> {
    let mut seen = begun();
    seen.frame(&Frame::data(Bytes::from_static(b"\0\0\0\0\x01a")));
    seen
}

/// Lets it wait until it is a stream, where it is waited for.
fn wait_long(seen: &mut SeenCall) {
    seen.waits();
    seen.answer.waiting = seen.answer.waiting.and_then(|since| since.checked_sub(LINGERS));
}

fn streams(seen: &SeenCall) -> bool {
    seen.end(Outcome::Complete, Duration::ZERO);
    seen.method.as_ref().is_some_and(|method| method.streams())
}

#[test]
fn a_method_that_has_nothing_to_send_for_a_while_streams() {
    let mut seen = answered();
    seen.waits();
    assert!(!streams(&seen), "not for so long yet");
    wait_long(&mut seen);
    assert!(streams(&seen), "and it still has nothing");
    let mut seen = answered();
    wait_long(&mut seen);
    seen.frame(&Frame::<Bytes>::trailers(HeaderMap::new()));
    assert!(streams(&seen), "its trailers came late");
}

#[test]
fn a_stream_that_never_had_a_message_is_one() {
    let mut seen = begun();
    wait_long(&mut seen);
    let ended = seen.end(Outcome::Aborted, LINGERS);
    assert!(ended.streamed.is_some(), "its request ended at its headers");
    assert!(seen.method.is_some_and(|method| method.streams()));
}

#[test]
fn a_call_that_stalls_within_its_message_is_no_stream() {
    for part in [&b"\0\0"[..], b"\0\0\0\0\x02a"] {
        let mut seen = begun();
        seen.frame(&Frame::data(Bytes::from_static(part)));
        wait_long(&mut seen);
        assert!(!streams(&seen), "{part:?}");
    }
}

#[test]
fn an_answer_that_is_not_of_grpc_tells_nothing_of_its_method() {
    let mut seen = begun();
    let method = seen.method.clone();
    seen.answered(StatusCode::BAD_GATEWAY, &HeaderMap::new(), false, method, false);
    seen.frame(&Frame::data(Bytes::from_static(&[0; 10])));
    wait_long(&mut seen);
    assert!(!streams(&seen));
}

#[test]
fn a_method_that_lingered_once_is_plain_again_after_plain_calls() {
    let mut seen = answered();
    wait_long(&mut seen);
    assert!(streams(&seen));
    let mut plain = answered();
    plain.method = seen.method.take();
    let calls = (0..100).take_while(|_| streams(&plain)).count();
    assert!((1..100).contains(&calls), "{calls}");
}

#[test]
fn a_client_that_leaves_long_before_its_deadline_has_cancelled() {
    let code = |timeout: &'static str, elapsed| {
        let header = ("grpc-timeout".parse().unwrap(), timeout.parse().unwrap());
        SeenCall::new(&HeaderMap::from_iter([header]), None).code(Outcome::Aborted, elapsed)
    };
    let hour = Duration::from_secs(3600);
    assert_eq!(code("1H", hour - 2 * MOST_EARLY), GrpcCode::CANCELED);
    assert_eq!(code("1H", hour - MOST_EARLY), GrpcCode::DEADLINE_EXCEEDED);
    assert_eq!(code("160m", Duration::from_millis(149)), GrpcCode::CANCELED);
    assert_eq!(code("160m", Duration::from_millis(150)), GrpcCode::DEADLINE_EXCEEDED);
}

#[test]
fn a_client_that_reads_slowly_makes_no_stream() {
    let mut seen = answered();
    // Long after its headers, and nobody asked the method meanwhile.
    seen.answered = seen.answered.and_then(|since| since.checked_sub(10 * LINGERS));
    seen.frame(&Frame::<Bytes>::trailers(HeaderMap::new()));
    assert!(!streams(&seen));
}
