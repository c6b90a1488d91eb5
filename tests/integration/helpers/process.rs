//! Programs as child processes: what they print, and how they end. Each is killed when its test is over.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Line, eventually};

/// How the standard output of a program is read.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Reading {
    AsItComes,
    /// Until the service says that it listens; the rest once [`Process::read_on`] is called.
    NotFurtherThanItsAddress,
    /// About a megabyte a second.
    Slowly,
}

/// A running program.
pub(crate) struct Process {
    child: Child,
    output: Arc<Mutex<Vec<u8>>>,
    errors: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
    read_on: Sender<()>,
}

/// The real service with an environment of its own, on a free port unless the test says otherwise.
pub(crate) fn redpane(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redpane"));
    command.args(arguments).env_clear().env("REDPANE_LISTEN", "127.0.0.1:0").envs(variables.iter().copied());
    command
}

/// Runs a program to its end: exit code, standard output, standard error.
pub(crate) async fn run(command: Command) -> (i32, String, String) {
    let mut process = Process::spawn(command, Reading::AsItComes);
    let code = process.exit_code().await;
    (code, process.output(), process.errors())
}

/// Starts a service and waits for the address it says it listens on.
pub(crate) async fn listening(command: Command, reading: Reading) -> (Process, SocketAddr) {
    let process = Process::spawn(command, reading);
    let address = eventually("the service says its address", async || {
        let output = process.output();
        let (_, rest) = output.split_once("listening")?;
        let (_, rest) = rest.split_once("127.0.0.1:")?;
        let port = rest.split(|character: char| !character.is_ascii_digit()).next()?;
        Some(SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap())))
    });
    let address = address.await;
    (process, address)
}

/// A port that nobody has, for programs that do not say which one they took.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap()
}

impl Process {
    pub(crate) fn spawn(mut command: Command, reading: Reading) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let (output, errors) = <(Arc<Mutex<Vec<u8>>>, Arc<Mutex<Vec<u8>>>)>::default();
        let (read_on, opened) = channel();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (kept_output, kept_errors) = (Arc::clone(&output), Arc::clone(&errors));
        let readers = vec![
            thread::spawn(move || keep(stdout, &kept_output, reading, &opened)),
            thread::spawn(move || keep(stderr, &kept_errors, Reading::AsItComes, &channel().1)),
        ];
        Self { child, output, errors, readers, read_on }
    }

    /// Standard output so far.
    pub(crate) fn output(&self) -> String {
        text(&self.output)
    }

    /// Standard error so far.
    pub(crate) fn errors(&self) -> String {
        text(&self.errors)
    }

    /// The whole log lines so far. Whatever is no valid line fails the test.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let output = self.output();
        let whole = output.rfind('\n').map_or("", |end| &output[..end]);
        whole.lines().map(Line::parse).collect()
    }

    /// Waits for the first line whose message begins like this.
    pub(crate) async fn line(&self, message: &str) -> Line {
        eventually(&format!("a line says {message:?}"), async || {
            self.lines().into_iter().find(|line| line.str("message").starts_with(message))
        })
        .await
    }

    /// Reads the rest of the standard output.
    pub(crate) fn read_on(&self) {
        self.read_on.send(()).unwrap();
    }

    /// Sends `TERM` or `INT`.
    pub(crate) fn signal(&self, signal: &str) {
        let kill = Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "sh", signal]).arg(self.id()).status();
        assert!(kill.unwrap().success(), "no signal could be sent");
    }

    fn id(&self) -> String {
        self.child.id().to_string()
    }

    /// Waits for the program to end by itself, and for the rest of its output.
    pub(crate) async fn exit_code(&mut self) -> i32 {
        let status = eventually("the process ends", async || self.child.try_wait().unwrap()).await;
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        status.code().unwrap_or_else(|| panic!("it was killed: {status}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended by itself, or not: there is nothing more to do than this.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(bytes: &Mutex<Vec<u8>>) -> String {
    String::from_utf8(bytes.lock().unwrap().clone()).expect("only UTF-8 is printed")
}

fn keep(mut from: impl Read, kept: &Mutex<Vec<u8>>, mut reading: Reading, opened: &Receiver<()>) {
    let mut chunk = [0; 10 * 1024];
    while let Ok(size @ 1..) = from.read(&mut chunk) {
        kept.lock().unwrap().extend_from_slice(&chunk[..size]);
        match reading {
            Reading::AsItComes => {}
            Reading::Slowly => thread::sleep(Duration::from_millis(10)),
            Reading::NotFurtherThanItsAddress => {
                if text(kept).contains("\"listening\"") {
                    // An error means that the test is over.
                    let _ = opened.recv();
                    reading = Reading::AsItComes;
                }
            }
        }
    }
}
