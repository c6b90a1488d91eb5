//! A body of several frames that ends well or breaks off.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use http_body::{Body, Frame};

/// `count` lines, each a frame of its own, and then the end or an error.
pub(super) struct Lines {
    sent: u32,
    count: u32,
    /// Whether an error follows the last line.
    is_cut: bool,
    /// Whether the connection has had the chance to write the last frame.
    is_flushed: bool,
}

impl Lines {
    /// `count` lines and a proper end.
    pub(super) fn whole(count: u32) -> Self {
        Self { sent: 0, count, is_cut: false, is_flushed: true }
    }

    /// Breaks off after `count` lines.
    pub(super) fn cut_after(count: u32) -> Self {
        Self { is_cut: true, ..Self::whole(count) }
    }
}

/// Why a body of [`Lines::cut_after`] has no end.
#[derive(Debug)]
pub(super) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("injected by /faults/cut: the body breaks off half-way")
    }
}

impl std::error::Error for Cut {}

impl Body for Lines {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        // hyper writes its buffer when a body is pending. Without this pause it would collect all lines first, and the
        // error would discard them together with the status line.
        if !std::mem::replace(&mut self.is_flushed, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.sent < self.count {
            self.sent += 1;
            self.is_flushed = false;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from(format!("chunk {}\n", self.sent))))));
        }
        Poll::Ready(std::mem::take(&mut self.is_cut).then_some(Err(Cut)))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn lines_end_or_break_off_after_their_count() {
        let whole = Lines::whole(2).collect().await.expect("a proper end").to_bytes();
        assert_eq!(whole, "chunk 1\nchunk 2\n");
        let mut cut = Lines::cut_after(1);
        assert!(cut.frame().await.is_some_and(|frame| frame.is_ok()));
        assert!(cut.frame().await.is_some_and(|frame| frame.is_err()));
        assert!(cut.frame().await.is_none());
    }
}
