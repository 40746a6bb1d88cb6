//! A client's login: SaslHandshake, then the messages of PLAIN or SCRAM.

use barnabas_auth::base36;
use barnabas_auth::scram::{ScramClient, ScramMechanism};
use barnabas_storage::seam::{Rng, SystemRng};
use bytes::Bytes;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;

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
    match mechanism {
        "PLAIN" => {
            let message = format!("\0{}\0{}", sasl.username, sasl.password.reveal());
            authenticate(client, message.into_bytes()).await.map(drop)
        }
        _ => match mechanism.parse() {
            Ok(scram) => by_scram(client, sasl, scram).await,
            Err(_) => Err(refused(client, format!("sasl.mechanism={mechanism}: this client has PLAIN and SCRAM"))),
        },
    }
}

async fn by_scram(client: &mut Client, sasl: &SaslSettings, mechanism: ScramMechanism) -> Result<(), CallError> {
    let is_token = sasl.options.get("tokenauth").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let random: Vec<u8> = (0..3).flat_map(|_| SystemRng.next_u64().to_be_bytes()).collect();
    let nonce = base36::of_130_bits(&random);
    let (scram, first) = ScramClient::begin(mechanism, &sasl.username, sasl.password.reveal(), &nonce, is_token);
    let answer = authenticate(client, first.into_bytes()).await?;
    let (awaiting, last) = scram.proof(&answer).map_err(|error| refused(client, error.to_string()))?;
    let answer = authenticate(client, last.into_bytes()).await?;
    awaiting.verify(&answer).map_err(|_| refused(client, "the broker does not know the password itself".to_owned()))
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
