//! `/v1/health`: what is wrong, as JSON, from what this broker knows of the cluster: what `barnabas cluster health` asks for.

use barnabas_config::TopicConfig;
use barnabas_raft::PartitionImage;
use serde_json::{Value, json};

use super::startup::Startup;
use crate::broker::Broker;
use crate::unwell::{FINDINGS, finding};

/// While it starts: how far it has come.
pub(super) fn of_start(startup: &Startup) -> Value {
    json!({"status": "starting", "startup": startup.json(), "findings": []})
}

/// Of a broker that serves: `healthy`, or `unhealthy` and why.
pub(super) fn of_broker(broker: &Broker, startup: &Startup) -> Value {
    let findings = findings(broker);
    let status = if findings.is_empty() { "healthy" } else { "unhealthy" };
    json!({"status": status, "startup": startup.json(), "findings": findings})
}

fn findings(broker: &Broker) -> Vec<Value> {
    let (image, config) = (broker.controller.image(), broker.settings.config());
    let fenced = image.brokers().filter(|one| one.fenced);
    let mut found: Vec<_> =
        fenced.map(|one| json!({"where": format!("broker {}", one.id.0), "finding": "fenced", "count": 1})).collect();
    let mut unwell = Vec::new();
    for topic in image.topics() {
        let wanted = TopicConfig::resolve(&config, &topic.configs).number("min.insync.replicas");
        let wanted = usize::try_from(wanted).ok();
        let of = |one: &PartitionImage| finding(one.leader.is_some(), one.isr.len(), one.replicas.len(), wanted);
        let of_all: Vec<_> = topic.partitions.iter().filter_map(of).collect();
        for (rank, sought) in FINDINGS.iter().enumerate() {
            let count = of_all.iter().filter(|found| *found == sought).count();
            if count > 0 {
                unwell.push((rank, json!({"where": &*topic.name, "finding": sought, "count": count})));
            }
        }
    }
    unwell.sort_by_key(|(rank, _)| *rank);
    found.extend(unwell.into_iter().map(|(_, told)| told));
    found
}
