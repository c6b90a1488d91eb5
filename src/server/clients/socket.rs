//! A connection's bytes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::account::{Account, signed};

/// Room to read that each connection has and nobody counts. A large head or body makes it grow, and it stays that large on a
/// connection that idles.
const USUAL_ROOM: usize = 16 * 1024;
/// Bytes of frames that are read before other connections have their turn. Nothing else bounds it: a small frame can change
/// the windows of all streams.
const TURN: usize = 16 * 1024;

/// Tells the account which bytes come, and whether the system takes those that go.
pub(in crate::server) struct Socket<S> {
    stream: S,
    account: Arc<Account>,
    /// What the protocol keeps free for bytes that may come, as far as it is counted.
    spare: usize,
    /// Bytes of frames read since the task last gave way to others.
    frames: usize,
}

impl<S> Socket<S> {
    pub(in crate::server) fn new(stream: S, account: Arc<Account>) -> Self {
        Self { stream, account, spare: 0, frames: 0 }
    }

    /// The protocol has so much room to read into.
    fn count_room(&mut self, room: usize) {
        let spare = room.saturating_sub(USUAL_ROOM);
        if spare != self.spare {
            self.account.hold(signed(spare) - signed(self.spare));
            self.spare = spare;
        }
    }

    /// Whether it is the turn of other connections.
    fn gives_way(&mut self, context: &Context<'_>) -> bool {
        let gives_way = self.frames >= TURN;
        if gives_way {
            self.frames = 0;
            context.waker().wake_by_ref();
        }
        gives_way
    }

    fn wrote<T>(&self, polled: Poll<T>) -> Poll<T> {
        self.account.writes(polled.is_pending());
        polled
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.gives_way(context) {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        self.count_room(buffer.remaining());
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let bytes = buffer.filled().len() - before;
        if bytes == 0 {
            self.frames = 0;
        } else {
            self.account.arrived(bytes);
            self.frames += if self.account.is_http2() { bytes } else { 0 };
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
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
        self.account.hold(-signed(self.spare));
    }
}
