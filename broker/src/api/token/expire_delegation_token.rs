//! ExpireDelegationToken (key 40): owner and renewers say when a token expires, or remove it at once.
//!
//! Where it differs from Apache Kafka: it does not.
//!
//! Versions: 1 as 0, which Kafka 4 dropped; 2 flexible.

use barnabas_auth::Principal;
use barnabas_raft::DelegationTokenChange;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{ExpireDelegationTokenRequest, ExpireDelegationTokenResponse};

use super::{outcome, refused, subject, time_of};
use crate::api::shape::{bytes, int64};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::Activity;

/// ExpireDelegationToken.
pub struct ExpireDelegationToken;

impl Api for ExpireDelegationToken {
    type Request = ExpireDelegationTokenRequest;
    const NAME: &'static str = "ExpireDelegationToken";
    const VERSIONS: Versions = Versions::new(1, 2);
    const SHAPE: Shape = Shape { flexible: 2, fields: &[bytes(), int64()] };
    const NEEDS: &'static [Need] = &[];
    const RUNS_ON: RunsOn = RunsOn::Controller;
}

impl OneStage for ExpireDelegationToken {
    async fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> Result<ExpireDelegationTokenResponse, CloseReason> {
        let answer = ExpireDelegationTokenResponse::default();
        let outcome = expire(&context, &request.hmac, request.expiry_time_period_ms).await;
        context.tell(Activity::Delete, outcome.as_ref().err().copied(), || {
            let id = context.broker.delegation_tokens.id_of(&request.hmac);
            subject(id.as_ref().map_or("", |id| &id.0))
        });
        Ok(match outcome {
            Ok(expires_ms) => answer.with_expiry_timestamp_ms(expires_ms),
            Err(refusal) => answer.with_error_code(refusal.code()).with_expiry_timestamp_ms(time_of(refusal)),
        })
    }

    fn error_codes(response: &ExpireDelegationTokenResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}

async fn expire(context: &RequestContext, hmac: &[u8], period_ms: i64) -> Result<i64, ResponseError> {
    if let Some(refusal) = refused(context) {
        return Err(refusal);
    }
    let id = context.broker.delegation_tokens.id_of(hmac).ok_or(ResponseError::DelegationTokenNotFound)?;
    let by = Principal::clone(&context.principal);
    // A time below 0 is at once.
    let change = DelegationTokenChange { id, by, period_ms: (period_ms >= 0).then_some(period_ms) };
    Ok(outcome(context.broker.controller.change_delegation_token(change).await)?.0)
}
