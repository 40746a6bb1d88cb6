//! AlterConfigs (key 33): the settings of a resource are replaced by others; what is not named goes. Kafka's own tools
//! use [`super::incremental_alter_configs`] instead, older clients this.
//!
//! Where it differs from Apache Kafka: as there.
//!
//! Versions: 2 flexible.

use barnabas_auth::{Operation, ResourceType};
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};

use super::change::{Change, Wanted, make};
use crate::api::shape::{boolean, int8, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};

/// AlterConfigs.
pub struct AlterConfigs;

impl Api for AlterConfigs {
    type Request = AlterConfigsRequest;
    const NAME: &'static str = "AlterConfigs";
    const VERSIONS: Versions = Versions::new(0, 2);
    const SHAPE: Shape =
        Shape { flexible: 2, fields: &[structs(&[int8(), text(), structs(&[text(), text().nullable(0)])]), boolean()] };
    const NEEDS: &'static [Need] = &[
        Need { operation: Operation::AlterConfigs, resource: ResourceType::Cluster },
        Need { operation: Operation::AlterConfigs, resource: ResourceType::Topic },
        Need { operation: Operation::AlterConfigs, resource: ResourceType::Group },
    ];
    const RUNS_ON: RunsOn = RunsOn::Controller;
}

impl OneStage for AlterConfigs {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<AlterConfigsResponse, CloseReason> {
        let wanted = request.resources.iter().map(|resource| Wanted {
            number: resource.resource_type,
            name: resource.resource_name.to_string(),
            replace: true,
            changes: resource
                .configs
                .iter()
                .map(|config| (config.name.to_string(), Change::Set(config.value.as_ref().map(ToString::to_string))))
                .collect(),
        });
        let wanted: Vec<Wanted> = wanted.collect();
        let outcomes = make(&context, &wanted, request.validate_only).await;
        let responses = request.resources.into_iter().zip(outcomes).map(|(resource, outcome)| {
            let refusal = outcome.err();
            AlterConfigsResourceResponse::default()
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name)
                .with_error_code(refusal.as_ref().map_or(0, |refusal| refusal.code.code()))
                .with_error_message(refusal.and_then(|refusal| refusal.wire_message()))
        });
        Ok(AlterConfigsResponse::default().with_responses(responses.collect()))
    }

    fn error_codes(response: &AlterConfigsResponse) -> impl IntoIterator<Item = i16> {
        response.responses.iter().map(|resource| resource.error_code)
    }
}
