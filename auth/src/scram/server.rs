//! The server's side of one exchange: two messages in, two out.
//!
//! Invariants:
//! 1. A user that does not exist, or has no credential for this mechanism, is answered with a decoy's credential: the
//!    same messages of the same length, the same work, and a failure at the same place.
//! 2. A login is given only after the proof was checked in constant time. After a failure the exchange is over.
//! 3. What is signed is what was received, byte for byte.
//!
//! Where it differs from Apache Kafka: the first message of an unknown user gets a challenge. A last message whose nonce
//! has the client's nonce twice, as librdkafka before 2.6.1 sends it, is taken unless `scram.strict.nonce` says
//! otherwise: Kafka 4.0 refuses it. The proof covers the nonce that was sent, so that nothing is weaker for it.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use super::message::{ClientFinal, ClientFirst};
use super::{ScramCredential, ScramError, ScramMechanism};
use crate::sasl::Login;

/// What the store says of a name.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The credential to answer with: a decoy's when there is none.
    pub credential: Arc<ScramCredential>,
    /// Who logs in with it; nobody can with a decoy.
    pub login: Option<Login>,
}

/// One exchange.
#[derive(Debug)]
pub struct ScramServer {
    mechanism: ScramMechanism,
    is_nonce_strict: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    First { server_nonce: String },
    Final(Box<Challenged>),
    Over,
}

#[derive(Debug)]
struct Challenged {
    /// The client's nonce and the server's.
    nonce: String,
    client_first_bare: String,
    server_first: String,
    candidate: Candidate,
}

impl ScramServer {
    /// An exchange. `server_nonce` is printable, without commas, and as good as random: 128 bits or more.
    #[must_use]
    pub fn new(mechanism: ScramMechanism, server_nonce: String, is_nonce_strict: bool) -> Self {
        Self { mechanism, is_nonce_strict, state: State::First { server_nonce } }
    }

    /// The mechanism.
    #[must_use]
    pub fn mechanism(&self) -> ScramMechanism {
        self.mechanism
    }

    /// Takes the client's first message; `find` says what is known of its user. Returns the challenge.
    ///
    /// # Errors
    /// `Malformed`, `AuthorizationId`, `Over`.
    pub fn challenge(
        &mut self,
        message: &[u8],
        find: impl FnOnce(&ClientFirst) -> Candidate,
    ) -> Result<Vec<u8>, ScramError> {
        let State::First { server_nonce } = std::mem::replace(&mut self.state, State::Over) else {
            return Err(ScramError::Over);
        };
        let first = ClientFirst::read(message)?;
        let candidate = find(&first);
        let nonce = first.nonce + &server_nonce;
        let salt = STANDARD.encode(&candidate.credential.salt);
        let server_first = format!("r={nonce},s={salt},i={}", candidate.credential.iterations);
        let answer = server_first.clone().into_bytes();
        let client_first_bare = first.bare;
        self.state = State::Final(Box::new(Challenged { nonce, client_first_bare, server_first, candidate }));
        Ok(answer)
    }

    /// Whether the challenge is out.
    #[must_use]
    pub fn is_challenged(&self) -> bool {
        matches!(self.state, State::Final(_))
    }

    /// Takes the client's last message. Returns ours, and who has logged in.
    ///
    /// # Errors
    /// `Malformed`, `Nonce`, `Credentials`, `Over`.
    pub fn finish(&mut self, message: &[u8]) -> Result<(Vec<u8>, Login), ScramError> {
        let State::Final(challenged) = std::mem::replace(&mut self.state, State::Over) else {
            return Err(ScramError::Over);
        };
        let last = ClientFinal::read(message)?;
        if !self.is_nonce(&last.nonce, &challenged.nonce) {
            return Err(ScramError::Nonce);
        }
        let credential = &challenged.candidate.credential;
        let signed = [&*challenged.client_first_bare, &*challenged.server_first, &*last.without_proof].join(",");
        let is_proven = self.is_proven(credential, signed.as_bytes(), &last.proof);
        let signature = self.mechanism.hmac(&credential.server_key, signed.as_bytes());
        let answer = format!("v={}", STANDARD.encode(signature)).into_bytes();
        match challenged.candidate.login {
            Some(login) if is_proven => Ok((answer, login)),
            Some(_) | None => Err(ScramError::Credentials),
        }
    }

    fn is_nonce(&self, sent: &str, expected: &str) -> bool {
        if self.is_nonce_strict { sent == expected } else { sent.ends_with(expected) }
    }

    /// H(proof xor HMAC(StoredKey, what is signed)) = StoredKey.
    fn is_proven(&self, credential: &ScramCredential, signed: &[u8], proof: &[u8]) -> bool {
        let signature = self.mechanism.hmac(&credential.stored_key, signed);
        if proof.len() != signature.len() {
            return false;
        }
        let client_key: Vec<u8> = proof.iter().zip(&signature).map(|(left, right)| left ^ right).collect();
        self.mechanism.hash(&client_key).ct_eq(&credential.stored_key).into()
    }
}

#[cfg(test)]
mod tests;
