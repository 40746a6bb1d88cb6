//! Rules about the same name, ready to be compared, and the search among them.

use std::net::IpAddr;
use std::sync::Arc;

use crate::acl::Acl;
use crate::code::{Operation, Permission};
use crate::host::HostRule;

/// So many rules are read sooner than searched. Fewer where it is tested, so that both ways are.
const FEW: usize = if cfg!(test) { 2 } else { 8 };

/// A principal that rules name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PrincipalId(pub(crate) u32);

/// Who every principal is beside itself.
pub(crate) const EVERYBODY_ID: PrincipalId = PrincipalId(0);

/// A rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) principal: PrincipalId,
    pub(crate) permission: Permission,
    pub(crate) host: HostRule,
    pub(crate) operation: Operation,
    pub(crate) acl: Arc<Acl>,
}

/// Some rules, in the order of principals, permissions and hosts.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    /// How many leading bits the networks among their hosts have, each number once.
    lengths: Vec<u32>,
}

impl Rules {
    pub(crate) fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Puts them into their order.
    pub(crate) fn arrange(&mut self) {
        self.rules.sort_by_key(|rule| (rule.principal, rule.permission, rule.host));
        self.rules.shrink_to_fit();
        self.lengths = self.rules.iter().filter_map(|rule| rule.host.length()).collect();
        self.lengths.sort_unstable();
        self.lengths.dedup();
        self.lengths.shrink_to_fit();
    }

    /// Those of one principal.
    pub(crate) fn of(&self, principal: PrincipalId) -> &[Rule] {
        let from = self.rules.partition_point(|rule| rule.principal < principal);
        let rest = &self.rules[from..];
        &rest[..rest.partition_point(|rule| rule.principal == principal)]
    }
}

/// A search for rules about an operation from a host: the first that denies, and until then the first that allows.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    operation: Operation,
    host: IpAddr,
    pub(crate) deny: Option<&'a Arc<Acl>>,
    pub(crate) allow: Option<&'a Arc<Acl>>,
}

impl<'a> Search<'a> {
    /// `host` is in its canonical form.
    pub(crate) fn new(operation: Operation, host: IpAddr) -> Self {
        Self { operation, host, deny: None, allow: None }
    }

    /// Looks among the rules of one principal, which are some of these.
    pub(crate) fn among(&mut self, of_principal: &'a [Rule], rules: &Rules) {
        if of_principal.is_empty() || self.deny.is_some() {
            return;
        }
        if of_principal.len() <= FEW {
            return self.read(of_principal);
        }
        let find = |permission, is_meant: &dyn Fn(Operation) -> bool| {
            HostRule::about(self.host, &rules.lengths).find_map(|host| {
                let from = of_principal.partition_point(|rule| (rule.permission, rule.host) < (permission, host));
                let same = of_principal[from..].iter();
                let mut same = same.take_while(|rule| rule.permission == permission && rule.host == host);
                same.find(|rule| is_meant(rule.operation)).map(|rule| &rule.acl)
            })
        };
        self.deny = find(Permission::Deny, &|rule| rule.denies(self.operation));
        if self.deny.is_none() && self.allow.is_none() {
            self.allow = find(Permission::Allow, &|rule| rule.allows(self.operation));
        }
    }

    /// Every host that a rule may name which speaks of the one that is asked about; networks of these lengths.
    pub(crate) fn hosts<'l>(&self, lengths: &'l [u32]) -> impl Iterator<Item = HostRule> + use<'l> {
        HostRule::about(self.host, lengths)
    }

    /// Looks at one rule after the other.
    pub(crate) fn read(&mut self, rules: &'a [Rule]) {
        for rule in rules.iter().filter(|rule| rule.host.is(self.host)) {
            match rule.permission {
                Permission::Deny if rule.operation.denies(self.operation) => {
                    self.deny = Some(&rule.acl);
                    return;
                }
                Permission::Allow if self.allow.is_none() && rule.operation.allows(self.operation) => {
                    self.allow = Some(&rule.acl);
                }
                Permission::Deny | Permission::Allow => {}
            }
        }
    }

    /// Whether rules of which these operations are all that they deny and allow may change the answer.
    pub(crate) fn needs(&self, reach: Reach) -> bool {
        let bit = bit(self.operation);
        self.deny.is_none() && (reach.denied & bit != 0 || self.allow.is_none() && reach.allowed & bit != 0)
    }
}

/// The operations that some rules may deny, and those that they may allow: a bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reach {
    denied: u32,
    allowed: u32,
}

impl Reach {
    /// With those of a rule.
    pub(crate) fn with(mut self, rule: &Rule) -> Self {
        for asked in Operation::EVERY {
            match rule.permission {
                Permission::Deny if rule.operation.denies(*asked) => self.denied |= bit(*asked),
                Permission::Allow if rule.operation.allows(*asked) => self.allowed |= bit(*asked),
                Permission::Deny | Permission::Allow => {}
            }
        }
        self
    }
}

fn bit(operation: Operation) -> u32 {
    1 << operation.code()
}
