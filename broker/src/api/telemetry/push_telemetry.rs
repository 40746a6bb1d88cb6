//! PushTelemetry (key 72): what a client has measured, as GetTelemetrySubscriptions asked for it (KIP-714).
//!
//! Where it differs from Apache Kafka: see GetTelemetrySubscriptions. A push that decompresses to more than 4 MiB is
//! INVALID_RECORD, as a damaged one is.
//!
//! Versions: 0.

use barnabas_config::key;
use barnabas_storage::compression::Codec;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{PushTelemetryRequest, PushTelemetryResponse};

use super::{identity, is_reserved};
use crate::api::error_code::ErrorCode;
use crate::api::shape::{boolean, bytes, int8, int32, uuid};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::telemetry::Refusal;

/// PushTelemetry.
pub struct PushTelemetry;

impl Api for PushTelemetry {
    type Request = PushTelemetryRequest;
    const NAME: &'static str = "PushTelemetry";
    const VERSIONS: Versions = Versions::new(0, 0);
    const SHAPE: Shape = Shape { flexible: 0, fields: &[uuid(), int32(), boolean(), int8(), bytes()] };
    const NEEDS: &'static [Need] = &[];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
}

impl OneStage for PushTelemetry {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<PushTelemetryResponse, CloseReason> {
        let taken = push(&context, request).await;
        Ok(match taken {
            Ok(()) => PushTelemetryResponse::default(),
            Err(error) => PushTelemetryResponse::default().with_error_code(error.code()),
        })
    }

    fn error_codes(response: &PushTelemetryResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}

async fn push(context: &RequestContext, request: PushTelemetryRequest) -> Result<(), ResponseError> {
    let instance = request.client_instance_id;
    if is_reserved(instance) {
        return Err(ResponseError::InvalidRequest);
    }
    let most = usize::try_from(context.broker.config.read(&key::TELEMETRY_MAX_BYTES)).unwrap_or(usize::MAX);
    let codec = codec(request.compression_type);
    let wrong = match codec {
        None => Some(Refusal::UnknownCodec),
        Some(_) if request.metrics.len() > most => Some(Refusal::TooLarge),
        Some(_) => None,
    };
    let software = context.connection.software();
    let identity = identity(context, instance, software.as_ref());
    let telemetry = &context.broker.telemetry;
    let admitted = telemetry.admit(&identity, request.subscription_id, request.terminating, wrong);
    admitted.map_err(|refusal| refusal.code())?;
    let Some(codec) = codec.filter(|_| !request.metrics.is_empty()) else { return Ok(()) };
    let telemetry = std::sync::Arc::clone(telemetry);
    let taken = context.broker.tasks.blocking(move || telemetry.take(instance, codec, &request.metrics)).await;
    taken.map_err(|_| ResponseError::InvalidRecord)
}

fn codec(number: i8) -> Option<Codec> {
    // The numbers are those of a batch's attributes.
    (0..=4).contains(&number).then(|| Codec::of_attributes(i16::from(number)).ok()).flatten()
}
