//! What a topic may be called, what it is made with when the request does not say, and topics that are made on demand.

use std::collections::BTreeMap;
use std::sync::Arc;

use barnabas_config::{Config, key};
use barnabas_raft::{Controller, CreateTopicError, NewTopic, ProposeError, TopicImage};

/// The topic of the group coordinator.
pub const CONSUMER_OFFSETS: &str = "__consumer_offsets";
/// The topic of the audit.
pub const AUDIT: &str = "__barnabas_audit";
/// Kafka's metadata topic: nobody may make one of this name.
pub const CLUSTER_METADATA: &str = "__cluster_metadata";

const NAME_MAX: usize = 249;

/// Why a name is no topic's name. The message is Kafka's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Topic name is invalid: {0}")]
pub struct InvalidTopicName(String);

/// Checks a name by Kafka's rules.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), InvalidTopicName> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let wrong = if name.is_empty() {
        "the empty string is not allowed".to_owned()
    } else if name == "." || name == ".." {
        format!("'{name}' is not allowed")
    } else if name.chars().count() > NAME_MAX {
        format!("the length of '{name}' is longer than the max allowed length {NAME_MAX}")
    } else if !name.bytes().all(legal) {
        format!("'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'")
    } else {
        return Ok(());
    };
    Err(InvalidTopicName(wrong))
}

