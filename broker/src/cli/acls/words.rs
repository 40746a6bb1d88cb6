//! The words of the command line: principals, operations, resources.

use barnabas_auth::recipe::{CLUSTER_NAME, Named};
use barnabas_auth::{Acl, Operation, PatternType, Principal, ResourceType};

use crate::cli::Failure;

/// `name` is `User:name`. What stands before a colon is a type if it is a word: names in certificates have colons, too.
pub(super) fn principal(text: &str) -> String {
    let is_word = |kind: &str| !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match text.split_once(':') {
        Some((kind, _)) if is_word(kind) => text.to_owned(),
        _ => format!("User:{text}"),
    }
}

/// As the authorizer takes it.
pub(super) fn parsed(text: &str) -> Principal {
    let (kind, name) = text.split_once(':').unwrap_or(("User", text));
    Principal { kind: kind.to_owned(), name: name.to_owned() }
}

pub(super) fn operation(text: &str) -> Result<Operation, Failure> {
    Operation::of_name(text).ok_or_else(|| {
        let names: Vec<String> = Operation::EVERY.iter().map(|one| shown(one.name())).collect();
        Failure::usage(format!("{text} is no operation: {}", names.join(", ")))
    })
}

/// An operation that somebody can do: not all of them.
pub(super) fn asked(text: &str) -> Result<Operation, Failure> {
    operation(text).and_then(|operation| match operation {
        Operation::All => Err(Failure::usage("ask for one operation; all is only in rules")),
        operation => Ok(operation),
    })
}

/// Kafka's name as it is typed here.
pub(super) fn shown(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// `TYPE:NAME`, or `cluster`.
pub(super) fn split(text: &str) -> Result<(&str, &str), Failure> {
    if text.eq_ignore_ascii_case("cluster") {
        return Ok((text, CLUSTER_NAME));
    }
    let split = text.split_once(':').filter(|(_, name)| !name.is_empty());
    split.ok_or_else(|| Failure::usage(format!("{text}: a resource is TYPE:NAME, as topic:orders, or cluster")))
}

pub(super) fn resource_type(text: &str) -> Result<ResourceType, Failure> {
    ResourceType::of_name(text).ok_or_else(|| {
        let names: Vec<String> = ResourceType::EVERY.iter().map(|one| shown(one.name())).collect();
        Failure::usage(format!("{text} is no type of resource: {}", names.join(", ")))
    })
}

/// One resource by its very name, stars being letters.
pub(super) fn literal(text: &str) -> Result<(ResourceType, String), Failure> {
    let (kind, name) = split(text)?;
    Ok((resource_type(kind)?, name.to_owned()))
}

/// A name as it is typed.
pub(super) fn named(name: &str, pattern: Option<PatternType>) -> Named {
    match pattern {
        None => Named::of(name),
        Some(PatternType::Literal) => Named { name: name.to_owned(), pattern: PatternType::Literal },
        Some(PatternType::Prefixed) => {
            let name = name.strip_suffix('*').unwrap_or(name).to_owned();
            Named { name, pattern: PatternType::Prefixed }
        }
    }
}

/// A resource as it is typed. A literal name that ends in a star looks like a prefix: the pattern has to be shown, too.
pub(super) fn of_acl(acl: &Acl) -> String {
    let star = if acl.pattern_type == PatternType::Prefixed { "*" } else { "" };
    match acl.resource_type {
        ResourceType::Cluster if acl.resource_name == CLUSTER_NAME && star.is_empty() => "cluster".to_owned(),
        kind => format!("{}:{}{star}", shown(kind.name()), acl.resource_name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_type_is_a_users() {
        assert_eq!((principal("alice"), principal("Group:a")), ("User:alice".to_owned(), "Group:a".to_owned()));
        assert_eq!(parsed(&principal("*")).to_string(), "User:*");
        assert_eq!(parsed("User:CN=a:b").name, "CN=a:b");
        assert_eq!((principal("CN=a:b,O=c"), principal(":a")), ("User:CN=a:b,O=c".to_owned(), "User::a".to_owned()));
    }

    #[test]
    fn nobody_can_do_all_at_once() {
        assert!(operation("all").is_ok() && asked("all").is_err() && asked("describe-configs").is_ok());
        assert!(asked("fly").is_err());
    }
}
