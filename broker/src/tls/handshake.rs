//! The server's side of a handshake: from an accepted connection to one that is secured, and who its peer is.
//!
//! Invariants:
//! 1. Before the first byte has come nothing is held.
//! 2. A peer that does not begin with a TLS handshake gets no alert: an old Kafka client takes one for a length of 352 MB
//!    (KIP-498).

use std::io;
use std::sync::Arc;

use barnabas_auth::Principal;
use barnabas_auth::tls::{Certificate, Malformed};
use rustls::server::Acceptor;
use rustls::{CertificateError, Error};
use tokio::io::AsyncReadExt;
use tokio_rustls::LazyConfigAcceptor;

use super::live::LiveTls;
use super::remedy;
use super::shown::noting;
use super::stream::Secured;
use crate::limits::TLS_UNSENT_BYTES_MAX;
use crate::seam::Stream;

/// The first byte of a TLS connection: a record that is part of a handshake.
const HANDSHAKE_RECORD: u8 = 0x16;
/// Bytes of a record's head.
const RECORD_HEAD: usize = 5;

/// Why a connection was not secured.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The peer went away.
    #[error("the peer closed the connection")]
    PeerClosed,
    /// The peer does not speak TLS.
    #[error("the peer does not speak TLS: its security.protocol is not the listener's")]
    Plaintext,
    /// TLS failed.
    #[error("{0}; {remedy}", remedy = remedy(.0))]
    Tls(Error),
    /// The peer's certificate cannot be read.
    #[error("the peer's certificate: {0}")]
    Certificate(#[from] Malformed),
    /// No rule makes a principal of the peer's certificate.
    #[error("no rule of ssl.principal.mapping.rules applies to '{0}': add one, or DEFAULT at the end")]
    NoRule(String),
    /// The system's error.
    #[error("the socket failed: {0}")]
    Io(io::Error),
}

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        match (tls, error.kind()) {
            (Some(tls), _) => Self::Tls(tls.clone()),
            (
                None,
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe,
            ) => Self::PeerClosed,
            (None, _) => Self::Io(error),
        }
    }
}

impl HandshakeError {
    /// Which kind of refusal of the peer it is, in a word of the audit; `None` when the peer went away or its socket failed.
    #[must_use]
    pub fn kind(&self) -> Option<&'static str> {
        match self {
            Self::PeerClosed | Self::Io(_) => None,
            Self::Plaintext => Some("not-tls"),
            Self::Certificate(_) => Some("certificate-unreadable"),
            Self::NoRule(_) => Some("certificate-without-rule"),
            Self::Tls(error) => Some(match error {
                Error::InvalidCertificate(error) => of_certificate(error),
                Error::NoCertificatesPresented => "certificate-missing",
                Error::PeerIncompatible(_) => "nothing-in-common",
                Error::AlertReceived(_) => "refused-by-peer",
                _ => "protocol-error",
            }),
        }
    }
}

fn of_certificate(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::UnknownIssuer => "certificate-untrusted",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "certificate-expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "certificate-not-valid-yet",
        CertificateError::Revoked => "certificate-revoked",
        _ => "certificate-invalid",
    }
}

/// A handshake that came to nothing.
#[derive(Debug)]
pub struct RefusedHandshake {
    /// Why.
    pub error: HandshakeError,
    /// The subject of the certificate that the peer showed and that was not taken; unproven, as the peer wrote it.
    pub subject: Option<String>,
}

/// Shakes hands; tells who the peer's certificate says it is, if it showed one.
///
/// # Errors
/// See [`HandshakeError`].
pub async fn accept<S: Stream>(tls: &LiveTls, stream: S) -> Result<(Secured<S>, Option<Principal>), RefusedHandshake> {
    let (secured, noted) = noting(secure(tls, stream)).await;
    secured.map_err(|error| {
        let subject = if let HandshakeError::NoRule(subject) = &error { Some(subject.clone()) } else { noted };
        RefusedHandshake { error, subject }
    })
}

async fn secure<S: Stream>(tls: &LiveTls, mut stream: S) -> Result<(Secured<S>, Option<Principal>), HandshakeError> {
    let mut first = [0; RECORD_HEAD];
    let read = stream.read(&mut first).await?;
    let first = first.get(..read).unwrap_or_default();
    match first.first() {
        None => return Err(HandshakeError::PeerClosed),
        Some(&HANDSHAKE_RECORD) => {}
        Some(_) => return Err(HandshakeError::Plaintext),
    }
    let mut acceptor = Acceptor::default();
    acceptor.read_tls(&mut &*first)?;
    let hello = LazyConfigAcceptor::new(acceptor, stream).await?;
    let limit = |connection: &mut rustls::ServerConnection| connection.set_buffer_limit(Some(TLS_UNSENT_BYTES_MAX));
    let secured = hello.into_stream_with(Arc::clone(&tls.current().config), limit).await?;
    let certificate = secured.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let principal = match certificate {
        Some(certificate) => {
            let subject = Certificate::read(certificate)?.subject;
            let name = tls.mapping().apply(&subject).ok_or(HandshakeError::NoRule(subject))?;
            Some(Principal { kind: "User".to_owned(), name })
        }
        None => None,
    };
    Ok((Secured(Box::new(secured)), principal))
}
