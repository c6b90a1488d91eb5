//! Programs as child processes: what they print, and how they end. Each is killed when its test is over.

mod output;

use std::ffi::OsStr;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use self::output::{Valve, keep, text};
use crate::{Line, eventually};

pub use self::output::Reading;

/// A running program.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: Arc<Mutex<Vec<u8>>>,
    errors: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
    valve: Arc<Valve>,
}

/// The real service, this program, with an environment of its own, on a free port unless the test says otherwise.
pub fn service(program: impl AsRef<OsStr>, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("REDPANE_LISTEN", "127.0.0.1:0").envs(variables.iter().copied());
    command
}

/// Runs a program to its end: exit code, standard output, standard error.
pub async fn run(command: Command) -> (i32, String, String) {
    let mut process = Process::spawn(command, Reading::AsItComes);
    let code = process.exit_code().await;
    (code, process.output(), process.errors())
}

/// Starts a service and waits for the address it says it listens on.
pub async fn listening(command: Command, reading: Reading) -> (Process, SocketAddr) {
    let process = Process::spawn(command, reading);
    let address = eventually("the service says its address", async || {
        let output = process.output();
        let (_, rest) = output.split_once("listening")?;
        let (_, rest) = rest.split_once("127.0.0.1:")?;
        // What follows the port shows that all of it is there.
        let end = rest.find(|character: char| !character.is_ascii_digit())?;
        Some(SocketAddr::from(([127, 0, 0, 1], rest[..end].parse().unwrap())))
    });
    let address = address.await;
    (process, address)
}

/// A port that nobody has, for programs that do not say which one they took.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap()
}

impl Process {
    /// Starts a program, its standard input empty.
    pub fn spawn(mut command: Command, reading: Reading) -> Self {
        command.stdout(Stdio::piped());
        Self::start(command, reading)
    }

    /// Starts a program that writes its standard output to this, where nobody reads it.
    pub fn writing_to(mut command: Command, output: impl Into<Stdio>) -> Self {
        command.stdout(output);
        Self::start(command, Reading::AsItComes)
    }

    fn start(mut command: Command, reading: Reading) -> Self {
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let (output, errors) = <(Arc<Mutex<Vec<u8>>>, Arc<Mutex<Vec<u8>>>)>::default();
        let valve = Arc::<Valve>::default();
        let (kept_errors, stderr) = (Arc::clone(&errors), child.stderr.take().unwrap());
        let mut readers =
            vec![thread::spawn(move || keep(stderr, &kept_errors, Reading::AsItComes, &Valve::default()))];
        if let Some(stdout) = child.stdout.take() {
            let (kept_output, passed) = (Arc::clone(&output), Arc::clone(&valve));
            readers.push(thread::spawn(move || keep(stdout, &kept_output, reading, &passed)));
        }
        Self { child, output, errors, readers, valve }
    }

    /// Standard output so far.
    pub fn output(&self) -> String {
        text(&self.output)
    }

    /// Standard error so far.
    pub fn errors(&self) -> String {
        text(&self.errors)
    }

    /// The whole log lines so far. Whatever is no valid line fails the test.
    pub fn lines(&self) -> Vec<Line> {
        let output = self.output();
        let whole = output.rfind('\n').map_or("", |end| &output[..=end]);
        Line::parse_all(whole)
    }

    /// The whole log lines that nobody has taken yet, for programs that write more than memory should hold.
    pub fn take_lines(&self) -> Vec<Line> {
        let mut output = self.output.lock().unwrap();
        let end = output.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        let whole: Vec<_> = output.drain(..end).collect();
        drop(output);
        Line::parse_all(&String::from_utf8(whole).expect("only UTF-8 is printed"))
    }

    /// Waits for the first line whose message begins like this.
    pub async fn line(&self, message: &str) -> Line {
        eventually(&format!("a line says {message:?}"), async || {
            self.lines().into_iter().find(|line| line.str("message").starts_with(message))
        })
        .await
    }

    /// Stops reading the standard output, a chunk from now at the latest.
    pub fn stop_reading(&self) {
        self.valve.close();
    }

    /// Reads the rest of the standard output.
    pub fn read_on(&self) {
        self.valve.open();
    }

    /// Kills the program as no program can prevent, and reads what it left in the pipe.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.read_on();
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
    }

    /// Whether the program has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, signal: &str) {
        let kill =
            Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "sh", signal]).arg(self.id().to_string()).status();
        assert!(kill.unwrap().success(), "no signal could be sent");
    }

    /// The number that the system has for it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the program to end by itself, and for the rest of its output.
    pub async fn exit_code(&mut self) -> i32 {
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
        // Its readers must end too.
        self.read_on();
    }
}
