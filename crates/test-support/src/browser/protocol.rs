//! The DevTools protocol: JSON over one WebSocket, a number on each question and the same number on its answer.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// How long the browser may be silent: a page that does not answer in this time hangs.
const SILENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Connection {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    number: u64,
    /// The page that questions go to; the browser itself without one.
    session: Option<String>,
    /// Names of events that are kept, and those that came.
    kept: &'static [&'static str],
    events: Vec<Value>,
}

impl Connection {
    pub(super) fn open(address: &str) -> Self {
        let (socket, _) = tungstenite::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(SILENCE)).unwrap();
        }
        Self { socket, number: 0, session: None, kept: &[], events: Vec::new() }
    }

    /// Sends the questions that follow to this page.
    pub(super) fn attach(&mut self, page: &str) {
        self.session = None;
        let answer = self.ask("Target.attachToTarget", json!({"targetId": page, "flatten": true}));
        self.session = Some(answer["sessionId"].as_str().unwrap().to_owned());
        self.ask("Page.bringToFront", json!({}));
    }

    /// Keeps events of these names from now on.
    pub(super) fn keep(&mut self, names: &'static [&'static str]) {
        self.kept = names;
    }

    /// Takes the events that came with the answers so far.
    pub(super) fn take_events(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.events)
    }

    /// The result of a method.
    pub(super) fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.try_ask(method, parameters).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The next message. A test that was stopped for a while, and goes on, has lost nothing.
    fn read(&mut self) -> Result<Message, tungstenite::Error> {
        loop {
            match self.socket.read() {
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    /// The result of a method, or its error; of the events that come in between those are kept that somebody asked for.
    pub(super) fn try_ask(&mut self, method: &str, parameters: Value) -> Result<Value, Value> {
        self.number += 1;
        let mut question = json!({"id": self.number, "method": method, "params": parameters});
        // Questions about pages are the browser's to answer.
        if let Some(session) = self.session.as_ref().filter(|_| !method.starts_with("Target.")) {
            question["sessionId"] = json!(session);
        }
        let failed = |error| panic!("{method}: {error}");
        self.socket.send(Message::text(question.to_string())).unwrap_or_else(failed);
        loop {
            let message = self.read().unwrap_or_else(|error| panic!("{method}: {error}"));
            let Ok(text) = message.into_text() else { continue };
            let Ok(mut answer) = serde_json::from_str::<Value>(&text) else { continue };
            if answer["id"] == self.number {
                let error = answer["error"].take();
                return if error.is_null() { Ok(answer["result"].take()) } else { Err(error) };
            }
            if answer["method"].as_str().is_some_and(|name| self.kept.contains(&name)) {
                self.events.push(answer);
            }
        }
    }
}
