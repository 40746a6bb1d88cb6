//! Settings that change in a running broker: for the whole cluster, and for one broker. They lie over the static ones,
//! the broker's over the cluster's.

use std::collections::BTreeMap;

use crate::config::{Config, Given, Source};
use crate::setting::{Change, Kind, Setting, list};
use crate::table;

/// `SslConfigs.RECONFIGURABLE_CONFIGS` of Kafka.
const STORES: [&str; 10] = [
    "ssl.key.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
];

/// Values by name.
pub type Values = BTreeMap<String, String>;

/// What was changed in the running cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dynamic {
    /// For every broker.
    pub cluster: Values,
    /// For this broker.
    pub broker: Values,
}

/// Why a change of a running broker's settings was refused: the message is Kafka's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidChange(pub String);

/// How a list changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListChange {
    /// These elements are added, unless they are there.
    Append,
    /// These elements are taken away.
    Subtract,
}

impl Config {
    /// These settings with what was changed in the running cluster over them. What cannot be changed there is left out,
    /// as Kafka does with what an older version stored.
    #[must_use]
    pub fn with_dynamic(&self, dynamic: &Dynamic) -> Self {
        let mut config = self.clone();
        for (values, source) in [(&dynamic.cluster, Source::DynamicCluster), (&dynamic.broker, Source::DynamicBroker)] {
            let of_one_broker = source == Source::DynamicBroker;
            for (name, text) in values {
                let may_stand = |setting: &Setting| {
                    setting.is_live() && !is_of_listeners_only(name) && (of_one_broker || !is_per_broker(setting))
                };
                let takes = |setting: &Setting| may_stand(setting) && setting.check(text).is_ok();
                if table::of_key(name).is_some_and(takes) {
                    let given = Given { text: text.clone(), hidden: false, source: source.clone() };
                    config.given.insert(name.clone(), given);
                }
            }
        }
        config
    }
}

/// Checks what a broker's (or, without an own one, the cluster's) dynamic settings are to become, in Kafka's order.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_broker_change(values: &Values, of_one_broker: bool) -> Result<(), InvalidChange> {
    let refuse = |wrong: Vec<&str>, message: &str| match wrong.is_empty() {
        true => Ok(()),
        false => Err(InvalidChange(format!("{message}: [{}]", wrong.join(", ")))),
    };
    let those = |is: &dyn Fn(&str) -> bool| values.keys().map(String::as_str).filter(|name| is(name)).collect();
    let never = "Cannot update these configs dynamically";
    let fixed = |name: &str| row(name).is_some_and(|setting| setting.change == Change::Restart);
    refuse(those(&fixed), never)?;
    let message = "These security configs can be dynamically updated only per-listener using the listener prefix";
    refuse(those(&is_of_listeners_only), message)?;
    for (name, text) in values {
        if let Some(setting) = row(name) {
            check_value(setting, text)?;
        }
    }
    let per_broker = |name: &str| table::of_key(name).is_some_and(is_per_broker);
    if !of_one_broker {
        let message = "Cannot update these configs at default cluster level, broker id must be specified";
        refuse(those(&per_broker), message)?;
    }
    // Refused rather than kept without effect: what is read at a start only, and limits of one listener, which has none.
    let of_no_listener = |name: &str, row: &Setting| is_prefixed(name) && !is_per_broker(row);
    let without_effect = |name: &str| row(name).is_some_and(|row| !row.is_live() || of_no_listener(name, row));
    refuse(those(&without_effect), never)
}

/// A list setting's value after a change.
///
/// # Errors
/// When the setting is no list, in the words of a broker's settings.
pub fn change_list(
    name: &str,
    present: Option<&str>,
    change: ListChange,
    elements: &str,
) -> Result<String, InvalidChange> {
    let setting = row(name).ok_or_else(|| InvalidChange(format!("Unknown config name: {name}")))?;
    if setting.kind != Kind::List {
        let verb = if change == ListChange::Append { "append" } else { "subtract" };
        return Err(InvalidChange(format!("Config value {verb} is not allowed for config key: {name}")));
    }
    Ok(changed(present.or(setting.default).unwrap_or_default(), change, elements))
}

/// A list after a change.
#[must_use]
pub fn changed(present: &str, change: ListChange, elements: &str) -> String {
    let mut all: Vec<&str> = list(present).filter(|element| !element.is_empty()).collect();
    for element in elements.split(',') {
        let at = all.iter().position(|one| *one == element);
        match (change, at) {
            (ListChange::Append, None) => all.push(element),
            (ListChange::Subtract, Some(at)) => drop(all.remove(at)),
            (ListChange::Append, Some(_)) | (ListChange::Subtract, None) => {}
        }
    }
    all.join(",")
}

/// The row of a name that may stand among dynamic settings; retired names are unknown to Kafka.
fn row(name: &str) -> Option<&'static Setting> {
    table::of_key(name).or_else(|| table::dynamic_only(name)).filter(|setting| !setting.is_retired())
}

fn is_prefixed(name: &str) -> bool {
    name.starts_with("listener.name.")
}