/// Why a topic is not there although it was to be made.
#[derive(Debug, thiserror::Error)]
pub enum EnsureTopicError {
    /// The name is not one of a topic that is made on demand.
    #[error("'{0}' is not made on demand")]
    NotOnDemand(String),
    /// The controller refused it.
    #[error(transparent)]
    Refused(#[from] CreateTopicError),
    /// The change was not made, or is not known to be made.
    #[error(transparent)]
    Proposed(#[from] ProposeError),
}

/// Makes topics. Cheap to clone.
#[derive(Clone)]
pub struct Topics {
    config: Arc<Config>,
    controller: Controller,
}

impl Topics {
    /// Makes topics by these defaults.
    #[must_use]
    pub fn new(config: Arc<Config>, controller: Controller) -> Self {
        Self { config, controller }
    }

    /// A topic as Kafka makes it when a client asks for one that is not there. `None` for a name that no client may
    /// bring into being: the other internal topics.
    #[must_use]
    pub fn on_demand(config: &Config, name: &str) -> Option<NewTopic> {
        if name == CONSUMER_OFFSETS {
            return Some(consumer_offsets(config));
        }
        if crate::partition::is_internal_topic(name) || name == CLUSTER_METADATA {
            return None;
        }
        Some(NewTopic {
            name: name.to_owned(),
            partitions: count(config, &key::NUM_PARTITIONS),
            replication_factor: replicas(config, &key::DEFAULT_REPLICATION_FACTOR),
            assignment: Vec::new(),
            configs: BTreeMap::new(),
        })
    }

    /// The topic, made when it is not there. Its partitions can be used when this returns.
    ///
    /// # Errors
    /// See [`EnsureTopicError`].
    pub async fn ensure(&self, name: &str) -> Result<Arc<TopicImage>, EnsureTopicError> {
        if let Some(topic) = self.controller.image().topic(name) {
            return Ok(Arc::clone(topic));
        }
        let topic =
            Self::on_demand(&self.config, name).ok_or_else(|| EnsureTopicError::NotOnDemand(name.to_owned()))?;
        self.make(topic).await
    }

    async fn make(&self, topic: NewTopic) -> Result<Arc<TopicImage>, EnsureTopicError> {
        let name = topic.name.clone();
        let outcome = self.controller.create_topics(vec![topic], false).await?.pop();
        match outcome {
            Some(Ok(topic)) => Ok(topic),
            // Somebody else was faster, and is published: the controller answers after that.
            Some(Err(error)) => match self.controller.image().topic(&name) {
                Some(topic) => Ok(Arc::clone(topic)),
                None => Err(error.into()),
            },
            None => Err(ProposeError::Unknown.into()),
        }
    }

    /// The coordinator's topic of this name, made when it is not there.
    ///
    /// # Errors
    /// See [`EnsureTopicError`].
    pub async fn ensure_internal(&self, name: &str) -> Result<Arc<TopicImage>, EnsureTopicError> {
        if !crate::partition::is_internal_topic(name) {
            return Err(EnsureTopicError::NotOnDemand(name.to_owned()));
        }
        self.ensure(name).await
    }

    /// The topic of the audit, made when it is not there: for the audit alone, which no client brings into being.
    ///
    /// # Errors
    /// See [`EnsureTopicError`].
    pub async fn ensure_audit(&self) -> Result<Arc<TopicImage>, EnsureTopicError> {
        match self.controller.image().topic(AUDIT) {
            Some(topic) => Ok(Arc::clone(topic)),
            None => self.make(audit(&self.config)).await,
        }
    }
}

/// `num.partitions` and its like.
pub(crate) fn count(config: &Config, key: &barnabas_config::Key<i64>) -> i32 {
    i32::try_from(config.read(key)).unwrap_or(i32::MAX)
}

/// `default.replication.factor` and its like.
pub(crate) fn replicas(config: &Config, key: &barnabas_config::Key<i64>) -> i16 {
    i16::try_from(config.read(key)).unwrap_or(i16::MAX)
}

fn consumer_offsets(config: &Config) -> NewTopic {
    let segment_bytes = config.read(&key::OFFSETS_TOPIC_SEGMENT_BYTES).to_string();
    let configs = [("cleanup.policy", "compact"), ("compression.type", "producer"), ("segment.bytes", &segment_bytes)];
    NewTopic {
        name: CONSUMER_OFFSETS.to_owned(),
        partitions: count(config, &key::OFFSETS_TOPIC_NUM_PARTITIONS),
        replication_factor: replicas(config, &key::OFFSETS_TOPIC_REPLICATION_FACTOR),
        assignment: Vec::new(),
        configs: configs.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    }
}

/// One partition, so that events stand in their order; kept for a week, and up to a gibibyte.
fn audit(config: &Config) -> NewTopic {
    let configs = [("cleanup.policy", "delete"), ("retention.ms", "604800000"), ("retention.bytes", "1073741824")];
    NewTopic {
        name: AUDIT.to_owned(),
        partitions: 1,
        replication_factor: replicas(config, &key::DEFAULT_REPLICATION_FACTOR),
        assignment: Vec::new(),
        configs: configs.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_legal_by_kafkas_rules() {
        for good in ["a", "a.b_c-D9", "...", &"x".repeat(249)] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", ".", "..", "a b", "ä", "a/b", "a\0", &"x".repeat(250)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_offsets_topic_is_made_with_kafkas_settings() {
        let topic = Topics::on_demand(&Config::dev(), CONSUMER_OFFSETS).expect("on demand");
        assert_eq!(topic.partitions, 50);
        assert_eq!(topic.configs["cleanup.policy"], "compact");
        assert_eq!(topic.configs["compression.type"], "producer");
        assert_eq!(topic.configs["segment.bytes"], "104857600");
    }

    async fn service(directory: &std::path::Path) -> Topics {
        let options = barnabas_raft::ControllerOptions {
            directory: directory.to_owned(),
            cluster_id: "c".to_owned(),
            node_id: barnabas_raft::BrokerId(1),
            snapshot_bytes: 1 << 20,
            first_users: Vec::new(),
        };
        let controller = Controller::open(barnabas_storage::seam::Seams::system(), options).await.expect("opens");
        controller.register_broker(Vec::new(), None).await.expect("registers");
        Topics::new(Arc::new(Config::dev()), controller)
    }

    #[tokio::test]
    async fn a_topic_asked_for_by_many_at_once_is_made_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let topics = service(directory.path()).await;
        let asked = (0..8).map(|_| topics.ensure("t"));
        let made = futures_util::future::join_all(asked).await;
        let ids: Vec<_> = made.into_iter().map(|topic| topic.expect("made").id).collect();
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
        let offsets = topics.ensure_internal(CONSUMER_OFFSETS).await.expect("made");
        assert_eq!(offsets.partitions.len(), 50);
        assert!(topics.ensure_internal("t").await.is_err(), "not an internal topic");
        assert!(topics.ensure("__transaction_state").await.is_err(), "not on demand");
        topics.controller.close().await;
    }

    #[test]
    fn other_internal_topics_are_not_made_on_demand() {
        for name in ["__transaction_state", "__share_group_state", AUDIT, CLUSTER_METADATA] {
            assert!(Topics::on_demand(&Config::dev(), name).is_none(), "{name}");
        }
    }
}
