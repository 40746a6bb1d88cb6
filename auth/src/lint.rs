//! What is odd about a set of rules.

use crate::acl::{Acl, EVERYBODY, WILDCARD};
use crate::code::{Operation, PatternType, Permission, ResourceType};
use crate::host::HostRule;
use crate::principal::USER;

/// A finding: the rule and what is odd about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding<'a> {
    /// The rule.
    pub acl: &'a Acl,
    /// What is odd about it.
    pub what: String,
}

/// Every finding, in the order of the rules. `topics` are the topics that are there, when that is known.
#[must_use]
pub fn lint<'a>(acls: &'a [Acl], topics: Option<&[String]>) -> Vec<Finding<'a>> {
    let denied: Vec<&Acl> = acls.iter().filter(|acl| acl.permission == Permission::Deny).collect();
    let mut findings = Vec::new();
    for acl in acls {
        let found = [over_all(acl), useless_name(acl), dead(acl, &denied), absent(acl, topics), nowhere(acl)];
        findings.extend(found.into_iter().flatten().map(|what| Finding { acl, what }));
    }
    findings
}

fn over_all(acl: &Acl) -> Option<String> {
    let is_wide = acl.permission == Permission::Allow && acl.principal == EVERYBODY && acl.host == WILDCARD;
    let changes = !matches!(acl.operation, Operation::Read | Operation::Describe | Operation::DescribeConfigs);
    let every = acl.resource_name == WILDCARD && acl.pattern_type == PatternType::Literal;
    if is_wide && (changes || every) {
        Some(format!("everybody, from everywhere, may {}", acl.operation.name()))
    } else {
        None
    }
}

fn useless_name(acl: &Acl) -> Option<String> {
    let (name, pattern) = (acl.resource_name.as_str(), acl.pattern_type);
    if pattern == PatternType::Prefixed && name == WILDCARD {
        return Some("a prefixed * is names that begin with a star; every name is a literal *".to_owned());
    }
    if pattern == PatternType::Literal && name.len() > 1 && name.ends_with('*') {
        return Some(format!("a literal {name} is no prefix"));
    }
    match acl.principal.split_once(':') {
        None => Some("a principal without a type speaks of nobody".to_owned()),
        Some((kind, _)) if kind != USER => {
            let principal = &acl.principal;
            Some(format!(
                "whoever logs in is a {USER}, not a {kind}: if {principal} is the name, it is {USER}:{principal}"
            ))
        }
        Some(_) => None,
    }
}

/// An allowing rule that a denying one always overrules.
fn dead(acl: &Acl, denied: &[&Acl]) -> Option<String> {
    let covers = |deny: &&&Acl| {
        let names = match (deny.pattern_type, acl.pattern_type) {
            (PatternType::Literal, _) if deny.resource_name == WILDCARD => true,
            (PatternType::Literal, PatternType::Literal) => deny.resource_name == acl.resource_name,
            (PatternType::Literal, PatternType::Prefixed) => false,
            (PatternType::Prefixed, PatternType::Literal) if acl.resource_name == WILDCARD => false,
            (PatternType::Prefixed, _) => acl.resource_name.starts_with(&deny.resource_name),
        };
        deny.resource_type == acl.resource_type
            && names
            && (deny.principal == EVERYBODY || deny.principal == acl.principal)
            && (deny.host == WILDCARD || deny.host == acl.host)
            && deny.operation.denies(acl.operation)
    };
    let deny = (acl.permission == Permission::Allow).then(|| denied.iter().find(covers)).flatten()?;
    Some(format!("never in force: {deny}"))
}

fn absent(acl: &Acl, topics: Option<&[String]>) -> Option<String> {
    let topics = topics.filter(|_| acl.resource_type == ResourceType::Topic)?;
    let is_there = topics.iter().any(|topic| acl.is_about(ResourceType::Topic, topic));
    (!is_there).then(|| "no such topic is there now".to_owned())
}

fn nowhere(acl: &Acl) -> Option<String> {
    (HostRule::of(&acl.host) == HostRule::Nowhere)
        .then(|| format!("host {} is no address: names are not looked up", acl.host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(permission: Permission, principal: &str, operation: Operation, pattern: PatternType, name: &str) -> Acl {
        Acl {
            resource_type: ResourceType::Topic,
            resource_name: name.to_owned(),
            pattern_type: pattern,
            principal: principal.to_owned(),
            host: WILDCARD.to_owned(),
            operation,
            permission,
        }
    }

    #[test]
    fn what_is_odd_is_found_and_what_is_not_is_left_alone() {
        use Operation::{All, Read, Write};
        use PatternType::{Literal, Prefixed};
        use Permission::{Allow, Deny};
        let topics = ["orders".to_owned(), "pay".to_owned()];
        let found = |acls: &[Acl]| -> Vec<String> {
            lint(acls, Some(&topics)).into_iter().map(|finding| finding.what).collect()
        };
        assert_eq!(found(&[acl(Allow, "User:a", Write, Literal, "orders")]), Vec::<String>::new());
        for (rule, expected) in [
            (acl(Allow, "User:*", Write, Literal, "orders"), "everybody, from everywhere, may WRITE"),
            (acl(Allow, "User:a", Read, Literal, "ord*"), "a literal ord* is no prefix"),
            (acl(Allow, "User:a", Read, Prefixed, "*"), "a prefixed * is names"),
            (acl(Allow, "User:a", Read, Literal, "gone"), "no such topic is there now"),
            (acl(Allow, "a", Read, Literal, "pay"), "a principal without a type"),
            (
                acl(Allow, "a:b", Read, Literal, "pay"),
                "whoever logs in is a User, not a a: if a:b is the name, it is User:a:b",
            ),
            (Acl { host: "h".into(), ..acl(Allow, "User:a", Read, Literal, "pay") }, "host h is no address"),
        ] {
            let found = found(&[rule]);
            assert!(found.iter().any(|what| what.starts_with(expected)), "{expected}: {found:?}");
        }
        let overruled = [acl(Allow, "User:a", Read, Literal, "orders"), acl(Deny, "User:*", All, Prefixed, "ord")];
        assert!(found(&overruled)[0].starts_with("never in force: User:* ALL"));
        let not = [acl(Allow, "User:a", Read, Prefixed, "o"), acl(Deny, "User:*", All, Prefixed, "ord")];
        assert_eq!(found(&not), Vec::<String>::new());
    }
}
