//! Metrics of clients (KIP-714).

use std::sync::Arc;

use uuid::Uuid;

use super::RequestContext;
use crate::telemetry::{Identity, Refusal, Software};
use kafka_protocol::error::ResponseError;

use super::error_code::ErrorCode;

pub mod get_telemetry_subscriptions;
pub mod push_telemetry;

/// Ids below this are Kafka's own: of no topic, and of no client.
const RESERVED_IDS: u128 = 100;

fn is_reserved(instance: Uuid) -> bool {
    instance.as_u128() < RESERVED_IDS
}

/// Who asks.
fn identity<'a>(context: &'a RequestContext, instance: Uuid, software: Option<&'a Arc<Software>>) -> Identity<'a> {
    Identity {
        instance,
        client_id: &context.client_id,
        software: software.map(|software| &**software),
        peer: context.connection.peer,
        principal: &context.principal.name,
    }
}

impl ErrorCode for Refusal {
    fn code(&self) -> ResponseError {
        match self {
            Self::Ended => ResponseError::InvalidRequest,
            Self::TooEarly => ResponseError::ThrottlingQuotaExceeded,
            Self::UnknownSubscription => ResponseError::UnknownSubscriptionId,
            Self::UnknownCodec => ResponseError::UnsupportedCompressionType,
            Self::TooLarge => ResponseError::TelemetryTooLarge,
        }
    }
}

#[cfg(test)]
mod tests;
