//! The application's own metrics, through the plain macros.

use axum::Router;
use axum::routing::get as route;
use metrics::Unit;
use redpane::{ExpositionFormat, Redpane, Telemetry};
use test_support::Log;
use test_support::exposition::Exposition;

use super::support::{get, lines, quiet_log, scrape};

fn rendered(telemetry: &Telemetry, format: ExpositionFormat) -> Exposition {
    Exposition::of(&telemetry.render(format), format)
}

#[tokio::test]
async fn what_a_handler_emits_is_in_the_same_scrape() {
    let handler = || async {
        metrics::counter!("jobs_total", "queue" => "mail").increment(2);
        metrics::gauge!("queue_depth").set(-1.5);
        metrics::histogram!("job_seconds").record(0.3);
        redpane::spawn(async { metrics::counter!("jobs_total", "queue" => "spawned").increment(1) }).await.unwrap();
        redpane::spawn_blocking(|| metrics::counter!("jobs_total", "queue" => "blocking").increment(1)).await.unwrap();
    };
    let app = quiet_log(Redpane::new("test")).instrument(Router::new().route("/job", route(handler)));
    get(&app, "/job").await;
    let seen = scrape(&app).await;
    for (queue, jobs) in [("mail", 2.0), ("spawned", 1.0), ("blocking", 1.0)] {
        assert_eq!(seen.value("jobs_total", &[("queue", queue)]), Some(jobs), "{queue}");
    }
    assert_eq!(seen.value("queue_depth", &[]), Some(-1.5));
    assert_eq!(seen.value("job_seconds_bucket", &[("le", "0.25")]), Some(0.0));
    assert_eq!(seen.value("job_seconds_bucket", &[("le", "0.5")]), Some(1.0));
    assert_eq!(seen.value("job_seconds_sum", &[]), Some(0.3));
}

#[test]
fn a_histogram_may_have_buckets_of_its_own() {
    let redpane =
        Redpane::new("test").histogram_buckets("batch.size", [-1.0, 0.0, 10.0, 1e21]).duration_buckets([0.5, 2.0]);
    let telemetry = quiet_log(redpane);
    metrics::with_local_recorder(&telemetry.recorder(), || {
        for value in [-3.0, 0.0, 10.0, 10.5, 1e22, f64::NAN] {
            metrics::histogram!("batch.size").record(value);
        }
        metrics::histogram!("other").record(1.0);
    });
    let seen = rendered(&telemetry, ExpositionFormat::Text);
    let buckets = |name: &str| {
        let samples = seen.samples(name).into_iter().map(|sample| (sample.labels["le"].clone(), sample.value));
        samples.collect::<Vec<_>>()
    };
    let expected = [("-1", 1.0), ("0", 2.0), ("10", 3.0), ("1000000000000000000000", 4.0), ("+Inf", 6.0)];
    assert_eq!(buckets("batch_size_bucket"), expected.map(|(le, count)| (le.to_owned(), count)));
    assert_eq!(buckets("other_bucket"), [("0.5", 0.0), ("2", 1.0), ("+Inf", 1.0)].map(|(le, n)| (le.to_owned(), n)));
    assert_eq!(seen.value("batch_size_sum", &[]), Some(-3.0 + 0.0 + 10.0 + 10.5 + 1e22));
    rendered(&telemetry, ExpositionFormat::OpenMetrics);
}

#[test]
fn descriptions_become_help_texts_whatever_they_hold() {
    let telemetry = quiet_log(Redpane::new("test"));
    let help = "Jobs \"done\",\nback\\slash, double\\\\, end\\";
    metrics::with_local_recorder(&telemetry.recorder(), || {
        metrics::describe_counter!("jobs_total", Unit::Count, help);
        metrics::describe_gauge!("queue.depth", Unit::Bytes, help);
        metrics::describe_histogram!("job.seconds", Unit::Seconds, help);
        metrics::describe_counter!("never_used_total", "no samples, no family");
        metrics::counter!("jobs_total").increment(1);
        metrics::gauge!("queue.depth").set(1.0);
        metrics::histogram!("job.seconds").record(1.0);
    });
    for (format, counter) in [(ExpositionFormat::Text, "jobs_total"), (ExpositionFormat::OpenMetrics, "jobs")] {
        let seen = rendered(&telemetry, format);
        for name in [counter, "queue_depth", "job_seconds"] {
            assert_eq!(seen.family(name).unwrap().help.as_deref(), Some(help), "{name}");
        }
        assert!(seen.family("never_used_total").is_none());
    }
}

#[test]
fn infinities_and_nan_are_spelled_as_prometheus_spells_them() {
    let telemetry = quiet_log(Redpane::new("test"));
    metrics::with_local_recorder(&telemetry.recorder(), || {
        metrics::gauge!("up").set(f64::INFINITY);
        metrics::gauge!("down").set(f64::NEG_INFINITY);
        metrics::gauge!("none").set(f64::NAN);
        metrics::histogram!("long").record(f64::INFINITY);
        metrics::histogram!("low").record(f64::NEG_INFINITY);
    });
    for format in [ExpositionFormat::Text, ExpositionFormat::OpenMetrics] {
        let seen = rendered(&telemetry, format);
        assert_eq!(seen.value("up", &[]), Some(f64::INFINITY));
        assert_eq!(seen.value("down", &[]), Some(f64::NEG_INFINITY));
        assert!(seen.value("none", &[]).unwrap().is_nan());
        assert_eq!(seen.value("long_sum", &[]), Some(f64::INFINITY));
        assert_eq!(seen.value("low_sum", &[]), Some(f64::NEG_INFINITY));
    }
}

#[test]
fn a_refused_name_is_told_once() {
    let log = Log::default();
    let telemetry = Redpane::new("test").log_writer(log.clone()).build().unwrap();
    use tracing_subscriber::layer::SubscriberExt;
    let subscriber = tracing_subscriber::Registry::default().with(telemetry.log_layer());
    tracing::subscriber::with_default(subscriber, || {
        metrics::with_local_recorder(&telemetry.recorder(), || {
            for number in 0..3 {
                metrics::counter!("http_requests_total", "number" => number.to_string()).increment(1);
            }
        });
    });
    let lines = lines(&log, &telemetry);
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].str("level"), lines[0].str("name")), ("WARN", "http_requests_total"));
}

#[test]
fn a_gauge_and_a_counter_of_one_base_name_are_both_shown() {
    let telemetry = quiet_log(Redpane::new("test"));
    metrics::with_local_recorder(&telemetry.recorder(), || {
        metrics::counter!("jobs_total").increment(3);
        metrics::gauge!("jobs").set(7.0);
        metrics::histogram!("tasks").record(1.0);
        metrics::counter!("tasks_total").increment(4);
        // redpane has a gauge of this name without `_total`.
        metrics::counter!("redpane_series_total").increment(5);
    });
    for format in [ExpositionFormat::Text, ExpositionFormat::OpenMetrics] {
        let seen = rendered(&telemetry, format);
        for (name, value) in [("jobs_total", 3.0), ("jobs", 7.0), ("tasks_total", 4.0), ("redpane_series_total", 5.0)] {
            assert_eq!(seen.value(name, &[]), Some(value), "{name}");
        }
        assert_eq!(seen.value("tasks_count", &[]), Some(1.0));
    }
}
