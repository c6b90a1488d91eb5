//! A client of HTTP/2 that answers settings and pings, keeps to the windows that it is given, and gives none.

pub(crate) mod frame;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use self::frame::{
    ACK, CANCEL, DATA, DEFAULT_WINDOW, END_STREAM, HEAD, INITIAL_WINDOW_SIZE, MAX_PAYLOAD, PING, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, frame, get, post, preface, setting,
};
use crate::attackers::Socket;

/// How much may wait to be written before more of the bodies is added.
const AHEAD: usize = 4 * MAX_PAYLOAD;

/// A connection on which the server may send nothing but the heads of its answers.
pub(crate) struct Connection {
    socket: Socket,
    /// Bytes that were read and are no whole frame yet.
    input: Vec<u8>,
    /// Bytes to write.
    output: Vec<u8>,
    next_stream: u32,
    /// Bodies on their way, by stream.
    bodies: BTreeMap<u32, Body>,
    /// What the server takes on all streams together.
    window: i64,
    initial_window: i64,
}

/// The rest of a body, and what the server takes of it for now.
struct Body {
    rest: &'static [u8],
    window: i64,
}

/// What the server sent.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Connection {
    /// Gives the server no window.
    pub(crate) fn new(socket: Socket) -> Self {
        Self::with(socket, &[(INITIAL_WINDOW_SIZE, 0)])
    }

    /// Takes what comes.
    pub(crate) fn taking(socket: Socket) -> Self {
        Self::with(socket, &[])
    }

    fn with(socket: Socket, settings: &[(u16, u32)]) -> Self {
        let mut connection = Self::of(socket);
        connection.output = preface(settings);
        connection
    }

    /// One whose client has begun already.
    pub(crate) fn of(socket: Socket) -> Self {
        Self {
            socket,
            input: Vec::new(),
            output: Vec::new(),
            next_stream: 1,
            bodies: BTreeMap::new(),
            window: DEFAULT_WINDOW,
            initial_window: DEFAULT_WINDOW,
        }
    }

    /// Resets the connection, as a program does that ends without a word.
    pub(crate) fn abort(self) {
        let Socket { reader, writer, .. } = self.socket;
        let stream = reader.reunite(writer).unwrap();
        stream.set_zero_linger().unwrap();
    }

    /// Asks for a path; gives the stream.
    pub(crate) fn get(&mut self, path: &str) -> u32 {
        self.output.extend(get(self.next_stream, path));
        self.opened()
    }

    /// Posts a body, which goes out as the server takes it.
    pub(crate) fn post(&mut self, path: &str, body: &'static [u8]) -> u32 {
        self.output.extend(post(self.next_stream, path));
        let body = Body { rest: body, window: self.initial_window };
        self.bodies.insert(self.next_stream, body);
        self.opened()
    }

    fn opened(&mut self) -> u32 {
        self.next_stream += 2;
        self.next_stream - 2
    }

    /// Lets the server send so many bytes more on a stream, or on the connection, which is stream 0.
    pub(crate) fn allow(&mut self, stream: u32, bytes: u32) {
        self.output.extend(frame(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes()));
    }

    /// Sends what there is to send, and reads nothing.
    pub(crate) async fn push(&mut self) {
        let output = std::mem::take(&mut self.output);
        assert!(self.socket.send(&output).await, "the connection stays");
    }

    pub(crate) fn cancel(&mut self, stream: u32) {
        self.output.extend(frame(RST_STREAM, 0, stream, &CANCEL));
    }

    /// Changes the window of all streams there and back, so often, unless much waits to be written already.
    pub(crate) fn change_windows(&mut self, times: u32) {
        if self.output.len() < AHEAD {
            for value in (0..times).map(|number| number % 2) {
                self.output.extend(frame(SETTINGS, 0, 0, &setting(INITIAL_WINDOW_SIZE, value)));
            }
        }
    }

    /// Stays until the server ends the connection, and sends a ping whenever nothing came for so long.
    pub(crate) async fn stay(&mut self, pings: Duration) {
        loop {
            match timeout(pings, self.next()).await {
                Ok(None) => return,
                Ok(Some(_)) => {}
                Err(_) => self.output.extend(frame(PING, 0, 0, b"redpane!")),
            }
        }
    }

    /// The next frame that is not about the connection alone, or `None` where the server ends it. Meanwhile everything goes
    /// out that can.
    pub(crate) async fn next(&mut self) -> Option<Received> {
        loop {
            while let Some(received) = self.take_frame() {
                if let Some(received) = self.understand(received) {
                    return Some(received);
                }
            }
            self.fill();
            let Socket { reader, writer, counts } = &mut self.socket;
            // Whichever is first, the other has lost nothing.
            tokio::select! {
                read = reader.read_buf(&mut self.input) => {
                    read.ok().filter(|read| *read > 0)?;
                }
                written = writer.write(&self.output), if !self.output.is_empty() => {
                    let written = written.ok()?;
                    self.output.drain(..written);
                    counts.sent.add(written);
                }
            }
        }
    }

    /// Whether all bodies went out.
    pub(crate) fn has_sent_all(&self) -> bool {
        self.output.is_empty() && self.bodies.values().all(|body| body.rest.is_empty())
    }

    fn take_frame(&mut self) -> Option<Received> {
        let (head, rest) = self.input.split_at_checked(HEAD)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let stream = number(&head[5..]);
        let received = Received { kind: head[3], flags: head[4], stream, payload: rest.get(..length)?.to_vec() };
        self.input.drain(..HEAD + length);
        Some(received)
    }

    /// Does what a frame of the connection's upkeep asks for; gives others back.
    fn understand(&mut self, received: Received) -> Option<Received> {
        let Received { kind, flags, stream, ref payload } = received;
        match kind {
            SETTINGS | PING if flags & ACK != 0 => {}
            PING => self.output.extend(frame(PING, ACK, 0, payload)),
            SETTINGS => {
                for setting in
                    payload.chunks_exact(6).filter(|setting| setting[..2] == INITIAL_WINDOW_SIZE.to_be_bytes())
                {
                    let window = i64::from(number(&setting[2..]));
                    self.bodies.values_mut().for_each(|body| body.window += window - self.initial_window);
                    self.initial_window = window;
                }
                self.output.extend(frame(SETTINGS, ACK, 0, b""));
            }
            WINDOW_UPDATE if stream == 0 => self.window += i64::from(number(payload)),
            WINDOW_UPDATE => {
                if let Some(body) = self.bodies.get_mut(&stream) {
                    body.window += i64::from(number(payload));
                }
            }
            _ => {
                if kind == RST_STREAM {
                    self.bodies.remove(&stream);
                }
                return Some(received);
            }
        }
        None
    }

    /// Adds to the output what the windows allow.
    fn fill(&mut self) {
        for (stream, body) in &mut self.bodies {
            while self.output.len() < AHEAD && !body.rest.is_empty() {
                let allowed = usize::try_from(self.window.min(body.window)).unwrap_or(0);
                let length = allowed.min(MAX_PAYLOAD).min(body.rest.len());
                if length == 0 {
                    break;
                }
                let (now, rest) = body.rest.split_at(length);
                let flags = if rest.is_empty() { END_STREAM } else { 0 };
                self.output.extend(frame(DATA, flags, *stream, now));
                (body.rest, body.window) = (rest, body.window - length as i64);
                self.window -= length as i64;
            }
        }
    }
}

/// A number of 31 bits; the first bit is reserved.
fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().unwrap()) & (u32::MAX >> 1)
}
