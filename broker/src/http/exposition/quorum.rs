//! Raft, under the names of Kafka's raft metrics: as Strimzi's rules spell them, and as the JMX exporter's do.

use super::{Exposition, Look};
use crate::broker::Broker;

const PREFIXES: [&str; 2] = ["kafka_server_raftmetrics", "kafka_server_raft_metrics"];

pub(super) fn put(broker: &Broker, look: &Look, text: &mut Exposition) {
    let status = broker.controller.quorum_status();
    let is_active = u8::from(status.state == "leader");
    text.single("kafka_controller_kafkacontroller_activecontrollercount", "1 on the active controller.", is_active);
    let appended = look.now.metadata_end.saturating_sub(look.before.metadata_end) as f64;
    let commits = look.now.commits.saturating_sub(look.before.commits);
    let commit_millis = look.now.commit_time.saturating_sub(look.before.commit_time).as_secs_f64() * 1000.0;
    let commit_millis = if commits == 0 { 0.0 } else { commit_millis / commits as f64 };
    // The only voter is this node.
    let leader = if status.has_leader { broker.id.0 } else { -1 };
    for prefix in PREFIXES {
        text.family(&format!("{prefix}_current_state"), "1 for what this controller is.");
        text.sample(&[("current_state", status.state)], 1);
        let mut single = |name, help, value: f64| text.single(&format!("{prefix}_{name}"), help, value);
        single("current_leader", "The controller that leads, -1 for none.", leader.into());
        single("current_epoch", "The term.", status.term as f64);
        single("high_watermark", "The last entry of the metadata that is committed.", status.committed as f64);
        single("log_end_offset", "The last entry of the metadata.", status.log_end as f64);
        let help = "Milliseconds from a change's proposal until it was applied, over the last minutes.";
        single("commit_latency_avg", help, commit_millis);
        let help = "Entries that were appended to the metadata a second, over the last minutes.";
        single("append_records_rate", help, look.per_second(appended));
    }
}
