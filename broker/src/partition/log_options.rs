//! How a topic's settings become the options of its logs.

use std::collections::BTreeMap;
use std::time::Duration;

use barnabas_config::{Config, TopicConfig};
use barnabas_storage::{CleanupPolicy, DurabilityMode, LogOptions, TimestampType};

/// The options of a topic's logs: its own settings over the broker's.
#[must_use]
pub fn log_options(broker: &Config, overrides: &BTreeMap<String, String>) -> LogOptions {
    from_topic_config(&TopicConfig::resolve(broker, overrides))
}

/// The options that these settings mean. Kafka's -1 for "no limit" becomes `None`.
#[must_use]
pub fn from_topic_config(topic: &TopicConfig) -> LogOptions {
    let policy = topic.text("cleanup.policy");
    let has_policy = |name: &str| policy.split(',').any(|each| each.trim().eq_ignore_ascii_case(name));
    let log_append_time = topic.text("message.timestamp.type").eq_ignore_ascii_case("LogAppendTime");
    LogOptions {
        segment_bytes: clamp(topic.number("segment.bytes")),
        segment_ms: topic.number("segment.ms"),
        segment_jitter_ms: topic.number("segment.jitter.ms"),
        segment_index_bytes: clamp(topic.number("segment.index.bytes")),
        index_interval_bytes: clamp(topic.number("index.interval.bytes")),
        retention_ms: Some(topic.number("retention.ms")).filter(|limit| *limit >= 0),
        retention_bytes: u64::try_from(topic.number("retention.bytes")).ok(),
        file_delete_delay_ms: u64::try_from(topic.number("file.delete.delay.ms")).unwrap_or(0),
        max_message_bytes: clamp(topic.number("max.message.bytes")),
        cleanup_policy: CleanupPolicy { delete: has_policy("delete"), compact: has_policy("compact") },
        timestamp_type: if log_append_time { TimestampType::LogAppendTime } else { TimestampType::CreateTime },
        timestamp_before_max_ms: topic.number("message.timestamp.before.max.ms"),
        timestamp_after_max_ms: topic.number("message.timestamp.after.max.ms"),
        durability: durability(topic),
    }
}

/// The configuration has already mapped Kafka's `flush.messages` and `flush.ms` onto these two.
fn durability(topic: &TopicConfig) -> DurabilityMode {
    match topic.text("durability.mode") {
        "interval" => {
            let interval = u64::try_from(topic.number("durability.interval.ms")).unwrap_or(0);
            DurabilityMode::Interval(Duration::from_millis(interval))
        }
        "os" => DurabilityMode::Os,
        _ => DurabilityMode::Group,
    }
}

/// The table has checked the range; what does not fit all the same is cut to it.
fn clamp(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use barnabas_config::ConfigSources;

    use super::*;

    fn broker(assignments: &[&str]) -> Config {
        let read_file = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
        let assignments = assignments.iter().map(|one| (*one).to_owned()).collect();
        let sources = ConfigSources { files: vec![], environment: vec![], assignments, read_file: &read_file };
        Config::load(&sources).unwrap().0
    }

    fn options(assignments: &[&str], overrides: &[(&str, &str)]) -> LogOptions {
        let overrides = overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        log_options(&broker(assignments), &overrides)
    }

    #[test]
    fn without_settings_they_are_storages_own_defaults() {
        assert_eq!(options(&[], &[]), LogOptions::default());
    }

    #[test]
    fn minus_one_is_no_limit() {
        let options = options(&[], &[("retention.ms", "-1"), ("retention.bytes", "-1")]);
        assert_eq!((options.retention_ms, options.retention_bytes), (None, None));
    }

    #[test]
    fn a_topic_may_be_compacted_and_deleted_from() {
        let both = options(&["log.cleanup.policy=compact"], &[("cleanup.policy", "compact, delete")]);
        assert_eq!(both.cleanup_policy, CleanupPolicy { delete: true, compact: true });
        let broker = options(&["log.cleanup.policy=compact"], &[]);
        assert_eq!(broker.cleanup_policy, CleanupPolicy { delete: false, compact: true });
    }

    #[test]
    fn flush_settings_of_kafka_choose_the_durability() {
        assert_eq!(options(&["log.durability.mode=os"], &[]).durability, DurabilityMode::Os);
        let every = options(&["log.durability.mode=os"], &[("flush.messages", "1")]);
        assert_eq!(every.durability, DurabilityMode::Group);
        let interval = options(&[], &[("flush.ms", "50")]);
        assert_eq!(interval.durability, DurabilityMode::Interval(Duration::from_millis(50)));
    }
}
