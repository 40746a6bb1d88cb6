//! AlterUserScramCredentials (key 51): sets and removes users' credentials (KIP-554).
//!
//! Where it differs from Apache Kafka: both mechanisms of a user may be altered in one request, as the KIP says
//! (`raft/src/controller/alter_scram.rs`). Only super users change the credentials of super users: whoever may alter the
//! cluster could become one otherwise. A salted password is as good as a password: over a connection without TLS it is
//! refused, unless the peer is on this machine or `scram.alter.over.plaintext` allows it.
//!
//! Versions: 0, flexible.

use std::collections::{BTreeMap, BTreeSet};

use barnabas_auth::{Operation, ResourceType, ScramCredential, ScramMechanism};
use barnabas_config::{SecurityProtocol, key};
use barnabas_raft::{AlterScramError, ScramAlteration};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::alter_user_scram_credentials_response::AlterUserScramCredentialsResult;
use kafka_protocol::messages::{AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse};
use kafka_protocol::protocol::StrBytes;

use super::super_users::super_users;
use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::context::ConnectionInfo;
use crate::api::error_code::ErrorCode;
use crate::api::shape::{bytes, int8, int32, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, QuotaClass, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};

/// AlterUserScramCredentials.
pub struct AlterUserScramCredentials;

const UNSAFE: &str = "A salted password is as good as a password, and this connection is not encrypted: connect over \
                      TLS or from the broker's machine, or set scram.alter.over.plaintext=true";
const SUPER_USERS_ONLY: &str = "Only a super user changes the credentials of a super user";

impl Api for AlterUserScramCredentials {
    type Request = AlterUserScramCredentialsRequest;
    const NAME: &'static str = "AlterUserScramCredentials";
    const VERSIONS: Versions = Versions::new(0, 0);
    const SHAPE: Shape = Shape {
        flexible: 0,
        fields: &[structs(&[text(), int8()]), structs(&[text(), int8(), int32(), bytes(), bytes()])],
    };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Alter, resource: ResourceType::Cluster }];
    const RUNS_ON: RunsOn = RunsOn::Controller;
    const QUOTA: QuotaClass = QuotaClass::Request;
}

impl OneStage for AlterUserScramCredentials {
    async fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> Result<AlterUserScramCredentialsResponse, CloseReason> {
        let response = alter_allowed(&context, &request).await;
        if context.broker.audit.is_on() {
            tell(&context, &request, &response.results);
        }
        Ok(response)
    }

    fn error_codes(response: &AlterUserScramCredentialsResponse) -> impl IntoIterator<Item = i16> {
        response.results.iter().map(|result| result.error_code)
    }
}

/// What the request sets and removes of a user, by mechanism.
type Named<'a> = (BTreeSet<&'static str>, BTreeSet<&'static str>, &'a AlterUserScramCredentialsResult);

/// Names of users and mechanisms; of what proves a password nothing.
fn tell(
    context: &RequestContext,
    request: &AlterUserScramCredentialsRequest,
    results: &[AlterUserScramCredentialsResult],
) {
    let mechanism = |number: i8| ScramMechanism::of_number(number).map_or("unknown", ScramMechanism::name);
    let named = results.iter().map(|one| (one.user.as_str(), (BTreeSet::new(), BTreeSet::new(), one)));
    let mut by_user: BTreeMap<&str, Named<'_>> = named.collect();
    for one in &request.upsertions {
        if let Some((set, ..)) = by_user.get_mut(one.name.as_str()) {
            set.insert(mechanism(one.mechanism));
        }
    }
    for one in &request.deletions {
        if let Some((_, removed, _)) = by_user.get_mut(one.name.as_str()) {
            removed.insert(mechanism(one.mechanism));
        }
    }
    for (user, (set, removed, result)) in by_user {
        let activity = if set.is_empty() { Activity::Delete } else { Activity::Update };
        let refused = ResponseError::try_from_code(result.error_code);
        let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(",");
        let subject = || Subject::new("USER", user).with("set", list(set)).with("removed", list(removed));
        if result.error_message.as_ref().is_some_and(|message| message.as_str() == SUPER_USERS_ONLY) {
            context.tell_also_denials(activity, refused, subject);
        } else {
            context.tell(activity, refused, subject);
        }
    }
}

