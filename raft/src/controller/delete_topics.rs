//! Topics are deleted.

use std::collections::BTreeSet;

use barnabas_storage::TopicId;

use crate::error::DeleteTopicError;
use crate::metadata::topics::RemoveTopicRecord;
use crate::metadata::{MetadataImage, Record};

/// The removals, and what became of each topic, in the order of the request.
pub(super) fn decide(image: &MetadataImage, topics: &[TopicId]) -> (Vec<Record>, Vec<Result<(), DeleteTopicError>>) {
    let (mut records, mut gone) = (Vec::new(), BTreeSet::new());
    let outcomes = topics.iter().map(|id| {
        if image.topic_by_id(*id).is_none() || !gone.insert(*id) {
            return Err(DeleteTopicError::UnknownId(*id));
        }
        records.push(RemoveTopicRecord { id: *id }.into());
        Ok(())
    });
    let outcomes = outcomes.collect();
    (records, outcomes)
}
