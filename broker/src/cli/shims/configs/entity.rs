//! Whose configs kafka-configs is about.

use crate::cli::failure::Failure;
use crate::client::configs::ConfigResource;

/// A type of entity, in the tool's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntityKind {
    Topic,
    Client,
    User,
    Broker,
    BrokerLogger,
    Ip,
    ClientMetrics,
    Group,
}

const NAMES: [(EntityKind, &str); 8] = [
    (EntityKind::Topic, "topics"),
    (EntityKind::Client, "clients"),
    (EntityKind::User, "users"),
    (EntityKind::Broker, "brokers"),
    (EntityKind::Ip, "ips"),
    (EntityKind::ClientMetrics, "client-metrics"),
    (EntityKind::Group, "groups"),
    (EntityKind::BrokerLogger, "broker-loggers"),
];

impl EntityKind {
    /// By its name on the command line.
    pub(super) fn named(name: &str) -> Result<Self, Failure> {
        let wrong = || {
            let names = NAMES.map(|(_, name)| name).join(", ");
            Failure::usage(format!(
                "Invalid entity type {name}, the entity type must be one of {names} with a --bootstrap-server or \
                 --bootstrap-controller argument"
            ))
        };
        NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind).ok_or_else(wrong)
    }

    /// Its name on the command line.
    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The tool calls one of them by the name without its last letter, whatever that is.
    pub(super) fn singular(self) -> &'static str {
        let name = self.name();
        name.get(..name.len().saturating_sub(1)).unwrap_or(name)
    }

    /// What has its configs; those of users, clients and addresses are quotas.
    pub(super) fn resource(self) -> Option<ConfigResource> {
        match self {
            Self::Topic => Some(ConfigResource::Topic),
            Self::Broker => Some(ConfigResource::Broker),
            Self::BrokerLogger => Some(ConfigResource::BrokerLogger),
            Self::ClientMetrics => Some(ConfigResource::ClientMetrics),
            Self::Group => Some(ConfigResource::Group),
            Self::Client | Self::User | Self::Ip => None,
        }
    }
}

/// Types and names; "" is a default.
#[derive(Debug)]
pub(super) struct Entities {
    pub(super) kinds: Vec<EntityKind>,
    pub(super) names: Vec<String>,
}

impl Entities {
    /// Checks that they fit together.
    pub(super) fn new(kinds: Vec<EntityKind>, names: Vec<String>, alter: bool) -> Result<Self, Failure> {
        let wrong = |text: &str| Err(Failure::usage(text));
        match kinds[..] {
            [] => return wrong("At least one entity type must be specified"),
            [_] | [EntityKind::User, EntityKind::Client] | [EntityKind::Client, EntityKind::User] => {}
            [first, second] if first == second => {
                return Err(Failure::usage(format!("Duplicate entity type(s) specified: {}", first.name())));
            }
            _ => return wrong("Only 'users' and 'clients' entity types may be specified together"),
        }
        if alter && kinds.len() != names.len() {
            return wrong("An entity name must be specified for every entity type");
        }
        if names.len() > kinds.len() {
            return wrong("More entity names specified than entity types");
        }
        Ok(Self { kinds, names })
    }

    /// The first type.
    pub(super) fn first(&self) -> EntityKind {
        self.kinds.first().copied().unwrap_or(EntityKind::Topic)
    }

    /// The first name.
    pub(super) fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// What the tool prints when it is done.
    pub(super) fn done(&self) -> String {
        let kind = self.first();
        match self.name() {
            "" => format!("Completed updating default config for {} in the cluster.\n", kind.name()),
            name => format!("Completed updating config for {} {name}.\n", kind.singular()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_type_or_users_with_clients() {
        use EntityKind::{Client, Topic, User};
        let new = |kinds: &[EntityKind], names: &[&str], alter| {
            Entities::new(kinds.to_vec(), names.iter().map(|name| (*name).to_owned()).collect(), alter)
        };
        assert!(new(&[User, Client], &["u"], false).is_ok());
        assert!(new(&[], &[], false).is_err() && new(&[Topic, User], &[], false).is_err());
        assert!(new(&[Topic, Topic], &[], false).is_err() && new(&[Topic], &["a", "b"], false).is_err());
        assert!(new(&[Topic], &[], true).is_err());
        assert_eq!(new(&[Topic], &["t"], true).unwrap().done(), "Completed updating config for topic t.\n");
    }

    #[test]
    fn types_are_named_as_by_the_tool() {
        assert_eq!(EntityKind::named("client-metrics").unwrap().singular(), "client-metric");
        assert!(EntityKind::named("tables").err().unwrap().to_string().contains("broker-loggers"));
    }
}
