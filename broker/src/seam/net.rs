//! The network seam: listeners and streams. The real one is tokio's TCP.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
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
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = TcpListener::accept(self).await?;
        stream.set_nodelay(true)?;
        Ok((stream, peer))
    }

    fn local_address(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }
}

impl Stream for TcpStream {
    fn local_address(&self) -> io::Result<SocketAddr> {
        self.local_addr()
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
