//! SCRAM credentials of users.

use std::sync::Arc;

use barnabas_auth::{ScramCredential, ScramMechanism};

use super::codec::{DecodeError, Reader, Writer};
use super::image::MetadataImage;
use super::record::Body;

/// The credentials of one user, by mechanism; at least one is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserScramCredentials {
    sha256: Option<Arc<ScramCredential>>,
    sha512: Option<Arc<ScramCredential>>,
}

impl UserScramCredentials {
    /// The credential for a mechanism.
    #[must_use]
    pub fn get(&self, mechanism: ScramMechanism) -> Option<&Arc<ScramCredential>> {
        match mechanism {
            ScramMechanism::Sha256 => self.sha256.as_ref(),
            ScramMechanism::Sha512 => self.sha512.as_ref(),
        }
    }

    /// Every credential, in the order of the mechanisms' numbers.
    pub fn iter(&self) -> impl Iterator<Item = (ScramMechanism, &Arc<ScramCredential>)> {
        ScramMechanism::ALL.into_iter().filter_map(|mechanism| Some((mechanism, self.get(mechanism)?)))
    }

    fn slot(&mut self, mechanism: ScramMechanism) -> &mut Option<Arc<ScramCredential>> {
        match mechanism {
            ScramMechanism::Sha256 => &mut self.sha256,
            ScramMechanism::Sha512 => &mut self.sha512,
        }
    }
}

/// Sets a user's credential for one mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserScramCredentialRecord {
    /// The user.
    pub user: String,
    /// For which mechanism.
    pub mechanism: ScramMechanism,
    /// What is kept of the password.
    pub credential: ScramCredential,
}

/// Removes a user's credential for one mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveUserScramCredentialRecord {
    /// The user.
    pub user: String,
    /// For which mechanism.
    pub mechanism: ScramMechanism,
}

fn read_mechanism(from: &mut Reader<'_>) -> Result<ScramMechanism, DecodeError> {
    let number = i8::try_from(from.byte()?).map_err(|_| DecodeError::Range)?;
    ScramMechanism::of_number(number).ok_or(DecodeError::Range)
}

impl Body for UserScramCredentialRecord {
    fn encode(&self, out: &mut Writer) {
        out.text(&self.user);
        out.byte(self.mechanism.number().cast_unsigned());
        out.bytes(&self.credential.salt);
        out.bytes(&self.credential.stored_key);
        out.bytes(&self.credential.server_key);
        out.unsigned(u64::from(self.credential.iterations));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            user: from.text()?.to_owned(),
            mechanism: read_mechanism(from)?,
            credential: ScramCredential {
                salt: from.bytes()?.to_vec(),
                stored_key: from.bytes()?.to_vec(),
                server_key: from.bytes()?.to_vec(),
                iterations: u32::try_from(from.unsigned()?).map_err(|_| DecodeError::Range)?,
            },
        })
    }
}

impl UserScramCredentialRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage) {
        let mut user = image.scram_credentials(&self.user).cloned().unwrap_or_default();
        *user.slot(self.mechanism) = Some(Arc::new(self.credential.clone()));
        image.scram.insert_mut(self.user.as_str().into(), user);
    }
}

impl Body for RemoveUserScramCredentialRecord {
    fn encode(&self, out: &mut Writer) {
        out.text(&self.user);
        out.byte(self.mechanism.number().cast_unsigned());
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { user: from.text()?.to_owned(), mechanism: read_mechanism(from)? })
    }
}

impl RemoveUserScramCredentialRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage) {
        let Some(mut user) = image.scram_credentials(&self.user).cloned() else { return };
        *user.slot(self.mechanism) = None;
        if user.iter().next().is_none() {
            image.scram.remove_mut(self.user.as_str());
        } else {
            image.scram.insert_mut(self.user.as_str().into(), user);
        }
    }
}

/// The records of every user, in the order of their names: a snapshot has one form.
pub(super) fn records(image: &MetadataImage) -> impl Iterator<Item = UserScramCredentialRecord> {
    image.users_with_scram().into_iter().flat_map(|(user, credentials)| {
        credentials.iter().map(move |(mechanism, credential)| UserScramCredentialRecord {
            user: user.to_string(),
            mechanism,
            credential: ScramCredential::clone(credential),
        })
    })
}
