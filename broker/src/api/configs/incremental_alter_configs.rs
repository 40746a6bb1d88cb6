//! IncrementalAlterConfigs (key 44): settings are set, deleted, and lists changed by elements (KIP-339).
//!
//! Where it differs from Apache Kafka: what a running broker cannot change yet (`listeners` and its like) is refused as
//! a read-only setting is; numbers of threads are not held to half and double of what they are, because nothing here
//! has them; a value of a Java class other than Kafka's own is refused with Kafka's words for a class that is not found.
//!
//! Versions: 1 flexible.

use barnabas_auth::{Operation, ResourceType};
use barnabas_config::dynamic::ListChange;
use kafka_protocol::messages::incremental_alter_configs_request::AlterableConfig;
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};

use super::change::{Change, Wanted, make};
use crate::api::shape::{boolean, int8, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, QuotaClass, RequestContext, RunsOn, Shape, Versions};

/// IncrementalAlterConfigs.
pub struct IncrementalAlterConfigs;

impl Api for IncrementalAlterConfigs {
    type Request = IncrementalAlterConfigsRequest;
    const NAME: &'static str = "IncrementalAlterConfigs";
    const VERSIONS: Versions = Versions::new(0, 1);
    const SHAPE: Shape = Shape {
        flexible: 1,
        fields: &[structs(&[int8(), text(), structs(&[text(), int8(), text().nullable(0)])]), boolean()],
    };
    const NEEDS: &'static [Need] = &[
        Need { operation: Operation::AlterConfigs, resource: ResourceType::Cluster },
        Need { operation: Operation::AlterConfigs, resource: ResourceType::Topic },
        Need { operation: Operation::AlterConfigs, resource: ResourceType::Group },
    ];
    const RUNS_ON: RunsOn = RunsOn::Controller;
    const QUOTA: QuotaClass = QuotaClass::Request;
}

impl OneStage for IncrementalAlterConfigs {
    async fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> Result<IncrementalAlterConfigsResponse, CloseReason> {
        let wanted = request.resources.iter().map(|resource| Wanted {
            number: resource.resource_type,
            name: resource.resource_name.to_string(),
            replace: false,
            changes: resource.configs.iter().map(|config| (config.name.to_string(), change(config))).collect(),
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
        Ok(IncrementalAlterConfigsResponse::default().with_responses(responses.collect()))
    }

    fn error_codes(response: &IncrementalAlterConfigsResponse) -> impl IntoIterator<Item = i16> {
        response.responses.iter().map(|resource| resource.error_code)
    }
}

/// By Kafka's numbers (`AlterConfigOp.OpType`).
fn change(config: &AlterableConfig) -> Change {
    let value = config.value.as_ref().map(ToString::to_string);
    match config.config_operation {
        0 => Change::Set(value),
        1 => Change::Delete,
        2 => Change::List(ListChange::Append, value),
        3 => Change::List(ListChange::Subtract, value),
        other => Change::Unknown(other),
    }
}
