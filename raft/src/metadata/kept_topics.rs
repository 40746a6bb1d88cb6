//! Deleted topics that are kept for a time. Nobody sees them among the topics; they come back as they were, or go.

use std::sync::Arc;

use barnabas_storage::{Timestamp, TopicId};

use super::codec::{DecodeError, Reader, Writer};
use super::image::{MetadataImage, Touched};
use super::record::Body;
use super::topics::{self, TopicImage};

/// A deleted topic that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTopic {
    /// What it was.
    pub topic: Arc<TopicImage>,
    /// When it was deleted.
    pub deleted: Timestamp,
    /// Until when it can be brought back.
    pub until: Timestamp,
}

/// A topic was deleted, and is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepTopicRecord {
    /// Which topic.
    pub id: TopicId,
    /// When it was deleted.
    pub deleted: Timestamp,
    /// Until when it can be brought back.
    pub until: Timestamp,
}

/// A kept topic was brought back. New leaders of its partitions follow in the same entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreTopicRecord {
    /// Which topic.
    pub id: TopicId,
}

impl Body for KeepTopicRecord {
    fn encode(&self, out: &mut Writer) {
        out.uuid(self.id.0);
        out.signed(self.deleted.0);
        out.signed(self.until.0);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let id = TopicId(from.uuid()?);
        Ok(Self { id, deleted: Timestamp(from.signed()?), until: Timestamp(from.signed()?) })
    }
}

impl KeepTopicRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage, touched: &mut Touched) {
        let Some(topic) = topics::take(image, self.id) else { return };
        let kept = KeptTopic { topic, deleted: self.deleted, until: self.until };
        image.kept_topics.insert_mut(self.id, Arc::new(kept));
        touched.topic(self.id);
    }
}

impl Body for RestoreTopicRecord {
    fn encode(&self, out: &mut Writer) {
        out.uuid(self.id.0);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { id: TopicId(from.uuid()?) })
    }
}

impl RestoreTopicRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage, touched: &mut Touched) {
        let Some(topic) = image.kept_topics.get(&self.id).map(|kept| Arc::clone(&kept.topic)) else { return };
        if image.topic(&topic.name).is_some() || image.colliding_topic(&topic.name).is_some() {
            return;
        }
        image.kept_topics.remove_mut(&self.id);
        topics::put(image, topic);
        touched.topic(self.id);
    }
}

impl MetadataImage {
    /// Every deleted topic that is kept, ordered by id.
    pub fn kept_topics(&self) -> impl Iterator<Item = &Arc<KeptTopic>> + '_ {
        self.kept_topics.values()
    }

    /// How many there are.
    #[must_use]
    pub fn kept_topic_count(&self) -> usize {
        self.kept_topics.size()
    }

    /// A deleted topic that is kept.
    #[must_use]
    pub fn kept_topic(&self, id: TopicId) -> Option<&Arc<KeptTopic>> {
        self.kept_topics.get(&id)
    }

    /// The kept topics that had this name, the last deleted first.
    #[must_use]
    pub fn kept_topics_named(&self, name: &str) -> Vec<&Arc<KeptTopic>> {
        let mut named: Vec<_> = self.kept_topics().filter(|kept| *kept.topic.name == *name).collect();
        named.sort_by_key(|kept| std::cmp::Reverse((kept.deleted, kept.topic.id)));
        named
    }
}
