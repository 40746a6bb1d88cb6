//! Credentials for users that do not exist: who asks for one is answered as if it did, always with the same salt and the
//! usual rounds, and fails at the end as with a wrong password. So nobody learns by trying who exists.

use std::fmt;

use super::{ScramCredential, ScramMechanism};
use crate::base36;

/// Makes decoys. The same secret makes the same ones, on every node and after every restart.
#[derive(Clone)]
pub struct Decoys {
    secret: Vec<u8>,
    iterations: u32,
}

/// The secret is not shown.
impl fmt::Debug for Decoys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoys").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

impl Decoys {
    /// From the cluster's secret, with the rounds that most users have.
    #[must_use]
    pub fn new(secret: Vec<u8>, iterations: u32) -> Self {
        Self { secret, iterations }
    }

    /// What a user of this name would have. Its salt looks like one of Kafka's tools: some 130 bits in base 36.
    #[must_use]
    pub fn credential(&self, mechanism: ScramMechanism, user: &str) -> ScramCredential {
        let named = |what: &str| {
            let message = [what.as_bytes(), &[0], mechanism.name().as_bytes(), &[0], user.as_bytes()].concat();
            mechanism.hmac(&self.secret, &message)
        };
        let salt = base36::of_130_bits(&named("salt"));
        ScramCredential {
            salt: salt.into_bytes(),
            stored_key: named("stored key"),
            server_key: named("server key"),
            iterations: self.iterations,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoy_is_always_the_same_and_differs_by_user_mechanism_and_cluster() {
        let decoys = Decoys::new(vec![1; 32], 4096);
        let first = decoys.credential(ScramMechanism::Sha256, "alice");
        assert_eq!(first, Decoys::new(vec![1; 32], 4096).credential(ScramMechanism::Sha256, "alice"));
        assert_ne!(first.salt, decoys.credential(ScramMechanism::Sha256, "bob").salt);
        assert_ne!(first.salt, decoys.credential(ScramMechanism::Sha512, "alice").salt);
        assert_ne!(first.salt, Decoys::new(vec![2; 32], 4096).credential(ScramMechanism::Sha256, "alice").salt);
        assert_eq!(first.stored_key.len(), 32);
    }

    #[test]
    fn a_decoys_salt_looks_like_one_of_kafkas_tools() {
        let decoys = Decoys::new(vec![1; 32], 4096);
        for user in 0..200 {
            let salt = decoys.credential(ScramMechanism::Sha512, &user.to_string()).salt;
            assert!((20..=26).contains(&salt.len()), "{}", salt.len());
            assert!(salt.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()));
        }
    }
}
