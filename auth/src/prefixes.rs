//! The rules of one principal whose names are prefixes, by host and then by prefix; and of all prefixes the shortest.
//!
//! Prefixes of one host stand in order; `parent` is the longest other prefix that a prefix begins with. So every prefix of a name
//! is the last one at or before it, or one of its ancestors; and an ancestor is a prefix of the name when it is no longer than
//! what the name and that last one begin with in common.

use crate::host::HostRule;
use crate::rules::{Reach, Rule, Search};

/// Rules of one principal, by host: what speaks of other hosts is never looked at.
#[derive(Debug, Default)]
pub(crate) struct PrefixedRules {
    /// Those that are to be arranged.
    added: Vec<Rule>,
    hosts: Vec<(HostRule, Prefixes)>,
    /// How many leading bits the networks among the hosts have, each number once.
    lengths: Vec<u8>,
}

impl PrefixedRules {
    pub(crate) fn add(&mut self, rule: Rule) {
        self.added.push(rule);
    }

    /// Puts them into their order.
    pub(crate) fn arrange(&mut self) {
        let mut rules = std::mem::take(&mut self.added);
        rules.sort_by(|a, b| (a.host, &a.acl.resource_name).cmp(&(b.host, &b.acl.resource_name)));
        let of_hosts = rules.chunk_by(|a, b| a.host == b.host);
        self.hosts = of_hosts.filter_map(|of_host| Some((of_host.first()?.host, Prefixes::of(of_host)))).collect();
        self.lengths = self.hosts.iter().filter_map(|(host, _)| host.length()).collect();
        self.lengths.sort_unstable();
        self.lengths.dedup();
    }

    /// Looks through the rules whose prefixes the name begins with.
    pub(crate) fn search<'a>(&'a self, name: &str, search: &mut Search<'a>) {
        for host in search.hosts(&self.lengths) {
            if let Ok(at) = self.hosts.binary_search_by_key(&host, |(host, _)| *host) {
                self.hosts[at].1.search(name.as_bytes(), search);
            }
        }
    }
}

/// Rules of one principal and one host. What a search for a name reads lies close together.
#[derive(Debug)]
struct Prefixes {
    /// Every prefix, one behind the other.
    names: Vec<u8>,
    /// Where each ends in `names`; it begins where the one before ends.
    ends: Vec<usize>,
    prefixes: Vec<Prefix>,
    /// By prefix.
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Prefix {
    parent: Option<usize>,
    /// What its rules may say.
    own: Reach,
    /// What its rules and those of its ancestors may say.
    reach: Reach,
    /// Where its rules end; they begin where those of the one before end.
    rules_end: usize,
}

impl Prefixes {
    /// Of rules in the order of their names.
    fn of(rules: &[Rule]) -> Self {
        let (names, ends) = (Vec::new(), Vec::new());
        let mut made = Self { names, ends, prefixes: Vec::new(), rules: rules.to_vec() };
        let mut ancestors: Vec<usize> = Vec::new();
        for same in rules.chunk_by(|a, b| a.acl.resource_name == b.acl.resource_name) {
            let name = same.first().map_or(&[][..], |rule| rule.acl.resource_name.as_bytes());
            let kept = ancestors.iter().take_while(|parent| name.starts_with(made.name(**parent))).count();
            ancestors.truncate(kept);
            made.add(name, same, ancestors.last().copied());
            ancestors.push(made.prefixes.len() - 1);
        }
        made.names.shrink_to_fit();
        made.ends.shrink_to_fit();
        made.prefixes.shrink_to_fit();
        made
    }

    fn add(&mut self, name: &[u8], rules: &[Rule], parent: Option<usize>) {
        self.names.extend_from_slice(name);
        self.ends.push(self.names.len());
        let above = parent.map_or(Reach::default(), |parent| self.prefixes[parent].reach);
        let with_own = |reach: Reach| rules.iter().fold(reach, Reach::with);
        let rules_end = self.prefixes.last().map_or(0, |before| before.rules_end) + rules.len();
        self.prefixes.push(Prefix { parent, own: with_own(Reach::default()), reach: with_own(above), rules_end });
    }

    fn name(&self, at: usize) -> &[u8] {
        &self.names[self.begin(at)..self.ends[at]]
    }

    fn begin(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    fn rules(&self, at: usize) -> &[Rule] {
        let begin = at.checked_sub(1).map_or(0, |before| self.prefixes[before].rules_end);
        &self.rules[begin..self.prefixes[at].rules_end]
    }

    /// The last prefix at or before the name.
    fn last_up_to(&self, name: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.name(middle) <= name { low = middle + 1 } else { high = middle }
        }
        low.checked_sub(1)
    }

    /// Looks through the prefixes that the name begins with, the longest first.
    fn search<'a>(&'a self, name: &[u8], search: &mut Search<'a>) {
        let Some(last) = self.last_up_to(name) else { return };
        let common = common(self.name(last), name);
        for at in std::iter::successors(Some(last), |at| self.prefixes[*at].parent) {
            let prefix = &self.prefixes[at];
            if !search.needs(prefix.reach) {
                return;
            }
            if search.needs(prefix.own) && self.name(at).len() <= common {
                search.read(self.rules(at));
            }
        }
    }
}

/// How many bytes both begin with.
fn common(prefix: &[u8], name: &[u8]) -> usize {
    if name.starts_with(prefix) {
        return prefix.len();
    }
    prefix.iter().zip(name).take_while(|(a, b)| a == b).count()
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
