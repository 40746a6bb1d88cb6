//! Every partition this broker leads, by topic name and id.
//!
//! Follows the metadata: a created topic's logs exist before `publish` returns, a deleted topic's are gone, or kept out of
//! sight while the metadata keeps the topic. A new partition goes to the log directory with the fewest logs.
//!
//! Must not know: requests; how a log is stored.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use barnabas_config::{Config, TopicConfig, key};
use barnabas_raft::{BrokerId, MetadataDelta, MetadataImage, MetadataListener, PartitionImage, TopicImage};
use barnabas_storage::advice::LOOK_AT_DISK;
use barnabas_storage::{LeaderEpoch, Log, LogDir, LogDirError, PartitionIndex, TopicId};
use parking_lot::{Mutex, RwLock};

use super::log_options::from_topic_config;
use super::traffic::AllTraffic;
use super::{Number, Partition};
use crate::seam::Tasks;
use crate::settings::Settings;

/// Every partition this broker leads.
pub struct Partitions {
    broker: BrokerId,
    settings: Arc<Settings>,
    /// The settings that the logs have.
    applied: Mutex<Arc<Config>>,
    tasks: Tasks,
    log_dirs: Vec<Arc<LogDir>>,
    index: RwLock<Index>,
    traffic: AllTraffic,
}

#[derive(Default)]
struct Index {
    by_name: HashMap<Arc<str>, Arc<TopicPartitions>>,
    by_id: HashMap<TopicId, Arc<TopicPartitions>>,
}

/// One topic as this broker serves it.
pub struct TopicPartitions {
    /// Name.
    pub name: Arc<str>,
    /// Identity.
    pub id: TopicId,
    slots: Vec<Slot>,
}

/// What this broker has of one partition.
enum Slot {
    Led(Arc<Partition>),
    /// Its log could not be opened; the reason was logged.
    Offline,
    Elsewhere {
        leader: Option<BrokerId>,
        leader_epoch: LeaderEpoch,
    },
}

/// Why this broker has no such partition to act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// No topic of that name, or it has no partition of that index.
    #[error("this server does not host this topic-partition")]
    UnknownPartition,
    /// Another broker leads it, or none does.
    #[error("this broker does not lead the partition")]
    NotLeader {
        /// Who leads, as far as is known.
        leader: Option<BrokerId>,
        /// In which epoch.
        leader_epoch: LeaderEpoch,
    },
    /// Its log is on a directory that failed.
    #[error("the partition's log directory is offline")]
    Offline,
}

impl TopicPartitions {
    /// The partition of this index.
    ///
    /// # Errors
    /// See [`FindError`].
    pub fn partition(&self, index: PartitionIndex) -> Result<Arc<Partition>, FindError> {
        let position = usize::try_from(index.0).map_err(|_| FindError::UnknownPartition)?;
        match self.slots.get(position).ok_or(FindError::UnknownPartition)? {
            Slot::Led(partition) => Ok(Arc::clone(partition)),
            Slot::Offline => Err(FindError::Offline),
            Slot::Elsewhere { leader, leader_epoch } => {
                Err(FindError::NotLeader { leader: *leader, leader_epoch: *leader_epoch })
            }
        }
    }

    /// Those that it has but cannot serve: their logs could not be opened, or their log directories are offline.
    #[must_use]
    pub fn offline(&self) -> usize {
        let is_offline = |slot: &&Slot| match slot {
            Slot::Led(partition) => partition.log().is_offline(),
            Slot::Offline => true,
            Slot::Elsewhere { .. } => false,
        };
        self.slots.iter().filter(is_offline).count()
    }

    /// Those that this broker leads.
    pub fn led(&self) -> impl Iterator<Item = &Arc<Partition>> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Led(partition) => Some(partition),
            Slot::Offline | Slot::Elsewhere { .. } => None,
        })
    }
}

impl Partitions {
    /// Of this broker, over its open log directories. Empty until the metadata is published.
    #[must_use]
    pub fn new(broker: BrokerId, settings: Arc<Settings>, tasks: Tasks, log_dirs: Vec<Arc<LogDir>>) -> Self {
        let applied = Mutex::new(settings.config());
        Self { broker, settings, applied, tasks, log_dirs, index: RwLock::default(), traffic: AllTraffic::default() }
    }

    /// The partition, by topic name.
    #[must_use]
    pub fn by_name(&self, topic: &str, partition: PartitionIndex) -> Option<Arc<Partition>> {
        self.topic(topic)?.partition(partition).ok()
    }

