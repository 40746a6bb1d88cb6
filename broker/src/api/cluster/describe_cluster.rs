//! DescribeCluster (key 60): the cluster's id and its brokers, on the listener that the request came over (KIP-700).
//!
//! Where it differs from Apache Kafka: `controller_id` is this broker, which is alive and forwards, where Kafka picks a
//! random one.
//!
//! Versions: 1 endpoint_type (KIP-919): a broker's listener describes brokers, the controller's the controllers; 2 fenced
//! brokers on request (KIP-1073).

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
    const ON_CONTROLLER: bool = true;
}

impl OneStage for DescribeCluster {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<DescribeClusterResponse, CloseReason> {
        let here = if context.connection.is_controller { CONTROLLERS } else { BROKERS };
        if let Some((error, message)) = wrong_endpoint(context.version, here, request.endpoint_type) {
            let message = Some(StrBytes::from_string(message));
            return Ok(DescribeClusterResponse::default().with_error_code(error.code()).with_error_message(message));
        }
        let (image, listener) = (context.broker.controller.image(), &*context.connection.listener);
        let operations = if request.include_cluster_authorized_operations {
            authorized_operations::on_cluster(&context)
        } else {
            authorized_operations::NOT_ASKED
        };
        let (controller_id, nodes) = if here == CONTROLLERS {
            (context.broker.id.0, vec![this_controller(&context)])
        } else {
            let controller_id = brokers::controller(&image, listener, context.broker.id);
            (controller_id, nodes(&image, listener, request.include_fenced_brokers))
        };
        Ok(DescribeClusterResponse::default()
            .with_endpoint_type(here)
            .with_cluster_id(StrBytes::from_string(image.cluster_id().to_owned()))
            .with_controller_id(BrokerId(controller_id))
            .with_brokers(nodes)
            .with_cluster_authorized_operations(operations))
    }

    fn error_codes(response: &DescribeClusterResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}

fn wrong_endpoint(version: i16, here: i8, asked: i8) -> Option<(ResponseError, String)> {
    let code = |error| if version == 0 { ResponseError::InvalidRequest } else { error };
    let name = |endpoint_type| if endpoint_type == BROKERS { "BROKER" } else { "CONTROLLER" };
    match asked {
        _ if asked == here => None,
        BROKERS | CONTROLLERS => Some((
            code(ResponseError::MismatchedEndpointType),
            format!(
                "The request was sent to an endpoint of type {}, but we wanted an endpoint of type {}",
                name(here),
                name(asked)
            ),
        )),
        other => Some((code(ResponseError::UnsupportedEndpointType), format!("Unsupported endpoint type {other}"))),
    }
}

/// The one controller there is, at the listener that was asked: as advertised, or else where the peer has reached it.
fn this_controller(context: &RequestContext) -> DescribeClusterBroker {
    let (local, told) =
        (context.connection.local, context.broker.config.advertised_controller(&context.connection.listener));
    let host = told.map(|told| told.host.as_str()).filter(|host| !matches!(*host, "" | "0.0.0.0" | "::"));
    let port = told.map_or(0, |told| told.port);
    DescribeClusterBroker::default()
        .with_broker_id(BrokerId(context.broker.id.0))
        .with_host(StrBytes::from_string(host.map_or_else(|| local.ip().to_canonical().to_string(), str::to_owned)))
        .with_port(i32::from(if port == 0 { local.port() } else { port }))
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
    fn each_kind_of_listener_describes_its_own() {
        let error = |version, here, asked| wrong_endpoint(version, here, asked).map(|(code, _)| code);
        for (here, other) in [(BROKERS, CONTROLLERS), (CONTROLLERS, BROKERS)] {
            assert_eq!(error(1, here, here), None);
            assert_eq!(error(1, here, other), Some(ResponseError::MismatchedEndpointType));
            assert_eq!(error(1, here, 9), Some(ResponseError::UnsupportedEndpointType));
            assert_eq!(error(0, here, 9), Some(ResponseError::InvalidRequest));
        }
    }
}
