//! The topics of a consumer's subscription, from the metadata that consumers put into JoinGroup. Only the part that all
//! versions of the consumer protocol share is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::primitive::{Reader, SchemaError};

/// The topics that a consumer's metadata names.
///
/// # Errors
/// When the metadata is not a consumer's.
pub fn subscribed_topics(metadata: &[u8]) -> Result<BTreeSet<Arc<str>>, SchemaError> {
    let mut reader = Reader::new(metadata);
    let version = reader.int16()?;
    if version < 0 {
        return Err(SchemaError::UnknownVersion(version));
    }
    (0..reader.array()?).map(|_| reader.text()).collect()
}
