//! turmoil's TCP behind the net seam. Writes are cut into pieces of at most a drawn size, so that frames arrive in parts.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use barnabas_broker::seam::{BindOptions, Listener, Net, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net::{TcpListener, TcpStream};

/// The network of one host.
pub(crate) struct SimNet {
    /// The most bytes of a write that are taken at once.
    pub(crate) piece: usize,
}

/// A listener of turmoil.
pub(crate) struct SimListener {
    inner: TcpListener,
    piece: usize,
}

/// A connection of turmoil.
pub(crate) struct SimStream {
    inner: TcpStream,
    piece: usize,
}

impl Net for SimNet {
    type Listener = SimListener;

    fn bind(&self, options: &BindOptions) -> io::Result<SimListener> {
        // It never waits, although it is async.
        let bound = pin!(TcpListener::bind(options.address)).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(inner) = bound else { return Err(io::ErrorKind::WouldBlock.into()) };
        Ok(SimListener { inner: inner?, piece: self.piece })
    }
}

impl Listener for SimListener {
    type Stream = SimStream;

    async fn accept(&self) -> io::Result<(SimStream, SocketAddr)> {
        let (inner, peer) = self.inner.accept().await?;
        Ok((SimStream { inner, piece: self.piece }, peer))
    }

    fn local_address(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

impl Stream for SimStream {
    fn local_address(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

impl AsyncRead for SimStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let taken = bytes.len().min(self.piece);
        Pin::new(&mut self.inner).poll_write(cx, &bytes[..taken])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
