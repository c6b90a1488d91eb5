//! The context of a request reaches the code that runs for it, and no other.

mod drops;
mod events;
mod headers;
mod isolation;
mod spans;
mod tasks;

use test_support::{Line, Observed};

/// Asserts that a line carries the ids of the request of this access line.
#[track_caller]
fn assert_same_request(line: &Line, access: &Line) {
    let ids = |line: &Line| (line["trace_id"].clone(), line["span_id"].clone());
    assert_eq!(ids(line), ids(access), "{}", line.text);
    assert!(line["trace_id"].is_string());
}

/// Waits for the one line with this message, and asserts that it carries the ids of the only request.
async fn assert_message_has_ids(observed: &Observed, message: &str) -> Line {
    let line = observed.messages(message, 1).await.remove(0);
    assert_same_request(&line, &observed.access_lines(1).await[0]);
    line
}
