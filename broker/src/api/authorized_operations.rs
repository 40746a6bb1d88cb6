//! The bit field of operations that a principal may do to a resource (KIP-430).

use barnabas_auth::{Operation, ResourceType};

use super::RequestContext;

/// Nobody asked.
pub const NOT_ASKED: i32 = i32::MIN;
/// The one resource of type cluster.
pub const CLUSTER_NAME: &str = "kafka-cluster";

/// Operations that Kafka knows for a cluster.
pub const OF_CLUSTER: &[Operation] = &[
    Operation::Create,
    Operation::Alter,
    Operation::Describe,
    Operation::ClusterAction,
    Operation::DescribeConfigs,
    Operation::AlterConfigs,
    Operation::IdempotentWrite,
];

/// Operations that Kafka knows for a topic.
pub const OF_TOPIC: &[Operation] = &[
    Operation::Read,
    Operation::Write,
    Operation::Create,
    Operation::Delete,
    Operation::Alter,
    Operation::Describe,
    Operation::DescribeConfigs,
    Operation::AlterConfigs,
];

/// Operations that Kafka knows for a group.
pub const OF_GROUP: &[Operation] =
    &[Operation::Read, Operation::Delete, Operation::Describe, Operation::DescribeConfigs, Operation::AlterConfigs];

fn field(operations: &[Operation], allowed: impl Fn(Operation) -> bool) -> i32 {
    operations.iter().filter(|operation| allowed(**operation)).fold(0, |bits, at| bits | 1 << at.code())
}

// These are told, not asked for: the request does none of them, so that they are not among its NEEDS.

/// What may be done to a topic.
#[must_use]
pub fn on_topic(context: &RequestContext, name: &str) -> i32 {
    field(OF_TOPIC, |operation| context.would_allow(operation, ResourceType::Topic, name))
}

/// What may be done to a group.
#[must_use]
pub fn on_group(context: &RequestContext, name: &str) -> i32 {
    field(OF_GROUP, |operation| context.would_allow(operation, ResourceType::Group, name))
}

/// What may be done to the cluster: 0 when not even seeing it.
#[must_use]
pub fn on_cluster(context: &RequestContext) -> i32 {
    if !context.would_allow(Operation::Describe, ResourceType::Cluster, CLUSTER_NAME) {
        return 0;
    }
    field(OF_CLUSTER, |operation| context.would_allow(operation, ResourceType::Cluster, CLUSTER_NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_kafkas() {
        assert_eq!(field(OF_TOPIC, |_| true), 3576);
        assert_eq!(field(OF_GROUP, |_| true), 3400);
        assert_eq!(field(OF_CLUSTER, |_| true), 8096);
        assert_eq!(field(OF_TOPIC, |operation| operation == Operation::Describe), 256);
    }
}
