//! A rule of access, and which rules a filter means.

use std::fmt;

use crate::code::{Operation, PatternType, Permission, ResourceType};

/// The name that is every name, in rules with a literal pattern, and every host.
pub const WILDCARD: &str = "*";
/// The principal that is everybody.
pub const EVERYBODY: &str = "User:*";

/// A rule (`AclBinding`). What it says is kept as it was written: hosts in whatever spelling, principals as text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Acl {
    /// Kind of resource.
    pub resource_type: ResourceType,
    /// Name or prefix.
    pub resource_name: String,
    /// How the name is meant.
    pub pattern_type: PatternType,
    /// `User:name`, or `User:*` for everybody.
    pub principal: String,
    /// An address, a network such as `10.0.0.0/8` (ours alone), or `*`.
    pub host: String,
    /// What.
    pub operation: Operation,
    /// Whether it may be done.
    pub permission: Permission,
}

impl Acl {
    /// Whether it speaks of the resource, whoever asks.
    #[must_use]
    pub fn is_about(&self, resource_type: ResourceType, name: &str) -> bool {
        self.resource_type == resource_type
            && match self.pattern_type {
                PatternType::Literal => self.resource_name == name || self.resource_name == WILDCARD,
                PatternType::Prefixed => name.starts_with(&self.resource_name),
            }
    }
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource_type, resource_name, pattern_type, principal, host, operation, permission } = self;
        let (operation, resource_type, pattern_type) = (operation.name(), resource_type.name(), pattern_type.name());
        let permission = permission.name();
        write!(
            f,
            "{principal} {operation} on {resource_type} {resource_name} ({pattern_type}) from {host}: {permission}"
        )
    }
}

/// Which patterns a filter means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternFilter {
    /// Every pattern of exactly the name.
    Any,
    /// Every pattern that speaks of the name.
    Match,
    /// Patterns of this type and exactly the name.
    Only(PatternType),
}

/// A filter (`AclBindingFilter`); what is `None` may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclFilter {
    /// Kind of resource.
    pub resource_type: Option<ResourceType>,
    /// Name or prefix.
    pub resource_name: Option<String>,
    /// How the name is compared.
    pub pattern: PatternFilter,
    /// Exactly this principal.
    pub principal: Option<String>,
    /// Exactly this host.
    pub host: Option<String>,
    /// Exactly this operation: Read does not mean rules of All.
    pub operation: Option<Operation>,
    /// Exactly this permission.
    pub permission: Option<Permission>,
}

impl AclFilter {
    /// Every rule.
    pub const EVERYTHING: Self = Self {
        resource_type: None,
        resource_name: None,
        pattern: PatternFilter::Any,
        principal: None,
        host: None,
        operation: None,
        permission: None,
    };

    /// Whether the filter means the rule.
    #[must_use]
    pub fn matches(&self, acl: &Acl) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, found: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == found)
        }
        is(self.resource_type.as_ref(), &acl.resource_type)
            && self.matches_pattern(acl)
            && is(self.principal.as_ref(), &acl.principal)
            && is(self.host.as_ref(), &acl.host)
            && is(self.operation.as_ref(), &acl.operation)
            && is(self.permission.as_ref(), &acl.permission)
    }

    fn matches_pattern(&self, acl: &Acl) -> bool {
        let named = |name: &String| match self.pattern {
            PatternFilter::Any | PatternFilter::Only(_) => *name == acl.resource_name,
            PatternFilter::Match => acl.is_about(acl.resource_type, name),
        };
        let typed = match self.pattern {
            PatternFilter::Any | PatternFilter::Match => true,
            PatternFilter::Only(pattern) => pattern == acl.pattern_type,
        };
        typed && self.resource_name.as_ref().is_none_or(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(pattern_type: PatternType, name: &str) -> Acl {
        Acl {
            resource_type: ResourceType::Topic,
            resource_name: name.to_owned(),
            pattern_type,
            principal: "User:a".to_owned(),
            host: WILDCARD.to_owned(),
            operation: Operation::All,
            permission: Permission::Allow,
        }
    }

    #[test]
    fn any_means_the_very_name_and_match_what_speaks_of_it() {
        let named = |pattern| AclFilter { resource_name: Some("foo".into()), pattern, ..AclFilter::EVERYTHING };
        let (any, matching) = (named(PatternFilter::Any), named(PatternFilter::Match));
        let only = named(PatternFilter::Only(PatternType::Literal));
        for (pattern_type, name, is_any, is_matching, is_only) in [
            (PatternType::Literal, "foo", true, true, true),
            (PatternType::Literal, "*", false, true, false),
            (PatternType::Prefixed, "foo", true, true, false),
            (PatternType::Prefixed, "f", false, true, false),
            (PatternType::Prefixed, "*", false, false, false),
            (PatternType::Literal, "foobar", false, false, false),
        ] {
            let acl = acl(pattern_type, name);
            let found = (any.matches(&acl), matching.matches(&acl), only.matches(&acl));
            assert_eq!(found, (is_any, is_matching, is_only), "{acl}");
        }
    }

    #[test]
    fn a_filter_of_an_operation_does_not_mean_all() {
        let filter = AclFilter { operation: Some(Operation::Read), ..AclFilter::EVERYTHING };
        assert!(!filter.matches(&acl(PatternType::Literal, "foo")));
    }
}
