//! What is kept of a user's password: enough to check a proof of it, not enough to log in.

use std::fmt;

use subtle::ConstantTimeEq;

use super::ScramMechanism;

/// A user's credential for one mechanism.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramCredential {
    /// The salt.
    pub salt: Vec<u8>,
    /// H(ClientKey): the client's proof is checked with it.
    pub stored_key: Vec<u8>,
    /// Signs the server's last message.
    pub server_key: Vec<u8>,
    /// Rounds of the salting.
    pub iterations: u32,
}

/// Neither salt nor keys are shown.
impl fmt::Debug for ScramCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramCredential").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

impl ScramCredential {
    /// From a salted password, which is as good as the password and is not kept.
    #[must_use]
    pub fn of_salted_password(
        mechanism: ScramMechanism,
        salted_password: &[u8],
        salt: Vec<u8>,
        iterations: u32,
    ) -> Self {
        let client_key = mechanism.hmac(salted_password, b"Client Key");
        let server_key = mechanism.hmac(salted_password, b"Server Key");
        Self { salt, stored_key: mechanism.hash(&client_key), server_key, iterations }
    }

    /// From a password. Takes milliseconds: not for an async worker.
    #[must_use]
    pub fn of_password(mechanism: ScramMechanism, password: &str, salt: Vec<u8>, iterations: u32) -> Self {
        let salted = mechanism.salted_password(password, &salt, iterations);
        Self::of_salted_password(mechanism, &salted, salt, iterations)
    }

    /// Whether this is the password. Takes milliseconds, the same for a right and a wrong one.
    #[must_use]
    pub fn is_of_password(&self, mechanism: ScramMechanism, password: &str) -> bool {
        let salted = mechanism.salted_password(password, &self.salt, self.iterations);
        let stored_key = mechanism.hash(&mechanism.hmac(&salted, b"Client Key"));
        stored_key.ct_eq(&self.stored_key).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_others_are_not() {
        for mechanism in ScramMechanism::ALL {
            let credential = ScramCredential::of_password(mechanism, "pencil", b"salt".to_vec(), 4096);
            assert!(credential.is_of_password(mechanism, "pencil"));
            assert!(!credential.is_of_password(mechanism, "Pencil"));
            assert!(!credential.is_of_password(mechanism, ""));
        }
    }

    #[test]
    fn nothing_of_a_credential_is_shown_but_its_rounds() {
        let credential =
            ScramCredential { salt: vec![77; 4], stored_key: vec![78; 4], server_key: vec![79; 4], iterations: 4096 };
        assert_eq!(format!("{credential:?}"), "ScramCredential { iterations: 4096, .. }");
    }
}