/// Keys, certificates and whom they trust change for one listener by its prefix: what holds for all is the file's.
fn is_of_listeners_only(name: &str) -> bool {
    STORES.contains(&name)
}

fn is_per_broker(setting: &Setting) -> bool {
    setting.change == Change::PerBroker
}

fn check_value(setting: &Setting, text: &str) -> Result<(), InvalidChange> {
    let name = setting.name;
    let invalid = |reason: String| {
        let value = if setting.is_secret() { "[hidden]" } else { setting.offending(text) };
        InvalidChange(format!("Invalid value {value} for configuration {name}: {reason}"))
    };
    setting.check(text).map_err(&invalid)?;
    // Kafka looks for the class and does not find it either.
    if setting.kind == Kind::Class && !text.is_empty() && setting.default != Some(text.trim()) {
        return Err(invalid(format!("Class {text} could not be found.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn refusal(name: &str, value: &str, of_one_broker: bool) -> String {
        check_broker_change(&values(&[(name, value)]), of_one_broker).unwrap_err().0
    }

    #[test]
    fn the_brokers_value_lies_over_the_clusters_and_both_over_the_files() {
        let fixed = Config::dev();
        let mut dynamic = Dynamic { cluster: values(&[("log.retention.ms", "5")]), ..Dynamic::default() };
        assert_eq!(fixed.with_dynamic(&dynamic).text("log.retention.ms"), Some("5"));
        dynamic.broker = values(&[("log.retention.ms", "7"), ("node.id", "9"), ("log.segment.bytes", "x")]);
        let config = fixed.with_dynamic(&dynamic);
        assert_eq!(config.text("log.retention.ms"), Some("7"));
        assert_eq!(config.source("log.retention.ms"), Source::DynamicBroker);
        assert_eq!(config.text("node.id"), fixed.text("node.id"), "read-only");
        assert_eq!(config.text("log.segment.bytes"), fixed.text("log.segment.bytes"), "no number");
    }

    #[test]
    fn refusals_are_worded_as_kafka_words_them() {
        assert_eq!(refusal("log.dirs", "/x", true), "Cannot update these configs dynamically: [log.dirs]");
        assert_eq!(
            refusal("ssl.keystore.location", "/x", true),
            "These security configs can be dynamically updated only per-listener using the listener prefix: \
             [ssl.keystore.location]"
        );
        assert_eq!(
            refusal("cordoned.log.dirs", "*", false),
            "Cannot update these configs at default cluster level, broker id must be specified: [cordoned.log.dirs]"
        );
        for name in
            ["listeners", "sasl.jaas.config", "ssl.cipher.suites", "listener.name.internal.ssl.keystore.location"]
        {
            let at_default_level = refusal(name, "/x", false);
            assert!(at_default_level.starts_with("Cannot update these configs at default cluster level"), "{name}");
        }
        for name in ["listeners", "listener.name.internal.max.connections"] {
            assert_eq!(refusal(name, "7", true), format!("Cannot update these configs dynamically: [{name}]"));
        }
        assert_eq!(
            refusal("num.io.threads", "0", true),
            "Invalid value 0 for configuration num.io.threads: Value must be at least 1"
        );
        assert_eq!(check_broker_change(&values(&[("no.such.config", "1"), ("log.retention.ms", "-2")]), false), Ok(()));
    }

    #[test]
    fn security_of_one_broker_changes_and_what_holds_for_all_listeners_is_not_stored() {
        let allowed = ["sasl.enabled.mechanisms", "ssl.cipher.suites", "listener.name.internal.ssl.keystore.location"];
        for name in allowed.into_iter().chain(["listener.name.internal.plain.sasl.jaas.config"]) {
            assert_eq!(check_broker_change(&values(&[(name, "x")]), true), Ok(()), "{name}");
        }
        let of_listener = "listener.name.internal.ssl.keystore.location";
        let stored = values(&[("ssl.keystore.location", "/x"), (of_listener, "/y"), ("ssl.cipher.suites", "z")]);
        let config = Config::dev().with_dynamic(&Dynamic { broker: stored.clone(), ..Dynamic::default() });
        assert_eq!(config.text("ssl.keystore.location"), None, "as Kafka, which passes over it");
        assert_eq!(config.of_listener("INTERNAL", "ssl.keystore.location"), Some("/y"));
        assert_eq!(config.text("ssl.cipher.suites"), Some("z"));
        let config = Config::dev().with_dynamic(&Dynamic { cluster: stored, ..Dynamic::default() });
        assert_eq!(config.of_listener("INTERNAL", "ssl.keystore.location"), None, "it is of one broker");
        assert_eq!(config.text("ssl.cipher.suites"), Some(""));
    }

    #[test]
    fn lists_grow_and_shrink_by_elements() {
        let policy = |change, elements| change_list("log.cleanup.policy", None, change, elements);
        assert_eq!(policy(ListChange::Append, "compact,delete").as_deref(), Ok("delete,compact"));
        assert_eq!(policy(ListChange::Subtract, "delete").as_deref(), Ok(""));
        let refused = change_list("log.segment.bytes", None, ListChange::Append, "5").unwrap_err().0;
        assert_eq!(refused, "Config value append is not allowed for config key: log.segment.bytes");
    }
}
