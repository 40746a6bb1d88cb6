//! What DescribeConfigs tells of a setting: its value, every place that gives one, strongest first, and whether it may
//! be shown and changed.
//!
//! Where it differs from Apache Kafka: our own settings are among the others. Those that Kafka demands and that have a
//! default here (`node.id`, `process.roles`, `controller.listener.names`) show it only while nothing else is given.

use crate::config::Config;
use crate::dynamic::{Dynamic, Values};
use crate::setting::{Change, Kind, Setting, list};
use crate::table;
use crate::topic::broker_synonyms;

/// Where a value stands, with Kafka's number (`ConfigSource`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The topic's own.
    Topic = 1,
    /// Changed in the running broker.
    Broker = 2,
    /// Changed in the running cluster.
    Cluster = 3,
    /// Files, environment, command line.
    Static = 4,
    /// The table.
    Default = 5,
    /// A level of the log.
    Logger = 6,
    /// The subscription's own.
    ClientMetrics = 7,
    /// The group's own.
    Group = 8,
}

/// One place that gives a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synonym {
    /// The setting's name there.
    pub name: String,
    /// The value; `None` when it must not be shown.
    pub value: Option<String>,
    /// Which place.
    pub layer: Layer,
}

/// A setting as it is shown.
#[derive(Clone, Debug)]
pub struct Described {
    /// Its name.
    pub name: String,
    /// Its value; `None` when it has none or it must not be shown.
    pub value: Option<String>,
    /// Its row; unknown settings have none.
    pub setting: Option<&'static Setting>,
    /// Every place that gives a value, the one that counts first.
    pub synonyms: Vec<Synonym>,
    /// Cannot be changed while the broker runs.
    pub read_only: bool,
    /// Its value is never shown.
    pub sensitive: bool,
}

impl Described {
    /// The place whose value counts.
    #[must_use]
    pub fn layer(&self) -> Layer {
        self.synonyms.first().map_or(Layer::Default, |first| first.layer)
    }
}

/// The broker's settings by layer.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a> {
    /// Files, environment, command line, table.
    pub fixed: &'a Config,
    /// What was changed in the running cluster.
    pub dynamic: &'a Dynamic,
}

/// Settings that are one setting in different units or with a default of each other's, strongest first.
const FAMILIES: [&[&str]; 4] = [
    &["log.roll.ms", "log.roll.hours"],
    &["log.roll.jitter.ms", "log.roll.jitter.hours"],
    &["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
    &["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
];
const DEMANDED_BY_KAFKA: [&str; 3] = ["process.roles", "node.id", "controller.listener.names"];

impl Layers<'_> {
    /// Every setting of the broker, ordered by name.
    #[must_use]
    pub fn broker(&self) -> Vec<Described> {
        let rows = table::BROKER.iter().flat_map(|(_, rows)| rows.iter()).filter(|setting| !setting.is_retired());
        let mut names: Vec<&str> = rows.map(|setting| setting.name).collect();
        let given = self.fixed.given.keys().chain(self.dynamic.cluster.keys()).chain(self.dynamic.broker.keys());
        names.extend(given.map(String::as_str));
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| self.describe(name)).collect()
    }

    /// What was changed for the whole cluster, ordered by name.
    #[must_use]
    pub fn cluster(&self) -> Vec<Described> {
        let described = self.dynamic.cluster.keys().map(|name| self.describe(name)).map(|mut described| {
            described.synonyms.retain(|synonym| synonym.layer == Layer::Cluster);
            let value = described.synonyms.first().and_then(|synonym| synonym.value.clone());
            described.value = value.map(|text| shown(described.setting, &text));
            described
        });
        described.collect()
    }

    fn describe(&self, name: &str) -> Described {
        let setting = row(name);
        let sensitive = setting.is_none_or(Setting::is_secret);
        let mut synonyms = self.synonyms(name, sensitive);
        if DEMANDED_BY_KAFKA.contains(&name) && synonyms.len() > 1 {
            synonyms.pop();
        }
        let value = synonyms.first().filter(|synonym| synonym.name == name).and_then(|synonym| synonym.value.clone());
        Described {
            name: name.to_owned(),
            value: value.map(|text| shown(setting, &text)),
            setting,
            synonyms,
            read_only: setting.is_none_or(|setting| setting.change == Change::Restart) || is_unknown(name),
            sensitive,
        }
    }

    /// Every place that gives the setting or one of its family a value. As in Kafka, those before the setting's own
    /// name are left out.
    fn synonyms(&self, name: &str, sensitive: bool) -> Vec<Synonym> {
        let prefixed = name.strip_prefix("listener.name.").and_then(|rest| rest.split_once('.'));
        let of_listener = prefixed.map(|(_, base)| table::of_key(name).map_or(base, |setting| setting.name));
        let own = [name];
        let family = FAMILIES.iter().find(|family| family.contains(&name)).map_or(&own[..], |family| family);
        let names: Vec<&str> = family.iter().copied().chain(of_listener).collect();
        let dynamic = |values: &Values, name: &str| values.get(name).cloned();
        let mut found = Vec::new();
        for layer in [Layer::Broker, Layer::Cluster, Layer::Static, Layer::Default] {
            for name in &names {
                let text = match layer {
                    Layer::Broker => dynamic(&self.dynamic.broker, name),
                    Layer::Cluster => dynamic(&self.dynamic.cluster, name),
                    Layer::Static => self.fixed.given_text(name).map(str::to_owned),
                    _ => default(name).map(|text| shown(row(name), text)),
                };
                if let Some(text) = text {
                    let hidden = sensitive || (layer == Layer::Static && self.fixed.is_hidden(name));
                    found.push(Synonym { name: (*name).to_owned(), value: Some(text).filter(|_| !hidden), layer });
                }
            }
        }
        found.into_iter().skip_while(|synonym| synonym.name != name).collect()
    }

    /// The settings of a topic with these overrides; `value` gives the effective ones.
    pub fn topic<'v>(&self, overrides: &Values, value: impl Fn(&'static str) -> &'v str) -> Vec<Described> {
        let mut rows: Vec<&'static Setting> = table::TOPIC.iter().filter(|setting| !setting.is_retired()).collect();
        rows.sort_unstable_by_key(|setting| setting.name);
        let described = rows.into_iter().map(|setting| {
            let behind = broker_synonyms(setting.name).first().map(|(synonym, _)| self.synonyms(synonym, false));
            own(setting, overrides, Layer::Topic, value(setting.name), behind.unwrap_or_default())
        });
        described.collect()
    }

    /// The settings of a group with these overrides.
    #[must_use]
    pub fn group(&self, overrides: &Values) -> Vec<Described> {
        let described = table::GROUP.iter().map(|setting| {
            let behind = crate::group::broker_synonym(setting.name).map(|synonym| self.synonyms(&synonym, false));
            let default = Synonym {
                name: setting.name.to_owned(),
                value: setting.default.map(str::to_owned),
                layer: Layer::Default,
            };
            let behind = behind.filter(|found| !found.is_empty()).unwrap_or_else(|| vec![default]);
            let value = overrides.get(setting.name).or(behind.first().and_then(|first| first.value.as_ref()));
            let value = value.cloned().unwrap_or_default();
            own(setting, overrides, Layer::Group, &value, behind)
        });
        described.collect()
    }
}

