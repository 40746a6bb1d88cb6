//! How far groups are behind, under kafka_exporter's names.

use std::collections::BTreeMap;

use super::Exposition;
use crate::http::lag::{GroupLag, Lag};

pub(super) fn put(groups: &[GroupLag], text: &mut Exposition) {
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
    let mut of_partitions = |name, help, value: &dyn Fn(&Lag) -> Option<String>| {
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
