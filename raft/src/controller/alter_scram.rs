//! SCRAM credentials are set and removed, in Kafka's order of checks.
//!
//! Where it differs from Apache Kafka: a user may be altered once for each mechanism in one request, as KIP-554 says;
//! Kafka's controller takes the second mechanism for a duplicate, so that the documented call that sets both fails.
//! Names and salts have a greatest length.

use std::collections::{BTreeMap, BTreeSet};

use barnabas_auth::scram::{ITERATIONS_MAX, ITERATIONS_MIN};
use barnabas_auth::{ScramCredential, ScramMechanism};

use super::actor::RECORDS_PER_ENTRY;
use crate::error::AlterScramError;
use crate::metadata::scram::{RemoveUserScramCredentialRecord, UserScramCredentialRecord};
use crate::metadata::{MetadataImage, Record};

/// Longest name of a user, in bytes.
const USER_BYTES_MAX: usize = 1024;
/// Longest salt, in bytes.
const SALT_BYTES_MAX: usize = 1024;

/// One change of a user's credential, as it was asked for.
#[derive(Clone, Debug)]
pub struct ScramAlteration {
    /// The user.
    pub user: String,
    /// For which mechanism; `None` is one that is not known.
    pub mechanism: Option<ScramMechanism>,
    /// The new credential; `None` removes it.
    pub credential: Option<ScramCredential>,
}

/// What became of each user, in the order in which they were first named. A user is altered as a whole or not at all.
pub type AlteredUsers = Vec<(String, Result<(), AlterScramError>)>;

/// The records, and what became of each user. Removals are judged before new credentials, whatever their order.
pub(super) fn decide(image: &MetadataImage, alterations: Vec<ScramAlteration>) -> (Vec<Record>, AlteredUsers) {
    let mut outcomes: AlteredUsers = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen: BTreeSet<(String, Option<ScramMechanism>)> = BTreeSet::new();
    let mut accepted: Vec<(usize, Record)> = Vec::new();
    let (removals, sets): (Vec<_>, Vec<_>) = alterations.into_iter().partition(|one| one.credential.is_none());
    for alteration in removals.into_iter().chain(sets) {
        let user = alteration.user.clone();
        let place = *places.entry(user.clone()).or_insert_with(|| {
            outcomes.push((user.clone(), Ok(())));
            outcomes.len() - 1
        });
        let Some((_, outcome @ Ok(()))) = outcomes.get_mut(place) else { continue };
        if !seen.insert((user, alteration.mechanism)) {
            *outcome = Err(AlterScramError::Duplicate);
            continue;
        }
        match decide_one(image, alteration) {
            Ok(record) if accepted.len() < RECORDS_PER_ENTRY => accepted.push((place, record)),
            Ok(_) => *outcome = Err(AlterScramError::TooLarge),
            Err(error) => *outcome = Err(error),
        }
    }
    let is_good = |place: &usize| outcomes.get(*place).is_some_and(|(_, outcome)| outcome.is_ok());
    let records = accepted.into_iter().filter(|(place, _)| is_good(place)).map(|(_, record)| record).collect();
    (records, outcomes)
}

