//! What a handler gives back to the connection.

use barnabas_storage::MappedRange;
use bytes::Bytes;

/// The answer to one request.
#[derive(Debug)]
pub enum Reply {
    /// The response body (after the response header, which the connection writes), in pieces to be sent in order.
    Body(Vec<Chunk>),
    /// No answer at all: Produce with acks=0.
    Nothing,
    /// Close the connection without an answer.
    Close(CloseReason),
}

/// A piece of a response body.
#[derive(Debug)]
pub enum Chunk {
    /// Bytes in memory.
    Memory(Bytes),
    /// A mapped range, only ever handed to the kernel.
    Mapped(MappedRange),
}

impl Chunk {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::Mapped(range) => range.len(),
        }
    }

    /// Bytes that it takes of the broker's own memory.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::Mapped(_) => 0,
        }
    }

    /// True when empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a connection is closed, as Kafka would (protocol note 6).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// The key is not in the table.
    #[error("unknown API key {0}")]
    UnknownKey(i16),
    /// The version is not served.
    #[error("{name} version {version} is not served")]
    UnsupportedVersion {
        /// The API.
        name: &'static str,
        /// The version.
        version: i16,
    },
    /// The listener is the controller's, and that does not serve it.
    #[error("{0} is not served by a listener of the controller: send it to one of the broker's")]
    NotOnController(&'static str),
    /// The listener asks for a login first.
    #[error("{0} before authentication")]
    NotAuthenticated(&'static str),
    /// Only the places of super users were left when it came, and it is nobody of them.
    #[error("{0} is no super user, for whom the last places are kept: raise max.connections to allow more")]
    NoSuperUser(String),
    /// The session has ended and was not renewed (KIP-368).
    #[error("the session has ended and was not renewed")]
    SessionExpired,
    /// A login failed; the client was told.
    #[error("the login failed")]
    LoginFailed,
    /// Header or body do not fit the shape.
    #[error("malformed request: {0}")]
    Malformed(String),
    /// acks=0 and a partition refused the batch: closing is the only way to tell (Kafka does so).
    #[error("a produce request with acks=0 was refused: {0}")]
    RefusedWithoutAcks(String),
    /// The answer could not be encoded: our bug.
    #[error("encode the response: {0}")]
    Encode(String),
}
