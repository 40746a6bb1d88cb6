//! The question every API asks before it acts, and who answers it.

use std::net::IpAddr;

use crate::principal::Principal;

/// What is to be done, in Kafka's words (`AclOperation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Read records or offsets.
    Read,
    /// Append records.
    Write,
    /// Make a resource.
    Create,
    /// Remove a resource.
    Delete,
    /// Change a resource.
    Alter,
    /// See that a resource exists.
    Describe,
    /// Act as a part of the cluster.
    ClusterAction,
    /// See settings.
    DescribeConfigs,
    /// Change settings.
    AlterConfigs,
    /// Produce idempotently.
    IdempotentWrite,
}

/// On what kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceType {
    /// A topic by name.
    Topic,
    /// A group by id.
    Group,
    /// The cluster, whose name is `kafka-cluster`.
    Cluster,
    /// A transactional id.
    TransactionalId,
}

/// May this principal, from this host, do this to that?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who.
    pub principal: &'a Principal,
    /// From where.
    pub host: IpAddr,
    /// What.
    pub operation: Operation,
    /// Kind of resource.
    pub resource_type: ResourceType,
    /// Name of the resource.
    pub resource_name: &'a str,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allowed,
    /// Refuse.
    Denied,
}

/// Answers questions. Pure: the same question gets the same answer until the ACLs change.
pub trait Authorizer: Send + Sync {
    /// Decides.
    fn decide(&self, question: &Question<'_>) -> Decision;
}

/// The authorizer of a node without ACLs (`authorizer.class.name` empty): everything is allowed, as in Kafka.
#[derive(Clone, Copy, Debug)]
pub struct AllowEveryone;

impl Authorizer for AllowEveryone {
    fn decide(&self, _question: &Question<'_>) -> Decision {
        Decision::Allowed
    }
}
