//! DescribeUserScramCredentials (key 50): which users have credentials, for which mechanisms, of how many rounds (KIP-554).
//!
//! Where it differs from Apache Kafka: users stand in the order of the request, or of their names; Kafka's in any.
//!
//! Versions: 0, flexible.

use std::collections::HashMap;
use std::sync::Arc;

use barnabas_auth::{Operation, ResourceType, ScramCredential, ScramMechanism};
use barnabas_raft::MetadataImage;
use barnabas_raft::metadata::UserScramCredentials;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::describe_user_scram_credentials_request::UserName;
use kafka_protocol::messages::describe_user_scram_credentials_response::{
    CredentialInfo, DescribeUserScramCredentialsResult,
};
use kafka_protocol::messages::{DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse};
use kafka_protocol::protocol::StrBytes;

use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::shape::{structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};

/// DescribeUserScramCredentials.
pub struct DescribeUserScramCredentials;

impl Api for DescribeUserScramCredentials {
    type Request = DescribeUserScramCredentialsRequest;
    const NAME: &'static str = "DescribeUserScramCredentials";
    const VERSIONS: Versions = Versions::new(0, 0);
    const SHAPE: Shape = Shape { flexible: 0, fields: &[structs(&[text()]).nullable(0)] };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Describe, resource: ResourceType::Cluster }];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
}

impl OneStage for DescribeUserScramCredentials {
    async fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> Result<DescribeUserScramCredentialsResponse, CloseReason> {
        if !context.allowed(Operation::Describe, ResourceType::Cluster, CLUSTER_NAME) {
            let error = ResponseError::ClusterAuthorizationFailed.code();
            let message = StrBytes::from_static_str("Cluster authorization failed.");
            // As Kafka refuses a whole request: each user that was asked for, without its name.
            let refused = DescribeUserScramCredentialsResult::default()
                .with_error_code(error)
                .with_error_message(Some(message.clone()));
            return Ok(DescribeUserScramCredentialsResponse::default()
                .with_error_code(error)
                .with_error_message(Some(message))
                .with_results(vec![refused; request.users.map_or(0, |users| users.len())]));
        }
        let image = context.broker.controller.image();
        let results = match request.users.filter(|users| !users.is_empty()) {
            Some(users) => named(&image, &users),
            None => all(&image),
        };
        Ok(DescribeUserScramCredentialsResponse::default().with_results(results))
    }

    fn error_codes(response: &DescribeUserScramCredentialsResponse) -> impl IntoIterator<Item = i16> {
        let parts = response.results.iter().map(|result| result.error_code);
        std::iter::once(response.error_code).chain(parts)
    }
}

fn all(image: &MetadataImage) -> Vec<DescribeUserScramCredentialsResult> {
    let users = image.users_with_scram().into_iter();
    users.map(|(user, credentials)| described(StrBytes::from_string(user.to_string()), credentials)).collect()
}

/// Every name once, in the order of the request.
fn named(image: &MetadataImage, users: &[UserName]) -> Vec<DescribeUserScramCredentialsResult> {
    let mut times: HashMap<&StrBytes, usize> = HashMap::new();
    for user in users {
        *times.entry(&user.name).or_default() += 1;
    }
    let once = users.iter().filter_map(|user| Some((&user.name, times.remove(&user.name)?)));
    once.map(|(user, times)| {
        if times > 1 {
            let told = "Cannot describe SCRAM credentials for the same user twice in a single request: ";
            return refused(user, ResponseError::DuplicateResource, told);
        }
        match image.scram_credentials(user) {
            Some(credentials) => described(user.clone(), credentials),
            None => {
                let told = "Attempt to describe a user credential that does not exist: ";
                refused(user, ResponseError::ResourceNotFound, told)
            }
        }
    })
    .collect()
}

fn described(user: StrBytes, credentials: &UserScramCredentials) -> DescribeUserScramCredentialsResult {
    let info = |(mechanism, credential): (ScramMechanism, &Arc<ScramCredential>)| {
        CredentialInfo::default()
            .with_mechanism(mechanism.number())
            .with_iterations(i32::try_from(credential.iterations).unwrap_or(i32::MAX))
    };
    DescribeUserScramCredentialsResult::default()
        .with_user(user)
        .with_credential_infos(credentials.iter().map(info).collect())
}

fn refused(user: &StrBytes, error: ResponseError, told: &str) -> DescribeUserScramCredentialsResult {
    DescribeUserScramCredentialsResult::default()
        .with_user(user.clone())
        .with_error_code(error.code())
        .with_error_message(Some(StrBytes::from_string(format!("{told}{}", user.as_str()))))
}
