//! Frames from a stream: a 4-byte length and that many bytes.
//!
//! Invariants:
//! 1. A connection without bytes under way holds no buffer.
//! 2. A length alone reserves at most [`FRAME_BYTES_AT_ONCE`], which is not touched before bytes arrive.
//! 3. Several frames are cut from one read; each aliases the read's buffer and is never copied after it is complete.
//! 4. Every method may be dropped and called again: what was read stays.

use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::api::gate::{HEADER_PREFIX, Prefix};
use crate::limits::{FRAME_BYTES_AT_ONCE, READ_BYTES_MAX, READ_BYTES_MIN};
use crate::tls::is_hello;

/// Bytes of a frame's length.
const LENGTH: usize = 4;

/// Why no further frame comes.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The peer closed or reset the connection.
    #[error("the peer closed the connection")]
    PeerClosed,
    /// The length is negative or above `socket.request.max.bytes`.
    #[error("a frame claims {0} bytes")]
    Length(i32),
    /// The length is the begin of a TLS hello.
    #[error("the peer speaks TLS to a listener without it: its security.protocol is not the listener's")]
    Hello,
    /// A frame is too short for a request header.
    #[error("a frame of {0} bytes has no room for a header")]
    NoHeader(usize),
    /// The system's error.
    #[error("read from the socket: {0}")]
    Io(io::Error),
}

/// Reads frames from one stream.
pub struct Frames {
    buffer: BytesMut,
    read_bytes: usize,
    frame_bytes_max: usize,
}

/// A frame whose first bytes are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Length of the frame without the length itself.
    pub bytes: usize,
    /// Its first eight bytes.
    pub prefix: Prefix,
}

impl Frames {
    /// Nothing was read yet.
    #[must_use]
    pub fn new(frame_bytes_max: usize) -> Self {
        Self { buffer: BytesMut::new(), read_bytes: READ_BYTES_MIN, frame_bytes_max }
    }

    /// Waits until at least one byte of the next frame is here.
    ///
    /// # Errors
    /// See [`FrameError`].
    pub async fn begun<R: AsyncRead + Unpin>(&mut self, from: &mut R) -> Result<(), FrameError> {
        self.fill(from, 1).await
    }

    /// Waits for the length and the first eight bytes of the next frame.
    ///
    /// # Errors
    /// See [`FrameError`].
    pub async fn head<R: AsyncRead + Unpin>(&mut self, from: &mut R) -> Result<Head, FrameError> {
        self.fill(from, LENGTH).await?;
        let claimed = self.buffer.as_ref().get_i32();
        let bytes = usize::try_from(claimed).ok().filter(|bytes| *bytes <= self.frame_bytes_max);
        let bytes = bytes.ok_or(if is_hello(claimed) { FrameError::Hello } else { FrameError::Length(claimed) })?;
        if bytes < HEADER_PREFIX {
            return Err(FrameError::NoHeader(bytes));
        }
        self.fill(from, LENGTH + HEADER_PREFIX).await?;
        match self.buffer.get(LENGTH..).and_then(|rest| rest.first_chunk()) {
            Some(first) => Ok(Head { bytes, prefix: Prefix::read(first) }),
            None => Err(FrameError::NoHeader(bytes)),
        }
    }

    /// Waits for the whole frame and takes it, without its length.
    ///
    /// # Errors
    /// See [`FrameError`].
    pub async fn whole<R: AsyncRead + Unpin>(&mut self, from: &mut R, head: Head) -> Result<Bytes, FrameError> {
        self.fill(from, LENGTH + head.bytes).await?;
        self.buffer.advance(LENGTH);
        Ok(self.buffer.split_to(head.bytes).freeze())
    }

    /// Waits for a token of a login without a header: a length, which may be 0, and that many bytes.
    ///
    /// # Errors
    /// See [`FrameError`].
    pub async fn token<R: AsyncRead + Unpin>(&mut self, from: &mut R, bytes_max: usize) -> Result<Bytes, FrameError> {
        self.fill(from, LENGTH).await?;
        let claimed = self.buffer.as_ref().get_i32();
        let bytes = usize::try_from(claimed).ok().filter(|bytes| *bytes <= bytes_max);
        let bytes = bytes.ok_or(FrameError::Length(claimed))?;
        self.fill(from, LENGTH + bytes).await?;
        self.buffer.advance(LENGTH);
        Ok(self.buffer.split_to(bytes).freeze())
    }

    /// Bytes that were read and not taken yet.
    #[must_use]
    pub fn held(&self) -> usize {
        self.buffer.len()
    }

    /// Returns when the peer is gone, reading a bounded piece ahead to find out.
    pub async fn gone<R: AsyncRead + Unpin>(&mut self, from: &mut R) -> FrameError {
        while self.buffer.len() < self.read_bytes {
            if let Err(error) = self.fill(from, self.buffer.len() + 1).await {
                return error;
            }
        }
        pending().await
    }

    /// Reads until the buffer holds `want` bytes.
    async fn fill<R: AsyncRead + Unpin>(&mut self, from: &mut R, want: usize) -> Result<(), FrameError> {
        while self.buffer.len() < want {
            match poll_fn(|context| self.poll_read(context, from, want)).await {
                Ok(0) => return Err(FrameError::PeerClosed),
                Ok(_) => {}
                Err(error) if is_gone(&error) => return Err(FrameError::PeerClosed),
                Err(error) => return Err(FrameError::Io(error)),
            }
        }
        Ok(())
    }

    fn poll_read<R: AsyncRead + Unpin>(
        &mut self,
        context: &mut Context<'_>,
        from: &mut R,
        want: usize,
    ) -> Poll<io::Result<usize>> {
        self.make_room(want);
        let room = self.buffer.capacity() - self.buffer.len();
        let polled = pin!(from.read_buf(&mut self.buffer)).poll(context);
        match &polled {
            Poll::Ready(Ok(read)) if *read == room => self.read_bytes = (self.read_bytes * 2).min(READ_BYTES_MAX),
            Poll::Ready(Ok(read)) if *read < self.read_bytes / 4 => {
                self.read_bytes = (self.read_bytes / 2).max(READ_BYTES_MIN);
            }
            Poll::Pending if self.buffer.is_empty() => self.buffer = BytesMut::new(),
            Poll::Ready(_) | Poll::Pending => {}
        }
        polled
    }

    /// Makes room for the bytes up to `want`, and for as much more as a read usually brings.
    fn make_room(&mut self, want: usize) {
        let held = self.buffer.len();
        let room = self.buffer.capacity() - held;
        let missing = want - held;
        if missing <= room && (room >= self.read_bytes / 4 || held > 0) {
            return;
        }
        let arriving = held.max(FRAME_BYTES_AT_ONCE);
        self.buffer.reserve(missing.min(arriving).max(self.read_bytes.min(READ_BYTES_MAX)));
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            // TLS without its own word of goodbye.
            | io::ErrorKind::UnexpectedEof
    )
}

#[cfg(test)]
mod tests;
