//! How a topic's settings become the options of its logs.

use std::collections::BTreeMap;
use std::time::Duration;

use barnabas_config::{Config, TopicConfig};
use barnabas_storage::{CleanupPolicy, DurabilityMode, LogOptions, TimestampType};

/// How late an `interval` log is synced when `flush.ms` says nothing.
const DEFAULT_FLUSH_INTERVAL: Duration = Duration::from_millis(100);

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

/// `durability.mode`; in `os` mode Kafka's own `flush.messages=1` and `flush.ms` ask for more. In `group` every batch
/// is synced anyway.
fn durability(topic: &TopicConfig) -> DurabilityMode {
    let flush_ms = topic.number("flush.ms");
    let interval = u64::try_from(flush_ms).ok().filter(|ms| *ms < i64::MAX as u64).map(Duration::from_millis);
    match topic.text("durability.mode") {
        "interval" => DurabilityMode::Interval(interval.unwrap_or(DEFAULT_FLUSH_INTERVAL)),
        "os" if topic.number("flush.messages") == 1 => DurabilityMode::Group,
        "os" => interval.map_or(DurabilityMode::Os, DurabilityMode::Interval),
        _ => DurabilityMode::Group,
    }
}

/// The table has checked the range; what does not fit all the same is cut to it.
fn clamp(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}
