//! Every rule of a cluster, and what a broker with these rules would answer.

use std::net::IpAddr;
use std::sync::Arc;

use barnabas_auth::{
    Acl, AclFilter, Authorizer as _, Operation, Principal, Question, Reason, ResourceType, StandardAuthorizer, Verdict,
};

use super::rules;
use crate::cli::Failure;
use crate::client::configs::ConfigResource;
use crate::client::{CallError, Cluster};

/// The broker's settings that decide beside the rules.
const SUPER_USERS: &str = "super.users";
const EVERYONE: &str = "allow.everyone.if.no.acl.found";

/// Answers as a broker would.
pub(super) struct Judge {
    pub(super) acls: Vec<Acl>,
    /// The broker's `super.users`; `None` when it does not tell. Apache Kafka hides it from every client.
    super_users: Option<String>,
    /// The broker's `allow.everyone.if.no.acl.found`; `None` when it does not tell.
    everyone: Option<bool>,
    authorizer: StandardAuthorizer,
}

impl Judge {
    /// Reads the rules, and the settings as far as they are told.
    ///
    /// # Errors
    /// The rules cannot be had.
    pub(super) async fn of(cluster: &mut Cluster) -> Result<Self, Failure> {
        let acls = rules::describe(cluster, &AclFilter::EVERYTHING).await?;
        let [super_users, everyone] = settings(cluster).await?;
        Self::with(acls, super_users, everyone.map(|everyone| everyone.eq_ignore_ascii_case("true")))
    }

    fn with(acls: Vec<Acl>, super_users: Option<String>, everyone: Option<bool>) -> Result<Self, Failure> {
        let known = super_users.as_deref().unwrap_or_default();
        let authorizer = StandardAuthorizer::new(known, everyone.unwrap_or(false))
            .map_err(|error| Failure::from(format!("the broker's {SUPER_USERS}: {error}")))?;
        authorizer.replace(acls.iter().cloned().map(Arc::new));
        Ok(Self { acls, super_users, everyone, authorizer })
    }

    pub(super) fn decide(&self, question: &Question<'_>) -> Verdict {
        self.authorizer.decide(question)
    }

    /// Those of the operations that are allowed.
    pub(super) fn allowed(
        &self,
        principal: &Principal,
        host: IpAddr,
        operations: &[Operation],
        resource_type: ResourceType,
        resource_name: &str,
    ) -> Vec<Operation> {
        let question = |operation| Question { principal, host, operation, resource_type, resource_name };
        operations.iter().copied().filter(|operation| self.decide(&question(*operation)).is_allowed()).collect()
    }

    /// The super users that are known.
    pub(super) fn super_users(&self) -> impl Iterator<Item = &str> {
        let all = self.super_users.as_deref().unwrap_or_default().split(';').map(str::trim);
        all.filter(|name| !name.is_empty())
    }

    /// What may make the verdict wrong.
    pub(super) fn doubts(&self, verdict: &Verdict) -> Vec<String> {
        let mut doubts = Vec::new();
        if !verdict.is_allowed() && self.super_users.is_none() {
            doubts.push(format!("the broker does not tell its {SUPER_USERS}: one of them may do everything"));
        }
        if verdict.reason == Reason::NoAcl && self.everyone.is_none() {
            doubts.push(format!("the broker does not tell its {EVERYONE}: taken as false"));
        }
        doubts
    }

    /// What may be missing where answers are listed.
    pub(super) fn unknown(&self) -> Option<String> {
        self.super_users
            .is_none()
            .then(|| format!("the broker does not tell its {SUPER_USERS}: they are not in this list"))
    }
}

/// The values of both settings, as far as the broker tells them. One that is not in its list is not set.
async fn settings(cluster: &mut Cluster) -> Result<[Option<String>; 2], Failure> {
    let broker = cluster.brokers().await?.into_keys().next().unwrap_or_default().to_string();
    let results = match cluster.describe_configs(ConfigResource::Broker, &[&broker], false).await {
        Err(CallError::Unsupported { .. }) => return Ok([None, None]),
        results => results?,
    };
    let Some(described) = results.first().filter(|result| result.error_code == 0) else { return Ok([None, None]) };
    Ok([SUPER_USERS, EVERYONE].map(|name| {
        let found = described.configs.iter().find(|config| config.name.as_str() == name);
        found.map_or(Some(String::new()), |config| config.value.as_ref().map(ToString::to_string))
    }))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn verdict(judge: &Judge, name: &str) -> Verdict {
        let principal = Principal { kind: "User".into(), name: name.into() };
        let (host, resource_type) = (IpAddr::V4(Ipv4Addr::LOCALHOST), ResourceType::Topic);
        let operation = Operation::Read;
        judge.decide(&Question { principal: &principal, host, operation, resource_type, resource_name: "t" })
    }

    #[test]
    fn what_the_broker_does_not_tell_is_a_doubt() {
        let known = Judge::with(Vec::new(), Some("User:root; User:admin".into()), Some(false)).unwrap();
        assert_eq!(known.super_users().collect::<Vec<_>>(), ["User:root", "User:admin"]);
        assert!(verdict(&known, "admin").is_allowed() && known.unknown().is_none());
        assert_eq!(known.doubts(&verdict(&known, "a")), Vec::<String>::new());
        let unknown = Judge::with(Vec::new(), None, None).unwrap();
        assert_eq!(unknown.doubts(&verdict(&unknown, "admin")).len(), 2);
        assert!(unknown.unknown().is_some() && unknown.super_users().next().is_none());
    }
}
