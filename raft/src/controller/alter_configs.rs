//! Settings of topics and other resources change.

use std::collections::BTreeMap;

use barnabas_storage::TopicId;

use crate::error::AlterConfigError;
use crate::metadata::configs::TopicConfigRecord;
use crate::metadata::resource_configs::{Resource, ResourceConfigRecord};
use crate::metadata::{MetadataImage, Record};

/// Whose settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigOwner {
    /// A topic.
    Topic(TopicId),
    /// Something else.
    Resource(Resource),
}

/// All settings of one owner, as they were when the caller judged them and as they are to be.
#[derive(Clone, Debug)]
pub struct ConfigChange {
    /// Whose.
    pub owner: ConfigOwner,
    /// What the caller saw: when it is no longer so, nothing is changed.
    pub before: BTreeMap<String, String>,
    /// What is to be, already validated by the caller.
    pub after: BTreeMap<String, String>,
}

/// The records, and what became of each change, in the order of the request.
pub(super) fn decide(
    image: &MetadataImage,
    changes: &[ConfigChange],
) -> (Vec<Record>, Vec<Result<(), AlterConfigError>>) {
    let mut records = Vec::new();
    let outcomes = changes.iter().map(|change| -> Result<(), AlterConfigError> {
        let present = match &change.owner {
            ConfigOwner::Topic(id) => &image.topic_by_id(*id).ok_or(AlterConfigError::UnknownTopic(*id))?.configs,
            ConfigOwner::Resource(resource) => image.resource_configs(resource),
        };
        if *present != change.before {
            return Err(AlterConfigError::Raced);
        }
        let gone = change.before.keys().filter(|name| !change.after.contains_key(*name)).map(|name| (name, None));
        let set = change.after.iter().filter(|(name, value)| change.before.get(*name) != Some(*value));
        let set = set.map(|(name, value)| (name, Some(value.clone())));
        records.extend(gone.chain(set).map(|(name, value)| record(&change.owner, name.clone(), value)));
        Ok(())
    });
    let outcomes = outcomes.collect();
    (records, outcomes)
}

fn record(owner: &ConfigOwner, name: String, value: Option<String>) -> Record {
    match owner {
        ConfigOwner::Topic(topic) => TopicConfigRecord { topic: *topic, name, value }.into(),
        ConfigOwner::Resource(resource) => ResourceConfigRecord { resource: resource.clone(), name, value }.into(),
    }
}
