//! DescribeDelegationToken (key 41): tokens, with what their bearers show. Everybody sees those that are theirs or that they may
//! renew, others with the right to them: Describe on the token, or DescribeTokens on its owner (KIP-373).
//!
//! Where it differs from Apache Kafka: tokens stand in the order of their ids, Kafka's in any.
//!
//! Versions: 1 as 0, which Kafka 4 dropped; 2 flexible; 3 who asked for the token.

use barnabas_auth::{Operation, Principal, ResourceType};
use barnabas_raft::DelegationToken;
use kafka_protocol::messages::describe_delegation_token_response::{
    DescribedDelegationToken, DescribedDelegationTokenRenewer,
};
use kafka_protocol::messages::{DescribeDelegationTokenRequest, DescribeDelegationTokenResponse};

use super::{principal, refused, text};
use crate::api::shape::{self, structs};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};

/// DescribeDelegationToken.
pub struct DescribeDelegationToken;

/// The first version with the requester.
const WITH_REQUESTER: i16 = 3;

impl Api for DescribeDelegationToken {
    type Request = DescribeDelegationTokenRequest;
    const NAME: &'static str = "DescribeDelegationToken";
    const VERSIONS: Versions = Versions::new(1, 3);
    const SHAPE: Shape = Shape { flexible: 2, fields: &[structs(&[shape::text(), shape::text()]).nullable(0)] };
    const NEEDS: &'static [Need] = &[
        Need { operation: Operation::Describe, resource: ResourceType::DelegationToken },
        Need { operation: Operation::DescribeTokens, resource: ResourceType::User },
    ];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
}

impl OneStage for DescribeDelegationToken {
    async fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> Result<DescribeDelegationTokenResponse, CloseReason> {
        if let Some(refusal) = refused(&context) {
            return Ok(DescribeDelegationTokenResponse::default().with_error_code(refusal.code()));
        }
        // No list means all owners, an empty list none.
        let owners: Option<Vec<Principal>> = request
            .owners
            .as_ref()
            .map(|owners| owners.iter().map(|owner| principal(&owner.principal_type, &owner.principal_name)).collect());
        let is_asked = |token: &DelegationToken| {
            owners.as_ref().is_none_or(|owners| owners.iter().any(|owner| token.is_of(owner)))
        };
        let image = context.broker.controller.image();
        let tokens = image.delegation_tokens().filter(|token| is_asked(token) && may_see(&context, token));
        let tokens = tokens.filter_map(|token| described(&context, token)).collect();
        Ok(DescribeDelegationTokenResponse::default().with_tokens(tokens))
    }

    fn error_codes(response: &DescribeDelegationTokenResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}

fn may_see(context: &RequestContext, token: &DelegationToken) -> bool {
    token.is_of(&context.principal)
        || context.would_allow(Operation::Describe, ResourceType::DelegationToken, &token.id.0)
        || context.would_allow(Operation::DescribeTokens, ResourceType::User, &token.owner.to_string())
}

fn described(context: &RequestContext, token: &DelegationToken) -> Option<DescribedDelegationToken> {
    let renewer = |renewer: &Principal| {
        DescribedDelegationTokenRenewer::default()
            .with_principal_type(text(&renewer.kind))
            .with_principal_name(text(&renewer.name))
    };
    let described = DescribedDelegationToken::default()
        .with_principal_type(text(&token.owner.kind))
        .with_principal_name(text(&token.owner.name))
        .with_issue_timestamp(token.issued.0)
        .with_expiry_timestamp(token.expires.0)
        .with_max_timestamp(token.ends.0)
        .with_token_id(text(&token.id.0))
        .with_hmac(context.broker.delegation_tokens.hmac(&token.id)?.into())
        .with_renewers(token.renewers.iter().map(renewer).collect());
    Some(if context.version < WITH_REQUESTER {
        described
    } else {
        described
            .with_token_requester_principal_type(text(&token.requester.kind))
            .with_token_requester_principal_name(text(&token.requester.name))
    })
}
