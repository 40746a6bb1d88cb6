//! Topics as a YAML file wants them.
//!
//! ```yaml
//! topics:
//!   - name: orders
//!     partitions: 12
//!     replication-factor: 1
//!     configs:
//!       retention.ms: 86400000
//!       cleanup.policy: null   # as the broker has it
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value};

use crate::cli::{Failure, files};

/// Settings as a file wants them; `None` is as the broker has it.
pub(in crate::cli) type WantedConfigs = BTreeMap<String, Option<String>>;

/// A topic as a file wants it. What is not said is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct WantedTopic {
    /// Its name.
    pub(in crate::cli) name: String,
    /// Its number of partitions.
    pub(in crate::cli) partitions: Option<i32>,
    /// Its number of replicas.
    pub(in crate::cli) replicas: Option<i16>,
    /// Its settings.
    pub(in crate::cli) configs: WantedConfigs,
}

/// Reads a file.
///
/// # Errors
/// It cannot be read, is no YAML, or says what is not understood.
pub(super) fn read(path: &Path) -> Result<Vec<WantedTopic>, Failure> {
    let text = files::read(path)?;
    parse(&text).map_err(|reason| Failure::usage(format!("{}: {reason}", path.display())))
}

fn parse(text: &str) -> Result<Vec<WantedTopic>, String> {
    let document = document(text)?;
    only(&document, &["topics"], "the document")?;
    match document.get("topics") {
        Some(listed) => topics(listed),
        None => Err("it begins with `topics:`".to_owned()),
    }
}

/// A file's keys.
///
/// # Errors
/// It is no YAML (or JSON), or no mapping.
pub(in crate::cli) fn document(text: &str) -> Result<Map<String, Value>, String> {
    match serde_saphyr::from_str(text).map_err(|error| error.to_string())? {
        Value::Object(document) => Ok(document),
        _ => Err("it begins with a key, as `topics:`".to_owned()),
    }
}

/// The topics of a document.
///
/// # Errors
/// What is not understood.
pub(in crate::cli) fn topics(listed: &Value) -> Result<Vec<WantedTopic>, String> {
    let Value::Array(topics) = listed else {
        return Err("`topics` is a list of topics, each with a `name`".to_owned());
    };
    let topics = topics.iter().map(topic).collect::<Result<Vec<_>, _>>()?;
    let mut seen = BTreeSet::new();
    match topics.iter().find(|topic| !seen.insert(topic.name.as_str())) {
        Some(twice) => Err(format!("topic {} is there twice", twice.name)),
        None => Ok(topics),
    }
}

fn topic(value: &Value) -> Result<WantedTopic, String> {
    let name = value.get("name").and_then(scalar);
    let (Value::Object(fields), Some(Some(name))) = (value, name) else {
        return Err("a topic has a `name`".to_owned());
    };
    let at = |reason: String| format!("topic {name}: {reason}");
    only(fields, &["name", "partitions", "replication-factor", "configs"], &format!("topic {name}"))?;
    let configs = configs(fields).map_err(at)?;
    let (partitions, replicas) = (number(fields, "partitions"), number(fields, "replication-factor"));
    Ok(WantedTopic { partitions: partitions.map_err(at)?, replicas: replicas.map_err(at)?, configs, name })
}

/// The settings of a topic, or of something else that has some.
///
/// # Errors
/// What is not understood.
pub(in crate::cli) fn configs(fields: &Map<String, Value>) -> Result<WantedConfigs, String> {
    let given = match fields.get("configs") {
        None | Some(Value::Null) => return Ok(WantedConfigs::new()),
        Some(Value::Object(given)) => given,
        Some(_) => return Err("`configs` are settings with their values, as `retention.ms: 86400000`".to_owned()),
    };
    let wrong = |setting: &str| format!("{setting}: a setting's value is text, a number, true, false or null");
    let config =
        |(setting, value): (&String, &Value)| Ok((setting.clone(), scalar(value).ok_or_else(|| wrong(setting))?));
    given.iter().map(config).collect()
}

/// No other keys than these.
///
/// # Errors
/// The first other one.
pub(in crate::cli) fn only(fields: &Map<String, Value>, known: &[&str], whose: &str) -> Result<(), String> {
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("{whose} has {key}, which is none of {}", known.join(", "))),
        None => Ok(()),
    }
}

/// A number above 0.
fn number<T: TryFrom<i64>>(fields: &Map<String, Value>, key: &str) -> Result<Option<T>, String> {
    let Some(value) = fields.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
    let number = value.as_i64().filter(|number| *number > 0).and_then(|number| T::try_from(number).ok());
    number.map(Some).ok_or_else(|| format!("{key} is a number above 0, not {value}"))
}

/// A value as a setting's text; `Some(None)` is null, `None` no single value.
fn scalar(value: &Value) -> Option<Option<String>> {
    match value {
        Value::Null => Some(None),
        Value::Bool(flag) => Some(Some(flag.to_string())),
        Value::Number(number) => Some(Some(number.to_string())),
        Value::String(text) => Some(Some(text.clone())),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_says_what_it_wants_and_no_more() {
        let text = "topics:\n  - name: orders\n    partitions: 12\n    configs: {retention.ms: 5, preallocate: true, \
                    cleanup.policy: null}\n  - name: bills\n";
        let topics = parse(text).unwrap();
        assert_eq!((topics[0].partitions, topics[0].replicas), (Some(12), None));
        let values: Vec<_> = topics[0].configs.iter().map(|(name, value)| (&**name, value.as_deref())).collect();
        assert_eq!(values, [("cleanup.policy", None), ("preallocate", Some("true")), ("retention.ms", Some("5"))]);
        assert_eq!(topics[1], WantedTopic { name: "bills".to_owned(), ..WantedTopic::default() });
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, named) in [
            ("topics: [{name: t, partition: 3}]", "partition"),
            ("topics: [{name: t}, {name: t}]", "twice"),
            ("topics: [{name: t, partitions: 0}]", "partitions"),
            ("topics: [{name: t, configs: {a: [1]}}]", "a: a setting's"),
            ("topics: [{partitions: 1}]", "name"),
            ("topic: []", "topic"),
            ("topics: [", "line 1"),
        ] {
            let reason = parse(text).unwrap_err();
            assert!(reason.contains(named), "{text}: {reason}");
        }
    }
}