/// Judges and alters.
async fn alter_allowed(
    context: &RequestContext,
    request: &AlterUserScramCredentialsRequest,
) -> AlterUserScramCredentialsResponse {
    let users = users(request);
    if !context.allowed(Operation::Alter, ResourceType::Cluster, CLUSTER_NAME) {
        let error = ResponseError::ClusterAuthorizationFailed;
        return all_refused(users, error, "Cluster authorization failed.");
    }
    let sets_any = !request.upsertions.is_empty();
    if sets_any && !is_safe(&context.connection) && !context.broker.config.read(&key::SCRAM_ALTER_OVER_PLAINTEXT) {
        return all_refused(users, ResponseError::PolicyViolation, UNSAFE);
    }
    let supers = super_users(context.broker.config.text("super.users").unwrap_or_default());
    let may_all = supers.contains(&*context.principal.to_string());
    let is_guarded = |user: &StrBytes| !may_all && supers.contains(&*format!("User:{}", user.as_str()));
    let (guarded, others): (Vec<_>, Vec<_>) = users.into_iter().partition(|user| is_guarded(user));
    let error = ResponseError::ClusterAuthorizationFailed;
    let mut response = all_refused(guarded, error, SUPER_USERS_ONLY);
    response.results.extend(alter(context, alterations(request, is_guarded), others).await);
    response
}

/// Has the controller alter these users; each one's outcome.
async fn alter(
    context: &RequestContext,
    alterations: Vec<ScramAlteration>,
    users: Vec<StrBytes>,
) -> Vec<AlterUserScramCredentialsResult> {
    let outcome = |(user, outcome): (String, Result<(), AlterScramError>)| {
        let user = StrBytes::from_string(user);
        match outcome {
            Ok(()) => AlterUserScramCredentialsResult::default().with_user(user),
            Err(error) => refused(user, error.code(), &error.to_string()),
        }
    };
    match context.broker.controller.alter_scram_credentials(alterations).await {
        Ok(outcomes) => outcomes.into_iter().map(outcome).collect(),
        Err(error) => all_refused(users, error.code(), &error.to_string()).results,
    }
}

/// Every user of the request, once.
fn users(request: &AlterUserScramCredentialsRequest) -> Vec<StrBytes> {
    let mut seen = BTreeSet::new();
    let removed = request.deletions.iter().map(|one| &one.name);
    let set = request.upsertions.iter().map(|one| &one.name);
    removed.chain(set).filter(|user| seen.insert(user.as_str().to_owned())).cloned().collect()
}

/// What the controller is to do. Salted passwords end here.
fn alterations(
    request: &AlterUserScramCredentialsRequest,
    is_left_out: impl Fn(&StrBytes) -> bool,
) -> Vec<ScramAlteration> {
    let removals = request.deletions.iter().filter(|one| !is_left_out(&one.name)).map(|one| ScramAlteration {
        user: one.name.to_string(),
        mechanism: ScramMechanism::of_number(one.mechanism),
        credential: None,
    });
    let sets = request.upsertions.iter().filter(|one| !is_left_out(&one.name)).map(|one| {
        let mechanism = ScramMechanism::of_number(one.mechanism);
        let iterations = u32::try_from(one.iterations).unwrap_or(0);
        // Without a mechanism it will be refused, whatever the credential.
        let of = mechanism.unwrap_or(ScramMechanism::Sha256);
        let credential = ScramCredential::of_salted_password(of, &one.salted_password, one.salt.to_vec(), iterations);
        ScramAlteration { user: one.name.to_string(), mechanism, credential: Some(credential) }
    });
    removals.chain(sets).collect()
}

fn is_safe(connection: &ConnectionInfo) -> bool {
    match connection.protocol {
        SecurityProtocol::Ssl | SecurityProtocol::SaslSsl => true,
        SecurityProtocol::Plaintext | SecurityProtocol::SaslPlaintext => {
            connection.peer.ip().to_canonical().is_loopback()
        }
    }
}

fn all_refused(users: Vec<StrBytes>, error: ResponseError, told: &str) -> AlterUserScramCredentialsResponse {
    let results = users.into_iter().map(|user| refused(user, error, told)).collect();
    AlterUserScramCredentialsResponse::default().with_results(results)
}

fn refused(user: StrBytes, error: ResponseError, told: &str) -> AlterUserScramCredentialsResult {
    AlterUserScramCredentialsResult::default()
        .with_user(user)
        .with_error_code(error.code())
        .with_error_message(Some(StrBytes::from_string(told.to_owned())))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::session::Session;

    #[test]
    fn salted_passwords_are_taken_over_tls_or_from_this_machine() {
        let safe = |protocol, peer: &str| {
            let (local, peer) = ("10.0.0.1:9092".parse().unwrap(), peer.parse().unwrap());
            let session = Session::at_accept(protocol, None);
            is_safe(&ConnectionInfo::new(1, Arc::from("L"), protocol, local, peer, session))
        };
        assert!(safe(SecurityProtocol::SaslSsl, "10.0.0.2:5000") && safe(SecurityProtocol::Ssl, "10.0.0.2:5000"));
        for protocol in [SecurityProtocol::Plaintext, SecurityProtocol::SaslPlaintext] {
            assert!(safe(protocol, "127.0.0.1:5000") && safe(protocol, "[::1]:5000"));
            assert!(safe(protocol, "[::ffff:127.0.0.1]:5000"));
            assert!(!safe(protocol, "10.0.0.2:5000"));
        }
    }
}
