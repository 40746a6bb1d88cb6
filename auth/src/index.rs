//! Rules, laid out to be found: by resource name and principal. Immutable; made anew when rules change.
//!
//! A question looks at the rules of its resource's name, of every name, and of the prefixes, among those of its principal and
//! of everybody, that the name begins with; it looks no further than a rule can be that would change its answer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::acl::{Acl, EVERYBODY, WILDCARD};
use crate::authorizer::Question;
use crate::code::{Operation, PatternType, ResourceType};
use crate::host::HostRule;
use crate::prefixes::{PrefixedRules, Roots};
use crate::principal::Principal;
use crate::principal_map::PrincipalMap;
use crate::rules::{EVERYBODY_ID, PrincipalId, Rule, Rules, Search};

/// Every rule.
#[derive(Debug, Default)]
pub(crate) struct AclIndex {
    sections: [Section; ResourceType::EVERY.len()],
    principals: PrincipalMap<PrincipalId>,
}

/// Rules about one type of resource.
#[derive(Debug, Default)]
struct Section {
    literal: HashMap<String, Rules>,
    prefixed: HashMap<PrincipalId, PrefixedRules>,
    /// Of all prefixes, whoever they speak of.
    roots: Roots,
    by_principal: Rules,
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
        let mut known = EVERYBODY_ID.0;
        for acl in acls {
            let Some(section) = index.sections.get_mut(place(acl.resource_type)) else { continue };
            // A text without a colon is no principal: the rule is there, and speaks of nobody.
            let principal = acl.principal.split_once(':').map(|(kind, name)| {
                if acl.principal == EVERYBODY {
                    return EVERYBODY_ID;
                }
                *index.principals.entry(kind, name, || {
                    known += 1;
                    PrincipalId(known)
                })
            });
            section.add(principal, acl);
        }
        index.sections.iter_mut().for_each(Section::arrange);
        index
    }

    pub(crate) fn find<'a>(&'a self, question: &Question<'_>, host: IpAddr) -> Found<'a> {
        let Some(section) = self.sections.get(place(question.resource_type)) else { return Found::default() };
        let mut search = Search::new(question.operation, host);
        section.search(question.resource_name, self.principals.get(question.principal).copied(), &mut search);
        let is_answered = search.deny.is_some() || search.allow.is_some();
        let is_known = is_answered || section.knows(question.resource_name);
        Found { deny: search.deny, allow: search.allow, is_known }
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
        let principals = [self.principals.get(principal).copied(), Some(EVERYBODY_ID)].into_iter().flatten();
        let rules = self.sections.get(place(resource_type)).map(|section| &section.by_principal);
        let rules = rules.into_iter().flat_map(move |rules| principals.clone().flat_map(|of| rules.of(of)));
        // Only what a rule names counts here, not what it implies: as in Kafka.
        rules.filter(move |rule| rule.host.is(host) && rule.operation.denies(operation)).map(|rule| &*rule.acl)
    }
}

fn place(resource_type: ResourceType) -> usize {
    usize::from(resource_type.code().unsigned_abs()) - FIRST_CODE
}

const FIRST_CODE: usize = 2;

impl Section {
    fn add(&mut self, principal: Option<PrincipalId>, acl: Arc<Acl>) {
        let name = &acl.resource_name;
        match acl.pattern_type {
            PatternType::Literal if !self.literal.contains_key(name) => {
                self.literal.insert(name.clone(), Rules::default());
            }
            PatternType::Literal => {}
            PatternType::Prefixed => self.roots.add(name),
        }
        let Some(principal) = principal else { return };
        let (host, operation, permission) = (HostRule::of(&acl.host), acl.operation, acl.permission);
        let rule = Rule { principal, permission, host, operation, acl };
        self.by_principal.add(rule.clone());
        match rule.acl.pattern_type {
            PatternType::Literal => self.literal.entry(rule.acl.resource_name.clone()).or_default().add(rule),
            PatternType::Prefixed => self.prefixed.entry(principal).or_default().add(rule),
        }
    }

    /// Puts everything into its order.
    fn arrange(&mut self) {
        self.literal.values_mut().for_each(Rules::arrange);
        self.prefixed.values_mut().for_each(PrefixedRules::arrange);
        self.roots.arrange();
        self.by_principal.arrange();
    }

    /// Looks through what speaks of the name, the principal, and everybody, until a rule denies.
    fn search<'a>(&'a self, name: &str, principal: Option<PrincipalId>, search: &mut Search<'a>) {
        let everything = self.literal.get(WILDCARD).filter(|_| name != WILDCARD);
        let principals = || [principal, Some(EVERYBODY_ID)].into_iter().flatten();
        for rules in self.literal.get(name).into_iter().chain(everything) {
            for principal in principals() {
                search.among(rules, principal);
            }
        }
        for rules in principals().filter_map(|principal| self.prefixed.get(&principal)) {
            rules.search(name, search);
        }
    }

    /// Whether any rule is about the name.
    fn knows(&self, name: &str) -> bool {
        self.literal.contains_key(name) || self.literal.contains_key(WILDCARD) || self.roots.knows(name)
    }
}
