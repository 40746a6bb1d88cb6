//! InitProducerId (key 22): a fresh producer id for an idempotent producer.
//!
//! Where it differs from Apache Kafka: transactions are not served yet, so a transactional id gets
//! TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which every client takes as final; "" is INVALID_REQUEST, as in Kafka.
//!
//! Versions: 2 flexible; 3 (KIP-360) the producer may name its present id and epoch: without a transactional id the
//! answer is a fresh id all the same, as in Kafka; 4 PRODUCER_FENCED and 5 (KIP-890) only matter in transactions.

use barnabas_auth::{Operation, ResourceType};
use barnabas_raft::ProposeError;
use barnabas_storage::advice::LOOK_AT_DISK;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};

use crate::api::shape::{int16, int32, int64, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};

/// InitProducerId.
pub struct InitProducerId;

/// The one resource of type Cluster.
const CLUSTER_NAME: &str = "kafka-cluster";

impl Api for InitProducerId {
    type Request = InitProducerIdRequest;
    const NAME: &'static str = "InitProducerId";
    const VERSIONS: Versions = Versions::new(0, 5);
    const SHAPE: Shape =
        Shape { flexible: 2, fields: &[text().nullable(0), int32(), int64().since(3), int16().since(3)] };
    const NEEDS: &'static [Need] = &[
        Need { operation: Operation::IdempotentWrite, resource: ResourceType::Cluster },
        Need { operation: Operation::Write, resource: ResourceType::Topic },
    ];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
}

impl OneStage for InitProducerId {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<InitProducerIdResponse, CloseReason> {
        let answer = InitProducerIdResponse::default();
        Ok(match init(&context, &request).await {
            Ok(id) => answer.with_producer_id(id).with_producer_epoch(0),
            Err(error) => answer.with_error_code(error.code()).with_producer_id(ProducerId(-1)).with_producer_epoch(-1),
        })
    }

    fn error_codes(response: &InitProducerIdResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}

async fn init(context: &RequestContext, request: &InitProducerIdRequest) -> Result<ProducerId, ResponseError> {
    match request.transactional_id.as_deref() {
        None => {}
        Some(id) if id.is_empty() => return Err(ResponseError::InvalidRequest),
        Some(_) => return Err(ResponseError::TransactionalIdAuthorizationFailed),
    }
    if (request.producer_id.0 == -1) != (request.producer_epoch == -1) {
        return Err(ResponseError::InvalidRequest);
    }
    if !may_write(context) {
        return Err(ResponseError::ClusterAuthorizationFailed);
    }
    match context.broker.producer_ids.next().await {
        Ok(id) => Ok(ProducerId(id.0)),
        Err(error) => {
            tracing::warn!(%error, "no block of producer ids could be reserved: clients ask again; {LOOK_AT_DISK}");
            Err(unavailable(&error))
        }
    }
}

/// IDEMPOTENT_WRITE on the cluster, or WRITE on any topic, be there one or not (KIP-679).
fn may_write(context: &RequestContext) -> bool {
    context.would_allow(Operation::IdempotentWrite, ResourceType::Cluster, CLUSTER_NAME)
        || context.allowed_on_any(Operation::Write, ResourceType::Topic)
}

/// Codes that clients try again on: the id can come from a later request.
fn unavailable(error: &ProposeError) -> ResponseError {
    match error {
        ProposeError::NotController | ProposeError::Unknown => ResponseError::CoordinatorLoadInProgress,
        ProposeError::Fatal(_) => ResponseError::CoordinatorNotAvailable,
    }
}
