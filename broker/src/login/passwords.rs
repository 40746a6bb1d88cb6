//! PLAIN: passwords are checked against SCRAM's store and the listener's own users. That takes a salting, milliseconds:
//! a bounded number at a time, off the async workers, and a right password is known again for a while.
//!
//! Invariants:
//! 1. Whoever asks, one salting is done, with a decoy's salt for those who have none: neither store shows who exists.
//! 2. What is kept of a right password is a keyed hash, and counts only while the user's credential is the same.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use barnabas_auth::sasl::plain::PlainMessage;
use barnabas_auth::sasl::{OTHER_AUTHORIZATION_ID, Refusal};
use barnabas_auth::scram::Decoys;
use barnabas_auth::{ScramCredential, ScramMechanism};
use barnabas_raft::MetadataImage;
use barnabas_storage::seam::{Clock, Seams};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::settings::ListenerLogins;
use crate::limits::{PASSWORD_CHECKS_MAX, PASSWORDS_KEPT_FOR, PASSWORDS_KEPT_MAX};
use crate::seam::Tasks;

/// What Kafka says of a wrong password and of an unknown user alike.
const WRONG: Refusal = Refusal::Said("Authentication failed: Invalid username or password");

/// Checks passwords.
pub(super) struct Passwords {
    tasks: Tasks,
    clock: Arc<dyn Clock>,
    checks: Semaphore,
    key: Vec<u8>,
    kept: Mutex<HashMap<Vec<u8>, Kept>>,
}

/// A password that was right.
struct Kept {
    credential: Arc<ScramCredential>,
    until: Duration,
}

impl Passwords {
    pub(super) fn new(seams: &Seams, tasks: Tasks) -> Self {
        Self {
            tasks,
            clock: Arc::clone(&seams.clock),
            checks: Semaphore::new(PASSWORD_CHECKS_MAX),
            key: (0..4).flat_map(|_| seams.rng.next_u64().to_be_bytes()).collect(),
            kept: Mutex::default(),
        }
    }

    /// Checks what a message says; returns the user.
    pub(super) async fn check(
        &self,
        listener: &ListenerLogins,
        image: &MetadataImage,
        decoys: &Decoys,
        message: PlainMessage,
    ) -> Result<String, Refusal> {
        let (mechanism, credential, is_stored) = salted_by(image, decoys, &message.user);
        let of_listener =
            listener.password(&message.user).is_some_and(|password| self.same(password, &message.password));
        let of_store = self.is_right(mechanism, credential, &message).await && is_stored;
        if !(of_listener || of_store) {
            return Err(WRONG);
        }
        if message.is_for_another() {
            return Err(Refusal::Said(OTHER_AUTHORIZATION_ID));
        }
        Ok(message.user)
    }

    /// Compares without telling where the difference is: keyed hashes have nothing to guess at.
    fn same(&self, left: &str, right: &str) -> bool {
        let hash = |text: &str| ScramMechanism::Sha256.hmac(&self.key, text.as_bytes());
        hash(left) == hash(right)
    }

    async fn is_right(
        &self,
        mechanism: ScramMechanism,
        credential: Arc<ScramCredential>,
        message: &PlainMessage,
    ) -> bool {
        let said = [message.user.as_bytes(), &[0], message.password.as_bytes()].concat();
        let name = ScramMechanism::Sha256.hmac(&self.key, &said);
        let now = self.clock.monotonic();
        if self.kept.lock().get(&name).is_some_and(|kept| now < kept.until && kept.credential == credential) {
            return true;
        }
        let Ok(_turn) = self.checks.acquire().await else { return false };
        let (salted, password) = (Arc::clone(&credential), message.password.clone());
        let is_right = self.tasks.blocking(move || salted.is_of_password(mechanism, &password)).await;
        if is_right {
            let mut kept = self.kept.lock();
            if kept.len() >= PASSWORDS_KEPT_MAX {
                kept.clear();
            }
            kept.insert(name, Kept { credential, until: now + PASSWORDS_KEPT_FOR });
        }
        is_right
    }
}

/// What a password is salted by: the user's credential, by preference that of SHA-256, which decoys have; and whether it is the
/// user's. A user whose only credential is of SHA-512 takes longer than a decoy: that is hidden by the delay of a failure.
fn salted_by(image: &MetadataImage, decoys: &Decoys, user: &str) -> (ScramMechanism, Arc<ScramCredential>, bool) {
    // For everyone, so that it takes no longer for those who need one.
    let decoy = decoys.credential(ScramMechanism::Sha256, user);
    match image.scram_credentials(user).and_then(|user| user.iter().next()) {
        Some((mechanism, credential)) => (mechanism, Arc::clone(credential), true),
        None => (ScramMechanism::Sha256, Arc::new(decoy), false),
    }
}

#[cfg(test)]
mod tests {
    use barnabas_raft::metadata::scram::UserScramCredentialRecord;
    use barnabas_raft::metadata::{Entry, Touched};
    use barnabas_storage::Timestamp;

    use super::*;

    #[test]
    fn passwords_of_known_and_unknown_users_are_salted_alike() {
        let record = |mechanism: ScramMechanism| {
            let hash = vec![1; mechanism.hash_bytes()];
            let salt = b"0123456789abcdefghijklmno".to_vec();
            let credential = ScramCredential { salt, stored_key: hash.clone(), server_key: hash, iterations: 4096 };
            UserScramCredentialRecord { user: "alice".to_owned(), mechanism, credential }.into()
        };
        let mut image = MetadataImage::default();
        let records = ScramMechanism::ALL.into_iter().rev().map(record).collect();
        image.apply(1, &Entry { timestamp: Timestamp(0), records }, &mut Touched::default());
        let decoys = Decoys::new(vec![7; 32], 4096);
        let work = |user: &str| {
            let (mechanism, credential, is_stored) = salted_by(&image, &decoys, user);
            (mechanism, credential.iterations, credential.stored_key.len(), is_stored)
        };
        assert_eq!(work("alice"), (ScramMechanism::Sha256, 4096, 32, true));
        assert_eq!(work("nobody"), (ScramMechanism::Sha256, 4096, 32, false));
    }
}
