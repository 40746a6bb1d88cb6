//! Which authorizer this node has, and how it hears of rules.

use std::sync::Arc;

use barnabas_auth::{AllowEveryone, Authorizer, InvalidSuperUser, StandardAuthorizer};
use barnabas_config::{Config, key};
use barnabas_raft::{Controller, MetadataDelta, MetadataImage, MetadataListener};

/// Kafka's class and our short name for the same.
const STANDARD: [&str; 2] = ["org.apache.kafka.metadata.authorizer.StandardAuthorizer", "standard"];

/// Why there is no authorizer.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizerError {
    /// A class that is not Kafka's own.
    #[error(
        "authorizer.class.name: {0} cannot be loaded; use org.apache.kafka.metadata.authorizer.StandardAuthorizer, or \
         leave it empty to allow everything"
    )]
    UnknownClass(String),
    /// `super.users` names what is no principal.
    #[error("super.users: {0}")]
    SuperUser(#[from] InvalidSuperUser),
}

/// The authorizer of a node.
pub(super) enum Authorization {
    /// Everything is allowed.
    Open,
    /// Rules decide.
    ByRules(Arc<StandardAuthorizer>),
}

impl Authorization {
    /// As `authorizer.class.name` says.
    pub(super) fn of(config: &Config) -> Result<Self, AuthorizerError> {
        let class = config.read(&key::AUTHORIZER_CLASS_NAME);
        let class = class.trim();
        if class.is_empty() {
            return Ok(Self::Open);
        }
        if !STANDARD.contains(&class) {
            return Err(AuthorizerError::UnknownClass(class.to_owned()));
        }
        let (super_users, everyone) =
            (config.read(&key::SUPER_USERS), config.read(&key::ALLOW_EVERYONE_IF_NO_ACL_FOUND));
        Ok(Self::ByRules(Arc::new(StandardAuthorizer::new(&super_users, everyone)?)))
    }

    pub(super) fn authorizer(&self) -> Arc<dyn Authorizer> {
        match self {
            Self::Open => Arc::new(AllowEveryone),
            Self::ByRules(authorizer) => Arc::clone(authorizer) as Arc<dyn Authorizer>,
        }
    }

    /// Returns when the rules that are there are in force; from then on each change is, before it is acknowledged.
    pub(super) async fn follow(&self, controller: &Controller) {
        match self {
            Self::Open => {}
            Self::ByRules(authorizer) => controller.subscribe(Arc::new(Rules(Arc::clone(authorizer)))).await,
        }
    }
}

/// Takes rules from the metadata to the authorizer.
struct Rules(Arc<StandardAuthorizer>);

impl MetadataListener for Rules {
    fn publish(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>) {
        if delta.acls_changed {
            self.0.replace(image.acls().map(|(_, acl)| Arc::clone(acl)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(settings: &[&str]) -> Result<Authorization, AuthorizerError> {
        let assignments = settings.iter().map(|one| (*one).to_owned()).collect();
        let read_file = |_: &std::path::Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
        let sources =
            barnabas_config::ConfigSources { files: vec![], environment: vec![], assignments, read_file: &read_file };
        Authorization::of(&Config::load(&sources).unwrap().0)
    }

    #[test]
    fn kafkas_class_and_its_short_name_turn_rules_on() {
        for class in STANDARD {
            assert!(of(&[&format!("authorizer.class.name={class}")]).unwrap().authorizer().has_rules());
        }
        assert!(!of(&[]).unwrap().authorizer().has_rules());
        assert!(of(&["authorizer.class.name=com.example.Own"]).is_err());
        assert!(of(&["authorizer.class.name=standard", "super.users=root"]).is_err());
    }
}
