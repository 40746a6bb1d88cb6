//! The settings that coordination of groups obeys, read once from the configuration.

use std::time::Duration;

use barnabas_config::{Config, key};

/// The settings that coordination of groups obeys.
#[derive(Clone, Debug)]
pub struct GroupSettings {
    /// `group.min.session.timeout.ms`.
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`.
    pub max_session_timeout_ms: i32,
    /// `group.max.size`.
    pub max_size: usize,
    /// `group.initial.rebalance.delay.ms`.
    pub initial_rebalance_delay: Duration,
    /// `offsets.topic.num.partitions`, until the topic exists.
    pub offsets_topic_partitions: i32,
    /// `offsets.retention.minutes`.
    pub offsets_retention: Duration,
    /// `offsets.retention.check.interval.ms`.
    pub offsets_retention_check_interval: Duration,
    /// `offsets.commit.timeout.ms`: how long an answer waits for its record.
    pub commit_timeout: Duration,
    /// `offset.metadata.max.bytes`, counted in UTF-16 units as Kafka does.
    pub offset_metadata_max: usize,
}

impl GroupSettings {
    /// Reads them.
    #[must_use]
    pub fn from_config(config: &Config) -> Self {
        let millis = |value: i64| Duration::from_millis(u64::try_from(value).unwrap_or(0));
        let int = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
        let count = |value: i64| usize::try_from(value).unwrap_or(usize::MAX);
        let retention_minutes = u64::try_from(config.read(&key::OFFSETS_RETENTION_MINUTES)).unwrap_or(0);
        Self {
            min_session_timeout_ms: int(config.read(&key::GROUP_MIN_SESSION_TIMEOUT_MS)),
            max_session_timeout_ms: int(config.read(&key::GROUP_MAX_SESSION_TIMEOUT_MS)),
            max_size: count(config.read(&key::GROUP_MAX_SIZE)),
            initial_rebalance_delay: millis(config.read(&key::GROUP_INITIAL_REBALANCE_DELAY_MS)),
            offsets_topic_partitions: int(config.read(&key::OFFSETS_TOPIC_NUM_PARTITIONS)),
            offsets_retention: Duration::from_secs(retention_minutes.saturating_mul(60)),
            offsets_retention_check_interval: millis(config.read(&key::OFFSETS_RETENTION_CHECK_INTERVAL_MS)),
            commit_timeout: millis(config.read(&key::OFFSETS_COMMIT_TIMEOUT_MS)),
            offset_metadata_max: count(config.read(&key::OFFSET_METADATA_MAX_BYTES)),
        }
    }
}

#[cfg(test)]
impl Default for GroupSettings {
    /// Kafka's defaults.
    fn default() -> Self {
        Self {
            min_session_timeout_ms: 6000,
            max_session_timeout_ms: 1_800_000,
            max_size: usize::MAX,
            initial_rebalance_delay: Duration::from_secs(3),
            offsets_topic_partitions: 50,
            offsets_retention: Duration::from_secs(10_080 * 60),
            offsets_retention_check_interval: Duration::from_secs(600),
            commit_timeout: Duration::from_secs(5),
            offset_metadata_max: 4096,
        }
    }
}
