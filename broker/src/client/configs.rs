//! Settings as a client sees and changes them: of topics, brokers, the whole cluster, groups, levels of a broker's log,
//! and what clients are to measure.

use std::collections::BTreeMap;

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsResult};
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{DescribeConfigsRequest, IncrementalAlterConfigsRequest, ListConfigResourcesRequest};
use kafka_protocol::protocol::StrBytes;

use super::{CallError, Client, Cluster};

/// The last versions whose fields are all understood here.
const DESCRIBE_CONFIGS_VERSION: i16 = 4;
const ALTER_CONFIGS_VERSION: i16 = 1;
const LIST_RESOURCES_VERSION: i16 = 1;
/// From here on a DescribeConfigs may ask for documentation (KIP-569).
const DOCUMENTATION_SINCE: i16 = 3;
/// From here on other resources than subscriptions to clients' metrics are listed (KIP-1142).
const KINDS_SINCE: i16 = 1;
/// A setting's source that is its own default.
const DEFAULT_CONFIG: i8 = 5;
/// How many replicas have to be in sync for a write with acks=all.
const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";

/// A kind of resource that has settings, by Kafka's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigResource {
    /// A topic.
    Topic = 2,
    /// A broker, or "" for the cluster's default.
    Broker = 4,
    /// The levels of a broker's loggers.
    BrokerLogger = 8,
    /// What clients are to measure (KIP-714).
    ClientMetrics = 16,
    /// A group.
    Group = 32,
}

/// A change of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigChange {
    /// Gives it this value.
    Set(String),
    /// Takes its own value away.
    Unset,
    /// Adds elements to a list.
    Append(String),
    /// Takes elements from a list.
    Subtract(String),
}

impl ConfigChange {
    /// Kafka's number, and the value.
    fn wire(&self) -> (i8, Option<&str>) {
        match self {
            Self::Set(value) => (0, Some(value)),
            Self::Unset => (1, None),
            Self::Append(value) => (2, Some(value)),
            Self::Subtract(value) => (3, Some(value)),
        }
    }
}

/// Kafka's name of the place that gives a setting its value (`ConfigSource`).
#[must_use]
pub fn source_name(source: i8) -> &'static str {
    match source {
        1 => "DYNAMIC_TOPIC_CONFIG",
        2 => "DYNAMIC_BROKER_CONFIG",
        3 => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        4 => "STATIC_BROKER_CONFIG",
        5 => "DEFAULT_CONFIG",
        6 => "DYNAMIC_BROKER_LOGGER_CONFIG",
        7 => "DYNAMIC_CLIENT_METRICS_CONFIG",
        8 => "DYNAMIC_GROUP_CONFIG",
        _ => "UNKNOWN",
    }
}

/// A value as Java writes it.
#[must_use]
pub fn shown(value: Option<&StrBytes>) -> String {
    value.map_or_else(|| "null".to_owned(), ToString::to_string)
}

impl Cluster {
    /// Whom to ask about this: a broker knows its own settings and loggers.
    async fn knower(&mut self, kind: ConfigResource, name: Option<&str>) -> Result<&mut Client, CallError> {
        let of_one_broker = matches!(kind, ConfigResource::Broker | ConfigResource::BrokerLogger);
        match name.and_then(|name| name.parse().ok()) {
            Some(id) if of_one_broker => self.broker(id).await,
            _ => Ok(self.any()),
        }
    }