    /// The partition, by topic id.
    #[must_use]
    pub fn by_id(&self, topic: TopicId, partition: PartitionIndex) -> Option<Arc<Partition>> {
        self.topic_by_id(topic)?.partition(partition).ok()
    }

    /// The log directories, in the order of `log.dirs`.
    pub fn log_dirs(&self) -> impl Iterator<Item = &Arc<LogDir>> {
        self.log_dirs.iter()
    }

    /// The topic of this name.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<Arc<TopicPartitions>> {
        self.index.read().by_name.get(name).map(Arc::clone)
    }

    /// The topic of this id.
    #[must_use]
    pub fn topic_by_id(&self, id: TopicId) -> Option<Arc<TopicPartitions>> {
        self.index.read().by_id.get(&id).map(Arc::clone)
    }

    /// A number of what went in and out of all that this broker leads or has led since it began.
    #[must_use]
    pub fn traffic(&self, number: Number) -> u64 {
        self.traffic.sum(number)
    }

    /// Opens or makes what this broker has of a topic.
    fn add(&self, topic: &TopicImage) {
        let config = TopicConfig::resolve(&self.settings.config(), &topic.configs);
        self.make_missing(topic, &config);
        let slots = topic.partitions.iter().zip(0..).map(|(image, index)| {
            let index = PartitionIndex(index);
            self.slot(topic, index, image, &config)
        });
        self.publish_topic(TopicPartitions { name: Arc::clone(&topic.name), id: topic.id, slots: slots.collect() });
    }

    /// Makes the logs that are new together, where there is only one directory to choose. What fails here is tried again,
    /// and told, one by one.
    fn make_missing(&self, topic: &TopicImage, config: &TopicConfig) {
        let [only] = &self.log_dirs[..] else { return };
        let led = topic.partitions.iter().zip(0..).filter(|(image, _)| image.leader == Some(self.broker));
        let indexes = led.map(|(_, index)| PartitionIndex(index));
        let missing: Vec<_> = indexes.filter(|index| !has(only, topic, *index)).collect();
        if missing.len() > 1 {
            let _ = only.create_logs(&topic.name, topic.id, &missing, &from_topic_config(config));
        }
    }

    fn slot(&self, topic: &TopicImage, index: PartitionIndex, image: &PartitionImage, config: &TopicConfig) -> Slot {
        if image.leader != Some(self.broker) {
            return Slot::Elsewhere { leader: image.leader, leader_epoch: image.leader_epoch };
        }
        match self.open_log(topic, index, config) {
            Ok(log) => {
                let (tasks, traffic) = (self.tasks.clone(), self.traffic.begin());
                Slot::Led(Arc::new(Partition::lead(tasks, log, image, min_in_sync_replicas(config), traffic)))
            }
            Err(error) => {
                let error = describe(&error);
                tracing::error!(
                    topic = %topic.name,
                    partition = index.0,
                    error,
                    "the log could not be opened: it is not served; \
                     look at the disk, or stop the broker and run `barnabas log verify`"
                );
                Slot::Offline
            }
        }
    }

    fn open_log(
        &self,
        topic: &TopicImage,
        index: PartitionIndex,
        config: &TopicConfig,
    ) -> Result<Arc<Log>, LogDirError> {
        for dir in &self.log_dirs {
            if let Some(log) = dir.restore_log(&topic.name, topic.id, index, from_topic_config(config))? {
                return Ok(log);
            }
        }
        if let Some(log) = self.log_dirs.iter().find_map(|dir| dir.log(topic.id, index)) {
            return Ok(log);
        }
        for dir in &self.log_dirs {
            dir.check_not_refused(&topic.name, topic.id, index)?;
        }
        let healthy = self.log_dirs.iter().filter(|dir| !dir.is_offline());
        let fewest = healthy.min_by_key(|dir| dir.log_count());
        let dir = fewest.or(self.log_dirs.first()).expect("invariant: a broker has a log directory");
        dir.create_log(&topic.name, topic.id, index, from_topic_config(config))
    }

    fn publish_topic(&self, topic: TopicPartitions) {
        let topic = Arc::new(topic);
        let mut index = self.index.write();
        index.by_name.insert(Arc::clone(&topic.name), Arc::clone(&topic));
        index.by_id.insert(topic.id, topic);
    }

    /// Settings, leaders or the number of partitions changed.
    fn change(&self, image: &TopicImage) {
        let Some(present) = self.topic_by_id(image.id) else { return self.add(image) };
        let config = TopicConfig::resolve(&self.settings.config(), &image.configs);
        self.make_missing(image, &config);
        let slots = image.partitions.iter().zip(0..).map(|(partition, index)| {
            let index = PartitionIndex(index);
            match present.partition(index) {
                Ok(led) if partition.leader == Some(self.broker) => {
                    led.update(partition, min_in_sync_replicas(&config));
                    apply_options(&led, &config);
                    Slot::Led(led)
                }
                Ok(led) => {
                    led.stop();
                    Slot::Elsewhere { leader: partition.leader, leader_epoch: partition.leader_epoch }
                }
                Err(_) => self.slot(image, index, partition, &config),
            }
        });
        self.publish_topic(TopicPartitions { name: Arc::clone(&image.name), id: image.id, slots: slots.collect() });
    }

    /// The broker's settings changed: every log gets what they mean for it.
    fn apply_settings(&self, image: &MetadataImage) {
        let config = self.settings.config();
        if Arc::ptr_eq(&std::mem::replace(&mut *self.applied.lock(), Arc::clone(&config)), &config) {
            return;
        }
        let expiration = u64::try_from(config.read(&key::PRODUCER_ID_EXPIRATION_MS)).unwrap_or(0);
        for dir in &self.log_dirs {
            dir.set_producer_id_expiration(Duration::from_millis(expiration));
        }
        // Topics that are new in this publication come after.
        let known = image.topics().filter(|topic| self.topic_by_id(topic.id).is_some());
        known.for_each(|topic| self.change(topic));
    }

    fn remove(&self, image: &TopicImage, is_kept: bool) {
        let removed = {
            let mut index = self.index.write();
            // A topic made again under the name has another id.
            if index.by_name.get(&image.name).is_some_and(|topic| topic.id == image.id) {
                index.by_name.remove(&image.name);
            }
            index.by_id.remove(&image.id)
        };
        let Some(removed) = removed else { return };
        removed.led().for_each(|partition| partition.stop());
        if is_kept {
            removed.led().for_each(|partition| self.keep_log(image, partition.index()));
        } else {
            self.delete_logs(image);
        }
    }

    fn keep_log(&self, topic: &TopicImage, index: PartitionIndex) {
        for dir in self.log_dirs.iter().filter(|dir| has(dir, topic, index)) {
            if let Err(error) = dir.keep_log(topic.id, index) {
                let error = describe(&error);
                tracing::error!(
                    topic = %topic.name,
                    partition = index.0,
                    error,
                    "the log of a deleted topic was not put aside: the next start does it; {LOOK_AT_DISK}"
                );
            }
        }
    }

    /// Deletes what there is of a topic, for good.
    fn delete_logs(&self, topic: &TopicImage) {
        for index in (0..).map(PartitionIndex).take(topic.partitions.len()) {
            for dir in self.log_dirs.iter().filter(|dir| has(dir, topic, index)) {
                if let Err(error) = dir.delete_log(topic.id, index) {
                    let error = describe(&error);
                    tracing::error!(
                        topic = %topic.name,
                        partition = index.0,
                        error,
                        "the log could not be deleted: the next start does it; {LOOK_AT_DISK}"
                    );
                }
            }
        }
    }
}

