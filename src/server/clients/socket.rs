//! A connection's bytes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::account::{Account, signed};
use super::exchange::Exchange;
use super::frames::{Frames, SHORT_TURN, TURN, TURN_BYTES};
use super::turns::{NextTurn, next_turn};
use crate::server::rewound::Rewound;

/// Room to read that each connection has and nobody counts. A large head or body makes it grow, and it stays that large on a
/// connection that idles.
const USUAL_ROOM: usize = 16 * 1024;
/// Bytes that a connection may still read while far too much is held: the head of a usual request.
const LITTLE: usize = 1024;
/// What a client of HTTP/2 begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What the first bytes of a connection tell.
enum Protocol {
    /// So much of the preface has come, and nothing else.
    Unknown(usize),
    /// Bytes of this turn.
    Http1(usize),
    Http2(Frames),
}

/// Tells the account which bytes come, and whether the system takes those that go. Gives way to other connections after some
/// bytes, and after some frames of HTTP/2: nothing else bounds how many are read at once.
pub(in crate::server) struct Socket<S> {
    stream: S,
    account: Arc<Account>,
    protocol: Protocol,
    /// Its turn is over, and more has come: it waits for this.
    next_turn: Option<NextTurn>,
    /// Bytes that came and have to wait for the next turn.
    rest: Bytes,
    /// What is counted of `rest`, and of the room that the protocol keeps free for bytes that may come.
    counted: usize,
    /// Empty, with room for the exchanges of one flush.
    written: Vec<Arc<Exchange>>,
}

impl<S> Socket<S> {
    /// A socket whose client has said what it speaks, and whether that is HTTP/2. What has told it comes once more. A client that
    /// leaves before that is taken for one of HTTP/1. A future that is dropped loses what it has read.
    pub(in crate::server) async fn begin(stream: S, account: Arc<Account>) -> io::Result<(Rewound<Self>, bool)>
    where
        S: AsyncRead + Unpin,
    {
        let (protocol, rest, mut early) = (Protocol::Unknown(0), Bytes::new(), Vec::new());
        let mut socket = Self { stream, account, protocol, next_turn: None, rest, counted: 0, written: Vec::new() };
        while let Protocol::Unknown(matched) = socket.protocol {
            let mut room = [0; PREFACE.len()];
            let length = socket.read(&mut room[..PREFACE.len() - matched]).await?;
            if length == 0 {
                break;
            }
            early.extend_from_slice(&room[..length]);
        }
        let is_http2 = matches!(socket.protocol, Protocol::Http2(_));
        Ok((Rewound::new(early, socket), is_http2))
    }

    /// The protocol has so much room to read into.
    fn count(&mut self, room: usize) {
        let counted = room.saturating_sub(USUAL_ROOM) + self.rest.len();
        if counted != self.counted {
            self.account.hold(signed(counted) - signed(self.counted));
            self.counted = counted;
        }
    }

    /// Whether it is the turn of other connections.
    fn gives_way(&mut self, context: &mut Context<'_>) -> bool {
        if self.next_turn.is_none() && !self.turn_is_over() {
            return false;
        }
        let next = self.next_turn.get_or_insert_with(|| next_turn(&self.account));
        if next.as_mut().poll(context).is_pending() {
            return true;
        }
        self.next_turn = None;
        self.begin_turn();
        false
    }

    fn turn_is_over(&self) -> bool {
        match &self.protocol {
            Protocol::Unknown(_) => false,
            Protocol::Http1(bytes) => *bytes >= TURN_BYTES || *bytes >= LITTLE && self.account.clients.is_far_over(),
            Protocol::Http2(frames) => frames.turn_is_over(),
        }
    }

    fn begin_turn(&mut self) {
        self.account.begin_requests();
        match &mut self.protocol {
            Protocol::Unknown(_) => {}
            Protocol::Http1(bytes) => *bytes = 0,
            Protocol::Http2(frames) => {
                frames.begin_turn(if self.account.clients.are_many_waiting() { SHORT_TURN } else { TURN });
            }
        }
    }

