//! FindCoordinator (key 10): which broker coordinates a group. Makes `__consumer_offsets` when it is first needed.
//!
//! Where it differs from Apache Kafka: transactions are not served yet, so a transactional id gets
//! COORDINATOR_NOT_AVAILABLE; share groups are not either, which is INVALID_REQUEST as in a Kafka without them.
//!
//! Versions: 1 key type and error message; 3 flexible; 4 several keys (KIP-699); 5 transactions version 2 (KIP-890);
//! 6 share groups (KIP-932).

use barnabas_auth::{Operation, ResourceType};
use barnabas_storage::advice::LOOK_AT_DISK;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::StrBytes;

use super::text_of;
use crate::api::shape::{Kind, array, int8, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::group::ids::GroupId;
use crate::topics::CONSUMER_OFFSETS;

/// FindCoordinator.
pub struct FindCoordinator;

const DESCRIBE_GROUP: Need = Need { operation: Operation::Describe, resource: ResourceType::Group };
const DESCRIBE_TRANSACTIONAL_ID: Need =
    Need { operation: Operation::Describe, resource: ResourceType::TransactionalId };

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

impl Api for FindCoordinator {
    type Request = FindCoordinatorRequest;
    const NAME: &'static str = "FindCoordinator";
    const VERSIONS: Versions = Versions::new(0, 6);
    const SHAPE: Shape =
        Shape { flexible: 3, fields: &[text().until(3), int8().since(1), array(&Kind::Text).since(4)] };
    const NEEDS: &'static [Need] = &[DESCRIBE_GROUP, DESCRIBE_TRANSACTIONAL_ID];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
}

/// A broker as this listener's clients reach it.
struct Node {
    id: i32,
    host: StrBytes,
    port: i32,
}

impl OneStage for FindCoordinator {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<FindCoordinatorResponse, CloseReason> {
        if context.version < 4 {
            let found = find(&context, request.key_type, &request.key).await;
            return Ok(answer_one(found));
        }
        let mut coordinators = Vec::with_capacity(request.coordinator_keys.len());
        for key in request.coordinator_keys {
            let found = find(&context, request.key_type, &key).await;
            coordinators.push(coordinator(key, found));
        }
        Ok(FindCoordinatorResponse::default().with_coordinators(coordinators))
    }

    fn error_codes(response: &FindCoordinatorResponse) -> impl IntoIterator<Item = i16> {
        let parts = response.coordinators.iter().map(|coordinator| coordinator.error_code);
        std::iter::once(response.error_code).chain(parts)
    }
}

async fn find(context: &RequestContext, key_type: i8, key: &str) -> Result<Node, ResponseError> {
    match key_type {
        GROUP if !context.allowed(DESCRIBE_GROUP.operation, DESCRIBE_GROUP.resource, key) => {
            Err(ResponseError::GroupAuthorizationFailed)
        }
        GROUP => find_group(context, key).await,
        TRANSACTION => {
            let (operation, resource) = (DESCRIBE_TRANSACTIONAL_ID.operation, DESCRIBE_TRANSACTIONAL_ID.resource);
            if context.allowed(operation, resource, key) {
                Err(ResponseError::CoordinatorNotAvailable)
            } else {
                Err(ResponseError::TransactionalIdAuthorizationFailed)
            }
        }
        _ => Err(ResponseError::InvalidRequest),
    }
}

async fn find_group(context: &RequestContext, group: &str) -> Result<Node, ResponseError> {
    let broker = &context.broker;
    if broker.controller.image().topic(CONSUMER_OFFSETS).is_none() {
        broker.topics.ensure_internal(CONSUMER_OFFSETS).await.map_err(|error| {
            tracing::warn!(%error, "{CONSUMER_OFFSETS} could not be made: clients ask again; {LOOK_AT_DISK}");
            ResponseError::CoordinatorNotAvailable
        })?;
    }
    let image = broker.controller.image();
    let partition = broker.groups.partition_of(&GroupId::from(group));
    let leader = image.topic(CONSUMER_OFFSETS).and_then(|topic| topic.partition(partition)?.leader);
    let leader = leader.and_then(|leader| image.broker(leader)).filter(|leader| !leader.fenced);
    let leader = leader.ok_or(ResponseError::CoordinatorNotAvailable)?;
    let endpoint = leader.endpoints.iter().find(|endpoint| *endpoint.listener == *context.connection.listener);
    let endpoint = endpoint.ok_or(ResponseError::CoordinatorNotAvailable)?;
    Ok(Node { id: leader.id.0, host: text_of(&endpoint.host), port: i32::from(endpoint.port) })
}

/// The form of version 4 and above.
fn coordinator(key: StrBytes, found: Result<Node, ResponseError>) -> Coordinator {
    let (node, error) = told(found);
    Coordinator::default()
        .with_key(key)
        .with_node_id(BrokerId(node.id))
        .with_host(node.host)
        .with_port(node.port)
        .with_error_code(error.map_or(0, |error| error.code()))
}

/// The form of versions below 4.
fn answer_one(found: Result<Node, ResponseError>) -> FindCoordinatorResponse {
    let (node, error) = told(found);
    let message = error.map_or_else(|| "NONE".to_owned(), |error| error.to_string());
    FindCoordinatorResponse::default()
        .with_error_code(error.map_or(0, |error| error.code()))
        .with_error_message(Some(StrBytes::from_string(message)))
        .with_node_id(BrokerId(node.id))
        .with_host(node.host)
        .with_port(node.port)
}

/// No node is id -1.
fn told(found: Result<Node, ResponseError>) -> (Node, Option<ResponseError>) {
    match found {
        Ok(node) => (node, None),
        Err(error) => (Node { id: -1, host: StrBytes::default(), port: -1 }, Some(error)),
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::protocol::Encodable;

    use super::*;

    #[test]
    fn every_answer_can_be_encoded_in_every_version() {
        let node = || Ok(Node { id: 1, host: text_of("h"), port: 9092 });
        for version in 0..=3 {
            for found in [node(), Err(ResponseError::CoordinatorNotAvailable)] {
                answer_one(found).encode(&mut BytesMut::new(), version).unwrap();
            }
        }
        for version in 4..=FindCoordinator::VERSIONS.max {
            let answers =
                vec![coordinator(text_of("g"), node()), coordinator(text_of("h"), Err(ResponseError::InvalidRequest))];
            let answer = FindCoordinatorResponse::default().with_coordinators(answers);
            answer.encode(&mut BytesMut::new(), version).unwrap();
        }
    }

    #[test]
    fn an_unknown_coordinator_is_node_minus_one() {
        let answer = answer_one(Err(ResponseError::CoordinatorNotAvailable));
        assert_eq!((answer.node_id.0, answer.port, &*answer.host), (-1, -1, ""));
    }
}
