//! A server under measurement: its process, its standard output and its address.

use std::env;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use ureq::Agent;

use crate::assembly::{Assembly, Program};
use crate::pipe::LineCounter;
use crate::process::{self, CpuTimes};
use crate::receiver;

/// Where a server's lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stdout {
    /// To `/dev/null`.
    Null,
    /// To a pipe, which a thread of the harness reads as fast as it can, on the same machine.
    Pipe,
}

/// Killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    agent: Agent,
    lines: Option<Arc<LineCounter>>,
    /// From spawning the process to its first answer.
    pub(crate) start_up: Duration,
}

impl Server {
    /// Starts the assembly's program on a free port and waits for its first answer. `routes` are those besides
    /// `/hello/{name}`; the FastAPI application has none.
    ///
    /// # Errors
    /// If the program is missing, ends, or does not answer within 30 s.
    pub(crate) fn start(assembly: &Assembly, stdout: Stdout, routes: usize) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = command(assembly, address, routes)?;
        command.stdin(Stdio::null()).stdout(match stdout {
            Stdout::Null => Stdio::null(),
            Stdout::Pipe => Stdio::piped(),
        });
        let started = Instant::now();
        let mut child = command.spawn().with_context(|| format!("{} does not start: {command:?}", assembly.id))?;
        let lines = child.stdout.take().map(LineCounter::start);
        let agent = Agent::config_builder().timeout_global(Some(Duration::from_secs(30))).build().new_agent();
        let mut server = Self { child, address, agent, lines, start_up: Duration::ZERO };
        while server.get("/hello/ada").is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("{} ended with {status} before it answered", assembly.id);
            }
            ensure!(started.elapsed() < Duration::from_secs(30), "{} did not answer within 30 s", assembly.id);
            thread::sleep(Duration::from_micros(200));
        }
        server.start_up = started.elapsed();
        Ok(server)
    }

    /// The body of a `GET`, which must succeed.
    pub(crate) fn get(&self, path: &str) -> Result<String> {
        Ok(String::from_utf8(self.get_bytes(path, "identity")?)?)
    }

    /// The bytes of a body as they were sent, in the encoding that was asked for if the server has it.
    pub(crate) fn get_bytes(&self, path: &str, encoding: &str) -> Result<Vec<u8>> {
        let request = self.agent.get(format!("http://{}{path}", self.address)).header("accept-encoding", encoding);
        Ok(request.call()?.body_mut().with_config().limit(1 << 30).read_to_vec()?)
    }

    pub(crate) fn cpu_times(&self) -> Result<CpuTimes> {
        CpuTimes::of(self.child.id())
    }

    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        process::resident_bytes(self.child.id())
    }

    /// Waits until the server has nothing left to do, and returns the lines that it has written into the pipe, if there is
    /// one: twice, 50 ms apart, its threads sleep, nothing waits in the pipe, and it has done less than 1 ms of work between.
    ///
    /// # Errors
    /// If it is still busy after 30 s.
    pub(crate) fn settle(&self) -> Result<Option<u64>> {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut earlier = self.rest()?;
        while Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
            let now = self.rest()?;
            if let (Some((cpu, lines)), Some((cpu_before, lines_before))) = (&now, &earlier)
                && cpu.since(cpu_before) < Duration::from_millis(1)
                && lines == lines_before
            {
                return Ok(*lines);
            }
            earlier = now;
        }
        bail!("the server at {} is busy 30 s after its load has ended", self.address)
    }

    /// `None` while a thread runs, or waits for a CPU that others are busy on, or lines wait in the pipe.
    fn rest(&self) -> Result<Option<(CpuTimes, Option<u64>)>> {
        let lines = match &self.lines {
            None => None,
            Some(counter) => match counter.all()? {
                None => return Ok(None),
                lines => lines,
            },
        };
        Ok(process::sleeps(self.child.id())?.then_some((self.cpu_times()?, lines)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(assembly: &Assembly, address: SocketAddr, routes: usize) -> Result<Command> {
    let mut command = match assembly.program {
        Program::Binary(name) => {
            let harness = env::current_exe()?;
            let mut command = Command::new(harness.with_file_name(name));
            command.args([address.to_string(), routes.to_string()]);
            command
        }
        Program::Uvicorn => {
            let python = env::var_os("BENCH_PYTHON")
                .context("BENCH_PYTHON does not name the python of the virtual environment; use bench/run")?;
            let mut command = Command::new(Path::new(&python));
            command.args(["-B", "-m", "uvicorn", "--app-dir", "fastapi", "app:app", "--workers", "1"]);
            command.args(["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]);
            command.args(["--host", &address.ip().to_string(), "--port", &address.port().to_string()]);
            command
        }
    };
    if assembly.spans.are_sent() {
        command.env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", receiver::endpoint()?);
        // Shorter than a server takes to settle: what was sent is counted then.
        command.env("OTEL_BSP_SCHEDULE_DELAY", "20");
    }
    Ok(command)
}
