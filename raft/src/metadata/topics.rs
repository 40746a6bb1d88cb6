//! Topics: a name, an identity that is never used again, and what hangs from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use barnabas_storage::{PartitionIndex, TopicId};

use super::codec::{DecodeError, Reader, Writer};
use super::image::{MetadataImage, Touched};
use super::partitions::PartitionImage;
use super::record::Body;

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicImage {
    /// Name.
    pub name: Arc<str>,
    /// Identity.
    pub id: TopicId,
    /// Partitions by index.
    pub partitions: Vec<PartitionImage>,
    /// Topic settings that differ from the broker's, by Kafka's names.
    pub configs: BTreeMap<String, String>,
}

/// The topic's setting that keeps it and its records from being deleted.
const PROTECTION: &str = "barnabas.delete.protection";

impl TopicImage {
    /// The partition of this index.
    #[must_use]
    pub fn partition(&self, index: PartitionIndex) -> Option<&PartitionImage> {
        self.partitions.get(usize::try_from(index.0).ok()?)
    }

    /// Whether `barnabas.delete.protection` is true: nobody deletes the topic, or records of it by DeleteRecords.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.configs.get(PROTECTION).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }
}

/// A topic was created; its partitions and settings follow in the same entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRecord {
    /// Name.
    pub name: String,
    /// Identity.
    pub id: TopicId,
}

/// A topic was deleted, with its partitions and settings; or one that was kept is kept no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveTopicRecord {
    /// Which topic.
    pub id: TopicId,
}

impl Body for TopicRecord {
    fn encode(&self, out: &mut Writer) {
        out.text(&self.name);
        out.uuid(self.id.0);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { name: from.text()?.to_owned(), id: TopicId(from.uuid()?) })
    }
}

impl TopicRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage, touched: &mut Touched) {
        let name = self.name.as_str().into();
        let topic = TopicImage { name, id: self.id, partitions: Vec::new(), configs: BTreeMap::new() };
        put(image, Arc::new(topic));
        touched.topic(self.id);
    }
}

impl Body for RemoveTopicRecord {
    fn encode(&self, out: &mut Writer) {
        out.uuid(self.id.0);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { id: TopicId(from.uuid()?) })
    }
}

impl RemoveTopicRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage, touched: &mut Touched) {
        if take(image, self.id).is_some() || image.kept_topics.remove_mut(&self.id) {
            touched.topic(self.id);
        }
    }
}

/// Puts a topic where everybody sees it.
pub(super) fn put(image: &mut MetadataImage, topic: Arc<TopicImage>) {
    image.topic_ids.insert_mut(Arc::clone(&topic.name), topic.id);
    if let Some(metric_name) = metric_name(&topic.name) {
        image.metric_names.insert_mut(metric_name, Arc::clone(&topic.name));
    }
    image.topics.insert_mut(topic.id, topic);
}

/// Takes a topic away from there.
pub(super) fn take(image: &mut MetadataImage, id: TopicId) -> Option<Arc<TopicImage>> {
    let topic = Arc::clone(image.topics.get(&id)?);
    image.topics.remove_mut(&id);
    image.topic_ids.remove_mut(&*topic.name);
    if let Some(metric_name) = metric_name(&topic.name) {
        image.metric_names.remove_mut(&metric_name);
    }
    Some(topic)
}

/// What a name becomes in a metric, where `.` and `_` are the same; `None` when the name has neither, because then
/// nothing can collide with it.
pub(super) fn metric_name(name: &str) -> Option<String> {
    name.contains(['.', '_']).then(|| name.replace('.', "_"))
}
