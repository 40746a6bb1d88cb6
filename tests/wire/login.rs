//! The requests of a login, and SCRAM as a client computes it.

use barnabas_auth::ScramMechanism;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kafka_protocol::messages::alter_user_scram_credentials_request::ScramCredentialUpsertion;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;

use crate::client::Client;

pub(crate) const NONCE: &str = "c1ientNonce";

pub(crate) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub(crate) fn handshake(client: &mut Client, mechanism: &str, version: i16) -> i16 {
    client.ask(&SaslHandshakeRequest::default().with_mechanism(text(mechanism)), version).error_code
}

pub(crate) fn authenticate(client: &mut Client, token: &[u8]) -> SaslAuthenticateResponse {
    client.ask(&SaslAuthenticateRequest::default().with_auth_bytes(Bytes::copy_from_slice(token)), 2)
}

pub(crate) fn first(user: &str) -> String {
    format!("n,,n={user},r={NONCE}")
}

/// The client's last message, and what the server has to answer. `first` is the client's first message.
pub(crate) fn last(mechanism: ScramMechanism, first: &str, password: &str, challenge: &[u8]) -> (String, String) {
    let challenge = std::str::from_utf8(challenge).unwrap();
    let fields: Vec<&str> = challenge.split(',').map(|field| &field[2..]).collect();
    let without_proof = format!("c=biws,r={}", fields[0]);
    let salt = STANDARD.decode(fields[1]).unwrap();
    let salted = mechanism.salted_password(password, &salt, fields[2].parse().unwrap());
    let client_key = mechanism.hmac(&salted, b"Client Key");
    let signed = format!("{},{challenge},{without_proof}", first.strip_prefix("n,,").unwrap());
    let signature = mechanism.hmac(&mechanism.hash(&client_key), signed.as_bytes());
    let proof: Vec<u8> = client_key.iter().zip(signature).map(|(left, right)| left ^ right).collect();
    let expected = mechanism.hmac(&mechanism.hmac(&salted, b"Server Key"), signed.as_bytes());
    (format!("{without_proof},p={}", STANDARD.encode(proof)), format!("v={}", STANDARD.encode(expected)))
}

/// Logs in by SCRAM; the last answer.
pub(crate) fn scram(
    client: &mut Client,
    mechanism: ScramMechanism,
    user: &str,
    password: &str,
) -> SaslAuthenticateResponse {
    exchange(client, mechanism, &first(user), password)
}

/// As [`scram`], with a first message of one's own.
pub(crate) fn exchange(
    client: &mut Client,
    mechanism: ScramMechanism,
    first: &str,
    password: &str,
) -> SaslAuthenticateResponse {
    assert_eq!(handshake(client, mechanism.name(), 1), 0);
    let challenge = authenticate(client, first.as_bytes());
    assert_eq!(challenge.error_code, 0);
    let (token, expected) = last(mechanism, first, password, &challenge.auth_bytes);
    let answer = authenticate(client, token.as_bytes());
    if answer.error_code == 0 {
        assert_eq!(answer.auth_bytes, expected.as_bytes());
    }
    answer
}

/// What sets a user's password.
pub(crate) fn set(user: &str, mechanism: ScramMechanism, password: &str) -> ScramCredentialUpsertion {
    let salt = b"salt of the client".to_vec();
    ScramCredentialUpsertion::default()
        .with_name(text(user))
        .with_mechanism(mechanism.number())
        .with_iterations(4096)
        .with_salted_password(mechanism.salted_password(password, &salt, 4096).into())
        .with_salt(salt.into())
}
