//! The bytes of a client's connection: bare, or encrypted.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::seam::Outgoing;
use crate::tls::{ClientTls, remedy};

/// A client's connection.
pub(super) enum Line {
    Bare(Outgoing),
    Secured(Box<TlsStream<Outgoing>>),
}

impl Line {
    /// Shakes hands with the broker at `address`, host:port.
    ///
    /// # Errors
    /// What TLS says of it, with what to do, or the system's.
    pub(super) async fn secured(tls: &ClientTls, address: &str, stream: Outgoing) -> io::Result<Self> {
        let name = ClientTls::name_of(address).ok_or(io::ErrorKind::InvalidInput)?;
        let connected = TlsConnector::from(tls.config()).connect(name, stream).await;
        match connected {
            Ok(stream) => Ok(Self::Secured(Box::new(stream))),
            Err(error) => {
                let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
                let told = tls.map(|tls| io::Error::other(format!("{tls}; {}", remedy(tls))));
                Err(told.unwrap_or(error))
            }
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Bare(stream) => Pin::new(stream).poll_read(context, into),
            Self::Secured(stream) => Pin::new(stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Bare(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Secured(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Bare(stream) => Pin::new(stream).poll_flush(context),
            Self::Secured(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Bare(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Secured(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
