//! DescribeCluster (key 60): the cluster's id and its brokers, on the listener that the request came over (KIP-700).
//!
//! Where it differs from Apache Kafka: `controller_id` is this broker, which is alive and forwards, where Kafka picks a
//! random one.
//!
//! Versions: 1 endpoint_type (KIP-919): a broker describes brokers only; 2 fenced brokers on request (KIP-1073).

use barnabas_auth::{Operation, ResourceType};
use barnabas_raft::{BrokerImage, MetadataImage};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::{BrokerId, DescribeClusterRequest, DescribeClusterResponse};
use kafka_protocol::protocol::StrBytes;

use crate::api::shape::{boolean, int8};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::api::{authorized_operations, brokers};

/// DescribeCluster.
pub struct DescribeCluster;

/// Endpoint types of KIP-919.
const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

impl Api for DescribeCluster {
    type Request = DescribeClusterRequest;
    const NAME: &'static str = "DescribeCluster";
    const VERSIONS: Versions = Versions::new(0, 2);
    const SHAPE: Shape = Shape { flexible: 0, fields: &[boolean(), int8().since(1), boolean().since(2)] };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Describe, resource: ResourceType::Cluster }];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
}

impl OneStage for DescribeCluster {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<DescribeClusterResponse, CloseReason> {
        if let Some((error, message)) = wrong_endpoint(context.version, request.endpoint_type) {
            let message = Some(StrBytes::from_string(message));
            return Ok(DescribeClusterResponse::default().with_error_code(error.code()).with_error_message(message));
        }
        let (image, listener) = (context.broker.controller.image(), &*context.connection.listener);
        let operations = if request.include_cluster_authorized_operations {
            authorized_operations::on_cluster(&context)
        } else {
            authorized_operations::NOT_ASKED
        };
        Ok(DescribeClusterResponse::default()
            .with_endpoint_type(BROKERS)
            .with_cluster_id(StrBytes::from_string(image.cluster_id().to_owned()))
            .with_controller_id(BrokerId(brokers::controller(&image, listener, context.broker.id)))
            .with_brokers(nodes(&image, listener, request.include_fenced_brokers))
            .with_cluster_authorized_operations(operations))
    }
}

fn wrong_endpoint(version: i16, endpoint_type: i8) -> Option<(ResponseError, String)> {
    let code = |error| if version == 0 { ResponseError::InvalidRequest } else { error };
    match endpoint_type {
        BROKERS => None,
        CONTROLLERS => Some((
            code(ResponseError::MismatchedEndpointType),
            "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER"
                .to_owned(),
        )),
        other => Some((code(ResponseError::UnsupportedEndpointType), format!("Unsupported endpoint type {other}"))),
    }
}

fn nodes(image: &MetadataImage, listener: &str, with_fenced: bool) -> Vec<DescribeClusterBroker> {
    let shown = image.brokers().filter(|broker| with_fenced || !broker.fenced);
    shown.filter_map(|broker| node(broker, listener)).collect()
}

fn node(broker: &BrokerImage, listener: &str) -> Option<DescribeClusterBroker> {
    let endpoint = broker.endpoint(listener)?;
    Some(
        DescribeClusterBroker::default()
            .with_broker_id(BrokerId(broker.id.0))
            .with_host(StrBytes::from_string(endpoint.host.clone()))
            .with_port(i32::from(endpoint.port))
            .with_rack(broker.rack.clone().map(StrBytes::from_string))
            .with_is_fenced(broker.fenced),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brokers_are_described() {
        assert_eq!(wrong_endpoint(1, BROKERS), None);
        assert_eq!(wrong_endpoint(1, CONTROLLERS).map(|(code, _)| code), Some(ResponseError::MismatchedEndpointType));
        assert_eq!(wrong_endpoint(1, 9).map(|(code, _)| code), Some(ResponseError::UnsupportedEndpointType));
        assert_eq!(wrong_endpoint(0, 9).map(|(code, _)| code), Some(ResponseError::InvalidRequest));
    }
}
