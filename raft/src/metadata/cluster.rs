//! The cluster's own identity.

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
