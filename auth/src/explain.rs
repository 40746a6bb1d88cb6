//! Why an answer is what it is, and what rules nearly spoke of the question.

use crate::acl::{Acl, EVERYBODY};
use crate::authorizer::{Question, Reason, Verdict};
use crate::code::{PatternType, Permission};
use crate::host::HostRule;

/// Near misses that are worth a line.
const NEAR_MISSES: usize = 8;

/// Lines for people: what decided, then what nearly did.
#[must_use]
pub fn explain<'a>(question: &Question<'_>, verdict: &Verdict, acls: impl IntoIterator<Item = &'a Acl>) -> Vec<String> {
    let mut lines = vec![decided(verdict)];
    if !verdict.is_allowed() {
        let misses = acls.into_iter().filter_map(|acl| near_miss(question, acl));
        lines.extend(misses.take(NEAR_MISSES));
    }
    lines
}

fn decided(verdict: &Verdict) -> String {
    let word = if verdict.is_allowed() { "allowed" } else { "denied" };
    match &verdict.reason {
        Reason::NoAuthorizer => "allowed: the broker has no authorizer".to_owned(),
        Reason::SuperUser => "allowed: a super user".to_owned(),
        Reason::Rule(acl) => format!("{word}: {acl}"),
        Reason::NoRule => {
            "denied: there are rules about the resource, and none allows this principal the operation from this host"
                .to_owned()
        }
        Reason::NoAcl => format!("{word}: no rule is about the resource, so allow.everyone.if.no.acl.found decides"),
    }
}

/// Why a rule that looks as if it were meant does not speak of the question.
fn near_miss(question: &Question<'_>, acl: &Acl) -> Option<String> {
    if acl.resource_type != question.resource_type || acl.permission != Permission::Allow {
        return None;
    }
    let (principal, name) = (question.principal.to_string(), question.resource_name);
    let is_principal = acl.principal == principal || acl.principal == EVERYBODY;
    let is_about = acl.is_about(question.resource_type, name);
    let is_operation = acl.operation.allows(question.operation);
    let is_host = HostRule::of(&acl.host).is(question.host.to_canonical());
    let miss = match (is_principal, is_about, is_operation, is_host) {
        (true, true, true, false) => format!("the rule is for host {}, the peer is at {}", acl.host, question.host),
        (true, true, false, _) => {
            format!("the rule allows {}, not {}", acl.operation.name(), question.operation.name())
        }
        (true, false, true, _) => nearly_named(acl, name)?,
        (false, true, true, _) if acl.principal.eq_ignore_ascii_case(&principal) => {
            format!("the rule is for {}, the peer is {principal}: letters count", acl.principal)
        }
        _ => return None,
    };
    Some(format!("near: {acl}: {miss}"))
}

fn nearly_named(acl: &Acl, name: &str) -> Option<String> {
    let rule = acl.resource_name.as_str();
    match acl.pattern_type {
        PatternType::Literal
            if rule.len() > 1 && rule.ends_with('*') && name.starts_with(rule.trim_end_matches('*')) =>
        {
            Some(format!("a literal {rule} is no prefix: make it PREFIXED without the star"))
        }
        PatternType::Literal if name.starts_with(rule) => Some(format!("a literal {rule} is this name only")),
        PatternType::Literal if rule.eq_ignore_ascii_case(name) => Some("letters count in names".to_owned()),
        PatternType::Prefixed if rule == "*" => {
            Some("a prefixed * is a star, not every name: make it LITERAL".to_owned())
        }
        PatternType::Prefixed if rule.starts_with(name) || alike(rule, name) => {
            Some(format!("{name} does not begin with {rule}"))
        }
        PatternType::Literal | PatternType::Prefixed => None,
    }
}

/// Whether all but the last letter of the prefix is there, as `orders-` and `orders.`.
fn alike(prefix: &str, name: &str) -> bool {
    let mut letters = prefix.chars();
    letters.next_back();
    !letters.as_str().is_empty() && name.starts_with(letters.as_str())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use super::*;
    use crate::authorizer::Authorizer;
    use crate::code::{Operation, ResourceType};
    use crate::principal::Principal;
    use crate::standard::StandardAuthorizer;

    fn lines(pattern_type: PatternType, name: &str, principal: &str, host: &str, operation: Operation) -> Vec<String> {
        let acl = Acl {
            resource_type: ResourceType::Topic,
            resource_name: name.to_owned(),
            pattern_type,
            principal: principal.to_owned(),
            host: host.to_owned(),
            operation,
            permission: Permission::Allow,
        };
        let authorizer = StandardAuthorizer::new("", false).unwrap();
        authorizer.replace([Arc::new(acl.clone())]);
        let principal = Principal { kind: "User".into(), name: "a".into() };
        let host: IpAddr = "10.0.0.6".parse().unwrap();
        let (operation, resource_type) = (Operation::Write, ResourceType::Topic);
        let question = Question { principal: &principal, host, operation, resource_type, resource_name: "orders.eu" };
        explain(&question, &authorizer.decide(&question), [&acl])
    }

    #[test]
    fn near_misses_say_what_is_missing() {
        use Operation::{Read, Write};
        use PatternType::{Literal, Prefixed};
        for (pattern, name, principal, host, operation, expected) in [
            (Prefixed, "orders-", "User:a", "*", Write, "does not begin with orders-"),
            (Literal, "orders.*", "User:a", "*", Write, "is no prefix"),
            (Prefixed, "*", "User:a", "*", Write, "make it LITERAL"),
            (
                Literal,
                "orders.eu",
                "User:a",
                "10.0.0.5",
                Write,
                "the rule is for host 10.0.0.5, the peer is at 10.0.0.6",
            ),
            (Literal, "orders.eu", "User:a", "*", Read, "the rule allows READ, not WRITE"),
            (Literal, "orders.eu", "User:A", "*", Write, "letters count"),
            (Literal, "orders", "User:a", "*", Write, "is this name only"),
        ] {
            let lines = lines(pattern, name, principal, host, operation);
            assert!(lines[0].starts_with("denied") && lines[1].contains(expected), "{lines:?}");
        }
        let allowed = lines(Literal, "orders.eu", "User:a", "*", Write);
        assert!(allowed.len() == 1 && allowed[0].starts_with("allowed: User:a WRITE"), "{allowed:?}");
    }
}
