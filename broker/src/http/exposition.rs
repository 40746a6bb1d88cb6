//! `/metrics`: Prometheus' text format, under the names that the JMX exporter and kafka_exporter gave them.

use std::collections::BTreeMap;
use std::fmt::Write;

use barnabas_raft::{BrokerId, MetadataImage, PartitionImage};
use barnabas_storage::{LogDir, PartitionIndex};

use super::lag::{GroupLag, of_groups};
use crate::api::table;
use crate::broker::Broker;
use crate::metrics::Gauge;
use crate::partition::Traffic;

/// All of it. Reads headers of batches from disk.
pub(super) fn text(broker: &Broker) -> String {
    let mut text = Exposition::default();
    of_cluster(broker, &mut text);
    of_log_dirs(broker, &mut text);
    of_partitions(broker, &mut text);
    of_replicas(&broker.controller.image(), &mut text);
    of_traffic(broker, &mut text);
    of_requests(broker, &mut text);
    of_lag(&of_groups(broker), &mut text);
    for (name, value) in broker.metrics.snapshot() {
        text.family(&format!("barnabas_{name}"), "See broker/src/metrics.rs.");
        text.sample(&[], value);
    }
    text.0
}

/// The text so far, and the family that samples belong to.
#[derive(Default)]
struct Exposition(String, String);

impl Exposition {
    /// Begins a family of samples that may fall.
    fn family(&mut self, name: &str, help: &str) {
        self.begin(name, help, "gauge");
    }

    /// Begins a family of samples that only rise while the broker runs.
    fn counters(&mut self, name: &str, help: &str) {
        self.begin(name, help, "counter");
    }

