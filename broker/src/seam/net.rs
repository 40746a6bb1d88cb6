//! The network seam: listeners and streams. The real one is tokio's TCP.

use std::future::Future;
use std::io::{self, IoSlice, Read};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// How a listener is bound; the buffers and the backlog are Kafka's `socket.*` settings.
#[derive(Clone, Copy, Debug)]
pub struct BindOptions {
    /// Where.
    pub address: SocketAddr,
    /// `socket.listen.backlog.size`.
    pub backlog: i32,
    /// `socket.send.buffer.bytes`; `None` leaves the system's.
    pub send_buffer: Option<usize>,
    /// `socket.receive.buffer.bytes`; `None` leaves the system's.
    pub receive_buffer: Option<usize>,
}

/// Binds listeners.
pub trait Net: Send + Sync + 'static {
    /// Its listeners.
    type Listener: Listener;

    /// Binds and listens.
    ///
    /// # Errors
    /// The system's.
    fn bind(&self, options: &BindOptions) -> io::Result<Self::Listener>;
}

/// Accepts connections.
pub trait Listener: Send + 'static {
    /// Its connections.
    type Stream: Stream;

    /// The next connection and its peer.
    ///
    /// # Errors
    /// The system's; the listener may be used again.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    fn local_address(&self) -> io::Result<SocketAddr>;
}

/// One connection. `poll_write_vectored` should be a real one.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// Our side.
    ///
    /// # Errors
    /// The system's.
    fn local_address(&self) -> io::Result<SocketAddr>;

    /// Whether the next read will not wait, found out without waiting; `false` where nobody can say.
    fn look(&mut self) -> bool {
        false
    }
}

/// The machine's TCP.
#[derive(Clone, Copy, Debug)]
pub struct TcpNet;

impl Net for TcpNet {
    type Listener = TcpListener;

    fn bind(&self, options: &BindOptions) -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(options.address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?;
        // Accepted connections inherit both sizes; they must be set before listening to count for the TCP window.
        if let Some(bytes) = options.send_buffer {
            socket.set_send_buffer_size(bytes)?;
        }
        if let Some(bytes) = options.receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.bind(&options.address.into())?;
        socket.listen(options.backlog)?;
        TcpListener::from_std(socket.into())
    }
}

impl Listener for TcpListener {
    type Stream = TcpConnection;

    async fn accept(&self) -> io::Result<(TcpConnection, SocketAddr)> {
        let (stream, peer) = TcpListener::accept(self).await?;
        stream.set_nodelay(true)?;
        Ok((TcpConnection { stream, is_seen: false }, peer))
    }

    fn local_address(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }
}

/// A connection that was accepted.
#[derive(Debug)]
pub struct TcpConnection {
    stream: TcpStream,
    /// A look has seen bytes, an end or an error, of which tokio knows nothing yet: the next read asks the socket itself.
    is_seen: bool,
}

impl Stream for TcpConnection {
    fn local_address(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    fn look(&mut self) -> bool {
        let mut first = [MaybeUninit::uninit()];
        let looked = SockRef::from(&self.stream).peek(&mut first);
        self.is_seen = !matches!(looked, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        self.is_seen
    }
}

impl AsyncRead for TcpConnection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.is_seen) {
            let read = (&*SockRef::from(&self.stream)).read(into.initialize_unfilled());
            match read {
                Ok(read) => {
                    into.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for TcpConnection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A connection that we opened ourselves.
pub type Outgoing = TcpStream;

/// Connects to `address`, host:port, as a client.
///
/// # Errors
/// The system's.
#[allow(clippy::disallowed_methods, reason = "this is the net seam")]
pub async fn connect(address: &str) -> io::Result<Outgoing> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The addresses of `address`, host:port, as this machine sees them.
///
/// # Errors
/// The system's.
pub async fn resolve(address: &str) -> io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host(address).await?.collect())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn pair() -> (TcpConnection, Outgoing) {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let options = BindOptions { address, backlog: 8, send_buffer: None, receive_buffer: None };
        let listener = TcpNet.bind(&options).unwrap();
        let address = Listener::local_address(&listener).unwrap().to_string();
        let (accepted, outgoing) = tokio::join!(Listener::accept(&listener), connect(&address));
        (accepted.unwrap().0, outgoing.unwrap())
    }

    #[tokio::test]
    async fn what_a_look_has_seen_is_read_and_so_is_what_comes_later() {
        let (mut ours, mut theirs) = pair().await;
        assert!(!ours.look());
        let mut bytes = [0; 5];
        for round in 0..20_u8 {
            theirs.write_all(&[round; 5]).await.unwrap();
            if round % 3 != 0 {
                while !ours.look() {}
            }
            ours.read_exact(&mut bytes).await.unwrap();
            assert_eq!(bytes, [round; 5]);
            ours.write_all(&bytes).await.unwrap();
            theirs.read_exact(&mut bytes).await.unwrap();
            assert!(!ours.look());
        }
    }

    #[tokio::test]
    async fn a_look_sees_the_end_and_the_next_read_tells_it() {
        let (mut ours, theirs) = pair().await;
        drop(theirs);
        while !ours.look() {}
        assert_eq!(ours.read(&mut [0; 5]).await.unwrap(), 0);
    }
}
