//! The bit field of operations that a principal may do to a resource (KIP-430).

use barnabas_auth::{Decision, Operation, Question, ResourceType};

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

/// Kafka's number of an operation (`AclOperation`).
const fn number(operation: Operation) -> u32 {
    match operation {
        Operation::Read => 3,
        Operation::Write => 4,
        Operation::Create => 5,
        Operation::Delete => 6,
        Operation::Alter => 7,
        Operation::Describe => 8,
        Operation::ClusterAction => 9,
        Operation::DescribeConfigs => 10,
        Operation::AlterConfigs => 11,
        Operation::IdempotentWrite => 12,
    }
}

fn field(operations: &[Operation], allowed: impl Fn(Operation) -> bool) -> i32 {
    operations.iter().filter(|operation| allowed(**operation)).fold(0, |bits, at| bits | 1 << number(*at))
}

/// What the authorizer would say. These are told, not asked for: the request does none of them, so that they are not
/// among its NEEDS.
fn would_allow(context: &RequestContext, operation: Operation, resource_type: ResourceType, name: &str) -> bool {
    let question = Question {
        principal: &context.principal,
        host: context.connection.peer.ip(),
        operation,
        resource_type,
        resource_name: name,
    };
    context.broker.authorizer.decide(&question) == Decision::Allowed
}

/// What may be done to a topic.
#[must_use]
pub fn on_topic(context: &RequestContext, name: &str) -> i32 {
    field(OF_TOPIC, |operation| would_allow(context, operation, ResourceType::Topic, name))
}

/// What may be done to the cluster: 0 when not even seeing it.
#[must_use]
pub fn on_cluster(context: &RequestContext) -> i32 {
    if !context.allowed(Operation::Describe, ResourceType::Cluster, CLUSTER_NAME) {
        return 0;
    }
    field(OF_CLUSTER, |operation| would_allow(context, operation, ResourceType::Cluster, CLUSTER_NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_kafkas() {
        assert_eq!(field(OF_TOPIC, |_| true), 3576);
        assert_eq!(field(OF_CLUSTER, |_| true), 8096);
        assert_eq!(field(OF_TOPIC, |operation| operation == Operation::Describe), 256);
    }
}
