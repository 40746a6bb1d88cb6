//! What goes in and out, in Kafka's BrokerTopicMetrics: of all topics, also of those that are gone, and of each.

use super::Exposition;
use crate::broker::Broker;
use crate::partition::{Number, TopicPartitions};

pub(super) fn put(broker: &Broker, text: &mut Exposition) {
    let image = broker.controller.image();
    let topics: Vec<_> = image.topics().filter_map(|topic| broker.partitions.topic(&topic.name)).collect();
    let mut family = |name: &str, help, number: Number| {
        text.counters(&format!("kafka_server_brokertopicmetrics_{name}_total"), help);
        text.sample(&[], broker.partitions.traffic(number));
        for topic in &topics {
            text.sample(&[("topic", &topic.name)], sum(topic, number));
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

fn sum(topic: &TopicPartitions, number: Number) -> u64 {
    topic.led().map(|partition| number(partition.traffic()).value()).sum()
}
