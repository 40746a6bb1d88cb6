//! The question every API asks before it acts, and who answers it.

use std::net::IpAddr;
use std::sync::Arc;

use crate::acl::Acl;
use crate::code::{Operation, ResourceType};
use crate::principal::Principal;

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

/// What an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no authorizer.
    NoAuthorizer,
    /// One of `super.users`.
    SuperUser,
    /// This rule.
    Rule(Arc<Acl>),
    /// There are rules about the resource, and none speaks of the principal, the host and the operation.
    NoRule,
    /// There is no rule about the resource: `allow.everyone.if.no.acl.found` decides.
    NoAcl,
}

/// The answer and its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The answer.
    pub decision: Decision,
    /// What it rests on.
    pub reason: Reason,
}

impl Verdict {
    pub(crate) const fn allowed(reason: Reason) -> Self {
        Self { decision: Decision::Allowed, reason }
    }

    pub(crate) const fn denied(reason: Reason) -> Self {
        Self { decision: Decision::Denied, reason }
    }

    /// Whether to go on.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.decision == Decision::Allowed
    }
}

/// Answers questions. Pure: the same question gets the same answer until the ACLs change.
pub trait Authorizer: Send + Sync {
    /// Decides.
    fn decide(&self, question: &Question<'_>) -> Verdict;

    /// Whether the principal may do everything, whatever the rules say.
    fn is_super_user(&self, principal: &Principal) -> bool;

    /// Whether there are rules at all: without them every change of rules is refused.
    fn has_rules(&self) -> bool;

    /// Whether the principal may do this to some resource of the type, be there one or not (KIP-679).
    fn decide_on_any(
        &self,
        principal: &Principal,
        host: IpAddr,
        operation: Operation,
        resource_type: ResourceType,
    ) -> Decision;
}

/// The authorizer of a node without ACLs (`authorizer.class.name` empty): everything is allowed, as in Kafka.
#[derive(Clone, Copy, Debug)]
pub struct AllowEveryone;

impl Authorizer for AllowEveryone {
    fn decide(&self, _question: &Question<'_>) -> Verdict {
        Verdict::allowed(Reason::NoAuthorizer)
    }

    fn is_super_user(&self, _principal: &Principal) -> bool {
        true
    }

    fn has_rules(&self) -> bool {
        false
    }

    fn decide_on_any(&self, _: &Principal, _: IpAddr, _: Operation, _: ResourceType) -> Decision {
        Decision::Allowed
    }
}
