//! Which lines are written, and which options are refused.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::routing::get;
use http::{Request, StatusCode};
use redpane::Redpane;
use test_support::Log;
use tower::ServiceExt;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

use super::support::{PATIENCE, read, small};

async fn panics() -> StatusCode {
    panic!("broken")
}

/// `target level` of every line that passes, of four requests and four events.
async fn passed(filter: Targets) -> Vec<String> {
    let written = Log::default();
    let telemetry = small(written.clone()).log_filter(filter).build().unwrap();
    let status = |Path(code): Path<u16>| async move { StatusCode::from_u16(code).unwrap() };
    let app = telemetry.clone().instrument(Router::new().route("/{code}", get(status)).route("/panic", get(panics)));
    for path in ["/200", "/404", "/500", "/panic"] {
        app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    }
    tracing::subscriber::with_default(Registry::default().with(telemetry.log_layer()), || {
        tracing::info!(target: "shop", "");
        tracing::debug!(target: "shop", "");
        tracing::debug!(target: "shop::cart", "");
        tracing::error!(target: "noise", "");
    });
    telemetry.flush(PATIENCE).unwrap();
    let (lines, _) = read(&written);
    let mut passed: Vec<_> = lines.iter().map(|line| format!("{} {}", line.str("target"), line.str("level"))).collect();
    // The line of a panic waits for its backtrace, and may come after later lines.
    passed.sort_by_key(|line| line.starts_with("redpane::panic"));
    passed
}

#[tokio::test]
async fn the_filter_knows_targets_and_levels() {
    let default = passed(Targets::new().with_default(LevelFilter::INFO)).await;
    let access = ["redpane::access INFO", "redpane::access WARN", "redpane::access ERROR"];
    let panicked = ["redpane::access ERROR", "shop INFO", "noise ERROR", "redpane::panic ERROR"];
    assert_eq!(default, [&access[..], &panicked].concat());

    let no_access = Targets::new().with_default(LevelFilter::INFO).with_target("redpane::access", LevelFilter::OFF);
    assert_eq!(passed(no_access).await, ["shop INFO", "noise ERROR", "redpane::panic ERROR"]);

    let failures =
        Targets::new().with_target("redpane::access", LevelFilter::ERROR).with_target("shop", LevelFilter::DEBUG);
    let expected = ["redpane::access ERROR", "redpane::access ERROR", "shop INFO", "shop DEBUG", "shop::cart DEBUG"];
    assert_eq!(passed(failures).await, expected);

    assert!(passed(Targets::new()).await.is_empty());
}

fn mistaken() -> Redpane {
    Redpane::new("test")
        .metrics_path("metrics")
        .duration_buckets([0.5, 0.1])
        .histogram_buckets("sizes", [])
        .histogram_buckets("waits", [1.0, f64::INFINITY])
        .nested_service("assets")
        .nested_service("/{tenant}/files")
        .series_limit(0)
        .log_buffer_bytes(100)
        .log_writer(std::io::sink())
}

const MISTAKES: [&str; 8] = [
    "metrics_path(\"metrics\"): a plain path starts with a slash",
    "duration_buckets([0.5, 0.1]): bucket bounds must ascend, but 0.5 comes before 0.1",
    "histogram_buckets(\"sizes\", []): no bucket bounds given",
    "histogram_buckets(\"waits\", [1.0, inf]): bucket bound inf is not a finite number",
    "nested_service(\"assets\")",
    "nested_service(\"/{tenant}/files\")",
    "series_limit(0)",
    "log_buffer_bytes(100): too small; 65536 bytes or more",
];

#[test]
fn one_error_names_every_bad_option_once() {
    let error = mistaken().build().unwrap_err();
    assert_eq!(error.problems().len(), MISTAKES.len());
    let error = error.to_string();
    for mistake in MISTAKES {
        assert_eq!(error.matches(mistake).count(), 1, "{mistake}: {error}");
    }
    assert_eq!(error.split("; ").filter(|part| part.contains("bucket bounds must")).count(), 1, "{error}");
    let installing = mistaken().install().unwrap_err().to_string();
    assert_eq!(installing, error);
}

#[test]
#[should_panic(expected = "series_limit(0): leaves no room")]
fn the_one_line_panics_with_the_same_text() {
    let _: Router = mistaken().instrument(Router::new());
}

#[test]
fn a_metrics_path_that_axum_would_refuse_is_a_bad_option() {
    for path in ["", "/", "metrics", "/:metrics", "/*metrics", "/a/:b", "/{a}", "/a?b", "/a#b", "/a b", "/a\n"] {
        let error = Redpane::new("test").metrics_path(path).log_writer(std::io::sink()).build().unwrap_err();
        assert!(error.to_string().contains("metrics_path("), "{path:?}: {error}");
    }
    for path in ["/metrics", "/internal/metrics", "/-/metrics", "/m:etrics"] {
        let app: Router = Redpane::new("test").metrics_path(path).log_writer(std::io::sink()).instrument(Router::new());
        drop(app);
    }
}
