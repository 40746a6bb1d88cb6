//! The effective settings of one topic: its own overrides over the broker's defaults.

use std::collections::BTreeMap;

use crate::config::Config;

/// The effective settings of one topic.
#[derive(Clone, Debug)]
pub struct TopicConfig {
    _private: (),
}

/// Why a topic setting was refused: the message is Kafka's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTopicConfig(pub String);

impl TopicConfig {
    /// Checks names and values as CreateTopics does.
    ///
    /// # Errors
    /// The first offending setting, with Kafka's message.
    pub fn validate(_overrides: &BTreeMap<String, String>) -> Result<(), InvalidTopicConfig> {
        todo!()
    }

    /// Resolves overrides over the broker's synonyms and defaults. Overrides are taken as validated; a value that is
    /// not is ignored in favour of the default.
    #[must_use]
    pub fn resolve(_broker: &Config, _overrides: &BTreeMap<String, String>) -> Self {
        todo!()
    }

    /// A number setting by its topic name, e.g. `segment.bytes`. Panics only for a name that is no number setting of
    /// the table, which a test excludes.
    #[must_use]
    pub fn number(&self, _name: &'static str) -> i64 {
        todo!()
    }

    /// A text setting by its topic name, e.g. `cleanup.policy`.
    #[must_use]
    pub fn text(&self, _name: &'static str) -> &str {
        todo!()
    }
}
