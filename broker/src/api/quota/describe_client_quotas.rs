//! DescribeClientQuotas (key 48): the quotas of every entity that a filter matches (KIP-546).
//!
//! Where it differs from Apache Kafka: entities are in order, by user, client id and address.
//!
//! Versions: 0; 1 flexible.

use std::collections::BTreeMap;

use barnabas_auth::{Operation, ResourceType};
use barnabas_raft::{MetadataImage, QuotaEntity, QuotaName, QuotaValues};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::describe_client_quotas_response::{EntityData, EntryData, ValueData};
use kafka_protocol::messages::{DescribeClientQuotasRequest, DescribeClientQuotasResponse};
use kafka_protocol::protocol::StrBytes;

use super::{CLIENT_ID, IP, USER, parts};
use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::shape::{boolean, int8, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};

/// DescribeClientQuotas.
pub struct DescribeClientQuotas;

/// Kafka's `match_type`s.
const EXACT: i8 = 0;
const DEFAULT: i8 = 1;
const SPECIFIED: i8 = 2;

impl Api for DescribeClientQuotas {
    type Request = DescribeClientQuotasRequest;
    const NAME: &'static str = "DescribeClientQuotas";
    const VERSIONS: Versions = Versions::new(0, 1);
    const SHAPE: Shape = Shape { flexible: 1, fields: &[structs(&[text(), int8(), text().nullable(0)]), boolean()] };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::DescribeConfigs, resource: ResourceType::Cluster }];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
}

impl OneStage for DescribeClientQuotas {
    async fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> Result<DescribeClientQuotasResponse, CloseReason> {
        let refused = |code: ResponseError, message: String| {
            DescribeClientQuotasResponse::default()
                .with_error_code(code.code())
                .with_error_message(Some(StrBytes::from_string(message)))
                .with_entries(None)
        };
        if !context.allowed(Operation::DescribeConfigs, ResourceType::Cluster, CLUSTER_NAME) {
            let message = "Cluster authorization failed.".to_owned();
            return Ok(refused(ResponseError::ClusterAuthorizationFailed, message));
        }
        let image = context.broker.controller.image();
        Ok(match Filter::of(&request.components) {
            Ok(filter) => DescribeClientQuotasResponse::default()
                .with_error_message(Some(StrBytes::default()))
                .with_entries(Some(matching(&image, &filter, request.strict))),
            Err((code, message)) => refused(code, message),
        })
    }

    fn error_codes(response: &DescribeClientQuotasResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}

/// What an entity must have, by kind: this name, or any (`None`).
struct Filter(BTreeMap<String, Option<QuotaName>>);

impl Filter {
    /// In Kafka's order of checks.
    fn of(components: &[ComponentData]) -> Result<Self, (ResponseError, String)> {
        let invalid = |message: String| Err((ResponseError::InvalidRequest, message));
        let mut wanted = BTreeMap::new();
        for component in components {
            let kind = component.entity_type.as_str();
            if kind.is_empty() {
                return invalid("Invalid empty entity type.".to_owned());
            }
            if wanted.contains_key(kind) {
                return invalid(format!("Entity type {kind} cannot appear more than once in the filter."));
            }
            if ![USER, CLIENT_ID, IP].contains(&kind) {
                return Err((ResponseError::UnsupportedVersion, format!("Unsupported entity type {kind}")));
            }
            let also = |type_name: &str| format!("Request specified {type_name}, but also specified a match string.");
            let name = match (component.match_type, component._match.as_deref()) {
                (EXACT, Some(name)) => Some(QuotaName::of(Some(name))),
                (EXACT, None) => {
                    let message = "Request specified MATCH_TYPE_EXACT, but set match string to null.";
                    return invalid(message.to_owned());
                }
                (DEFAULT, None) => Some(QuotaName::Default),
                (DEFAULT, Some(_)) => return invalid(also("MATCH_TYPE_DEFAULT")),
                (SPECIFIED, None) => None,
                (SPECIFIED, Some(_)) => return invalid(also("MATCH_TYPE_SPECIFIED")),
                (other, _) => return invalid(format!("Unknown match type {other}")),
            };
            wanted.insert(kind.to_owned(), name);
        }
        if wanted.contains_key(IP) && (wanted.contains_key(USER) || wanted.contains_key(CLIENT_ID)) {
            let message = "Invalid entity filter component combination. IP filter component should not be used with \
                user or clientId filter component.";
            return invalid(message.to_owned());
        }
        Ok(Self(wanted))
    }

    fn matches(&self, entity: &QuotaEntity, strict: bool) -> bool {
        let parts = parts(entity);
        let has = |kind: &str, wanted: &Option<QuotaName>| {
            let found = parts.iter().find(|(of, _)| *of == kind);
            found.is_some_and(|(_, name)| wanted.as_ref().is_none_or(|wanted| wanted.name() == *name))
        };
        self.0.iter().all(|(kind, wanted)| has(kind, wanted)) && (!strict || parts.len() == self.0.len())
    }
}

fn matching(image: &MetadataImage, filter: &Filter, strict: bool) -> Vec<EntryData> {
    let found = image.client_quotas().filter(|(entity, _)| filter.matches(entity, strict));
    found.map(|(entity, values)| entry(entity, values)).collect()
}

fn entry(entity: &QuotaEntity, values: &QuotaValues) -> EntryData {
    let part = |(kind, name): (&'static str, Option<&str>)| {
        EntityData::default()
            .with_entity_type(StrBytes::from_static_str(kind))
            .with_entity_name(name.map(|name| StrBytes::from_string(name.to_owned())))
    };
    let value = |(key, value): (&String, &barnabas_raft::QuotaValue)| {
        ValueData::default().with_key(StrBytes::from_string(key.clone())).with_value(value.get())
    };
    EntryData::default()
        .with_entity(parts(entity).into_iter().map(part).collect())
        .with_values(values.iter().map(value).collect())
}