/// Whether a partition's log is there, served or kept.
fn has(dir: &LogDir, topic: &TopicImage, index: PartitionIndex) -> bool {
    dir.log(topic.id, index).is_some() || dir.is_kept(topic.id, index)
}

impl MetadataListener for Partitions {
    fn publish(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>) {
        if delta.configs_changed {
            self.apply_settings(image);
        }
        let is_kept = |topic: &TopicImage| image.kept_topic(topic.id).is_some();
        delta.topics_deleted.iter().for_each(|topic| self.remove(topic, is_kept(topic)));
        delta.topics_forgotten.iter().for_each(|topic| self.delete_logs(topic));
        delta.topics_created.iter().for_each(|topic| self.add(topic));
        delta.topics_changed.iter().for_each(|topic| self.change(topic));
    }
}

fn min_in_sync_replicas(config: &TopicConfig) -> usize {
    usize::try_from(config.number("min.insync.replicas")).unwrap_or(1)
}

fn apply_options(partition: &Partition, config: &TopicConfig) {
    if let Err(error) = partition.set_options(from_topic_config(config)) {
        let error = describe(&error);
        let (topic, index) = (partition.topic(), partition.index().0);
        tracing::error!(
            %topic, partition = index, error, "the log's settings could not be changed: the next start does it; {LOOK_AT_DISK}"
        );
    }
}

/// An error with its causes, for the log.
fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