    /// The settings of resources; those of a broker are asked of it.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn describe_configs(
        &mut self,
        kind: ConfigResource,
        names: &[&str],
        documentation: bool,
    ) -> Result<Vec<DescribeConfigsResult>, CallError> {
        let broker = self.knower(kind, names.first().copied()).await?;
        let version = broker.version_of::<DescribeConfigsRequest>(DESCRIBE_CONFIGS_VERSION)?;
        let resource = |name: &&str| {
            DescribeConfigsResource::default()
                .with_resource_type(kind as i8)
                .with_resource_name(StrBytes::from_string((*name).to_owned()))
                .with_configuration_keys(None)
        };
        let request = DescribeConfigsRequest::default()
            .with_resources(names.iter().map(resource).collect())
            .with_include_synonyms(true)
            .with_include_documentation(documentation && version >= DOCUMENTATION_SINCE);
        Ok(broker.call(&request, version).await?.results)
    }

    /// The settings of one resource, ordered by name.
    ///
    /// # Errors
    /// See [`CallError`]; the broker's refusal with what it said is in `Ok(Err(..))`.
    pub async fn settings_of(
        &mut self,
        kind: ConfigResource,
        name: &str,
        documentation: bool,
    ) -> Result<Result<Vec<DescribeConfigsResourceResult>, (i16, String)>, CallError> {
        let results = self.describe_configs(kind, &[name], documentation).await?;
        let Some(result) = results.into_iter().next() else { return Ok(Ok(Vec::new())) };
        if result.error_code != 0 {
            let said = result.error_message.map_or_else(String::new, |message| message.to_string());
            return Ok(Err((result.error_code, said)));
        }
        let mut configs = result.configs;
        configs.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(Ok(configs))
    }

    /// Changes settings of one resource: Kafka's code, 0 when it is done, and what the broker said.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn alter_configs(
        &mut self,
        kind: ConfigResource,
        name: &str,
        changes: &[(String, ConfigChange)],
        validate_only: bool,
    ) -> Result<(i16, Option<String>), CallError> {
        let change = |(setting, change): &(String, ConfigChange)| {
            let (operation, value) = change.wire();
            AlterableConfig::default()
                .with_name(StrBytes::from_string(setting.clone()))
                .with_config_operation(operation)
                .with_value(value.map(|value| StrBytes::from_string(value.to_owned())))
        };
        let resource = AlterConfigsResource::default()
            .with_resource_type(kind as i8)
            .with_resource_name(StrBytes::from_string(name.to_owned()))
            .with_configs(changes.iter().map(change).collect());
        let request =
            IncrementalAlterConfigsRequest::default().with_resources(vec![resource]).with_validate_only(validate_only);
        let broker = self.knower(kind, Some(name)).await?;
        let version = broker.version_of::<IncrementalAlterConfigsRequest>(ALTER_CONFIGS_VERSION)?;
        let answer = broker.call(&request, version).await?;
        let Some(outcome) = answer.responses.into_iter().next() else {
            let (address, reason) = (self.any().address().to_owned(), "an answer without a result".to_owned());
            return Err(CallError::Malformed { address, reason });
        };
        Ok((outcome.error_code, outcome.error_message.map(|message| message.to_string())))
    }

    /// The names of groups or subscriptions that have settings, ordered; none where a broker does not tell.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn config_resources(&mut self, kind: ConfigResource) -> Result<Vec<String>, CallError> {
        let version = match self.any().version_of::<ListConfigResourcesRequest>(LIST_RESOURCES_VERSION) {
            Err(CallError::Unsupported { .. }) => return Ok(Vec::new()),
            version => version?,
        };
        if version < KINDS_SINCE && kind != ConfigResource::ClientMetrics {
            return Ok(Vec::new());
        }
        let request = ListConfigResourcesRequest::default();
        let request = if version >= KINDS_SINCE { request.with_resource_types(vec![kind as i8]) } else { request };
        let answer = self.any().call(&request, version).await?;
        if answer.error_code != 0 {
            return Err(CallError::Refused { act: "list what has settings".to_owned(), code: answer.error_code });
        }
        let mut names: Vec<_> =
            answer.config_resources.iter().map(|resource| resource.resource_name.to_string()).collect();
        names.sort();
        Ok(names)
    }

    /// `min.insync.replicas` of topics; 1 where a broker does not tell.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn min_insync_replicas(&mut self, names: &[&str]) -> Result<BTreeMap<String, usize>, CallError> {
        let broker = self.any();
        let version = match broker.version_of::<DescribeConfigsRequest>(DESCRIBE_CONFIGS_VERSION) {
            Err(CallError::Unsupported { .. }) => return Ok(BTreeMap::new()),
            version => version?,
        };
        let resource = |name: &&str| {
            DescribeConfigsResource::default()
                .with_resource_type(ConfigResource::Topic as i8)
                .with_resource_name(StrBytes::from_string((*name).to_owned()))
                .with_configuration_keys(Some(vec![StrBytes::from_static_str(MIN_INSYNC_REPLICAS)]))
        };
        let request = DescribeConfigsRequest::default().with_resources(names.iter().map(resource).collect());
        let of = |result: DescribeConfigsResult| {
            let found = result.configs.iter().find(|config| &*config.name == MIN_INSYNC_REPLICAS);
            let least = found.and_then(|config| config.value.as_ref()?.parse().ok());
            (result.resource_name.to_string(), least.unwrap_or(1))
        };
        Ok(broker.call(&request, version).await?.results.into_iter().map(of).collect())
    }

    /// What topics set differently from the defaults, as name=value in the broker's order, by topic; nothing where a
    /// broker does not serve settings.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn topic_overrides(&mut self, names: &[&str]) -> Result<BTreeMap<String, Vec<String>>, CallError> {
        let results = match self.describe_configs(ConfigResource::Topic, names, false).await {
            Err(CallError::Unsupported { .. }) => return Ok(BTreeMap::new()),
            results => results?,
        };
        let overrides = |result: DescribeConfigsResult| {
            let set = result.configs.iter().filter(|config| config.config_source != DEFAULT_CONFIG);
            let line = |one: &DescribeConfigsResourceResult| format!("{}={}", one.name, shown(one.value.as_ref()));
            (result.resource_name.to_string(), set.map(line).collect())
        };
        Ok(results.into_iter().map(overrides).collect())
    }
}
