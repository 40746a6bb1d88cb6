//! Finalized features (KIP-584): which behaviours the whole cluster has agreed on.

use super::codec::{DecodeError, Reader, Writer};
use super::image::MetadataImage;
use super::record::Body;

/// The feature that says which metadata records a cluster may use.
pub const METADATA_VERSION: &str = "metadata.version";
/// Its level in a new cluster: 4.3-IV0.
pub const METADATA_VERSION_BOOTSTRAP: i16 = 30;

/// Sets the finalized level of a feature; level 0 removes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureLevelRecord {
    /// Kafka's name, e.g. `metadata.version`.
    pub name: String,
    /// The level.
    pub level: i16,
}

impl Body for FeatureLevelRecord {
    fn encode(&self, out: &mut Writer) {
        out.text(&self.name);
        out.signed(i64::from(self.level));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = from.text()?.to_owned();
        let level = i16::try_from(from.signed()?).map_err(|_| DecodeError::Range)?;
        Ok(Self { name, level })
    }
}

impl FeatureLevelRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage) {
        if self.level == 0 {
            image.features.remove_mut(self.name.as_str());
        } else {
            image.features.insert_mut(self.name.as_str().into(), self.level);
        }
    }
}
