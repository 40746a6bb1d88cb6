//! The authorizer of a node with ACLs: Kafka's StandardAuthorizer.
//!
//! In this order: a super user may do everything; a rule that denies wins; a rule that allows; with no rule about the
//! resource at all, whoever it speaks of, `allow.everyone.if.no.acl.found`; else no.
//!
//! Where it differs from Apache Kafka: hosts may be written in any spelling and as networks; a rule whose principal has no
//! colon speaks of nobody, where Kafka fails every question about its resource.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::acl::{Acl, WILDCARD};
use crate::authorizer::{Authorizer, Decision, Question, Reason, Verdict};
use crate::code::{Operation, PatternType, Permission, ResourceType};
use crate::index::AclIndex;
use crate::principal::Principal;
use crate::principal_map::PrincipalMap;

/// Answers by rules. Questions are answered by the rules that were there when they were asked, all of them or none.
#[derive(Debug)]
pub struct StandardAuthorizer {
    super_users: PrincipalMap<()>,
    without_acl: Decision,
    index: ArcSwap<AclIndex>,
}

/// A text in `super.users` that is no principal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a string in format principalType:principalName but got {0}")]
pub struct InvalidSuperUser(pub String);

impl StandardAuthorizer {
    /// Without rules so far. `super_users` is Kafka's setting: principals between semicolons, because names may have
    /// commas in them.
    ///
    /// # Errors
    /// When one of them has no colon.
    pub fn new(super_users: &str, allow_everyone_if_no_acl_found: bool) -> Result<Self, InvalidSuperUser> {
        let mut known = PrincipalMap::default();
        for principal in super_users.split(';').map(str::trim).filter(|principal| !principal.is_empty()) {
            let (kind, name) = principal.split_once(':').ok_or_else(|| InvalidSuperUser(principal.to_owned()))?;
            known.entry(kind, name, || ());
        }
        let without_acl = if allow_everyone_if_no_acl_found { Decision::Allowed } else { Decision::Denied };
        Ok(Self { super_users: known, without_acl, index: ArcSwap::default() })
    }

    /// From now on these rules and no others.
    pub fn replace(&self, acls: impl IntoIterator<Item = Arc<Acl>>) {
        self.index.store(Arc::new(AclIndex::of(acls)));
    }
}

impl Authorizer for StandardAuthorizer {
    fn decide(&self, question: &Question<'_>) -> Verdict {
        if self.is_super_user(question.principal) {
            return Verdict::allowed(Reason::SuperUser);
        }
        let index = self.index.load();
        let found = index.find(question, question.host.to_canonical());
        match (found.deny, found.allow) {
            (Some(rule), _) => Verdict::denied(Reason::Rule(Arc::clone(rule))),
            (None, Some(rule)) => Verdict::allowed(Reason::Rule(Arc::clone(rule))),
            (None, None) if found.is_known => Verdict::denied(Reason::NoRule),
            (None, None) => Verdict { decision: self.without_acl, reason: Reason::NoAcl },
        }
    }

    fn is_super_user(&self, principal: &Principal) -> bool {
        self.super_users.get(principal).is_some()
    }

    fn has_rules(&self) -> bool {
        true
    }

    fn decide_on_any(
        &self,
        principal: &Principal,
        host: IpAddr,
        operation: Operation,
        resource_type: ResourceType,
    ) -> Decision {
        // A name that no rule is likely to have: super users and `allow.everyone.if.no.acl.found`, with Kafka's name.
        let question = Question { principal, host, operation, resource_type, resource_name: "hardcode" };
        if self.decide(&question).is_allowed() {
            return Decision::Allowed;
        }
        let index = self.index.load();
        let mut names = Names::default();
        for acl in index.on_any(principal, host.to_canonical(), operation, resource_type) {
            if names.take(acl) == Some(Decision::Denied) {
                return Decision::Denied;
            }
        }
        names.decide()
    }
}

/// What rules name, by what they do.
#[derive(Default)]
struct Names<'a> {
    allowed: Vec<(PatternType, &'a str)>,
    denied: HashSet<&'a str>,
    denied_prefixes: HashSet<&'a str>,
    is_everything_allowed: bool,
}

impl<'a> Names<'a> {
    /// Takes in a rule; what denies every name decides at once.
    fn take(&mut self, acl: &'a Acl) -> Option<Decision> {
        let name = acl.resource_name.as_str();
        let is_everything = acl.pattern_type == PatternType::Literal && name == WILDCARD;
        match (acl.permission, acl.pattern_type) {
            (Permission::Deny, _) if is_everything => return Some(Decision::Denied),
            (Permission::Allow, _) if is_everything => self.is_everything_allowed = true,
            (Permission::Allow, pattern_type) => self.allowed.push((pattern_type, name)),
            (Permission::Deny, PatternType::Literal) => drop(self.denied.insert(name)),
            (Permission::Deny, PatternType::Prefixed) => drop(self.denied_prefixes.insert(name)),
        }
        None
    }

    /// Allowed, when something is that nothing denies: neither itself nor anything it begins with.
    fn decide(&self) -> Decision {
        let is_left = |(pattern_type, name): &(PatternType, &str)| {
            let is_denied = *pattern_type == PatternType::Literal && self.denied.contains(name);
            let ends = name.char_indices().map(|(at, letter)| at + letter.len_utf8());
            !is_denied && !ends.into_iter().any(|end| self.denied_prefixes.contains(&name[..end]))
        };
        if self.is_everything_allowed || self.allowed.iter().any(is_left) {
            Decision::Allowed
        } else {
            Decision::Denied
        }
    }
}

#[cfg(test)]
mod tests;
