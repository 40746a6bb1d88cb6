//! Topics get more partitions.

use barnabas_storage::PartitionIndex;
use barnabas_storage::TopicId;

use super::create_topics::{check_replicas, partition, placed};
use crate::error::{CreatePartitionsError, CreateTopicError};
use crate::metadata::partitions::PartitionRecord;
use crate::metadata::{BrokerId, MetadataImage, Record, TopicImage};

/// More partitions of one topic.
#[derive(Clone, Debug)]
pub struct MorePartitions {
    /// Which topic.
    pub topic: TopicId,
    /// How many it is to have.
    pub count: i32,
    /// Replicas of each new partition, preferred leader first; `None` to let the controller place them.
    pub assignment: Option<Vec<Vec<BrokerId>>>,
}

/// The records, and what became of each topic, in the order of the request. A topic whose records no longer fit is refused.
pub(super) fn decide(
    image: &MetadataImage,
    topics: &[MorePartitions],
    start: usize,
) -> (Vec<Record>, Vec<Result<(), CreatePartitionsError>>) {
    let mut records = Vec::new();
    let outcomes = topics.iter().map(|more| -> Result<(), CreatePartitionsError> {
        let topic = image.topic_by_id(more.topic).ok_or(CreatePartitionsError::UnknownTopic(more.topic))?;
        let made = one(image, topic, more, start)?;
        if records.len() + made.len() > super::actor::RECORDS_PER_ENTRY {
            return Err(CreateTopicError::TooLarge.into());
        }
        records.extend(made);
        Ok(())
    });
    let outcomes = outcomes.collect();
    (records, outcomes)
}

fn one(
    image: &MetadataImage,
    topic: &TopicImage,
    more: &MorePartitions,
    start: usize,
) -> Result<Vec<Record>, CreatePartitionsError> {
    let present = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
    let name = topic.name.to_string();
    if more.count == present {
        return Err(CreatePartitionsError::Same(present));
    }
    if more.count < present {
        return Err(CreatePartitionsError::Fewer { name, present, asked: more.count });
    }
    let additional = usize::try_from(more.count - present).unwrap_or(0);
    if additional > super::actor::RECORDS_PER_ENTRY {
        return Err(CreateTopicError::TooLarge.into());
    }
    let replicas = topic.partitions.first().map_or(1, |partition| partition.replicas.len());
    let assignment = match &more.assignment {
        Some(given) if given.len() != additional => {
            return Err(CreatePartitionsError::Assignments { additional, given: given.len() });
        }
        Some(given) => {
            for (index, brokers) in (present..).zip(given) {
                check_replicas(image, index, brokers, replicas)?;
            }
            given.clone()
        }
        None => placed(image, additional, replicas, start)?,
    };
    let record = |(index, replicas)| {
        let partition = partition(image, replicas);
        PartitionRecord { topic: topic.id, index: PartitionIndex(index), partition }.into()
    };
    Ok((present..).zip(assignment).map(record).collect())
}
