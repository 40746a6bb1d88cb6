//! GetTelemetrySubscriptions (key 71): which metrics a client is to push, and how often (KIP-714).
//!
//! Where it differs from Apache Kafka: it is served always. Kafka hides it, and PushTelemetry, unless a plug-in takes what
//! clients push; ours goes to `/metrics/clients`. Sums are asked for since the client's start, not since its last push: so
//! Prometheus reads them, and a push that is lost loses nothing. A client whose connection ends is kept until it was not
//! heard of for three intervals, so that its last values can be read.
//!
//! Versions: 0.

use barnabas_config::key;
use kafka_protocol::messages::{GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse};
use kafka_protocol::protocol::StrBytes;

use super::identity;
use crate::api::error_code::ErrorCode;
use crate::api::shape::uuid;
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};

/// GetTelemetrySubscriptions.
pub struct GetTelemetrySubscriptions;

/// Zstd, lz4, gzip, snappy: in the order in which Kafka offers them.
const CODECS: [i8; 4] = [4, 3, 1, 2];

impl Api for GetTelemetrySubscriptions {
    type Request = GetTelemetrySubscriptionsRequest;
    const NAME: &'static str = "GetTelemetrySubscriptions";
    const VERSIONS: Versions = Versions::new(0, 0);
    const SHAPE: Shape = Shape { flexible: 0, fields: &[uuid()] };
    const NEEDS: &'static [Need] = &[];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
}

impl OneStage for GetTelemetrySubscriptions {
    async fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> Result<GetTelemetrySubscriptionsResponse, CloseReason> {
        let asked = request.client_instance_id;
        let instance = if asked.is_nil() { context.broker.seams.rng.uuid() } else { asked };
        let software = context.connection.software();
        let terms = match context.broker.telemetry.ask(&identity(&context, instance, software.as_ref())) {
            Ok(terms) => terms,
            Err(refusal) => {
                return Ok(GetTelemetrySubscriptionsResponse::default().with_error_code(refusal.code().code()));
            }
        };
        let interval = i32::try_from(terms.interval.as_millis()).unwrap_or(i32::MAX);
        let most = i32::try_from(context.broker.config.read(&key::TELEMETRY_MAX_BYTES)).unwrap_or(i32::MAX);
        Ok(GetTelemetrySubscriptionsResponse::default()
            .with_client_instance_id(instance)
            .with_subscription_id(terms.subscription_id)
            .with_accepted_compression_types(CODECS.to_vec())
            .with_push_interval_ms(interval)
            .with_telemetry_max_bytes(most)
            .with_delta_temporality(false)
            .with_requested_metrics(terms.metrics.into_iter().map(StrBytes::from_string).collect()))
    }

    fn error_codes(response: &GetTelemetrySubscriptionsResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}
