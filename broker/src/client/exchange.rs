//! What a client says in a login by PLAIN or SCRAM, message by message. Pure: whoever has a connection carries the messages.

use barnabas_auth::base36;
use barnabas_auth::scram::{ScramClient, ScramMechanism};
use barnabas_storage::seam::{Rng, SystemRng};

use super::security::SaslSettings;

/// Looks at the broker's proof.
type Verification = Box<dyn FnOnce(&[u8]) -> Result<(), String> + Send>;

/// A login, with an answer of the broker awaited.
pub(crate) enum Exchange {
    /// Of PLAIN: nothing follows.
    Plain,
    /// Of SCRAM: the broker's salt and nonce.
    Proof(ScramClient),
    /// Of SCRAM: the broker's proof that it knows the password.
    Verify(Verification),
}

impl Exchange {
    /// Begins a login, with the first message.
    ///
    /// # Errors
    /// A mechanism that is neither.
    pub(crate) fn begin(sasl: &SaslSettings) -> Result<(Self, Vec<u8>), String> {
        let mechanism = sasl.mechanism.trim();
        if mechanism == "PLAIN" {
            return Ok((Self::Plain, format!("\0{}\0{}", sasl.username, sasl.password.reveal()).into_bytes()));
        }
        let scram: ScramMechanism =
            mechanism.parse().map_err(|_| format!("sasl.mechanism={mechanism}: this client has PLAIN and SCRAM"))?;
        let is_token = sasl.options.get("tokenauth").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let random: Vec<u8> = (0..3).flat_map(|_| SystemRng.next_u64().to_be_bytes()).collect();
        let nonce = base36::of_130_bits(&random);
        let (client, first) = ScramClient::begin(scram, &sasl.username, sasl.password.reveal(), &nonce, is_token);
        Ok((Self::Proof(client), first.into_bytes()))
    }

    /// What follows the broker's answer; nothing when the login is complete.
    ///
    /// # Errors
    /// The broker's answer makes no sense, or does not prove that it knows the password.
    pub(crate) fn next(self, answer: &[u8]) -> Result<Option<(Self, Vec<u8>)>, String> {
        match self {
            Self::Plain => Ok(None),
            Self::Proof(client) => {
                let (awaiting, last) = client.proof(answer).map_err(|error| error.to_string())?;
                let unknown = |_| "the broker does not know the password itself".to_owned();
                let verify = move |answer: &[u8]| awaiting.verify(answer).map_err(unknown);
                Ok(Some((Self::Verify(Box::new(verify)), last.into_bytes())))
            }
            Self::Verify(verify) => verify(answer).map(|()| None),
        }
    }
}
