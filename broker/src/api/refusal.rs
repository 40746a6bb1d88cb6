//! Why something was not done to one item of a request, as a client is told.

use std::fmt::Display;

use kafka_protocol::error::ResponseError;
use kafka_protocol::protocol::StrBytes;

use crate::api::error_code::ErrorCode;

/// Kafka's message for a topic or partition that is not there.
pub(in crate::api) const UNKNOWN_PARTITION: &str = "This server does not host this topic-partition.";

/// Kafka's message for a request that makes no sense as a whole.
pub(in crate::api) const MALFORMED: &str = "This most likely occurs because of a request being malformed by the client \
                                            library or the message was sent to an incompatible broker. See the broker \
                                            logs for more details.";

/// Kafka's message of THROTTLING_QUOTA_EXCEEDED.
pub(in crate::api) const QUOTA_EXCEEDED: &str = "The throttling quota has been exceeded.";

/// A code and Kafka's message for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) struct Refusal {
    pub(in crate::api) code: ResponseError,
    pub(in crate::api) message: Option<String>,
}

impl Refusal {
    pub(in crate::api) fn new(code: ResponseError, message: impl Into<String>) -> Self {
        Self { code, message: Some(message.into()) }
    }

    /// The code says it all.
    pub(in crate::api) fn bare(code: ResponseError) -> Self {
        Self { code, message: None }
    }

    pub(in crate::api) fn of(error: &(impl ErrorCode + Display)) -> Self {
        Self::new(error.code(), error.to_string())
    }

    pub(in crate::api) fn wire_message(self) -> Option<StrBytes> {
        self.message.map(StrBytes::from_string)
    }
}
