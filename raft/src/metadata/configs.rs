//! Settings of topics that differ from the broker's.

use barnabas_storage::TopicId;

use super::codec::{DecodeError, Reader, Writer};
use super::image::{MetadataImage, Touched};
use super::record::Body;

/// Sets or removes one setting of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicConfigRecord {
    /// Which topic.
    pub topic: TopicId,
    /// Kafka's name of the setting.
    pub name: String,
    /// The value; `None` goes back to the broker's.
    pub value: Option<String>,
}

impl Body for TopicConfigRecord {
    fn encode(&self, out: &mut Writer) {
        out.uuid(self.topic.0);
        out.text(&self.name);
        out.optional(self.value.as_deref(), Writer::text);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: TopicId(from.uuid()?),
            name: from.text()?.to_owned(),
            value: from.optional(|from| Ok(from.text()?.to_owned()))?,
        })
    }
}

impl TopicConfigRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage, touched: &mut Touched) {
        let Some(topic) = image.topic_mut(self.topic, touched) else { return };
        match &self.value {
            Some(value) => topic.configs.insert(self.name.clone(), value.clone()),
            None => topic.configs.remove(&self.name),
        };
    }
}
