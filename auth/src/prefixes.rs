//! The rules of one principal whose names are prefixes; and of all prefixes the shortest.
//!
//! Prefixes stand in order; `parent` is the longest other prefix that a prefix begins with. So every prefix of a name is the
//! last one at or before it, or one of its ancestors; and an ancestor is a prefix of the name when it is no longer than what
//! the name and that last one begin with in common.

use std::collections::HashMap;

use crate::rules::{Reach, Rule, Rules, Search};

/// Rules of one principal by prefix.
#[derive(Debug, Default)]
pub(crate) struct Prefixes {
    prefixes: Vec<Prefix>,
    /// Where a prefix stands until they are arranged.
    places: HashMap<String, usize>,
}

#[derive(Debug)]
struct Prefix {
    name: String,
    parent: Option<usize>,
    /// What its rules and those of its ancestors may say.
    reach: Reach,
    rules: Rules,
}

impl Prefixes {
    pub(crate) fn add(&mut self, rule: Rule) {
        let name = &rule.acl.resource_name;
        let at = self.places.get(name).copied().unwrap_or_else(|| {
            let at = self.prefixes.len();
            self.places.insert(name.clone(), at);
            let (parent, reach, rules) = (None, Reach::default(), Rules::default());
            self.prefixes.push(Prefix { name: name.clone(), parent, reach, rules });
            at
        });
        self.prefixes[at].rules.add(rule);
    }

    /// Puts them into their order.
    pub(crate) fn arrange(&mut self) {
        self.places = HashMap::new();
        let prefixes = &mut self.prefixes;
        prefixes.shrink_to_fit();
        prefixes.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut ancestors: Vec<usize> = Vec::new();
        for at in 0..prefixes.len() {
            let begins = |parent: &usize| prefixes[at].name.starts_with(&prefixes[*parent].name);
            let kept = ancestors.iter().take_while(|parent| begins(parent)).count();
            ancestors.truncate(kept);
            let parent = ancestors.last().copied();
            ancestors.push(at);
            let above = parent.map_or(Reach::default(), |parent| prefixes[parent].reach);
            let prefix = &mut prefixes[at];
            prefix.parent = parent;
            prefix.reach = prefix.rules.all().iter().fold(above, Reach::with);
            prefix.rules.arrange();
        }
    }

    /// Looks through the prefixes that the name begins with, the longest first.
    pub(crate) fn search<'a>(&'a self, name: &str, search: &mut Search<'a>) {
        let last = self.prefixes.partition_point(|prefix| *prefix.name <= *name).checked_sub(1);
        let Some(last) = last.map(|at| &self.prefixes[at]) else { return };
        let common = last.name.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
        let chain = std::iter::successors(Some(last), |prefix| prefix.parent.map(|parent| &self.prefixes[parent]));
        for prefix in chain.skip_while(|prefix| prefix.name.len() > common) {
            if !search.needs(prefix.reach) {
                return;
            }
            search.among(prefix.rules.all(), &prefix.rules);
        }
    }
}

/// The prefixes that begin with no other.
#[derive(Debug, Default)]
pub(crate) struct Roots(Vec<String>);

impl Roots {
    pub(crate) fn add(&mut self, prefix: &str) {
        self.0.push(prefix.to_owned());
    }

    /// Puts them into their order, without those that begin with another.
    pub(crate) fn arrange(&mut self) {
        self.0.sort_unstable();
        self.0.dedup_by(|later, kept| later.starts_with(&**kept));
        self.0.shrink_to_fit();
    }

    /// Whether the name begins with a prefix.
    pub(crate) fn knows(&self, name: &str) -> bool {
        // None of them begins with another: those that a name begins with are one, the last at or before it.
        let at = self.0.partition_point(|prefix| **prefix <= *name).checked_sub(1);
        at.is_some_and(|at| name.starts_with(&self.0[at]))
    }
}
