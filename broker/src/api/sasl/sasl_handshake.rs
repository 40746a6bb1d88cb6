//! SaslHandshake (key 17): the client names a mechanism, the answer lists those of the listener.
//!
//! Where it differs from Apache Kafka: mechanisms stand in the order of the setting, Kafka's in any. After version 0 no
//! session is renewed.
//!
//! Versions: 0 tokens follow without a header; 1 in SaslAuthenticate (KIP-152). Never flexible.

use kafka_protocol::messages::{SaslHandshakeRequest, SaslHandshakeResponse};
use kafka_protocol::protocol::StrBytes;

use crate::api::error_code::ErrorCode;
use crate::api::shape::text;
use crate::api::{Api, CloseReason, Gate, Need, OneStage, QuotaClass, RequestContext, RunsOn, Shape, Versions};

/// SaslHandshake.
pub struct SaslHandshake;

impl Api for SaslHandshake {
    type Request = SaslHandshakeRequest;
    const NAME: &'static str = "SaslHandshake";
    const VERSIONS: Versions = Versions::new(0, 1);
    const SHAPE: Shape = Shape { flexible: i16::MAX, fields: &[text()] };
    const NEEDS: &'static [Need] = &[];
    const GATE: Gate = Gate::Always;
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
    const ON_CONTROLLER: bool = true;
    const QUOTA: QuotaClass = QuotaClass::Exempt;
}

impl OneStage for SaslHandshake {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<SaslHandshakeResponse, CloseReason> {
        let (logins, connection) = (&context.broker.logins, &context.connection);
        let begun = logins.handshake(connection, &request.mechanism, context.version).await;
        if let Err(error) = &begun {
            context.tell_no_login(error);
        }
        let mechanisms = logins.mechanisms(connection).into_iter().map(StrBytes::from_static_str).collect();
        Ok(SaslHandshakeResponse::default()
            .with_error_code(begun.map_or_else(|error| error.code().code(), |()| 0))
            .with_mechanisms(mechanisms))
    }

    fn error_codes(response: &SaslHandshakeResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}
