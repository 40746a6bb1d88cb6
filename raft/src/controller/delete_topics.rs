//! Topics are deleted.

use std::collections::BTreeSet;

use barnabas_storage::TopicId;

use crate::error::DeleteTopicError;
use crate::metadata::topics::RemoveTopicRecord;
use crate::metadata::{MetadataImage, Record};

/// The topic's setting that keeps it from being deleted.
const PROTECTION: &str = "barnabas.delete.protection";

/// The removals, and what became of each topic, in the order of the request.
pub(super) fn decide(image: &MetadataImage, topics: &[TopicId]) -> (Vec<Record>, Vec<Result<(), DeleteTopicError>>) {
    let (mut records, mut gone) = (Vec::new(), BTreeSet::new());
    let outcomes = topics.iter().map(|id| {
        let Some(topic) = image.topic_by_id(*id).filter(|_| !gone.contains(id)) else {
            return Err(DeleteTopicError::UnknownId(*id));
        };
        if topic.configs.get(PROTECTION).is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
            return Err(DeleteTopicError::Protected(topic.name.to_string()));
        }
        gone.insert(*id);
        records.push(RemoveTopicRecord { id: *id }.into());
        Ok(())
    });
    let outcomes = outcomes.collect();
    (records, outcomes)
}
