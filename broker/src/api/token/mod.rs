//! APIs about delegation tokens (KIP-48): one file per API, and who may ask at all.

use barnabas_auth::{Principal, ResourceType};
use barnabas_config::SecurityProtocol;
use kafka_protocol::error::ResponseError;
use kafka_protocol::protocol::StrBytes;

use super::RequestContext;
use super::error_code::ErrorCode;
use crate::audit::event::Subject;

pub mod create_delegation_token;
pub mod describe_delegation_token;
pub mod expire_delegation_token;
pub mod renew_delegation_token;
#[cfg(test)]
mod tests;

/// The time of an answer that tells no time.
const NO_TIME: i64 = -1;

/// Whether tokens may be asked about over this connection: whoever asks has to have logged in, otherwise than by a token, so that
/// no token outlives what it was made from; and over TLS or SASL.
fn may_ask(context: &RequestContext) -> bool {
    let is_token = context.connection.session().is_token;
    let is_anonymous = *context.principal == Principal::anonymous();
    !is_token && is_known(context.connection.protocol, is_anonymous)
}

fn is_known(protocol: SecurityProtocol, is_anonymous: bool) -> bool {
    match protocol {
        SecurityProtocol::Plaintext => false,
        SecurityProtocol::Ssl => !is_anonymous,
        SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl => true,
    }
}

/// What stands before every other check.
fn refused(context: &RequestContext) -> Option<ResponseError> {
    if !may_ask(context) {
        return Some(ResponseError::DelegationTokenRequestNotAllowed);
    }
    (!context.broker.delegation_tokens.is_enabled()).then_some(ResponseError::DelegationTokenAuthDisabled)
}

/// The time of a refusal's answer: Apache Kafka's broker says that there is none, its controller says 0.
fn time_of(refusal: ResponseError) -> i64 {
    if refusal == ResponseError::DelegationTokenRequestNotAllowed { NO_TIME } else { 0 }
}

/// A token as the audit names it: by its id, which is no secret.
fn subject(id: &str) -> Subject {
    Subject::new(ResourceType::DelegationToken.name(), id)
}

/// The code of whatever went wrong while the controller was asked.
fn outcome<T, E: ErrorCode, P: ErrorCode>(answer: Result<Result<T, E>, P>) -> Result<T, ResponseError> {
    match answer {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.code()),
        Err(error) => Err(error.code()),
    }
}

fn principal(kind: &StrBytes, name: &StrBytes) -> Principal {
    Principal { kind: kind.to_string(), name: name.to_string() }
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}