    /// How many of these bytes, the next of the connection, belong to this turn.
    fn take(&mut self, bytes: &[u8]) -> usize {
        match &mut self.protocol {
            Protocol::Http1(turn) => {
                *turn += bytes.len();
                bytes.len()
            }
            Protocol::Http2(frames) => frames.take(bytes),
            Protocol::Unknown(matched) => {
                let expected = &PREFACE[*matched..];
                let same = expected.iter().zip(bytes).take_while(|(expected, byte)| expected == byte).count();
                // Nobody reads more than the rest of the preface here.
                self.protocol = if same == expected.len() {
                    self.account.set_http2();
                    Protocol::Http2(Frames::default())
                } else if same == bytes.len() {
                    Protocol::Unknown(*matched + same)
                } else {
                    Protocol::Http1(bytes.len())
                };
                bytes.len()
            }
        }
    }

    fn wrote<T>(&self, polled: Poll<T>) -> Poll<T> {
        self.account.writes(polled.is_pending());
        polled
    }
}

/// Reads so little that many who do it at once hold little.
fn read_little<S: AsyncRead + Unpin>(
    stream: &mut S,
    context: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let room = buffer.remaining().min(LITTLE);
    let mut little = ReadBuf::new(buffer.initialize_unfilled_to(room));
    let polled = Pin::new(stream).poll_read(context, &mut little);
    let read = little.filled().len();
    buffer.advance(read);
    polled
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.gives_way(context) {
            return Poll::Pending;
        }
        this.count(buffer.remaining());
        if !this.rest.is_empty() {
            let mut rest = std::mem::take(&mut this.rest);
            let taken = this.take(&rest[..rest.len().min(buffer.remaining())]);
            buffer.put_slice(&rest[..taken]);
            rest.advance(taken);
            this.rest = rest;
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let polled = match this.account.clients.is_far_over() {
            false => Pin::new(&mut this.stream).poll_read(context, buffer),
            true => read_little(&mut this.stream, context, buffer),
        };
        let bytes = &buffer.filled()[before..];
        if bytes.is_empty() {
            this.begin_turn();
            return polled;
        }
        this.account.arrived(bytes.len());
        let taken = this.take(bytes);
        if taken < bytes.len() {
            this.rest = Bytes::copy_from_slice(&bytes[taken..]);
            buffer.set_filled(before + taken);
            this.count(buffer.remaining());
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(polled)
    }

    /// Called when everything in the protocol's buffer is written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(Pin::new(&mut this.stream).poll_flush(context))?;
        if let Protocol::Http2(_) = this.protocol {
            this.account.streams.take_unwritten(&mut this.written);
            this.written.drain(..).for_each(|exchange| exchange.written());
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl<S> Drop for Socket<S> {
    fn drop(&mut self) {
        self.account.end_turn();
        self.account.streams.take_unwritten(&mut self.written);
        self.written.iter().for_each(|exchange| exchange.broken());
        self.account.hold(-signed(self.counted));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncWriteExt, duplex};
    use tokio::time::timeout;

    use super::*;

    /// What is found out about bytes that come in pieces of this length, and what is read after that.
    async fn begun(bytes: &'static [u8], piece: usize, account: &Arc<Account>) -> (bool, Vec<u8>) {
        let (mut client, stream) = duplex(piece);
        let sent = tokio::spawn(async move { client.write_all(bytes).await });
        let (mut socket, is_http2) = Socket::begin(stream, Arc::clone(account)).await.unwrap();
        let mut all = Vec::new();
        socket.read_to_end(&mut all).await.unwrap();
        sent.await.unwrap().unwrap();
        (is_http2, all)
    }

    #[tokio::test]
    async fn the_first_bytes_tell_the_protocol_come_once_more_and_are_counted_once() {
        let cases: [(&[u8], bool); 8] = [
            (PREFACE, true),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", true),
            (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", false),
            (b"PROPFIND / HTTP/1.1\r\nhost: a\r\n\r\n", false),
            (b"PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n", false),
            (b"PRI * HT", false),
            (b"\r\n", false),
            (b"", false),
        ];
        for (bytes, is_http2) in cases {
            for piece in [1, 3, 24, 1024] {
                let account = Account::alone();
                let found = timeout(Duration::from_secs(30), begun(bytes, piece, &account)).await.unwrap();
                let what = format!("{}, {piece} at a time", bytes.escape_ascii());
                assert_eq!((found.0, &*found.1, account.is_http2()), (is_http2, bytes, is_http2), "{what}");
                assert_eq!(account.unread(), if is_http2 { 0 } else { bytes.len() }, "{what}");
            }
        }
    }
}
