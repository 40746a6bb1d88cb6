//! ListConfigResources (key 74): what has settings (KIP-714, KIP-1142).
//!
//! Where it differs from Apache Kafka: nowhere.
//!
//! Versions: 0 (as ListClientMetricsResources) subscriptions to clients' metrics only; 1 every kind, or those asked for.

use barnabas_auth::{Operation, ResourceType};
use barnabas_raft::MetadataImage;
use barnabas_raft::metadata::resource_configs::ResourceKind;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::list_config_resources_response::ConfigResource;
use kafka_protocol::messages::{ListConfigResourcesRequest, ListConfigResourcesResponse};
use kafka_protocol::protocol::StrBytes;

use super::owner::OwnerKind;
use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::shape::{Kind, array};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions, brokers};

/// ListConfigResources.
pub struct ListConfigResources;

impl Api for ListConfigResources {
    type Request = ListConfigResourcesRequest;
    const NAME: &'static str = "ListConfigResources";
    const VERSIONS: Versions = Versions::new(0, 1);
    const SHAPE: Shape = Shape { flexible: 0, fields: &[array(&Kind::Fixed(1)).since(1)] };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::DescribeConfigs, resource: ResourceType::Cluster }];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
}

impl OneStage for ListConfigResources {
    async fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> Result<ListConfigResourcesResponse, CloseReason> {
        let refused = |error: ResponseError| Ok(ListConfigResourcesResponse::default().with_error_code(error.code()));
        if !context.allowed(Operation::DescribeConfigs, ResourceType::Cluster, CLUSTER_NAME) {
            return refused(ResponseError::ClusterAuthorizationFailed);
        }
        let mut kinds = Vec::new();
        for number in request.resource_types {
            match OwnerKind::of(number) {
                Some(kind) if kinds.contains(&kind) => {}
                Some(kind) => kinds.push(kind),
                None => return refused(ResponseError::UnsupportedVersion),
            }
        }
        if context.version == 0 {
            kinds.push(OwnerKind::ClientMetrics);
        } else if kinds.is_empty() {
            kinds.extend(OwnerKind::ALL);
        }
        let (image, listener) = (context.broker.controller.image(), &*context.connection.listener);
        let resources = kinds.into_iter().flat_map(|kind| {
            let resource = move |name| {
                ConfigResource::default().with_resource_type(kind as i8).with_resource_name(StrBytes::from_string(name))
            };
            names(&image, listener, kind).into_iter().map(resource)
        });
        Ok(ListConfigResourcesResponse::default().with_config_resources(resources.collect()))
    }

    fn error_codes(response: &ListConfigResourcesResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}

fn names(image: &MetadataImage, listener: &str, kind: OwnerKind) -> Vec<String> {
    let of = |kind| image.resources(kind).map(str::to_owned).collect();
    match kind {
        OwnerKind::Topic => image.topics().map(|topic| topic.name.to_string()).collect(),
        OwnerKind::Broker | OwnerKind::BrokerLogger => {
            brokers::alive(image, listener).map(|(broker, _)| broker.id.0.to_string()).collect()
        }
        OwnerKind::ClientMetrics => of(ResourceKind::ClientMetrics),
        OwnerKind::Group => of(ResourceKind::Group),
    }
}