fn decide_one(image: &MetadataImage, alteration: ScramAlteration) -> Result<Record, AlterScramError> {
    let ScramAlteration { user, mechanism, credential } = alteration;
    if user.is_empty() {
        return Err(AlterScramError::EmptyName);
    }
    let mechanism = mechanism.ok_or(AlterScramError::UnknownMechanism)?;
    let Some(credential) = credential else {
        let existing = image.scram_credentials(&user).and_then(|user| user.get(mechanism));
        existing.ok_or(AlterScramError::NotFound)?;
        return Ok(RemoveUserScramCredentialRecord { user, mechanism }.into());
    };
    if credential.iterations < ITERATIONS_MIN {
        return Err(AlterScramError::TooFewIterations);
    }
    if credential.iterations > ITERATIONS_MAX {
        return Err(AlterScramError::TooManyIterations);
    }
    if user.len() > USER_BYTES_MAX || credential.salt.len() > SALT_BYTES_MAX {
        return Err(AlterScramError::TooLong);
    }
    Ok(UserScramCredentialRecord { user, mechanism, credential }.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Entry, Touched};
    use barnabas_storage::Timestamp;

    const SHA256: ScramMechanism = ScramMechanism::Sha256;
    const SHA512: ScramMechanism = ScramMechanism::Sha512;

    fn set(user: &str, mechanism: ScramMechanism, iterations: u32) -> ScramAlteration {
        let credential = ScramCredential { salt: vec![1], stored_key: vec![2], server_key: vec![3], iterations };
        ScramAlteration { user: user.to_owned(), mechanism: Some(mechanism), credential: Some(credential) }
    }

    fn remove(user: &str, mechanism: ScramMechanism) -> ScramAlteration {
        ScramAlteration { user: user.to_owned(), mechanism: Some(mechanism), credential: None }
    }

    fn image(of: Vec<ScramAlteration>) -> MetadataImage {
        let mut image = MetadataImage::default();
        let (records, _) = decide(&image, of);
        image.apply(1, &Entry { timestamp: Timestamp(0), records }, &mut Touched::default());
        image
    }

    fn outcomes(image: &MetadataImage, of: Vec<ScramAlteration>) -> (usize, Vec<Option<AlterScramError>>) {
        let (records, outcomes) = decide(image, of);
        (records.len(), outcomes.into_iter().map(|(_, outcome)| outcome.err()).collect())
    }

    #[test]
    fn both_mechanisms_of_a_user_are_set_in_one_request() {
        let image = image(vec![set("a", SHA256, 4096), set("a", SHA512, 4096)]);
        assert_eq!(image.scram_credentials("a").unwrap().iter().count(), 2);
    }

    #[test]
    fn a_mechanism_twice_is_a_duplicate_and_nothing_of_the_user_is_changed() {
        let empty = MetadataImage::default();
        let twice =
            vec![set("a", SHA256, 4096), set("a", SHA512, 4096), set("a", SHA256, 5000), set("b", SHA256, 4096)];
        assert_eq!(outcomes(&empty, twice), (1, vec![Some(AlterScramError::Duplicate), None]));
        let image = image(vec![set("a", SHA256, 4096)]);
        let both = vec![set("a", SHA256, 4096), remove("a", SHA256)];
        assert_eq!(outcomes(&image, both), (0, vec![Some(AlterScramError::Duplicate)]));
    }

    #[test]
    fn what_cannot_be_is_refused_with_kafkas_words() {
        let empty = MetadataImage::default();
        let refusal = |of: ScramAlteration| outcomes(&empty, vec![of]).1.remove(0).unwrap();
        assert_eq!(refusal(set("", SHA256, 4096)).to_string(), "Username must not be empty");
        assert_eq!(refusal(set("a", SHA256, 4095)).to_string(), "Too few iterations");
        assert_eq!(refusal(set("a", SHA256, 16_385)).to_string(), "Too many iterations");
        let unknown = ScramAlteration { mechanism: None, ..set("a", SHA256, 4096) };
        assert_eq!(refusal(unknown).to_string(), "Unknown SCRAM mechanism");
        let absent = refusal(remove("a", SHA256));
        assert_eq!(absent.to_string(), "Attempt to delete a user credential that does not exist");
        assert_eq!(refusal(set(&"a".repeat(2000), SHA256, 4096)), AlterScramError::TooLong);
    }

    #[test]
    fn a_removed_credential_is_gone_and_the_other_stays() {
        let mut image = image(vec![set("a", SHA256, 4096), set("a", SHA512, 4096)]);
        for (mechanism, left) in [(SHA256, 1), (SHA512, 0)] {
            let (records, _) = decide(&image, vec![remove("a", mechanism)]);
            image.apply(2, &Entry { timestamp: Timestamp(0), records }, &mut Touched::default());
            assert_eq!(image.scram_credentials("a").map_or(0, |user| user.iter().count()), left);
        }
        assert!(image.users_with_scram().is_empty());
    }
}