    fn begin(&mut self, name: &str, help: &str, kind: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        name.clone_into(&mut self.1);
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{}{labels} {value}", self.1);
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn of_cluster(broker: &Broker, text: &mut Exposition) {
    let image = broker.controller.image();
    let partitions = || image.topics().flat_map(|topic| &topic.partitions);
    let led = partitions().filter(|partition| partition.leader == Some(broker.id)).count();
    let held = partitions().filter(|partition| partition.replicas.contains(&broker.id)).count();
    let behind = partitions()
        .filter(|partition| partition.leader == Some(broker.id) && partition.isr.len() < partition.replicas.len())
        .count();
    let fenced = image.brokers().filter(|broker| broker.fenced).count();
    let active = image.brokers().count() - fenced;
    for (name, help, value) in [
        ("kafka_server_replicamanager_partitioncount", "Partitions of this broker.", held),
        ("kafka_server_replicamanager_leadercount", "Partitions that this broker leads.", led),
        ("kafka_server_replicamanager_underreplicatedpartitions", "Led here, with replicas behind.", behind),
        ("kafka_controller_kafkacontroller_activecontrollercount", "1 on the active controller.", 1),
        ("kafka_controller_kafkacontroller_globaltopiccount", "Topics of the cluster.", image.topic_count()),
        ("kafka_controller_kafkacontroller_globalpartitioncount", "Partitions of the cluster.", partitions().count()),
        (
            "kafka_controller_kafkacontroller_offlinepartitionscount",
            "Partitions without a leader.",
            partitions().filter(|partition| partition.leader.is_none()).count(),
        ),
        ("kafka_controller_kafkacontroller_activebrokercount", "Brokers that are not fenced.", active),
        ("kafka_controller_kafkacontroller_fencedbrokercount", "Brokers that are fenced.", fenced),
        ("kafka_brokers", "Brokers of the cluster.", active + fenced),
        ("barnabas_kept_topics", "Deleted topics that can be brought back.", image.kept_topic_count()),
    ] {
        text.family(name, help);
        text.sample(&[], value);
    }
}

/// What no partition tells of.
fn of_log_dirs(broker: &Broker, text: &mut Exposition) {
    let offline = broker.partitions.log_dirs().filter(|dir| dir.is_offline()).count();
    text.family(
        "kafka_log_logmanager_offlinelogdirectorycount",
        "Log directories that are offline after a disk error.",
    );
    text.sample(&[], offline);
    let mut of_each = |name, help, value: &dyn Fn(&LogDir) -> u64| {
        text.family(name, help);
        for dir in broker.partitions.log_dirs() {
            text.sample(&[("directory", &dir.path().display().to_string())], value(dir));
        }
    };
    let is_full = |dir: &LogDir| u64::from(!dir.is_offline() && !dir.has_room());
    of_each("barnabas_log_directory_full", "1 while records are refused because the disk is full.", &is_full);
    let help = "Bytes of the logs of deleted topics that can be brought back.";
    of_each("barnabas_kept_bytes", help, &LogDir::kept_bytes);
    let help = "Bytes of the journal that a start would have to read.";
    of_each("barnabas_journal_live_bytes", help, &|dir| dir.journal_bytes().0);
    let help = "Bytes that the live part of the journal may become before producers wait; it grows up to a bound.";
    of_each("barnabas_journal_capacity_bytes", help, &|dir| dir.journal_bytes().1);
}

fn of_partitions(broker: &Broker, text: &mut Exposition) {
    let image = broker.controller.image();
    text.family("kafka_topic_partitions", "Partitions of the topic.");
    for topic in image.topics() {
        text.sample(&[("topic", &topic.name)], topic.partitions.len());
    }
    let mut rows = Vec::new();
    for topic in image.topics() {
        for (_, index) in topic.partitions.iter().zip(0..) {
            if let Some(partition) = broker.partitions.by_name(&topic.name, PartitionIndex(index)) {
                rows.push((topic.name.clone(), index.to_string(), partition));
            }
        }
    }
    let under = rows.iter().filter(|(_, _, partition)| !partition.has_enough_replicas()).count();
    let help = "Partitions led here with fewer replicas in sync than min.insync.replicas.";
    text.family("kafka_server_replicamanager_underminisrpartitioncount", help);
    text.sample(&[], under);
    text.family("kafka_topic_partition_current_offset", "The next offset that consumers will see.");
    for (topic, index, partition) in &rows {
        text.sample(&[("topic", topic), ("partition", index)], partition.high_watermark());
    }
    text.family("kafka_topic_partition_oldest_offset", "The first offset that can be read.");
    for (topic, index, partition) in &rows {
        text.sample(&[("topic", topic), ("partition", index)], partition.log().log_start_offset());
    }
    text.family("kafka_log_log_size", "Bytes of the partition's log.");
    for (topic, index, partition) in &rows {
        text.sample(&[("topic", topic), ("partition", index)], partition.log().size_bytes());
    }
}

/// What the metadata says of each partition of the cluster, under kafka_exporter's names.
fn of_replicas(image: &MetadataImage, text: &mut Exposition) {
    let mut family = |name: &str, help, number: &dyn Fn(&PartitionImage) -> i64| {
        text.family(&format!("kafka_topic_partition_{name}"), help);
        for topic in image.topics() {
            for (partition, index) in topic.partitions.iter().zip(0..) {
                let labels = [("topic", &*topic.name), ("partition", &i32::to_string(&index))];
                text.sample(&labels, number(partition));
            }
        }
    };
    let count = |of: &[BrokerId]| i64::try_from(of.len()).unwrap_or(i64::MAX);
    let is_preferred = |partition: &PartitionImage| partition.leader.as_ref() == partition.replicas.first();
    family("leader", "The broker that leads it, -1 for none.", &|partition| {
        partition.leader.map_or(-1, |leader| leader.0.into())
    });
    family("leader_is_preferred", "1 where its first replica leads it.", &|partition| is_preferred(partition).into());
    family("replicas", "Its replicas.", &|partition| count(&partition.replicas));
    family("in_sync_replica", "Its replicas in sync.", &|partition| count(&partition.isr));
    family("under_replicated_partition", "1 where replicas are behind.", &|partition| {
        i64::from(partition.isr.len() < partition.replicas.len())
    });
    let partitions = image.topics().flat_map(|topic| &topic.partitions);
    text.family("kafka_controller_kafkacontroller_preferredreplicaimbalancecount", "Led by another than the first.");
    text.sample(&[], partitions.filter(|partition| !is_preferred(partition)).count());
}

/// By topic. Kafka has a sum of all without a topic, too; a sum of those that are left would fall with each topic that is
/// deleted, and `rate()` takes a counter that falls for one that began anew.
fn of_traffic(broker: &Broker, text: &mut Exposition) {
    let image = broker.controller.image();
    let topics: Vec<_> = image.topics().filter_map(|topic| broker.partitions.topic(&topic.name)).collect();
    let mut family = |name: &str, help, number: fn(&Traffic) -> &Gauge| {
        text.counters(&format!("kafka_server_brokertopicmetrics_{name}_total"), help);
        for topic in &topics {
            let of_topic: u64 = topic.led().map(|partition| number(partition.traffic()).value()).sum();
            text.sample(&[("topic", &topic.name)], of_topic);
        }
    };
    family("messagesin", "Records that were appended.", |traffic| &traffic.messages_in);
    family("bytesin", "Bytes of batches that were appended.", |traffic| &traffic.bytes_in);
    family("bytesout", "Bytes of batches that were found for fetches.", |traffic| &traffic.bytes_out);
    family("totalproducerequests", "Batches that were to be appended.", |traffic| &traffic.produces);
    family("failedproducerequests", "Batches that could not be appended.", |traffic| &traffic.failed_produces);
    family("totalfetchrequests", "Looks of fetches at a partition.", |traffic| &traffic.fetches);
    family("failedfetchrequests", "Looks that failed by what is stored.", |traffic| &traffic.failed_fetches);
}

/// APIs that were not asked for are left out, as by Kafka.
fn of_requests(broker: &Broker, text: &mut Exposition) {
    text.counters("kafka_network_requestmetrics_requests_total", "Requests that were run.");
    for row in table() {
        let count = broker.metrics.requests_by_api.value(row.key);
        if count > 0 {
            text.sample(&[("request", row.name)], count);
        }
    }
}

fn of_lag(groups: &[GroupLag], text: &mut Exposition) {
    text.family("kafka_consumergroup_members", "Members of the group.");
    for group in groups {
        text.sample(&[("consumergroup", group.group.listed.id.as_str())], group.group.members);
    }
    text.family("kafka_consumergroup_lag_sum", "Records of a topic that the group has not read.");
    for group in groups {
        let mut of_topics = BTreeMap::new();
        for lag in &group.lags {
            *of_topics.entry(&*lag.at.topic).or_insert(0) += lag.records.unwrap_or(0);
        }
        for (topic, sum) in of_topics {
            text.sample(&[("consumergroup", group.group.listed.id.as_str()), ("topic", topic)], sum);
        }
    }
    let mut of_partitions = |name, help, value: &dyn Fn(&super::lag::Lag) -> Option<String>| {
        text.family(name, help);
        for group in groups {
            for lag in &group.lags {
                let (id, index) = (group.group.listed.id.as_str(), lag.at.partition.to_string());
                if let Some(value) = value(lag) {
                    let labels = [("consumergroup", id), ("topic", &*lag.at.topic), ("partition", &index)];
                    text.sample(&labels, value);
                }
            }
        }
    };
    of_partitions("kafka_consumergroup_current_offset", "The next offset that the group wants.", &|lag| {
        Some(lag.committed.to_string())
    });
    of_partitions("kafka_consumergroup_lag", "Records that the group has not read.", &|lag| {
        lag.records.map(|records| records.to_string())
    });
    let help = "Age of the batch that holds the first record which the group has not read.";
    of_partitions("kafka_consumergroup_lag_seconds", help, &|lag| lag.seconds.map(|seconds| format!("{seconds:.3}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_its_labels_escaped() {
        let mut text = Exposition::default();
        text.family("kafka_x", "What it is.");
        text.sample(&[("topic", "a\"b\\c\nd"), ("partition", "0")], 7);
        text.sample(&[], 1.5);
        let wanted = "# HELP kafka_x What it is.\n# TYPE kafka_x gauge\n\
                      kafka_x{topic=\"a\\\"b\\\\c\\nd\",partition=\"0\"} 7\nkafka_x 1.5\n";
        assert_eq!(text.0, wanted);
    }
}
