//! Every partition this broker leads, by topic name and id.
//!
//! Follows the metadata: a created topic's logs exist before `publish` returns, a deleted topic's are gone, or kept out of
//! sight while the metadata keeps the topic. A new partition goes to the log directory with the fewest logs.
//!
//! Must not know: requests; how a log is stored.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use barnabas_config::{Config, TopicConfig, key};
use barnabas_raft::{BrokerId, MetadataDelta, MetadataImage, MetadataListener, PartitionImage, TopicImage};
use barnabas_storage::{LeaderEpoch, Log, LogDir, LogDirError, PartitionIndex, TopicId};
use parking_lot::{Mutex, RwLock};

use super::Partition;
use super::log_options::from_topic_config;
use crate::seam::Tasks;
use crate::settings::Settings;

/// Every partition this broker leads.
pub struct Partitions {
    broker: BrokerId,
    settings: Arc<Settings>,
    /// The settings that the logs have.
    applied: Mutex<Arc<Config>>,
    tasks: Tasks,
    log_dirs: Vec<PlacedDir>,
    index: RwLock<Index>,
}

/// A log directory and how many logs were placed in it.
struct PlacedDir {
    dir: Arc<LogDir>,
    logs: AtomicUsize,
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

    fn led(&self) -> impl Iterator<Item = &Arc<Partition>> {
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
        let log_dirs =
            log_dirs.into_iter().map(|dir| PlacedDir { logs: AtomicUsize::new(dir.logs().len()), dir }).collect();
        Self { broker, settings, applied, tasks, log_dirs, index: RwLock::default() }
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
        self.log_dirs.iter().map(|placed| &placed.dir)
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
        let is_missing =
            |index: &PartitionIndex| only.dir.log(topic.id, *index).is_none() && !only.dir.is_kept(topic.id, *index);
        let missing: Vec<_> = indexes.filter(is_missing).collect();
        if missing.len() > 1
            && only.dir.create_logs(&topic.name, topic.id, &missing, &from_topic_config(config)).is_ok()
        {
            only.logs.fetch_add(missing.len(), Ordering::Relaxed);
        }
    }

    fn slot(&self, topic: &TopicImage, index: PartitionIndex, image: &PartitionImage, config: &TopicConfig) -> Slot {
        if image.leader != Some(self.broker) {
            return Slot::Elsewhere { leader: image.leader, leader_epoch: image.leader_epoch };
        }
        match self.open_log(topic, index, config) {
            Ok(log) => {
                let partition = Partition::lead(self.tasks.clone(), log, image, min_in_sync_replicas(config));
                Slot::Led(Arc::new(partition))
            }
            Err(error) => {
                let error = describe(&error);
                tracing::error!(topic = %topic.name, partition = index.0, error, "the log could not be opened");
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
        if let Some(log) = self.log_dirs.iter().find_map(|placed| placed.dir.log(topic.id, index)) {
            return Ok(log);
        }
        for placed in &self.log_dirs {
            if let Some(log) = placed.dir.restore_log(&topic.name, topic.id, index, from_topic_config(config))? {
                placed.logs.fetch_add(1, Ordering::Relaxed);
                return Ok(log);
            }
        }
        for placed in &self.log_dirs {
            placed.dir.check_not_refused(&topic.name, topic.id, index)?;
        }
        let healthy = self.log_dirs.iter().filter(|placed| !placed.dir.is_offline());
        let fewest = healthy.min_by_key(|placed| placed.logs.load(Ordering::Relaxed));
        let placed = fewest.or(self.log_dirs.first()).expect("invariant: a broker has a log directory");
        let log = placed.dir.create_log(&topic.name, topic.id, index, from_topic_config(config))?;
        placed.logs.fetch_add(1, Ordering::Relaxed);
        Ok(log)
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
        for placed in &self.log_dirs {
            placed.dir.set_producer_id_expiration(Duration::from_millis(expiration));
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
        for partition in removed.led() {
            self.take_away(image, partition.index(), is_kept);
        }
    }

    /// Deletes the log of a deleted topic, or keeps it.
    fn take_away(&self, topic: &TopicImage, index: PartitionIndex, is_kept: bool) {
        for placed in self.log_dirs.iter().filter(|placed| placed.dir.log(topic.id, index).is_some()) {
            let (dir, id) = (&placed.dir, topic.id);
            let taken = if is_kept { dir.keep_log(id, index) } else { dir.delete_log(id, index) };
            match taken {
                Ok(()) => {
                    placed.logs.fetch_sub(1, Ordering::Relaxed);
                }
                Err(error) => {
                    let error = describe(&error);
                    tracing::error!(topic = %topic.name, partition = index.0, is_kept, error, "the log could not be deleted");
                }
            }
        }
    }

    /// A deleted topic is kept no longer.
    fn forget(&self, topic: &TopicImage) {
        for index in (0..).map(PartitionIndex).take(topic.partitions.len()) {
            self.take_away(topic, index, false);
            for placed in self.log_dirs.iter().filter(|placed| placed.dir.is_kept(topic.id, index)) {
                if let Err(error) = placed.dir.delete_log(topic.id, index) {
                    let error = describe(&error);
                    tracing::error!(topic = %topic.name, partition = index.0, error, "the kept log could not be deleted");
                }
            }
        }
    }
}

impl MetadataListener for Partitions {
    fn publish(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>) {
        if delta.configs_changed {
            self.apply_settings(image);
        }
        let is_kept = |topic: &TopicImage| image.kept_topic(topic.id).is_some();
        delta.topics_deleted.iter().for_each(|topic| self.remove(topic, is_kept(topic)));
        delta.topics_forgotten.iter().for_each(|topic| self.forget(topic));
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
        tracing::error!(%topic, partition = index, error, "the log's settings could not be changed");
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
