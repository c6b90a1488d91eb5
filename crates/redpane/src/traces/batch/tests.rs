//! Tests of the buffer.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use proptest::prelude::*;
use prost::Message;

use super::super::resource::Envelope;
use super::*;

fn buffer(batch_spans: u64, bytes: usize) -> SpanBuffer {
    SpanBuffer::new(Limits { bytes, spans: u64::MAX, batch_spans, delay: Duration::ZERO })
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

fn names(batch: &Batch) -> Vec<String> {
    let request = Envelope::new(&[("service.name".into(), "a".into())]).wrap(&batch.encoded);
    let request = ExportTraceServiceRequest::decode(&*request).unwrap();
    let [resource] = &request.resource_spans[..] else { panic!("{request:?}") };
    let [scope] = &resource.scope_spans[..] else { panic!("{resource:?}") };
    assert_eq!(resource.resource.as_ref().unwrap().attributes[0].key, "service.name");
    assert_eq!(scope.scope.as_ref().unwrap().name, "redpane");
    scope.spans.iter().map(|span| span.name.clone()).collect()
}

proptest! {
    #[test]
    fn every_span_comes_out_once_and_in_order(names_in in prop::collection::vec(any::<String>(), 1..40), size in 1..9_u64) {
        let buffer = buffer(size, 64 * BATCH_BYTES);
        for name in &names_in {
            let span = Span { name: name.clone(), ..Span::default() }.encode_to_vec();
            prop_assert!(buffer.append(&span));
        }
        buffer.close();
        let mut found = Vec::new();
        run(async {
            while let Some(batch) = buffer.next().await {
                assert!(batch.spans <= size);
                let names = names(&batch);
                assert_eq!(names.len() as u64, batch.spans);
                found.extend(names);
                buffer.settle(&batch, 0, DropReason::Rejected);
            }
        });
        prop_assert_eq!(found, names_in.clone());
        prop_assert_eq!(buffer.counts(), Counts { exported: names_in.len() as u64, ..Counts::default() });
    }
}

#[test]
fn past_the_limit_spans_are_dropped_and_counted() {
    let buffer = buffer(512, 2 * BATCH_BYTES);
    let span = vec![0; BATCH_BYTES / 4];
    let taken = (0..20).filter(|_| buffer.append(&span)).count();
    // The key and the length of each leave no room for a fourth.
    assert_eq!(taken, 6);
    let counts = buffer.counts();
    assert_eq!((counts.waiting, counts.dropped), (6, [14, 0, 0, 0, 0]));
    assert!(!buffer.append(&vec![0; BATCH_BYTES]), "longer than a batch");
}

/// Whatever the size of a batch, spans of one size fill the same memory.
#[test]
fn small_batches_take_little_memory() {
    let span = vec![0; 400];
    for batch_spans in [1, 10, 100, 512] {
        let buffer = buffer(batch_spans, 4 * BATCH_BYTES);
        let taken = (0..4000).filter(|_| buffer.append(&span)).count();
        assert!((1000..2600).contains(&taken), "{taken} spans of 400 bytes in a MiB, {batch_spans} a batch");
        assert!(buffer.lock().bytes <= 4 * BATCH_BYTES);
        // Sent, their memory is free again.
        buffer.close();
        run(async {
            while let Some(batch) = buffer.next().await {
                buffer.settle(&batch, 0, DropReason::Rejected);
            }
        });
        let state = buffer.lock();
        assert_eq!((state.bytes, state.counts.exported), (0, taken as u64));
    }
}

#[test]
fn a_batch_grows_with_large_spans_up_to_its_bound() {
    let buffer = buffer(4, 4 * BATCH_BYTES);
    let span = vec![0; 100_000];
    assert_eq!((0..20).filter(|_| buffer.append(&span)).count(), 10);
    assert_eq!(buffer.lock().batches.iter().map(|batch| batch.spans).collect::<Vec<_>>(), [2; 5]);
    assert!(buffer.lock().bytes <= 4 * BATCH_BYTES);
}

#[test]
fn what_is_not_exported_at_the_end_is_counted() {
    let buffer = buffer(2, 64 * BATCH_BYTES);
    (0..5).for_each(|_| assert!(buffer.append(b"")));
    let batch = run(buffer.next()).unwrap();
    assert_eq!(buffer.flush(Duration::ZERO), Err(5));
    buffer.settle(&batch, 1, DropReason::Rejected);
    let ended = buffer.end(Duration::ZERO);
    assert_eq!((ended.exported, ended.dropped), (1, 4));
    assert_eq!(ended.reasons().collect::<Vec<_>>(), [("rejected", 1), ("shutdown", 3)]);
    assert!(!buffer.append(b""));
    let counts = buffer.counts();
    assert_eq!((counts.waiting, counts.dropped), (0, [0, 1, 0, 0, 4]));
}

/// How long a wait of an hour takes in the end, in a test that stops it after a while.
fn wait(buffer: &SpanBuffer, after: &exporting::Attempt, is_asked_for: bool) -> bool {
    let hour = Duration::from_secs(3600);
    run(async {
        let waiting = buffer.wait_to_retry(after, hour, is_asked_for);
        tokio::time::timeout(Duration::from_millis(50), waiting).await.is_ok()
    })
}

#[test]
fn a_flush_during_an_attempt_is_seen_after_it_and_overrides_no_receiver() {
    let buffer = buffer(1, 64 * BATCH_BYTES);
    assert!(buffer.append(b""));
    let before = buffer.attempt();
    assert!(!wait(&buffer, &before, false), "nobody waits for the span");
    assert_eq!(buffer.flush(Duration::ZERO), Err(1));
    assert!(!wait(&buffer, &before, true), "the receiver said when");
    assert!(wait(&buffer, &before, false));
    assert!(!wait(&buffer, &buffer.attempt(), false), "that flush has had its attempt");
}

#[test]
fn after_the_end_nothing_is_waited_for() {
    let buffer = buffer(1, 64 * BATCH_BYTES);
    let before = buffer.attempt();
    buffer.close();
    // The permit of the notification is used up by the first.
    for _ in 0..3 {
        assert!(wait(&buffer, &before, true));
    }
    assert!(!before.is_last && buffer.attempt().is_last);
}