/// The settings of a subscription to clients' metrics.
#[must_use]
pub fn client_metrics(own_values: &Values) -> Vec<Described> {
    let described = table::CLIENT_METRICS.iter().map(|setting| {
        let value = own_values.get(setting.name).map_or(setting.default.unwrap_or_default(), String::as_str);
        own(setting, own_values, Layer::ClientMetrics, value, Vec::new())
    });
    described.collect()
}

/// A setting of something smaller than a broker: its own value stands before those of the broker.
fn own(setting: &'static Setting, overrides: &Values, layer: Layer, value: &str, behind: Vec<Synonym>) -> Described {
    let value = shown(Some(setting), value);
    let first = overrides.contains_key(setting.name).then(|| Synonym {
        name: setting.name.to_owned(),
        value: Some(value.clone()),
        layer,
    });
    Described {
        name: setting.name.to_owned(),
        value: Some(value),
        setting: Some(setting),
        synonyms: first.into_iter().chain(behind).collect(),
        read_only: false,
        sensitive: false,
    }
}

fn row(name: &str) -> Option<&'static Setting> {
    table::of_key(name).or_else(|| table::dynamic_only(name)).filter(|setting| !setting.is_retired())
}

fn is_unknown(name: &str) -> bool {
    // Kafka calls what has a listener's prefix read-only: the name is not among those that change.
    name.starts_with("listener.name.")
}

fn default(name: &str) -> Option<&'static str> {
    // Kafka's own default of the older name, which here is the newer one's.
    if name == "broker.id" { Some("-1") } else { table::broker(name)?.default }
}

/// A value as Kafka writes it after reading it.
fn shown(setting: Option<&Setting>, text: &str) -> String {
    match setting.map(|setting| setting.kind) {
        Some(Kind::Boolean) => text.trim().to_ascii_lowercase(),
        // Java writes the exponent with a capital.
        Some(Kind::Double) => text.trim().to_ascii_uppercase(),
        Some(Kind::List) => list(text).collect::<Vec<_>>().join(","),
        Some(_) => text.trim().to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(dynamic: &Dynamic, name: &str) -> Described {
        let fixed = Config::dev();
        let layers = Layers { fixed: &fixed, dynamic };
        layers.broker().into_iter().find(|described| described.name == name).unwrap()
    }

    #[test]
    fn every_layer_that_gives_a_value_is_told_strongest_first() {
        let set = |value: &str| Values::from([("log.retention.ms".to_owned(), value.to_owned())]);
        let retention = described(&Dynamic { cluster: set("5"), broker: set("7") }, "log.retention.ms");
        let told: Vec<_> = retention.synonyms.iter().map(|one| (&*one.name, one.layer)).collect();
        assert_eq!(
            told,
            [
                ("log.retention.ms", Layer::Broker),
                ("log.retention.ms", Layer::Cluster),
                ("log.retention.hours", Layer::Default)
            ]
        );
        assert_eq!((retention.value.as_deref(), retention.read_only), (Some("7"), false));
        let unset = described(&Dynamic::default(), "log.retention.ms");
        assert_eq!((unset.value, unset.synonyms), (None, vec![]), "hours do not speak for it");
    }

    #[test]
    fn what_is_unknown_or_secret_is_never_shown() {
        let cluster = Values::from([("no.such.config".to_owned(), "1".to_owned())]);
        let unknown = described(&Dynamic { cluster, ..Dynamic::default() }, "no.such.config");
        assert!(unknown.sensitive && unknown.read_only && unknown.value.is_none());
        assert_eq!(unknown.synonyms[0].value, None);
        assert!(described(&Dynamic::default(), "ssl.key.password").sensitive);
    }
}
