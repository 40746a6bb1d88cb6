//! DescribeConfigs (key 32): settings with their values, where these come from, and what they are for.
//!
//! Where it differs from Apache Kafka: our own settings are among the broker's and the topics'; the texts are ours;
//! settings are ordered by name. One request is told of at most 131,072 settings: what no longer fits is refused with
//! INVALID_REQUEST, because an answer is as large as the request says and every one is in memory.
//!
//! Versions: 1 synonyms and sources; 3 types and documentation (KIP-569); 4 flexible.

use std::collections::HashSet;

use barnabas_auth::{Operation, ResourceType};
use barnabas_config::described::{self, Described, Layer, Synonym};
use barnabas_config::setting::Kind as SettingKind;
use barnabas_config::{TopicConfig, Values};
use barnabas_raft::metadata::resource_configs::{Resource, ResourceKind};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use kafka_protocol::protocol::StrBytes;

use super::owner::{OwnerKind, check_broker};
use crate::api::refusal::{MALFORMED, Refusal};
use crate::api::shape::{Kind, array, boolean, int8, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::limits::DESCRIBED_SETTINGS_MAX;
use crate::topics::check_name;

/// DescribeConfigs.
pub struct DescribeConfigs;

impl Api for DescribeConfigs {
    type Request = DescribeConfigsRequest;
    const NAME: &'static str = "DescribeConfigs";
    const VERSIONS: Versions = Versions::new(1, 4);
    const SHAPE: Shape = Shape {
        flexible: 4,
        fields: &[structs(&[int8(), text(), array(&Kind::Text).nullable(0)]), boolean(), boolean().since(3)],
    };
    const NEEDS: &'static [Need] = &[
        Need { operation: Operation::DescribeConfigs, resource: ResourceType::Cluster },
        Need { operation: Operation::DescribeConfigs, resource: ResourceType::Topic },
        Need { operation: Operation::DescribeConfigs, resource: ResourceType::Group },
    ];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
    const ON_CONTROLLER: bool = true;
    const COST: fn(usize) -> usize = |frame_bytes| 64 * frame_bytes + (256 << 10);
}

impl OneStage for DescribeConfigs {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<DescribeConfigsResponse, CloseReason> {
        let unknown = request.resources.iter().any(|resource| OwnerKind::of(resource.resource_type).is_none());
        let mut left = DESCRIBED_SETTINGS_MAX;
        let results = request.resources.iter().map(|resource| {
            let settings = match OwnerKind::of(resource.resource_type).filter(|_| !unknown) {
                Some(kind) => describe(&context, kind, resource, &mut left),
                None => Err(Refusal::new(ResponseError::InvalidRequest, MALFORMED)),
            };
            result(resource, settings, &request)
        });
        Ok(DescribeConfigsResponse::default().with_results(results.collect()))
    }

    fn error_codes(response: &DescribeConfigsResponse) -> impl IntoIterator<Item = i16> {
        response.results.iter().map(|result| result.error_code)
    }
}

fn invalid<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(ResponseError::InvalidRequest, message))
}

/// The settings that are asked for.
fn describe(
    context: &RequestContext,
    kind: OwnerKind,
    resource: &DescribeConfigsResource,
    left: &mut usize,
) -> Result<Vec<Described>, Refusal> {
    kind.authorize(context, Operation::DescribeConfigs, &resource.resource_name)?;
    if *left == 0 {
        return invalid("The request asks for too many settings at once.");
    }
    let name = &*resource.resource_name;
    let mut settings = match kind {
        OwnerKind::Topic => of_topic(context, name)?,
        OwnerKind::Broker => of_broker(context, name)?,
        OwnerKind::BrokerLogger => of_loggers(context, name)?,
        OwnerKind::ClientMetrics if name.is_empty() => {
            return invalid("Client metrics subscription name must not be empty");
        }
        OwnerKind::ClientMetrics => {
            described::client_metrics(&own_settings(context, ResourceKind::ClientMetrics, name))
        }
        OwnerKind::Group if name.is_empty() => return invalid("Group name must not be empty"),
        OwnerKind::Group => {
            let own = own_settings(context, ResourceKind::Group, name);
            let settings = &context.broker.settings;
            settings.layers(&settings.present()).group(&own)
        }
    };
    if let Some(names) = resource.configuration_keys.as_ref().filter(|names| !names.is_empty()) {
        let names: HashSet<&str> = names.iter().map(|name| &**name).collect();
        settings.retain(|setting| names.contains(&*setting.name));
    }
    *left = left.saturating_sub(settings.len());
    Ok(settings)
}

