//! What has settings, as a command line names it: `topic/orders`, `broker/1`, `cluster`.

use std::fmt;
use std::str::FromStr;

use barnabas_config::table::is_secret;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;

use crate::cli::Failure;
use crate::client::Cluster;
use crate::client::configs::ConfigResource;

/// Kinds by their names on the command line.
const KINDS: [(&str, ConfigResource); 5] = [
    ("topic", ConfigResource::Topic),
    ("broker", ConfigResource::Broker),
    ("broker-logger", ConfigResource::BrokerLogger),
    ("client-metrics", ConfigResource::ClientMetrics),
    ("group", ConfigResource::Group),
];
/// What holds for every broker.
const CLUSTER: &str = "cluster";

/// What has settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) struct Resource {
    /// Its kind.
    pub(in crate::cli) kind: ConfigResource,
    /// Its name; "" of a broker is the cluster.
    pub(in crate::cli) name: String,
}

impl Resource {
    /// A topic.
    pub(in crate::cli) fn topic(name: impl Into<String>) -> Self {
        Self { kind: ConfigResource::Topic, name: name.into() }
    }

    /// What holds for every broker.
    pub(super) fn cluster() -> Self {
        Self { kind: ConfigResource::Broker, name: String::new() }
    }

    /// Kafka's number of the source that says that a value is the resource's own.
    pub(super) fn own_source(&self) -> i8 {
        match self.kind {
            ConfigResource::Topic => 1,
            ConfigResource::Broker if self.name.is_empty() => 3,
            ConfigResource::Broker => 2,
            ConfigResource::BrokerLogger => 6,
            ConfigResource::ClientMetrics => 7,
            ConfigResource::Group => 8,
        }
    }

    /// Its settings, ordered by name.
    ///
    /// # Errors
    /// It does not exist, or the broker refuses.
    pub(in crate::cli) async fn settings(
        &self,
        cluster: &mut Cluster,
        documentation: bool,
    ) -> Result<Vec<DescribeConfigsResourceResult>, Failure> {
        let settings = cluster.settings_of(self.kind, &self.name, documentation).await?;
        settings.map_err(|(code, said)| Failure::refused(format!("describe {self}"), code, Some(&said)))
    }

    /// Of its settings those whose value is its own.
    pub(super) fn own_of(&self, settings: Vec<DescribeConfigsResourceResult>) -> Vec<DescribeConfigsResourceResult> {
        settings.into_iter().filter(|setting| setting.config_source == self.own_source()).collect()
    }

    /// The settings whose value is its own, ordered by name.
    ///
    /// # Errors
    /// See [`Self::settings`].
    pub(super) async fn own_settings(
        &self,
        cluster: &mut Cluster,
    ) -> Result<Vec<DescribeConfigsResourceResult>, Failure> {
        Ok(self.own_of(self.settings(cluster, false).await?))
    }

    /// Whether a value must not be shown: Kafka hides passwords, and what of a broker's settings it does not know.
    pub(super) fn is_secret(&self, setting: &str) -> bool {
        self.kind == ConfigResource::Broker && is_secret(setting)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::cluster() {
            return f.write_str(CLUSTER);
        }
        let kind = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| name);
        write!(f, "{kind}/{}", self.name)
    }
}

impl FromStr for Resource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == CLUSTER {
            return Ok(Self::cluster());
        }
        let forms =
            "topic/NAME, broker/ID, cluster, group/NAME, client-metrics/NAME or broker-logger/ID, as topic/orders";
        let (kind, name) = text.split_once('/').filter(|(_, name)| !name.is_empty()).ok_or(forms)?;
        let (_, kind) = *KINDS.iter().find(|(known, _)| *known == kind).ok_or(forms)?;
        let of_one_broker = matches!(kind, ConfigResource::Broker | ConfigResource::BrokerLogger);
        if of_one_broker && name.parse::<u32>().is_err() {
            return Err(format!("{name} is no broker's id; `barnabas cluster info` lists them"));
        }
        Ok(Self { kind, name: name.to_owned() })
    }
}

/// Where a value is from, in a word.
pub(super) fn layer(source: i8) -> &'static str {
    match source {
        1 => "topic",
        2 => "broker",
        3 => "cluster",
        4 => "start",
        5 => "default",
        6 => "logger",
        7 => "client-metrics",
        8 => "group",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_written_as_it_is_read() {
        for text in ["topic/orders", "broker/1", "cluster", "group/a/b", "client-metrics/m", "broker-logger/7"] {
            assert_eq!(text.parse::<Resource>().unwrap().to_string(), text);
        }
        for wrong in ["orders", "topic/", "broker/one", "table/t", "broker/-1"] {
            assert!(wrong.parse::<Resource>().is_err(), "{wrong}");
        }
        assert_eq!("cluster".parse::<Resource>().unwrap().own_source(), 3);
    }

    #[test]
    fn passwords_and_what_is_not_known_of_a_broker_are_secret() {
        assert!(Resource::cluster().is_secret("ssl.keystore.password") && Resource::cluster().is_secret("no.such"));
        assert!(!Resource::cluster().is_secret("log.retention.ms") && !Resource::topic("t").is_secret("no.such"));
    }
}
