//! Why something was not done to one topic, as a client is told.

use std::fmt::Display;

use kafka_protocol::error::ResponseError;
use kafka_protocol::protocol::StrBytes;

use crate::api::error_code::ErrorCode;

/// Kafka's message of THROTTLING_QUOTA_EXCEEDED.
pub(super) const QUOTA_EXCEEDED: &str = "The throttling quota has been exceeded.";

/// A code and Kafka's message for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: ResponseError,
    pub(super) message: Option<String>,
}

impl Refusal {
    pub(super) fn new(code: ResponseError, message: impl Into<String>) -> Self {
        Self { code, message: Some(message.into()) }
    }

    /// The code says it all.
    pub(super) fn bare(code: ResponseError) -> Self {
        Self { code, message: None }
    }

    pub(super) fn of(error: &(impl ErrorCode + Display)) -> Self {
        Self::new(error.code(), error.to_string())
    }

    pub(super) fn wire_message(self) -> Option<StrBytes> {
        self.message.map(StrBytes::from_string)
    }
}
