//! Topics are deleted.

use std::collections::BTreeSet;

use barnabas_storage::{Timestamp, TopicId};

use crate::error::DeleteTopicError;
use crate::metadata::kept_topics::KeepTopicRecord;
use crate::metadata::topics::RemoveTopicRecord;
use crate::metadata::{MetadataImage, Record};

/// Deleted topics that may be kept at once: each takes its place in the image and in every snapshot.
const KEPT_TOPICS_MAX: usize = 10_000;

/// A topic to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicDeletion {
    /// Which topic.
    pub id: TopicId,
    /// For how long it can be brought back, in milliseconds; 0 deletes it for good.
    pub keep_ms: i64,
}

impl From<TopicId> for TopicDeletion {
    fn from(id: TopicId) -> Self {
        Self { id, keep_ms: 0 }
    }
}

/// The removals, and what became of each topic, in the order of the request.
pub(super) fn decide(
    image: &MetadataImage,
    topics: &[TopicDeletion],
    now: Timestamp,
) -> (Vec<Record>, Vec<Result<(), DeleteTopicError>>) {
    let (mut records, mut gone) = (Vec::new(), BTreeSet::new());
    let mut kept = image.kept_topic_count();
    let outcomes = topics.iter().map(|TopicDeletion { id, keep_ms }| {
        let Some(topic) = image.topic_by_id(*id).filter(|_| !gone.contains(id)) else {
            return Err(DeleteTopicError::UnknownId(*id));
        };
        if topic.is_protected() {
            return Err(DeleteTopicError::Protected(topic.name.to_string()));
        }
        if *keep_ms <= 0 {
            records.push(RemoveTopicRecord { id: *id }.into());
        } else if kept < KEPT_TOPICS_MAX {
            kept += 1;
            let until = Timestamp(now.0.saturating_add(*keep_ms));
            records.push(KeepTopicRecord { id: *id, deleted: now, until }.into());
        } else {
            return Err(DeleteTopicError::TooManyKept(topic.name.to_string()));
        }
        gone.insert(*id);
        Ok(())
    });
    let outcomes = outcomes.collect();
    (records, outcomes)
}
