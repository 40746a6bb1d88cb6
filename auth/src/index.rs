//! Rules, laid out to be found: by resource name, then by principal. Immutable; made anew when rules change.
//!
//! A question looks at the rules of at most `2 + p` patterns, where `p` is the number of prefixes that its resource's name
//! begins with, and within each pattern only at the rules of its principal and of everybody.
//!
//! Invariants:
//! 1. Within a pattern, and in `by_principal`, rules stand in the order of their principals.
//! 2. Prefixes stand in order; `parent` is the longest other prefix that a prefix begins with. So every prefix of a name
//!    is the last one at or before it, or one of its ancestors.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::acl::{Acl, EVERYBODY, WILDCARD};
use crate::authorizer::Question;
use crate::code::{Operation, PatternType, Permission, ResourceType};
use crate::host::HostRule;
use crate::principal::Principal;
use crate::principal_map::PrincipalMap;

/// Every rule.
#[derive(Debug, Default)]
pub(crate) struct AclIndex {
    sections: [Section; ResourceType::EVERY.len()],
    principals: PrincipalMap<PrincipalId>,
}

/// A principal that rules name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PrincipalId(u32);

/// Who every principal is beside itself.
const EVERYBODY_ID: PrincipalId = PrincipalId(0);

/// Rules about one type of resource.
#[derive(Debug, Default)]
struct Section {
    literal: HashMap<String, Pattern>,
    prefixed: Vec<Prefix>,
    by_principal: Pattern,
}

#[derive(Debug)]
struct Prefix {
    name: String,
    parent: Option<usize>,
    pattern: Pattern,
}

/// Rules about the same name.
#[derive(Debug, Default)]
struct Pattern {
    rules: Vec<Rule>,
}

/// A rule, ready to be compared.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    principal: PrincipalId,
    host: HostRule,
    pub(crate) acl: Arc<Acl>,
}

/// What the rules say to a question.
#[derive(Debug, Default)]
pub(crate) struct Found<'a> {
    pub(crate) deny: Option<&'a Arc<Acl>>,
    pub(crate) allow: Option<&'a Arc<Acl>>,
    /// Whether any rule is about the resource, whoever it speaks of.
    pub(crate) is_known: bool,
}

impl AclIndex {
    pub(crate) fn of(acls: impl IntoIterator<Item = Arc<Acl>>) -> Self {
        let mut index = Self::default();
        let mut prefixed: [HashMap<String, Pattern>; ResourceType::EVERY.len()] = Default::default();
        let mut known = EVERYBODY_ID.0;
        for acl in acls {
            let at = place(acl.resource_type);
            let Some(section) = index.sections.get_mut(at) else { continue };
            let patterns = match acl.pattern_type {
                PatternType::Literal => &mut section.literal,
                PatternType::Prefixed => &mut prefixed[at],
            };
            let pattern = patterns.entry(acl.resource_name.clone()).or_default();
            // A text without a colon is no principal: the rule is there, and speaks of nobody.
            let Some((kind, name)) = acl.principal.split_once(':') else { continue };
            let principal = if acl.principal == EVERYBODY {
                EVERYBODY_ID
            } else {
                *index.principals.entry(kind, name, || {
                    known += 1;
                    PrincipalId(known)
                })
            };
            let rule = Rule { principal, host: HostRule::of(&acl.host), acl };
            pattern.rules.push(rule.clone());
            section.by_principal.rules.push(rule);
        }
        for (section, prefixed) in index.sections.iter_mut().zip(prefixed) {
            section.arrange(prefixed);
        }
        index
    }

