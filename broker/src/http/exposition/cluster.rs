//! What the metadata says: brokers, topics, partitions and their replicas.

use barnabas_raft::{BrokerId, MetadataImage, PartitionImage};

use super::Exposition;
use crate::broker::Broker;

/// What has one value as long as the cluster is one node: it has no replica to fall behind, to join or to leave, and nobody
/// else to elect. Kafka's dashboards and alerts ask for them; replication has to count them.
const OF_ONE_NODE: [(&str, &str); 5] = [
    ("kafka_server_replicamanager_isrshrinks_total", "Times that a replica fell out of sync."),
    ("kafka_server_replicamanager_isrexpands_total", "Times that a replica came in sync."),
    ("kafka_controller_controllerstats_uncleanleaderelections_total", "Elections of leaders that were not in sync."),
    ("kafka_server_replicafetchermanager_maxlag", "Records that the slowest replica here is behind."),
    ("kafka_server_raftmetrics_fetch_records_rate", "Records of the metadata fetched from a leader, a second."),
];

pub(super) fn put(broker: &Broker, text: &mut Exposition) {
    let image = broker.controller.image();
    of_brokers(&image, text);
    of_topics(broker, &image, text);
    of_replicas(&image, text);
    for (name, help) in OF_ONE_NODE {
        if name.ends_with("_total") {
            text.counters(name, help);
        } else {
            text.family(name, help);
        }
        text.sample(&[], 0);
    }
}

fn of_topics(broker: &Broker, image: &MetadataImage, text: &mut Exposition) {
    let partitions = || image.topics().flat_map(|topic| &topic.partitions);
    let led = || partitions().filter(|partition| partition.leader == Some(broker.id));
    let held = partitions().filter(|partition| partition.replicas.contains(&broker.id)).count();
    let behind = led().filter(|partition| is_under_replicated(partition)).count();
    let offline = partitions().filter(|partition| partition.leader.is_none()).count();
    let moved = partitions().filter(|partition| !is_preferred(partition)).count();
    for (name, help, value) in [
        ("server_replicamanager_partitioncount", "Partitions of this broker.", held),
        ("server_replicamanager_leadercount", "Partitions that this broker leads.", led().count()),
        ("server_replicamanager_underreplicatedpartitions", "Led here, with replicas behind.", behind),
        ("controller_kafkacontroller_globaltopiccount", "Topics of the cluster.", image.topic_count()),
        ("controller_kafkacontroller_globalpartitioncount", "Partitions of the cluster.", partitions().count()),
        ("controller_kafkacontroller_offlinepartitionscount", "Partitions without a leader.", offline),
        ("controller_kafkacontroller_preferredreplicaimbalancecount", "Not led by their first replica.", moved),
    ] {
        text.single(&format!("kafka_{name}"), help, value);
    }
    text.single("barnabas_kept_topics", "Deleted topics that can be brought back.", image.kept_topic_count());
}

fn of_brokers(image: &MetadataImage, text: &mut Exposition) {
    let fenced = image.brokers().filter(|broker| broker.fenced).count();
    let all = image.brokers().count();
    let active = all - fenced;
    text.single("kafka_controller_kafkacontroller_activebrokercount", "Brokers that are not fenced.", active);
    text.single("kafka_controller_kafkacontroller_fencedbrokercount", "Brokers that are fenced.", fenced);
    text.single("kafka_brokers", "Brokers of the cluster.", all);
    text.family("kafka_broker_info", "1 for each broker and the first address that it is reached at.");
    for broker in image.brokers() {
        let address = broker.endpoints.first().map(|endpoint| format!("{}:{}", endpoint.host, endpoint.port));
        text.sample(&[("id", &broker.id.0.to_string()), ("address", &address.unwrap_or_default())], 1);
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
    family("leader", "The broker that leads it, -1 for none.", &|partition| {
        partition.leader.map_or(-1, |leader| leader.0.into())
    });
    family("leader_is_preferred", "1 where its first replica leads it.", &|partition| is_preferred(partition).into());
    family("replicas", "Its replicas.", &|partition| count(&partition.replicas));
    family("in_sync_replica", "Its replicas in sync.", &|partition| count(&partition.isr));
    family("under_replicated_partition", "1 where replicas are behind.", &|partition| {
        is_under_replicated(partition).into()
    });
}

fn is_preferred(partition: &PartitionImage) -> bool {
    partition.leader.as_ref() == partition.replicas.first()
}

fn is_under_replicated(partition: &PartitionImage) -> bool {
    partition.isr.len() < partition.replicas.len()
}
