//! SaslAuthenticate (key 36): one token of the client's, one of ours (KIP-152).
//!
//! Where it differs from Apache Kafka: it does not; `broker/src/login/mod.rs` says where logins do.
//!
//! Versions: 1 the session's lifetime (KIP-368); 2 flexible.

use kafka_protocol::messages::{SaslAuthenticateRequest, SaslAuthenticateResponse};
use kafka_protocol::protocol::StrBytes;

use crate::api::audited::login_step;
use crate::api::error_code::ErrorCode;
use crate::api::shape::bytes;
use crate::api::{Api, CloseReason, Gate, Need, OneStage, QuotaClass, RequestContext, RunsOn, Shape, Versions};

/// SaslAuthenticate.
pub struct SaslAuthenticate;

impl Api for SaslAuthenticate {
    type Request = SaslAuthenticateRequest;
    const NAME: &'static str = "SaslAuthenticate";
    const VERSIONS: Versions = Versions::new(0, 2);
    const SHAPE: Shape = Shape { flexible: 2, fields: &[bytes()] };
    const NEEDS: &'static [Need] = &[];
    const GATE: Gate = Gate::Always;
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
    const ON_CONTROLLER: bool = true;
    const QUOTA: QuotaClass = QuotaClass::Exempt;
}

impl OneStage for SaslAuthenticate {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<SaslAuthenticateResponse, CloseReason> {
        let answer = SaslAuthenticateResponse::default();
        let RequestContext { broker, connection, client_id, .. } = &context;
        Ok(match login_step(broker, connection, client_id, &request.auth_bytes).await {
            Ok(step) => answer.with_auth_bytes(step.token.into()).with_session_lifetime_ms(step.lifetime_ms),
            Err(error) => answer
                .with_error_code(error.code().code())
                .with_error_message(Some(StrBytes::from_string(error.to_string()))),
        })
    }

    fn error_codes(response: &SaslAuthenticateResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}
