//! Settings as a file wants them: what `export` writes, and `import` and `diff` read.
//!
//! ```yaml
//! topics:                 # `topics apply` takes a file that has only these
//!   - name: orders
//!     configs:
//!       retention.ms: "86400000"
//! resources:
//!   - name: cluster       # as the command line names them
//!     configs:
//!       log.retention.ms: null   # takes the value away
//! ```
//!
//! Or a properties file, of one resource.

use std::collections::BTreeSet;
use std::path::Path;

use barnabas_config::properties;
use serde_json::{Map, Value};

use super::resource::Resource;
use crate::cli::topics::wanted::{WantedConfigs, WantedTopic, configs, document, only, topics};
use crate::cli::{Failure, files};
use crate::client::configs::ConfigResource;

/// What has settings, and those that it is to have. What is not said is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// What has them.
    pub(super) resource: Resource,
    /// The settings.
    pub(super) configs: WantedConfigs,
}

/// Reads a file: YAML or JSON by its name, anything else are properties of the resource that is named beside it.
///
/// # Errors
/// It cannot be read, or says what is not understood.
pub(super) fn read(path: &Path, of: Option<&Resource>) -> Result<Vec<Wanted>, Failure> {
    let text = files::read(path)?;
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let is_document = ["yaml", "yml", "json"].contains(&extension.to_ascii_lowercase().as_str());
    let at = |reason: String| Failure::usage(format!("{}: {reason}", path.display()));
    match (is_document, of) {
        (true, None) => parse(&text).map_err(at),
        (true, Some(of)) => {
            let mut wanted = parse(&text).map_err(at)?;
            wanted.retain(|one| one.resource == *of);
            if wanted.is_empty() { Err(at(format!("it says nothing of {of}"))) } else { Ok(wanted) }
        }
        (false, Some(of)) => {
            let configs = parse_properties(&text).map_err(at)?;
            Ok(vec![Wanted { resource: of.clone(), configs }])
        }
        (false, None) => {
            let reason = "properties do not say whose they are; a document ends with .yaml or .json";
            Err(at(reason.to_owned()).next("the same with --to WHAT/NAME"))
        }
    }
}

fn parse_properties(text: &str) -> Result<WantedConfigs, String> {
    let mut configs = WantedConfigs::new();
    for property in properties::parse(text) {
        let property = property.map_err(|error| error.to_string())?;
        configs.insert(property.key, Some(property.value));
    }
    Ok(configs)
}

fn parse(text: &str) -> Result<Vec<Wanted>, String> {
    let document = document(text)?;
    only(&document, &["topics", "resources"], "the document")?;
    let mut wanted = Vec::new();
    if let Some(listed) = document.get("topics") {
        for topic in topics(listed)? {
            wanted.push(of_topic(topic)?);
        }
    }
    match document.get("resources") {
        None => {}
        Some(Value::Array(listed)) => {
            for value in listed {
                wanted.push(resource(value)?);
            }
        }
        Some(_) => return Err("`resources` is a list, each with a `name` as cluster or broker/1".to_owned()),
    }
    let mut seen = BTreeSet::new();
    match wanted.iter().find(|one| !seen.insert(&one.resource)) {
        Some(twice) => Err(format!("{} is there twice", twice.resource)),
        None => Ok(wanted),
    }
}

fn of_topic(topic: WantedTopic) -> Result<Wanted, String> {
    if topic.partitions.is_some() || topic.replicas.is_some() {
        let name = topic.name;
        return Err(format!(
            "topic {name}: its partitions and replicas are no settings; `barnabas topics apply` takes them"
        ));
    }
    Ok(Wanted { resource: Resource::topic(topic.name), configs: topic.configs })
}

fn resource(value: &Value) -> Result<Wanted, String> {
    let (Value::Object(fields), Some(name)) = (value, value.get("name").and_then(Value::as_str)) else {
        return Err("a resource has a `name`, as cluster or broker/1".to_owned());
    };
    only(fields, &["name", "configs"], name)?;
    let at = |reason: String| format!("{name}: {reason}");
    Ok(Wanted { resource: name.parse().map_err(at)?, configs: configs(fields).map_err(at)? })
}

/// Settings as a document that [`read`] reads back.
pub(super) fn written(all: &[Wanted]) -> Value {
    let (mut topics, mut resources) = (Vec::new(), Vec::new());
    for Wanted { resource, configs } in all {
        let values = configs.iter().map(|(name, value)| (name.clone(), Value::from(value.clone())));
        let configs = Value::Object(values.collect());
        let is_topic = resource.kind == ConfigResource::Topic;
        let name = if is_topic { resource.name.clone() } else { resource.to_string() };
        let fields = Map::from_iter([("name".to_owned(), name.into()), ("configs".to_owned(), configs)]);
        if is_topic { &mut topics } else { &mut resources }.push(Value::Object(fields));
    }
    let lists = [("topics", topics), ("resources", resources)].into_iter().filter(|(_, list)| !list.is_empty());
    Value::Object(lists.map(|(key, list)| (key.to_owned(), Value::Array(list))).collect())
}

/// Settings as properties that [`read`] reads back.
pub(super) fn written_properties(configs: &WantedConfigs) -> String {
    let lines = configs.iter().filter_map(|(name, value)| Some(properties::write(name, value.as_ref()?)));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str, configs: &[(&str, &str)]) -> Wanted {
        let config = |(name, value): &(&str, &str)| ((*name).to_owned(), Some((*value).to_owned()));
        Wanted { resource: name.parse().unwrap(), configs: configs.iter().map(config).collect() }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let all = [
            wanted("topic/a", &[("retention.ms", "7"), ("preallocate", "true")]),
            wanted("cluster", &[("log.retention.ms", "5")]),
            wanted("group/a/b", &[("x", " : #odd\n")]),
        ];
        let document = written(&all);
        assert_eq!(parse(&document.to_string()).unwrap(), all);
        let properties = written_properties(&all[2].configs);
        assert_eq!(parse_properties(&properties).unwrap(), all[2].configs);
        assert_eq!(written(&[]), serde_json::json!({}));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, named) in [
            ("resources: [{name: broker/x}]", "broker's id"),
            ("resources: [{name: cluster}, {name: cluster}]", "twice"),
            ("resources: [{name: topic/t}]\ntopics: [{name: t}]", "twice"),
            ("resources: [{name: cluster, config: {}}]", "config"),
            ("resources: [{configs: {}}]", "name"),
            ("resources: {}", "list"),
            ("topics: [{name: t, partitions: 3}]", "topics apply"),
            ("resource: []", "resource"),
            ("a", "topics"),
        ] {
            let reason = parse(text).unwrap_err();
            assert!(reason.contains(named), "{text}: {reason}");
        }
    }

    #[test]
    fn null_takes_a_value_away() {
        let parsed = parse("resources: [{name: cluster, configs: {a: null, b: 1}}]").unwrap();
        let values: Vec<_> = parsed[0].configs.iter().map(|(name, value)| (&**name, value.as_deref())).collect();
        assert_eq!(values, [("a", None), ("b", Some("1"))]);
    }
}
