//! The cluster's own identity, and a secret that all its nodes share.

use barnabas_storage::seam::Rng;

use super::codec::{DecodeError, Reader, Writer};
use super::image::MetadataImage;
use super::record::Body;

/// Names the cluster: the first record of every metadata log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterRecord {
    /// The cluster's id, as in meta.properties.
    pub cluster_id: String,
}

impl Body for ClusterRecord {
    fn encode(&self, out: &mut Writer) {
        out.text(&self.cluster_id);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { cluster_id: from.text()?.to_owned() })
    }
}

impl ClusterRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage) {
        image.cluster_id = self.cluster_id.as_str().into();
    }
}

/// Gives the cluster a secret: answers for users that do not exist are made with it, so that they are the same on every
/// node and after every restart. It opens nothing by itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ClusterSecretRecord {
    /// Random bytes.
    pub secret: Vec<u8>,
}

/// Bytes of a secret that is made.
pub const SECRET_BYTES: usize = 32;

/// The secret is not shown.
impl std::fmt::Debug for ClusterSecretRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterSecretRecord").finish_non_exhaustive()
    }
}

impl ClusterSecretRecord {
    /// A new secret.
    #[must_use]
    pub fn random(rng: &dyn Rng) -> Self {
        Self { secret: (0..SECRET_BYTES / 8).flat_map(|_| rng.next_u64().to_be_bytes()).collect() }
    }

    pub(super) fn apply(&self, image: &mut MetadataImage) {
        image.secret = self.secret.as_slice().into();
    }
}

impl Body for ClusterSecretRecord {
    fn encode(&self, out: &mut Writer) {
        out.bytes(&self.secret);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { secret: from.bytes()?.to_vec() })
    }
}
