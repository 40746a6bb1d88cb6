//! Names of the sub-directories of a log directory, as Apache Kafka gives them.

use uuid::Uuid;

use crate::ids::PartitionIndex;

/// Longest name that common file systems take.
const NAME_BYTES_MAX: usize = 255;
/// Kafka's own metadata log: not a partition that clients see.
const CLUSTER_METADATA: &str = "__cluster_metadata-0";

/// What a sub-directory is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SubDir {
    /// A partition.
    Partition(String, PartitionIndex),
    /// A deleted partition whose files are still there.
    Deleted,
    /// A partition that was moved aside (see `aside.rs`): its topic as far as the name tells, and what makes it unique.
    Aside(String, PartitionIndex, Uuid),
    /// Kafka's metadata log, which we leave alone.
    ClusterMetadata,
    /// None of ours.
    Foreign,
}

/// Tells what a sub-directory is by its name.
pub(super) fn parse(name: &str) -> SubDir {
    if name == CLUSTER_METADATA {
        return SubDir::ClusterMetadata;
    }
    if unique_suffix(name, "-delete").is_some() {
        return SubDir::Deleted;
    }
    if let Some((topic, partition, unique)) = unique_suffix(name, "-stray") {
        return SubDir::Aside(topic.to_owned(), partition, unique);
    }
    match name.rsplit_once('-') {
        Some((topic, partition)) if is_topic_name(topic) => match partition_index(partition) {
            Some(partition) => SubDir::Partition(topic.to_owned(), partition),
            None => SubDir::Foreign,
        },
        _ => SubDir::Foreign,
    }
}

/// True for what only a directory that was served from holds.
pub(super) fn is_data(name: &str) -> bool {
    let ours = name.starts_with("barnabas-manifest") || name.starts_with("barnabas-journal");
    ours || name.ends_with(".wal") || matches!(parse(name), SubDir::Partition(..))
}

/// The name of a partition's directory.
pub(super) fn partition(topic: &str, partition: PartitionIndex) -> String {
    format!("{topic}-{partition}")
}

/// The name that a deleted partition's directory gets.
pub(super) fn deleted(topic: &str, partition: PartitionIndex, unique: Uuid) -> String {
    with_unique_suffix(topic, partition, unique, "-delete")
}

/// The name that the directory of a partition gets which is moved aside: Apache Kafka's for a stray.
pub(super) fn aside(topic: &str, partition: PartitionIndex, unique: Uuid) -> String {
    with_unique_suffix(topic, partition, unique, "-stray")
}

fn with_unique_suffix(topic: &str, partition: PartitionIndex, unique: Uuid, suffix: &str) -> String {
    let suffix = format!("-{partition}.{}{suffix}", unique.simple());
    let kept = topic.len().min(NAME_BYTES_MAX - suffix.len());
    // Topic names are ASCII, so every byte is a boundary; another name is kept as it is.
    format!("{}{suffix}", topic.get(..kept).unwrap_or(topic))
}

/// `<topic>-<partition>.<32 hex digits><suffix>`.
fn unique_suffix<'a>(name: &'a str, suffix: &str) -> Option<(&'a str, PartitionIndex, Uuid)> {
    let (front, unique) = name.strip_suffix(suffix)?.rsplit_once('.')?;
    let is_unique = unique.len() == 32 && unique.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unique = if is_unique { Uuid::try_parse(unique).ok()? } else { return None };
    let (topic, partition) = front.rsplit_once('-')?;
    Some((topic, partition_index(partition)?, unique))
}

fn is_topic_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !matches!(name, "" | "." | "..") && name.len() <= 249 && name.bytes().all(legal)
}

fn partition_index(text: &str) -> Option<PartitionIndex> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok().map(PartitionIndex) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let p = |topic: &str, index| SubDir::Partition(topic.to_owned(), PartitionIndex(index));
        assert_eq!(parse("orders-0"), p("orders", 0));
        assert_eq!(parse("a-b.c_d-12"), p("a-b.c_d", 12));
        assert_eq!(parse("__consumer_offsets-49"), p("__consumer_offsets", 49));
        assert_eq!(parse("__cluster_metadata-0"), SubDir::ClusterMetadata);
        for name in
            ["lost+found", "orders", "orders-", "-0", "orders--1x", "orders-0.abc-delete", "a b-0", "orders-0-future"]
        {
            assert_eq!(parse(name), SubDir::Foreign, "{name}");
        }
    }

    #[test]
    fn deleted_and_stray_names_are_kafkas_and_fit() {
        let unique = Uuid::from_u128(0xabc);
        let name = deleted("orders", PartitionIndex(3), unique);
        assert_eq!(name, "orders-3.00000000000000000000000000000abc-delete");
        assert_eq!(parse(&name), SubDir::Deleted);
        let name = aside(&"x".repeat(249), PartitionIndex(3), unique);
        assert_eq!(name.len(), 255);
        assert_eq!(parse(&name), SubDir::Aside("x".repeat(214), PartitionIndex(3), unique));
    }
}
