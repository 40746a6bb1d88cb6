//! Rules about the same name, ready to be compared, and the search among them.

use std::net::IpAddr;
use std::sync::Arc;

use crate::acl::Acl;
use crate::code::{Operation, Permission};
use crate::host::HostRule;

/// So many rules are read sooner than searched. Fewer where it is tested, so that both ways are.
const FEW: usize = if cfg!(test) { 2 } else { 8 };

/// One rule in so many is marked. Fewer where it is tested, so that there are marks.
const BETWEEN_MARKS: usize = if cfg!(test) { 3 } else { 16 };

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

/// Where a rule lies in the order.
type Place = (PrincipalId, Permission, HostRule);

impl Rule {
    fn place(&self) -> Place {
        (self.principal, self.permission, self.host)
    }
}

/// Some rules, in the order of principals, permissions and hosts.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    /// The places of the first rule and of every [`BETWEEN_MARKS`]th after it. All rules of a large table do not fit a
    /// processor's cache, and each step of a search among them would wait for memory; these do.
    marks: Vec<Place>,
    /// How many leading bits the networks among their hosts have, each number once.
    lengths: Vec<u8>,
}

impl Rules {
    pub(crate) fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Puts them into their order.
    pub(crate) fn arrange(&mut self) {
        self.rules.sort_by_key(Rule::place);
        self.rules.shrink_to_fit();
        self.marks = self.rules.iter().step_by(BETWEEN_MARKS).map(Rule::place).collect();
        self.lengths = self.rules.iter().filter_map(|rule| rule.host.length()).collect();
        self.lengths.sort_unstable();
        self.lengths.dedup();
        self.lengths.shrink_to_fit();
    }

    /// Those of one principal.
    pub(crate) fn of(&self, principal: PrincipalId) -> &[Rule] {
        let rest = &self.rules[self.first(|place| place.0 < principal)..];
        let few = rest.iter().take_while(|rule| rule.principal == principal).take(FEW + 1).count();
        if few <= FEW {
            return &rest[..few];
        }
        let end = self.first(|place| place.0 <= principal);
        &rest[..end + rest.len() - self.rules.len()]
    }

    /// Those of one principal with this permission for exactly this host.
    fn exactly(&self, place: Place) -> impl Iterator<Item = &Rule> {
        let from = self.first(|before| *before < place);
        self.rules[from..].iter().take_while(move |rule| rule.place() == place)
    }

    /// Where the rules begin that do not come `before` something.
    fn first(&self, before: impl Fn(&Place) -> bool) -> usize {
        let marks = self.marks.partition_point(&before);
        let (from, to) = (marks.saturating_sub(1) * BETWEEN_MARKS, (marks * BETWEEN_MARKS).min(self.rules.len()));
        from + self.rules[from..to].partition_point(|rule| before(&rule.place()))
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

    /// Looks among the rules of one principal.
    pub(crate) fn among(&mut self, rules: &'a Rules, principal: PrincipalId) {
        if self.deny.is_some() {
            return;
        }
        let of_principal = rules.of(principal);
        if of_principal.len() <= FEW {
            return self.read(of_principal);
        }
        let find = |permission, is_meant: &dyn Fn(Operation) -> bool| {
            HostRule::about(self.host, &rules.lengths).find_map(|host| {
                let mut same = rules.exactly((principal, permission, host));
                same.find(|rule| is_meant(rule.operation)).map(|rule| &rule.acl)
            })
        };
        self.deny = find(Permission::Deny, &|rule| rule.denies(self.operation));
        if self.deny.is_none() && self.allow.is_none() {
            self.allow = find(Permission::Allow, &|rule| rule.allows(self.operation));
        }
    }

    /// Every host that a rule may name which speaks of the one that is asked about; networks of these lengths.
    pub(crate) fn hosts<'l>(&self, lengths: &'l [u8]) -> impl Iterator<Item = HostRule> + use<'l> {
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
