//! UnregisterBroker (key 64): a broker that is gone for good is forgotten (KIP-500).
//!
//! Where it differs from Apache Kafka: the only broker there is, this one, is refused with INVALID_REQUEST.
//!
//! Versions: 0.

use barnabas_auth::{Operation, ResourceType};
use barnabas_raft::BrokerId;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{UnregisterBrokerRequest, UnregisterBrokerResponse};
use kafka_protocol::protocol::StrBytes;

use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::shape::int32;
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};

/// UnregisterBroker.
pub struct UnregisterBroker;

impl Api for UnregisterBroker {
    type Request = UnregisterBrokerRequest;
    const NAME: &'static str = "UnregisterBroker";
    const VERSIONS: Versions = Versions::new(0, 0);
    const SHAPE: Shape = Shape { flexible: 0, fields: &[int32()] };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Alter, resource: ResourceType::Cluster }];
    const RUNS_ON: RunsOn = RunsOn::Controller;
}

impl OneStage for UnregisterBroker {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<UnregisterBrokerResponse, CloseReason> {
        let id = request.broker_id.0;
        let (error, message) = if !context.allowed(Operation::Alter, ResourceType::Cluster, CLUSTER_NAME) {
            (ResponseError::ClusterAuthorizationFailed, "Cluster authorization failed.".to_owned())
        } else if context.broker.controller.image().broker(BrokerId(id)).is_none() {
            (ResponseError::BrokerIdNotRegistered, format!("Broker ID {id} is not currently registered"))
        } else {
            (ResponseError::InvalidRequest, format!("Broker {id} is running, and the cluster has no other"))
        };
        context.tell(Activity::Delete, Some(error), || {
            Subject::new(ResourceType::Cluster.name(), CLUSTER_NAME).with("broker", id)
        });
        let message = Some(StrBytes::from_string(message));
        Ok(UnregisterBrokerResponse::default().with_error_code(error.code()).with_error_message(message))
    }

    fn error_codes(response: &UnregisterBrokerResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}