fn own_settings(context: &RequestContext, kind: ResourceKind, name: &str) -> Values {
    let image = context.broker.controller.image();
    image.resource_configs(&Resource { kind, name: name.to_owned() }).clone()
}

fn of_topic(context: &RequestContext, name: &str) -> Result<Vec<Described>, Refusal> {
    check_name(name).map_err(|error| Refusal::of(&error))?;
    let image = context.broker.controller.image();
    let topic = image.topic(name).ok_or_else(|| Refusal::new(ResponseError::UnknownTopicOrPartition, ""))?;
    let settings = &context.broker.settings;
    let present = settings.present();
    let effective = TopicConfig::resolve(&present.config, &topic.configs);
    Ok(settings.layers(&present).topic(&topic.configs, |name| effective.text(name)))
}

fn of_broker(context: &RequestContext, name: &str) -> Result<Vec<Described>, Refusal> {
    let this = context.broker.id;
    let settings = &context.broker.settings;
    let present = settings.present();
    if name.is_empty() {
        return Ok(settings.layers(&present).cluster());
    }
    check_broker(name, this, "Broker", &format!("{} or empty string, but", this.0))?;
    Ok(settings.layers(&present).broker())
}

fn of_loggers(context: &RequestContext, name: &str) -> Result<Vec<Described>, Refusal> {
    if name.is_empty() {
        return invalid("Broker id must not be empty");
    }
    check_broker(name, context.broker.id, "Broker", &format!("{} but", context.broker.id.0))?;
    let described = context.broker.loggers.all().into_iter().map(|(logger, level)| Described {
        name: logger.to_owned(),
        value: Some(level.to_owned()),
        setting: None,
        synonyms: vec![Synonym { name: logger.to_owned(), value: Some(level.to_owned()), layer: Layer::Logger }],
        read_only: false,
        sensitive: false,
    });
    Ok(described.collect())
}

fn result(
    resource: &DescribeConfigsResource,
    settings: Result<Vec<Described>, Refusal>,
    request: &DescribeConfigsRequest,
) -> DescribeConfigsResult {
    let result = DescribeConfigsResult::default()
        .with_resource_type(resource.resource_type)
        .with_resource_name(resource.resource_name.clone());
    match settings {
        Ok(settings) => {
            let entries = settings.into_iter().map(|setting| entry(setting, request));
            result.with_error_message(Some(StrBytes::default())).with_configs(entries.collect())
        }
        Err(refusal) => result.with_error_code(refusal.code.code()).with_error_message(refusal.wire_message()),
    }
}

fn entry(setting: Described, request: &DescribeConfigsRequest) -> DescribeConfigsResourceResult {
    let layer = setting.layer();
    let row = setting.setting;
    // A logger's level has no other place.
    let synonyms = if request.include_synonyms && layer != Layer::Logger { setting.synonyms } else { Vec::new() };
    let synonym = |synonym: Synonym| {
        DescribeConfigsSynonym::default()
            .with_name(StrBytes::from_string(synonym.name))
            .with_value(synonym.value.map(StrBytes::from_string))
            .with_source(synonym.layer as i8)
    };
    let documentation = row.filter(|_| request.include_documentation).map(|row| StrBytes::from_static_str(row.doc()));
    DescribeConfigsResourceResult::default()
        .with_name(StrBytes::from_string(setting.name))
        .with_value(setting.value.map(StrBytes::from_string))
        .with_read_only(setting.read_only)
        .with_config_source(layer as i8)
        .with_is_sensitive(setting.sensitive)
        .with_synonyms(synonyms.into_iter().map(synonym).collect())
        .with_config_type(row.map_or(0, |row| number(row.kind)))
        .with_documentation(documentation)
}

/// Kafka's number of a type (`DescribeConfigsResponse.ConfigType`).
const fn number(kind: SettingKind) -> i8 {
    match kind {
        SettingKind::Boolean => 1,
        SettingKind::Text => 2,
        SettingKind::Int => 3,
        SettingKind::Short => 4,
        SettingKind::Long => 5,
        SettingKind::Double => 6,
        SettingKind::List => 7,
        SettingKind::Class => 8,
        SettingKind::Password => 9,
    }
}
