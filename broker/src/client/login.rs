//! A client's login: SaslHandshake, then the messages of PLAIN or SCRAM.

use bytes::Bytes;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;

use super::exchange::Exchange;
use super::security::SaslSettings;
use super::{CallError, Client};

/// Tokens travel in SaslAuthenticate.
const HANDSHAKE_VERSION: i16 = 1;
const AUTHENTICATE_VERSION_MAX: i16 = 2;

/// Logs in.
///
/// # Errors
/// [`CallError::Security`] when the broker refuses, or cannot prove that it knows the password.
pub(super) async fn login(client: &mut Client, sasl: &SaslSettings) -> Result<(), CallError> {
    let mechanism = sasl.mechanism.trim();
    let handshake = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_string(mechanism.to_owned()));
    let answer = client.call(&handshake, HANDSHAKE_VERSION).await?;
    if answer.error_code != 0 {
        let served: Vec<&str> = answer.mechanisms.iter().map(StrBytes::as_str).collect();
        let reason = format!("sasl.mechanism={mechanism} is not served there; these are: {}", served.join(", "));
        return Err(refused(client, reason));
    }
    let mut next = Some(Exchange::begin(sasl).map_err(|reason| refused(client, reason))?);
    while let Some((exchange, message)) = next {
        let answer = authenticate(client, message).await?;
        next = exchange.next(&answer).map_err(|reason| refused(client, reason))?;
    }
    Ok(())
}

async fn authenticate(client: &mut Client, message: Vec<u8>) -> Result<Bytes, CallError> {
    let request = SaslAuthenticateRequest::default().with_auth_bytes(message.into());
    let version = client.version_of::<SaslAuthenticateRequest>(AUTHENTICATE_VERSION_MAX)?;
    let answer = client.call(&request, version).await?;
    match answer.error_code {
        0 => Ok(answer.auth_bytes),
        code => {
            let told = answer.error_message.as_deref().unwrap_or_default();
            Err(refused(client, format!("{} ({code}). {told}", super::code::name(code))))
        }
    }
}

fn refused(client: &Client, reason: String) -> CallError {
    CallError::Security { address: client.address().to_owned(), reason }
}
