//! kafka-configs of topics, brokers, loggers, groups and clients' metrics.

use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;

use super::Changes;
use super::entity::{Entities, EntityKind};
use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::cli::shims::{java_exception, java_message};
use crate::client::Cluster;
use crate::client::configs::{ConfigChange, ConfigResource, shown, source_name};

pub(super) async fn describe(
    kind: EntityKind,
    name: Option<&String>,
    all: bool,
    cluster: &mut Cluster,
) -> Result<(), Failure> {
    if let Some(name) = name.filter(|_| !all)
        && !exists(kind, name, cluster).await?
    {
        return print(&format!("The {} '{name}' doesn't exist and doesn't have dynamic config.\n", kind.singular()));
    }
    let names = match name {
        Some(name) => vec![name.clone()],
        None => every(kind, cluster).await?,
    };
    for name in names {
        let head = match (&*name, all) {
            ("", _) => format!("Default configs for {} in the cluster are:\n", kind.name()),
            (name, true) => format!("All configs for {} {name} are:\n", kind.singular()),
            (name, false) => format!("Dynamic configs for {} {name} are:\n", kind.singular()),
        };
        let own = own_source(kind, &name).filter(|_| !all);
        let settings = settings(kind, &name, cluster).await?;
        let shown = settings.iter().filter(|setting| own.is_none_or(|own| setting.config_source == own));
        print(&(head + &shown.map(line).collect::<String>()))?;
    }
    Ok(())
}

/// The source that says that a value is the entity's own; every value of a logger is.
fn own_source(kind: EntityKind, name: &str) -> Option<i8> {
    match kind {
        EntityKind::Topic => Some(1),
        EntityKind::Broker if name.is_empty() => Some(3),
        EntityKind::Broker => Some(2),
        EntityKind::ClientMetrics => Some(7),
        EntityKind::Group => Some(8),
        _ => None,
    }
}

fn resource(kind: EntityKind) -> Result<ConfigResource, Failure> {
    kind.resource().ok_or_else(|| Failure::usage(format!("Invalid entity type: {}", kind.name())))
}

async fn settings(
    kind: EntityKind,
    name: &str,
    cluster: &mut Cluster,
) -> Result<Vec<DescribeConfigsResourceResult>, Failure> {
    let of_one_broker = matches!(kind, EntityKind::Broker | EntityKind::BrokerLogger);
    if of_one_broker && !name.is_empty() && name.parse::<i32>().is_err() {
        let text = format!("The entity name for {} must be a valid integer broker id, found: {name}", kind.name());
        return Err(Failure::usage(text));
    }
    let found = cluster.settings_of(resource(kind)?, name, false).await?;
    found.map_err(|(code, said)| Failure::from(java_exception(code, Some(&said))))
}

async fn groups(cluster: &mut Cluster) -> Result<Vec<String>, Failure> {
    let listed = cluster.list_groups(&[]).await?;
    let mut names: Vec<String> = listed.into_iter().map(|(_, group)| group.group_id.to_string()).collect();
    names.extend(cluster.config_resources(ConfigResource::Group).await?);
    names.sort();
    names.dedup();
    Ok(names)
}

/// The names of all entities of a type.
async fn every(kind: EntityKind, cluster: &mut Cluster) -> Result<Vec<String>, Failure> {
    Ok(match kind {
        EntityKind::Topic => cluster.topics(None).await?.into_iter().map(|topic| topic.name).collect(),
        EntityKind::ClientMetrics => cluster.config_resources(ConfigResource::ClientMetrics).await?,
        EntityKind::Group => groups(cluster).await?,
        _ => {
            let ids = cluster.brokers().await?.into_keys().map(|id| id.to_string());
            ids.chain([String::new()]).collect()
        }
    })
}

async fn exists(kind: EntityKind, name: &str, cluster: &mut Cluster) -> Result<bool, Failure> {
    let is_default = name.is_empty() && matches!(kind, EntityKind::Broker | EntityKind::BrokerLogger);
    Ok(is_default || every(kind, cluster).await?.iter().any(|known| known == name))
}

fn line(setting: &DescribeConfigsResourceResult) -> String {
    let synonym = |one: &kafka_protocol::messages::describe_configs_response::DescribeConfigsSynonym| {
        format!("{}:{}={}", source_name(one.source), one.name, shown(one.value.as_ref()))
    };
    let synonyms: Vec<String> = setting.synonyms.iter().map(synonym).collect();
    format!(
        "  {}={} sensitive={} synonyms={{{}}}\n",
        setting.name,
        shown(setting.value.as_ref()),
        setting.is_sensitive,
        synonyms.join(", ")
    )
}

pub(super) async fn alter(
    kind: EntityKind,
    name: &str,
    changes: &Changes,
    cluster: &mut Cluster,
) -> Result<(), Failure> {
    let known = settings(kind, name, cluster).await?;
    if kind == EntityKind::BrokerLogger {
        let is_known = |key: &&str| known.iter().any(|setting| setting.name.as_str() == *key);
        let asked = changes.delete.iter().chain(changes.add.iter().map(|(key, _)| key)).map(String::as_str);
        let unknown: Vec<&str> = asked.filter(|key| !is_known(key)).collect();
        if !unknown.is_empty() {
            return Err(Failure::usage(format!("Invalid broker logger(s): {}", unknown.join(","))));
        }
    }
    let set = changes.add.iter().map(|(key, value)| (key.clone(), ConfigChange::Set(value.clone())));
    let unset = changes.delete.iter().map(|key| (key.clone(), ConfigChange::Unset));
    let all: Vec<_> = set.chain(unset).collect();
    match cluster.alter_configs(resource(kind)?, name, &all, false).await? {
        (0, _) => print(&Entities { kinds: vec![kind], names: vec![name.to_owned()] }.done()),
        (code, said) => Err(java_message(code, said.as_deref()).into()),
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::describe_configs_response::DescribeConfigsSynonym;
    use kafka_protocol::protocol::StrBytes;

    use super::*;

    #[test]
    fn a_setting_is_told_with_its_synonyms() {
        let synonym = DescribeConfigsSynonym::default()
            .with_name(StrBytes::from_static_str("log.retention.ms"))
            .with_value(Some(StrBytes::from_static_str("5")))
            .with_source(3);
        let setting = DescribeConfigsResourceResult::default()
            .with_name(StrBytes::from_static_str("retention.ms"))
            .with_value(Some(StrBytes::from_static_str("5")))
            .with_synonyms(vec![synonym]);
        assert_eq!(
            line(&setting),
            "  retention.ms=5 sensitive=false synonyms={DYNAMIC_DEFAULT_BROKER_CONFIG:log.retention.ms=5}\n"
        );
        let secret = setting.with_value(None).with_is_sensitive(true).with_synonyms(Vec::new());
        assert_eq!(line(&secret), "  retention.ms=null sensitive=true synonyms={}\n");
    }
}
