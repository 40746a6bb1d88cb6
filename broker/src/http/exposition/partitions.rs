//! Partitions that this broker leads, from their logs.

use std::sync::Arc;

use super::Exposition;
use crate::broker::Broker;
use crate::partition::{Partition, TopicPartitions};

pub(super) fn put(broker: &Broker, text: &mut Exposition) {
    let image = broker.controller.image();
    text.family("kafka_topic_partitions", "Partitions of the topic.");
    for topic in image.topics() {
        text.sample(&[("topic", &topic.name)], topic.partitions.len());
    }
    let topics: Vec<_> = image.topics().filter_map(|topic| broker.partitions.topic(&topic.name)).collect();
    let led: Vec<_> = topics.iter().flat_map(|topic| topic.led()).collect();
    of_in_sync_replicas(&topics, &led, text);
    of_waiting(&led, text);
    of_each(&led, text);
}

fn of_in_sync_replicas(topics: &[Arc<TopicPartitions>], led: &[&Arc<Partition>], text: &mut Exposition) {
    let count = |is: fn(i64) -> bool| led.iter().filter(|led| is(led.in_sync_replicas_to_spare())).count();
    for (name, help, value) in [
        (
            "underminisrpartitioncount",
            "Partitions led here with fewer replicas in sync than min.insync.replicas.",
            count(|to_spare| to_spare < 0),
        ),
        (
            "atminisrpartitioncount",
            "Partitions led here with as many replicas in sync as min.insync.replicas.",
            count(|to_spare| to_spare == 0),
        ),
        (
            "offlinereplicacount",
            "Replicas here that cannot be served because of their disk.",
            topics.iter().map(|topic| topic.offline()).sum(),
        ),
    ] {
        text.single(&format!("kafka_server_replicamanager_{name}"), help, value);
    }
}

/// Whoever waits on several partitions counts at each, as in Kafka.
fn of_waiting(led: &[&Arc<Partition>], text: &mut Exposition) {
    let waiting: Vec<_> = led.iter().map(|led| led.waiting()).collect();
    text.family(
        "kafka_server_delayedoperationpurgatory_purgatorysize",
        "Requests that wait for batches to be committed, or for records.",
    );
    text.sample(&[("delayedOperation", "Produce")], waiting.iter().map(|each| each.produces).sum::<usize>());
    text.sample(&[("delayedOperation", "Fetch")], waiting.iter().map(|each| each.fetches).sum::<usize>());
}

fn of_each(led: &[&Arc<Partition>], text: &mut Exposition) {
    let mut family = |name, help, value: &dyn Fn(&Partition) -> i64| {
        text.family(name, help);
        for partition in led {
            let labels = [("topic", &**partition.topic()), ("partition", &partition.index().0.to_string())];
            text.sample(&labels, value(partition));
        }
    };
    let help = "The next offset that consumers will see.";
    family("kafka_topic_partition_current_offset", help, &|led| led.high_watermark().0);
    let help = "The first offset that can be read.";
    family("kafka_topic_partition_oldest_offset", help, &|led| led.log().log_start_offset().0);
    let help = "Bytes of the partition's log.";
    family("kafka_log_log_size", help, &|led| i64::try_from(led.log().size_bytes()).unwrap_or(i64::MAX));
    let help = "Replicas of the partition, which is led here.";
    family("kafka_cluster_partition_replicascount", help, &|led| led.replicas());
    let help = "1 where fewer replicas are in sync than min.insync.replicas.";
    family("kafka_cluster_partition_underminisr", help, &|led| i64::from(led.in_sync_replicas_to_spare() < 0));
    let help = "1 where as many replicas are in sync as min.insync.replicas.";
    family("kafka_cluster_partition_atminisr", help, &|led| i64::from(led.in_sync_replicas_to_spare() == 0));
}
