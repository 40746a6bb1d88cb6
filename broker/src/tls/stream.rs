//! A connection whose handshake is done.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use crate::seam::Stream;

/// A connection whose handshake is done. Behind a pointer: a connection's task holds its stream in more than one place.
pub struct Secured<S>(pub(super) Box<TlsStream<S>>);

impl<S: Stream> Stream for Secured<S> {
    fn local_address(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().0.local_address()
    }

    fn look(&mut self) -> bool {
        self.0.get_mut().0.look()
    }
}

impl<S: Stream> AsyncRead for Secured<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(context, into)
    }
}

impl<S: Stream> AsyncWrite for Secured<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(context)
    }
}

/// Whether a frame's length is the begin of a TLS hello: a handshake record of version 3.
#[must_use]
pub fn is_hello(length: i32) -> bool {
    length >> 16 == 0x1603
}
