//! Deleted topics that are kept are brought back, or go.

use std::sync::Arc;

use barnabas_storage::{PartitionIndex, Timestamp, TopicId};

use super::CreatedTopics;
use super::actor::RECORDS_PER_ENTRY;
use super::create_topics::created;
use super::register_broker::lead;
use crate::error::CreateTopicError;
use crate::metadata::kept_topics::{KeptTopic, RestoreTopicRecord};
use crate::metadata::topics::RemoveTopicRecord;
use crate::metadata::{BrokerId, MetadataImage, Record};

/// Topics of one name that an error tells of.
const TOLD_MAX: usize = 10;

/// A deleted topic that is to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicUndeletion {
    /// Its name.
    pub name: String,
    /// Which one of that name; `None` for the only one.
    pub id: Option<TopicId>,
}

/// The records that bring topics back, and what became of each, in the order of the request. `image` has them afterwards.
pub(super) fn undelete(
    image: &mut MetadataImage,
    topics: &[TopicUndeletion],
    broker: BrokerId,
    now: Timestamp,
) -> (Vec<Record>, CreatedTopics) {
    let mut records = Vec::new();
    let outcomes = topics.iter().map(|topic| {
        let of_topic = undelete_one(image, topic, broker, now)?;
        records.extend_from_slice(&of_topic);
        Ok(created(image, &topic.name, of_topic))
    });
    let outcomes = outcomes.collect();
    (records, outcomes)
}

fn undelete_one(
    image: &MetadataImage,
    TopicUndeletion { name, id }: &TopicUndeletion,
    broker: BrokerId,
    now: Timestamp,
) -> Result<Vec<Record>, CreateTopicError> {
    if image.topic(name).is_some() {
        return Err(CreateTopicError::Exists(name.clone()));
    }
    if let Some(existing) = image.colliding_topic(name) {
        return Err(CreateTopicError::Collides { name: name.clone(), existing: existing.to_string() });
    }
    let mut kept = image.kept_topics_named(name);
    // One whose time is over may be half gone.
    kept.retain(|kept| kept.until > now && id.is_none_or(|id| id == kept.topic.id));
    let topic = match kept[..] {
        [] => return Err(CreateTopicError::NotKept(name.clone())),
        [only] => &only.topic,
        _ => {
            let kept = kept.iter().take(TOLD_MAX).map(|kept| told(kept, now)).collect::<Vec<_>>().join("; ");
            return Err(CreateTopicError::SeveralKept { name: name.clone(), kept });
        }
    };
    let led = (0..).zip(&topic.partitions).filter(|(_, partition)| partition.isr.contains(&broker));
    // A higher epoch: its log may have lost its tail in a crash, as may one that was never deleted.
    let led = led.map(|(index, partition)| Record::from(lead(topic, PartitionIndex(index), partition, broker)));
    Ok(std::iter::once(Record::from(RestoreTopicRecord { id: topic.id })).chain(led).collect())
}

fn told(kept: &Arc<KeptTopic>, now: Timestamp) -> String {
    let ago = now.0.saturating_sub(kept.deleted.0).max(0) / 1000;
    format!("{} with {} partitions, deleted {ago} s ago", kept.topic.id, kept.topic.partitions.len())
}

/// The removals of kept topics whose time ends at `until` or before; of some thousands at most.
pub(super) fn remove(image: &MetadataImage, until: Timestamp) -> Vec<Record> {
    let over = image.kept_topics().filter(|kept| kept.until <= until);
    over.take(RECORDS_PER_ENTRY).map(|kept| RemoveTopicRecord { id: kept.topic.id }.into()).collect()
}
