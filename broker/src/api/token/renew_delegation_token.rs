//! RenewDelegationToken (key 39): owner and renewers put off when a token expires, up to its end.
//!
//! Where it differs from Apache Kafka: it does not.
//!
//! Versions: 1 as 0, which Kafka 4 dropped; 2 flexible.

use barnabas_auth::Principal;
use barnabas_raft::DelegationTokenChange;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{RenewDelegationTokenRequest, RenewDelegationTokenResponse};

use super::{outcome, refused, subject, time_of};
use crate::api::shape::{bytes, int64};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::Activity;

/// RenewDelegationToken.
pub struct RenewDelegationToken;

impl Api for RenewDelegationToken {
    type Request = RenewDelegationTokenRequest;
    const NAME: &'static str = "RenewDelegationToken";
    const VERSIONS: Versions = Versions::new(1, 2);
    const SHAPE: Shape = Shape { flexible: 2, fields: &[bytes(), int64()] };
    const NEEDS: &'static [Need] = &[];
    const RUNS_ON: RunsOn = RunsOn::Controller;
}

impl OneStage for RenewDelegationToken {
    async fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> Result<RenewDelegationTokenResponse, CloseReason> {
        let answer = RenewDelegationTokenResponse::default();
        let outcome = renew(&context, &request.hmac, request.renew_period_ms).await;
        context.tell(Activity::Update, outcome.as_ref().err().copied(), || {
            let id = context.broker.delegation_tokens.id_of(&request.hmac);
            subject(id.as_ref().map_or("", |id| &id.0))
        });
        Ok(match outcome {
            Ok(expires_ms) => answer.with_expiry_timestamp_ms(expires_ms),
            Err(refusal) => answer.with_error_code(refusal.code()).with_expiry_timestamp_ms(time_of(refusal)),
        })
    }

    fn error_codes(response: &RenewDelegationTokenResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}

async fn renew(context: &RequestContext, hmac: &[u8], period_ms: i64) -> Result<i64, ResponseError> {
    if let Some(refusal) = refused(context) {
        return Err(refusal);
    }
    let tokens = &context.broker.delegation_tokens;
    let id = tokens.id_of(hmac).ok_or(ResponseError::DelegationTokenNotFound)?;
    let asked = if period_ms > 0 { period_ms } else { i64::MAX };
    let by = Principal::clone(&context.principal);
    let change = DelegationTokenChange { id, by, period_ms: Some(tokens.lifetime_ms.min(asked)) };
    Ok(outcome(context.broker.controller.change_delegation_token(change).await)?.0)
}
