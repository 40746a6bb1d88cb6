//! Kafka's enumerations of ACLs: what each value is called, and its number on the wire and in the metadata log.

/// An enumeration with Kafka's numbers (`AclOperation`, `ResourceType`, ...) and Kafka's names of its values.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $code:literal $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$each])* $variant,)*
        }

        impl $name {
            /// Every value, in the order of Kafka's numbers.
            pub const EVERY: &'static [Self] = &[$(Self::$variant,)*];

            /// Kafka's number.
            #[must_use]
            pub const fn code(self) -> i8 {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// The value of a number; `None` for Kafka's UNKNOWN and ANY, and what Kafka does not know.
            #[must_use]
            pub const fn of_code(code: i8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Kafka's name, e.g. `DESCRIBE_CONFIGS`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The value of a name, as Kafka's tools take it: `DESCRIBE_CONFIGS`, `DescribeConfigs`, `describe-configs`.
            #[must_use]
            pub fn of_name(name: &str) -> Option<Self> {
                let plain = |text: &str| text.replace(['_', '-'], "").to_ascii_lowercase();
                let name = plain(name);
                Self::EVERY.iter().copied().find(|value| plain(value.name()) == name)
            }
        }
    };
}

numbered! {
    /// What is to be done (`AclOperation`).
    Operation {
        /// Everything; only in rules.
        All = 2 "ALL",
        /// Read records or offsets.
        Read = 3 "READ",
        /// Append records.
        Write = 4 "WRITE",
        /// Make a resource.
        Create = 5 "CREATE",
        /// Remove a resource.
        Delete = 6 "DELETE",
        /// Change a resource.
        Alter = 7 "ALTER",
        /// See that a resource exists.
        Describe = 8 "DESCRIBE",
        /// Act as a part of the cluster.
        ClusterAction = 9 "CLUSTER_ACTION",
        /// See settings.
        DescribeConfigs = 10 "DESCRIBE_CONFIGS",
        /// Change settings.
        AlterConfigs = 11 "ALTER_CONFIGS",
        /// Produce idempotently.
        IdempotentWrite = 12 "IDEMPOTENT_WRITE",
        /// Make delegation tokens for another.
        CreateTokens = 13 "CREATE_TOKENS",
        /// See delegation tokens of another.
        DescribeTokens = 14 "DESCRIBE_TOKENS",
        /// Prepare a transaction that somebody else ends (KIP-939).
        TwoPhaseCommit = 15 "TWO_PHASE_COMMIT",
    }
}

numbered! {
    /// On what kind of thing (`ResourceType`).
    ResourceType {
        /// A topic by name.
        Topic = 2 "TOPIC",
        /// A group by id.
        Group = 3 "GROUP",
        /// The cluster, whose name is `kafka-cluster`.
        Cluster = 4 "CLUSTER",
        /// A transactional id.
        TransactionalId = 5 "TRANSACTIONAL_ID",
        /// A delegation token by id.
        DelegationToken = 6 "DELEGATION_TOKEN",
        /// A principal, as the owner of tokens.
        User = 7 "USER",
    }
}

numbered! {
    /// How a rule's resource name is meant (`PatternType`).
    PatternType {
        /// This name; `*` is every name.
        Literal = 3 "LITERAL",
        /// Every name that begins so; `*` is only a star here.
        Prefixed = 4 "PREFIXED",
    }
}

numbered! {
    /// What a rule does (`AclPermissionType`).
    Permission {
        /// It refuses, whatever others allow.
        Deny = 2 "DENY",
        /// It allows, unless another denies.
        Allow = 3 "ALLOW",
    }
}

impl Operation {
    /// Whether a rule that allows `self` allows `asked`: itself, everything, or an operation that cannot be done without.
    /// Only what is allowed implies; a rule that denies Read does not deny Describe.
    #[must_use]
    pub const fn allows(self, asked: Self) -> bool {
        match self {
            Self::All => true,
            Self::Read | Self::Write | Self::Delete | Self::Alter if matches!(asked, Self::Describe) => true,
            Self::AlterConfigs if matches!(asked, Self::DescribeConfigs) => true,
            _ => self.code() == asked.code(),
        }
    }

    /// Whether a rule that denies `self` denies `asked`.
    #[must_use]
    pub const fn denies(self, asked: Self) -> bool {
        matches!(self, Self::All) || self.code() == asked.code()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back() {
        for operation in Operation::EVERY {
            assert_eq!(Operation::of_code(operation.code()), Some(*operation));
            assert_eq!(Operation::of_name(operation.name()), Some(*operation));
        }
        assert_eq!(Operation::of_name("IdempotentWrite"), Some(Operation::IdempotentWrite));
        assert_eq!(ResourceType::of_name("transactional-id"), Some(ResourceType::TransactionalId));
        assert_eq!((Operation::of_code(0), Operation::of_code(1), Operation::of_code(16)), (None, None, None));
    }

    #[test]
    fn only_what_is_allowed_implies() {
        assert!(Operation::Write.allows(Operation::Describe) && !Operation::Write.denies(Operation::Describe));
        assert!(Operation::AlterConfigs.allows(Operation::DescribeConfigs));
        assert!(!Operation::Read.allows(Operation::DescribeConfigs) && !Operation::Create.allows(Operation::Describe));
        assert!(Operation::All.allows(Operation::Alter) && Operation::All.denies(Operation::Alter));
    }
}
