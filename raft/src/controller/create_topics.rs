//! Topics are created: names, placement, identity.

use std::collections::BTreeSet;
use std::sync::Arc;

use barnabas_storage::seam::Rng;
use barnabas_storage::{LeaderEpoch, PartitionIndex, Timestamp, TopicId};
use uuid::Uuid;

use super::actor::RECORDS_PER_ENTRY;
use super::{CreatedTopics, NewTopic};
use crate::error::CreateTopicError;
use crate::metadata::configs::TopicConfigRecord;
use crate::metadata::partitions::PartitionRecord;
use crate::metadata::topics::TopicRecord;
use crate::metadata::{BrokerId, Entry, MetadataImage, PartitionImage, Record, TopicImage, Touched};
use crate::placement::place;

/// Kafka keeps this id for the metadata topic.
const RESERVED: Uuid = Uuid::from_u128(1);

/// The creations, and what became of each topic, in the order of the request. `image` has the new topics afterwards.
pub(super) fn decide(
    image: &mut MetadataImage,
    topics: Vec<NewTopic>,
    rng: &dyn Rng,
    start: usize,
) -> (Vec<Record>, CreatedTopics) {
    let mut records = Vec::new();
    let mut outcomes = Vec::with_capacity(topics.len());
    for topic in topics {
        let outcome = decide_one(image, &topic, rng, start);
        outcomes.push(outcome.and_then(|of_topic| {
            if records.len() + of_topic.len() > RECORDS_PER_ENTRY {
                return Err(CreateTopicError::TooLarge);
            }
            records.extend_from_slice(&of_topic);
            Ok(created(image, &topic.name, of_topic))
        }));
    }
    (records, outcomes)
}

/// The topic that these records make.
pub(super) fn created(image: &mut MetadataImage, name: &str, records: Vec<Record>) -> Arc<TopicImage> {
    let entry = Entry { timestamp: Timestamp::NONE, records };
    image.apply(image.applied_index(), &entry, &mut Touched::default());
    Arc::clone(image.topic(name).expect("invariant: the records of a topic make it"))
}

fn decide_one(
    image: &MetadataImage,
    topic: &NewTopic,
    rng: &dyn Rng,
    start: usize,
) -> Result<Vec<Record>, CreateTopicError> {
    let name = topic.name.clone();
    if image.topic(&name).is_some() {
        return Err(CreateTopicError::Exists(name));
    }
    if let Some(existing) = image.colliding_topic(&name) {
        return Err(CreateTopicError::Collides { name, existing: existing.to_string() });
    }
    let assignment = if topic.assignment.is_empty() {
        let replicas = usize::try_from(topic.replication_factor).ok().filter(|replicas| *replicas > 0);
        let replicas = replicas.ok_or_else(|| {
            let why = "Replication factor must be larger than 0, or -1 to use the default value.";
            CreateTopicError::InvalidReplicationFactor(why.to_owned())
        })?;
        let partitions = usize::try_from(topic.partitions).ok().filter(|partitions| *partitions > 0);
        placed(image, partitions.ok_or(CreateTopicError::InvalidPartitions)?, replicas, start)?
    } else {
        check_assignment(image, &topic.assignment)?;
        topic.assignment.clone()
    };
    let id = fresh_id(image, rng);
    let mut records = vec![TopicRecord { name, id }.into()];
    for (name, value) in &topic.configs {
        let (name, value) = (name.clone(), Some(value.clone()));
        records.push(TopicConfigRecord { topic: id, name, value }.into());
    }
    for (index, replicas) in (0..).zip(assignment) {
        let partition = partition(image, replicas);
        records.push(PartitionRecord { topic: id, index: PartitionIndex(index), partition }.into());
    }
    Ok(records)
}

fn alive(image: &MetadataImage, id: BrokerId) -> bool {
    image.broker(id).is_some_and(|broker| !broker.fenced)
}

/// Replicas for so many partitions.
pub(super) fn placed(
    image: &MetadataImage,
    partitions: usize,
    replicas: usize,
    start: usize,
) -> Result<Vec<Vec<BrokerId>>, CreateTopicError> {
    // Checked before anything is placed: the number is the peer's.
    if partitions >= RECORDS_PER_ENTRY {
        return Err(CreateTopicError::TooLarge);
    }
    let brokers: Vec<BrokerId> = image.brokers().filter(|broker| !broker.fenced).map(|broker| broker.id).collect();
    place(&brokers, partitions, replicas, start).ok_or_else(|| {
        CreateTopicError::InvalidReplicationFactor(format!(
            "Unable to replicate the partition {replicas} time(s): The target replication factor of {replicas} cannot \
             be reached because only {} broker(s) are registered or some brokers have all their log directories \
             cordoned.",
            brokers.len()
        ))
    })
}

fn check_assignment(image: &MetadataImage, assignment: &[Vec<BrokerId>]) -> Result<(), CreateTopicError> {
    let expected = assignment.first().map_or(0, Vec::len);
    (0..).zip(assignment).try_for_each(|(index, replicas)| check_replicas(image, index, replicas, expected))
}

/// Whether these can be a partition's replicas, of which there are to be `expected`.
pub(super) fn check_replicas(
    image: &MetadataImage,
    index: i32,
    replicas: &[BrokerId],
    expected: usize,
) -> Result<(), CreateTopicError> {
    let refused = |why: String| Err(CreateTopicError::InvalidAssignment(why));
    if replicas.is_empty() {
        return refused("The manual partition assignment includes an empty replica list.".to_owned());
    }
    let mut seen = BTreeSet::new();
    for BrokerId(id) in replicas {
        if !seen.insert(id) {
            return refused(format!("The manual partition assignment includes the broker {id} more than once."));
        }
        if image.broker(BrokerId(*id)).is_none() {
            return refused(format!(
                "The manual partition assignment includes broker {id}, but no such broker is registered."
            ));
        }
    }
    if replicas.len() != expected {
        return refused(format!(
            "The manual partition assignment includes a partition with {} replica(s), but this is not consistent \
             with previous partitions, which have {expected} replica(s).",
            replicas.len()
        ));
    }
    if !replicas.iter().any(|id| alive(image, *id)) {
        return refused(format!(
            "All brokers specified in the manual partition assignment for partition {index} are fenced or in \
             controlled shutdown."
        ));
    }
    Ok(())
}

/// A new partition with these replicas.
pub(super) fn partition(image: &MetadataImage, replicas: Vec<BrokerId>) -> PartitionImage {
    let isr: Vec<BrokerId> = replicas.iter().copied().filter(|id| alive(image, *id)).collect();
    let leader = isr.first().copied();
    PartitionImage { replicas, isr, leader, leader_epoch: LeaderEpoch(0), partition_epoch: 0 }
}

/// An id that no topic has, that Kafka does not keep for itself, and that no command line takes for an option.
fn fresh_id(image: &MetadataImage, rng: &dyn Rng) -> TopicId {
    loop {
        let id = TopicId(rng.uuid());
        let is_topics = image.topic_by_id(id).is_some() || image.kept_topic(id).is_some();
        let taken = id == TopicId::ZERO || id.0 == RESERVED || is_topics;
        if !taken && !id.to_string().starts_with('-') {
            return id;
        }
    }
}