    pub(crate) fn find<'a>(&'a self, question: &Question<'_>, host: IpAddr) -> Found<'a> {
        let mut found = Found::default();
        let Some(section) = self.sections.get(place(question.resource_type)) else { return found };
        let principal = self.principals.get(question.principal).copied();
        for pattern in section.about(question.resource_name) {
            found.is_known = true;
            for rule in pattern.of(principal) {
                let (rule_operation, permission) = (rule.acl.operation, rule.acl.permission);
                match permission {
                    Permission::Deny if rule_operation.denies(question.operation) && rule.host.is(host) => {
                        found.deny = Some(&rule.acl);
                        return found;
                    }
                    Permission::Allow
                        if found.allow.is_none() && rule_operation.allows(question.operation) && rule.host.is(host) =>
                    {
                        found.allow = Some(&rule.acl);
                    }
                    Permission::Deny | Permission::Allow => {}
                }
            }
        }
        found
    }

    /// The rules that name the operation, or all of them, and speak of the principal at the host, on any resource of the
    /// type.
    pub(crate) fn on_any<'a>(
        &'a self,
        principal: &Principal,
        host: IpAddr,
        operation: Operation,
        resource_type: ResourceType,
    ) -> impl Iterator<Item = &'a Acl> + 'a {
        let principal = self.principals.get(principal).copied();
        let rules = self.sections.get(place(resource_type)).map(|section| section.by_principal.of(principal));
        let rules = rules.into_iter().flatten().filter(move |rule| rule.host.is(host));
        // Only what a rule names counts here, not what it implies: as in Kafka.
        rules.map(|rule| &*rule.acl).filter(move |acl| acl.operation.denies(operation))
    }
}

fn place(resource_type: ResourceType) -> usize {
    usize::from(resource_type.code().unsigned_abs()) - FIRST_CODE
}

const FIRST_CODE: usize = 2;

impl Section {
    /// Puts everything into its order.
    fn arrange(&mut self, prefixed: HashMap<String, Pattern>) {
        self.literal.values_mut().for_each(Pattern::arrange);
        self.by_principal.arrange();
        let mut prefixes: Vec<Prefix> =
            prefixed.into_iter().map(|(name, pattern)| Prefix { name, parent: None, pattern }).collect();
        prefixes.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut ancestors: Vec<usize> = Vec::new();
        for at in 0..prefixes.len() {
            let begins = |parent: &usize| prefixes[at].name.starts_with(&prefixes[*parent].name);
            let kept = ancestors.iter().take_while(|parent| begins(parent)).count();
            ancestors.truncate(kept);
            let parent = ancestors.last().copied();
            ancestors.push(at);
            let prefix = &mut prefixes[at];
            prefix.parent = parent;
            prefix.pattern.arrange();
        }
        self.prefixed = prefixes;
    }

    /// Every pattern that speaks of the name.
    fn about<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Pattern> {
        let literal = self.literal.get(name);
        let wildcard = self.literal.get(WILDCARD).filter(|_| name != WILDCARD);
        let last = self.prefixed.partition_point(|prefix| *prefix.name <= *name).checked_sub(1);
        let chain = std::iter::successors(last.map(|at| &self.prefixed[at]), |prefix| {
            prefix.parent.map(|parent| &self.prefixed[parent])
        });
        let prefixes = chain.filter(|prefix| name.starts_with(&prefix.name)).map(|prefix| &prefix.pattern);
        literal.into_iter().chain(wildcard).chain(prefixes)
    }
}

impl Pattern {
    fn arrange(&mut self) {
        self.rules.sort_by_key(|rule| rule.principal);
        self.rules.shrink_to_fit();
    }

    /// The rules of the principal and of everybody.
    fn of(&self, principal: Option<PrincipalId>) -> impl Iterator<Item = &Rule> {
        let own = principal.map_or(&[][..], |principal| self.slice(principal));
        own.iter().chain(self.slice(EVERYBODY_ID))
    }

    fn slice(&self, principal: PrincipalId) -> &[Rule] {
        let from = self.rules.partition_point(|rule| rule.principal < principal);
        let rest = &self.rules[from..];
        &rest[..rest.partition_point(|rule| rule.principal == principal)]
    }
}
