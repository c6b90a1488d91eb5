//! Requests through a router without sockets, for callgrind to count: `in-process bare|redpane|usual REQUESTS`.

use std::env;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use redpane::Redpane;
use redpane_bench::drive::{drive, get};
use redpane_bench::{app, usual};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [assembly, requests] = arguments.as_slice() else {
        bail!("two arguments are needed, as in: in-process bare 20000");
    };
    let requests: u32 = requests.parse().with_context(|| format!("{requests:?} is no number of requests"))?;
    let router = app::router(0);
    let hello = || get("/hello/ada");
    match assembly.as_str() {
        "bare" => drive(router, requests, hello, || {}),
        "redpane" => {
            let telemetry = Redpane::new("bench").log_writer(std::io::sink()).install()?;
            drive(telemetry.clone().instrument(router), requests, hello, || {})?;
            telemetry.flush(Duration::from_secs(60)).map_err(|error| anyhow!("the log was not written: {error}"))
        }
        "usual" => {
            // Entered and never run: the upkeep's own task sleeps for ever, ours takes its place. The server drains the queue of
            // axum-prometheus every five seconds; the cost is one of samples, not of drains.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
            let _entered = runtime.enter();
            usual::json_log(std::io::sink);
            let (router, metrics) = usual::axum_prometheus(usual::trace_layer(router));
            drive(router, requests, hello, || metrics.run_upkeep())
        }
        _ => bail!("{assembly:?} is not known; it is one of bare, redpane and usual"),
    }
}
