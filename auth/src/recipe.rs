//! Rules that an ordinary program needs, as Kafka's tools and documents give them.

use crate::acl::{Acl, WILDCARD};
use crate::code::{Operation, PatternType, Permission, ResourceType};

/// The cluster's name as a resource.
pub const CLUSTER_NAME: &str = "kafka-cluster";

/// A name, or all that begin with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Name or prefix.
    pub name: String,
    /// How it is meant.
    pub pattern: PatternType,
}

impl Named {
    /// `name`, or everything that begins so when it ends in `*`; a star alone is everything.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(prefix) if !prefix.is_empty() => Self { name: prefix.to_owned(), pattern: PatternType::Prefixed },
            _ => Self { name: text.to_owned(), pattern: PatternType::Literal },
        }
    }
}

/// Who the rules are for.
#[derive(Clone, Debug)]
pub struct Grantee {
    /// `User:name`.
    pub principal: String,
    /// From where; `*` from everywhere.
    pub host: String,
}

impl Grantee {
    /// From everywhere.
    #[must_use]
    pub fn everywhere(principal: impl Into<String>) -> Self {
        Self { principal: principal.into(), host: WILDCARD.to_owned() }
    }

    /// A rule that allows each operation.
    #[must_use]
    pub fn allow(&self, resource_type: ResourceType, named: &Named, operations: &[Operation]) -> Vec<Acl> {
        let one = |operation: &Operation| Acl {
            resource_type,
            resource_name: named.name.clone(),
            pattern_type: named.pattern,
            principal: self.principal.clone(),
            host: self.host.clone(),
            operation: *operation,
            permission: Permission::Allow,
        };
        operations.iter().map(one).collect()
    }

    /// Writes to a topic and makes it: what `kafka-acls --producer` gives.
    #[must_use]
    pub fn producer(&self, topic: &Named) -> Vec<Acl> {
        self.allow(ResourceType::Topic, topic, &[Operation::Write, Operation::Describe, Operation::Create])
    }

    /// Writes in transactions.
    #[must_use]
    pub fn transactions(&self, transactional_id: &Named) -> Vec<Acl> {
        self.allow(ResourceType::TransactionalId, transactional_id, &[Operation::Write, Operation::Describe])
    }

    /// Reads a topic as a member of a group: what `kafka-acls --consumer` gives.
    #[must_use]
    pub fn consumer(&self, topic: &Named, group: &Named) -> Vec<Acl> {
        let mut acls = self.allow(ResourceType::Topic, topic, &[Operation::Read, Operation::Describe]);
        acls.extend(self.allow(ResourceType::Group, group, &[Operation::Read]));
        acls
    }

    /// A Kafka Streams application: its inputs and outputs, and everything that begins with its id: internal topics,
    /// the group, transactional ids.
    #[must_use]
    pub fn streams(&self, application_id: &str, inputs: &[Named], outputs: &[Named]) -> Vec<Acl> {
        let own = Named { name: application_id.to_owned(), pattern: PatternType::Prefixed };
        let mut acls = self.allow(ResourceType::Topic, &own, &[Operation::All]);
        acls.extend(self.allow(ResourceType::Group, &own, &[Operation::All]));
        acls.extend(self.transactions(&own));
        for input in inputs {
            acls.extend(self.allow(ResourceType::Topic, input, &[Operation::Read, Operation::Describe]));
        }
        for output in outputs {
            acls.extend(self.allow(ResourceType::Topic, output, &[Operation::Write, Operation::Describe]));
        }
        acls
    }

    /// A worker of Kafka Connect: its group, its three topics (settings, offsets, states), and the groups of its sinks.
    #[must_use]
    pub fn connect(&self, group: &str, topics: &[Named]) -> Vec<Acl> {
        use Operation::{Create, Describe, DescribeConfigs, Read, Write};
        let named = |name: &str, pattern| Named { name: name.to_owned(), pattern };
        let mut acls = self.allow(ResourceType::Group, &named(group, PatternType::Literal), &[Read, Describe]);
        acls.extend(self.allow(ResourceType::Group, &named("connect-", PatternType::Prefixed), &[Read, Describe]));
        for topic in topics {
            let operations = [Read, Write, Create, Describe, DescribeConfigs];
            acls.extend(self.allow(ResourceType::Topic, topic, &operations));
        }
        acls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_at_the_end_is_a_prefix_and_alone_everything() {
        let named = |name: &str, pattern| Named { name: name.into(), pattern };
        assert_eq!(Named::of("orders-*"), named("orders-", PatternType::Prefixed));
        assert_eq!(Named::of("*"), named("*", PatternType::Literal));
        assert_eq!(Named::of("orders"), named("orders", PatternType::Literal));
    }

    #[test]
    fn producer_and_consumer_are_what_kafka_acls_gives() {
        let grantee = Grantee::everywhere("User:a");
        let operations = |acls: Vec<Acl>| acls.into_iter().map(|acl| acl.operation).collect::<Vec<_>>();
        let (topic, group) = (Named::of("t"), Named::of("g"));
        assert_eq!(operations(grantee.producer(&topic)), [Operation::Write, Operation::Describe, Operation::Create]);
        let consumer = [Operation::Read, Operation::Describe, Operation::Read];
        assert_eq!(operations(grantee.consumer(&topic, &group)), consumer);
    }
}
