//! The client's side of SCRAM: two messages, and a look at whether the server knows the password too.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{ITERATIONS_MIN, ScramError, ScramMechanism};

/// A server that asks for more rounds than this is not served: each costs us time.
const ITERATIONS_ACCEPTED: u32 = 1_000_000;

/// A login that was begun.
pub struct ScramClient {
    mechanism: ScramMechanism,
    password: String,
    nonce: String,
    bare: String,
}

/// A login whose proof was made.
pub struct AwaitingServer {
    mechanism: ScramMechanism,
    server_key: Vec<u8>,
    auth_message: String,
}

impl ScramClient {
    /// Begins; gives the first message. `nonce` is random and printable, without commas. `is_token` says that the name is a
    /// delegation token's.
    #[must_use]
    pub fn begin(mechanism: ScramMechanism, user: &str, password: &str, nonce: &str, is_token: bool) -> (Self, String) {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let extension = if is_token { ",tokenauth=true" } else { "" };
        let bare = format!("n={user},r={nonce}{extension}");
        let first = format!("n,,{bare}");
        (Self { mechanism, password: password.to_owned(), nonce: nonce.to_owned(), bare }, first)
    }

    /// Takes the server's first message; gives our second one.
    ///
    /// # Errors
    /// [`ScramError::Malformed`], and [`ScramError::Nonce`] for a nonce that does not begin with ours.
    pub fn proof(self, server_first: &[u8]) -> Result<(AwaitingServer, String), ScramError> {
        let server_first = std::str::from_utf8(server_first).map_err(|_| ScramError::Malformed)?;
        let mut fields = server_first.split(',');
        let mut field =
            |prefix: &str| fields.next().and_then(|field| field.strip_prefix(prefix)).ok_or(ScramError::Malformed);
        let (nonce, salt, iterations) = (field("r=")?, field("s=")?, field("i=")?);
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(ScramError::Nonce);
        }
        let salt = STANDARD.decode(salt).map_err(|_| ScramError::Malformed)?;
        let iterations: u32 = iterations.parse().map_err(|_| ScramError::Malformed)?;
        if !(ITERATIONS_MIN..=ITERATIONS_ACCEPTED).contains(&iterations) {
            return Err(ScramError::Malformed);
        }
        let mechanism = self.mechanism;
        let salted = mechanism.salted_password(&self.password, &salt, iterations);
        let client_key = mechanism.hmac(&salted, b"Client Key");
        // "biws" is the header `n,,`: no channel binding, as everywhere in Kafka.
        let without_proof = format!("c=biws,r={nonce}");
        let auth_message = format!("{},{server_first},{without_proof}", self.bare);
        let signature = mechanism.hmac(&mechanism.hash(&client_key), auth_message.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, signed)| key ^ signed).collect();
        let last = format!("{without_proof},p={}", STANDARD.encode(proof));
        let server_key = mechanism.hmac(&salted, b"Server Key");
        Ok((AwaitingServer { mechanism, server_key, auth_message }, last))
    }
}

impl AwaitingServer {
    /// Takes the server's last message: it has to know the password, too.
    ///
    /// # Errors
    /// [`ScramError::Credentials`] when it does not.
    pub fn verify(&self, server_final: &[u8]) -> Result<(), ScramError> {
        let signature = self.mechanism.hmac(&self.server_key, self.auth_message.as_bytes());
        let expected = format!("v={}", STANDARD.encode(signature));
        if server_final == expected.as_bytes() { Ok(()) } else { Err(ScramError::Credentials) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7677_comes_out_byte_for_byte() {
        let (client, first) =
            ScramClient::begin(ScramMechanism::Sha256, "user", "pencil", "rOprNGfwEbeRWgbNEkqO", false);
        assert_eq!(first, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let server = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let (awaiting, last) = client.proof(server).unwrap();
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        assert_eq!(last, format!("c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
        assert_eq!(awaiting.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), Ok(()));
        assert_eq!(awaiting.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5="), Err(ScramError::Credentials));
    }

    #[test]
    fn a_server_that_answers_another_nonce_or_asks_for_no_work_is_refused() {
        let begin = || ScramClient::begin(ScramMechanism::Sha512, "a,b=c", "p", "nonce", true);
        assert_eq!(begin().1, "n,,n=a=2Cb=3Dc,r=nonce,tokenauth=true");
        for server in
            ["r=other,s=AA==,i=4096", "r=nonce,s=AA==,i=4096", "r=nonce1,s=AA==,i=1", "r=nonce1,s=A,i=4096", "e=x", ""]
        {
            assert!(begin().0.proof(server.as_bytes()).is_err(), "{server}");
        }
    }
}
