//! Finalized features change.

use crate::metadata::features::FeatureLevelRecord;
use crate::metadata::{MetadataImage, Record};

/// The records that bring these features to these levels; those that are there already need none.
pub(super) fn decide(image: &MetadataImage, levels: &[(String, i16)]) -> Vec<Record> {
    let present = |name: &str| image.features().find(|(feature, _)| *feature == name).map_or(0, |(_, level)| level);
    let changed = levels.iter().filter(|(name, level)| present(name) != *level);
    changed.map(|(name, level)| FeatureLevelRecord { name: name.clone(), level: *level }.into()).collect()
}
