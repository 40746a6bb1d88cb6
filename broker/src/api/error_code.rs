//! The one map from typed errors to Kafka error codes. Matches are exhaustive, without wildcards: a new variant does
//! not compile until its code is decided. A produce never gets UNKNOWN_SERVER_ERROR; a fetch only the codes of the
//! whitelist in the protocol note 2.2.

use kafka_protocol::error::ResponseError;

/// An error that a client is told of by a Kafka code.
pub trait ErrorCode {
    /// Kafka's code.
    fn code(&self) -> ResponseError;
}
