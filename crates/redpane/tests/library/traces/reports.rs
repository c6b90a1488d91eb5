//! The lines about spans that are not exported, and about what a receiver says.

use std::time::Duration;

use redpane::{Otlp, Redpane};
use test_support::otlp::{Behaviour, Receiver};
use test_support::{Line, Observed};

use super::endings::ask_many;
use super::{dropped, exported, flush, observed};

fn reports(observed: &Observed) -> Vec<Line> {
    observed.lines().into_iter().filter(|line| line["target"] == "redpane::traces").collect()
}

#[tokio::test]
async fn what_a_receiver_says_to_what_it_takes_is_one_line() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp);
    receiver.behave(Behaviour::Warn("the api-key ends soon"));
    for _ in 0..3 {
        ask_many(&observed, 1).await;
        flush(&observed).await;
    }
    assert_eq!(exported(&observed), 3);
    let [line] = &reports(&observed)[..] else { panic!("{:#?}", observed.lines()) };
    assert_eq!((line.str("level"), line.str("reason"), &line["spans"]), ("WARN", "the api-key ends soon", &0.into()));
}

#[tokio::test]
async fn the_line_of_a_loss_always_has_a_reason() {
    let receiver = Receiver::start().await;
    let variables =
        [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", receiver.endpoint()), ("OTEL_BSP_MAX_QUEUE_SIZE", "2".to_owned())];
    let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let observed = Observed::by(Redpane::new("test").otlp(Otlp::from_variables(find).unwrap().unwrap()));
    receiver.behave(Behaviour::Slow(Duration::from_secs(1)));
    // Two wait, or are sent; three find no room.
    ask_many(&observed, 5).await;
    flush(&observed).await;
    let [line] = &reports(&observed)[..] else { panic!("{:#?}", observed.lines()) };
    assert_eq!((line.str("reason"), &line["spans"]), ("dropped: buffer_full 3", &3.into()));
}

#[tokio::test]
async fn nonsense_is_counted_and_is_one_line() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp);
    receiver.behave(Behaviour::Nonsense);
    for _ in 0..5 {
        ask_many(&observed, 2).await;
        flush(&observed).await;
    }
    assert_eq!((exported(&observed), dropped(&observed, "bad_answer")), (0, 10));
    let lines = reports(&observed);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert_eq!((lines[0].str("level"), &lines[0]["spans"]), ("WARN", &2.into()));
    let reason = "its answer is no ExportTraceServiceResponse; dropped: bad_answer 2";
    assert_eq!(lines[0].str("reason"), reason);
}
