//! CreateDelegationToken (key 38): a token that stands for its owner, for whoever asks or, with the right to it, for another
//! (KIP-373).
//!
//! Where it differs from Apache Kafka: only a super user has a token made for a super user. A cluster has 100,000 tokens at
//! most, and a token 1,000 renewers.
//!
//! Versions: 1 as 0, which Kafka 4 dropped; 2 flexible; 3 another owner.

use barnabas_auth::{Operation, Principal, ResourceType};
use barnabas_raft::{DelegationToken, NewDelegationToken};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{CreateDelegationTokenRequest, CreateDelegationTokenResponse};

use super::{NO_TIME, may_ask, outcome, principal, subject, text};
use crate::api::sasl::super_users::super_users;
use crate::api::shape::{self, int64, structs};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::Activity;

/// CreateDelegationToken.
pub struct CreateDelegationToken;

/// The first version with owner and requester.
const WITH_OWNER: i16 = 3;

impl Api for CreateDelegationToken {
    type Request = CreateDelegationTokenRequest;
    const NAME: &'static str = "CreateDelegationToken";
    const VERSIONS: Versions = Versions::new(1, 3);
    const SHAPE: Shape = Shape {
        flexible: 2,
        fields: &[
            shape::text().since(WITH_OWNER).nullable(WITH_OWNER),
            shape::text().since(WITH_OWNER).nullable(WITH_OWNER),
            structs(&[shape::text(), shape::text()]),
            int64(),
        ],
    };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::CreateTokens, resource: ResourceType::User }];
    const RUNS_ON: RunsOn = RunsOn::Controller;
}

impl OneStage for CreateDelegationToken {
    async fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> Result<CreateDelegationTokenResponse, CloseReason> {
        let owner = owner(&context, &request);
        let renewers =
            request.renewers.iter().map(|one| principal(&one.principal_type, &one.principal_name)).collect::<Vec<_>>();
        let answer = match check(&context, &owner, &renewers) {
            Err(refusal) => CreateDelegationTokenResponse::default()
                .with_error_code(refusal.code())
                .with_issue_timestamp_ms(NO_TIME)
                .with_expiry_timestamp_ms(NO_TIME)
                .with_max_timestamp_ms(NO_TIME),
            Ok(()) => match create(&context, &owner, renewers, request.max_lifetime_ms).await {
                Ok(answer) => answer,
                Err(refusal) => CreateDelegationTokenResponse::default().with_error_code(refusal.code()),
            },
        };
        let refused = ResponseError::try_from_code(answer.error_code);
        context.tell(Activity::Create, refused, || subject(&answer.token_id).with("owner", &owner));
        let answer = answer.with_principal_type(text(&owner.kind)).with_principal_name(text(&owner.name));
        Ok(if context.version < WITH_OWNER {
            answer
        } else {
            answer
                .with_token_requester_principal_type(text(&context.principal.kind))
                .with_token_requester_principal_name(text(&context.principal.name))
        })
    }

    fn error_codes(response: &CreateDelegationTokenResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}

/// Whose the token is to be: the client's, unless it names another.
fn owner(context: &RequestContext, request: &CreateDelegationTokenRequest) -> Principal {
    match &request.owner_principal_name {
        Some(name) if !name.is_empty() => {
            let kind = request.owner_principal_type.as_deref().unwrap_or("User").to_owned();
            Principal { kind, name: name.to_string() }
        }
        Some(_) | None => Principal::clone(&context.principal),
    }
}

/// In Kafka's order.
fn check(context: &RequestContext, owner: &Principal, renewers: &[Principal]) -> Result<(), ResponseError> {
    if !may_ask(context) {
        return Err(ResponseError::DelegationTokenRequestNotAllowed);
    }
    if *owner != *context.principal {
        let supers = super_users(context.broker.config.text("super.users").unwrap_or_default());
        let is_super = |principal: &Principal| supers.contains(&*principal.to_string());
        let is_guarded = is_super(owner) && !is_super(&context.principal);
        if is_guarded || !context.allowed(Operation::CreateTokens, ResourceType::User, &owner.to_string()) {
            return Err(ResponseError::DelegationTokenAuthorizationFailed);
        }
    }
    if renewers.iter().any(|renewer| renewer.kind != "User") {
        return Err(ResponseError::InvalidPrincipalType);
    }
    Ok(())
}

async fn create(
    context: &RequestContext,
    owner: &Principal,
    renewers: Vec<Principal>,
    lifetime_max_ms: i64,
) -> Result<CreateDelegationTokenResponse, ResponseError> {
    let tokens = &context.broker.delegation_tokens;
    if !tokens.is_enabled() {
        return Err(ResponseError::DelegationTokenAuthDisabled);
    }
    let asked = if lifetime_max_ms > 0 { lifetime_max_ms } else { i64::MAX };
    let new = NewDelegationToken {
        owner: owner.clone(),
        requester: Principal::clone(&context.principal),
        renewers,
        lifetime_max_ms: tokens.lifetime_max_ms.min(asked),
        lifetime_ms: tokens.lifetime_ms,
    };
    let token = outcome(context.broker.controller.create_delegation_token(new).await)?;
    let hmac = tokens.hmac(&token.id).ok_or(ResponseError::DelegationTokenAuthDisabled)?;
    let DelegationToken { id, issued, expires, ends, .. } = &*token;
    Ok(CreateDelegationTokenResponse::default()
        .with_issue_timestamp_ms(issued.0)
        .with_expiry_timestamp_ms(expires.0)
        .with_max_timestamp_ms(ends.0)
        .with_token_id(text(&id.0))
        .with_hmac(hmac.into()))
}
