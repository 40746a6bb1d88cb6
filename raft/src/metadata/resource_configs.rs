//! Settings of what is no topic: brokers, groups, subscriptions to clients' metrics.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::codec::{DecodeError, Reader, Writer};
use super::image::{MetadataImage, Touched};
use super::record::Body;

/// What has settings, with Kafka's number (`ConfigResource.Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceKind {
    /// A broker by id, or with an empty name all of them.
    Broker = 4,
    /// A subscription to clients' metrics.
    ClientMetrics = 16,
    /// A group.
    Group = 32,
}

impl ResourceKind {
    fn of(number: u64) -> Option<Self> {
        [Self::Broker, Self::ClientMetrics, Self::Group].into_iter().find(|kind| *kind as u64 == number)
    }
}

/// One thing that has settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// Of which kind.
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
}

/// Sets or removes one setting of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceConfigRecord {
    /// Of what.
    pub resource: Resource,
    /// Kafka's name of the setting.
    pub name: String,
    /// The value; `None` removes it.
    pub value: Option<String>,
}

impl Body for ResourceConfigRecord {
    fn encode(&self, out: &mut Writer) {
        out.unsigned(self.resource.kind as u64);
        out.text(&self.resource.name);
        out.text(&self.name);
        out.optional(self.value.as_deref(), Writer::text);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = ResourceKind::of(from.unsigned()?).ok_or(DecodeError::Range)?;
        Ok(Self {
            resource: Resource { kind, name: from.text()?.to_owned() },
            name: from.text()?.to_owned(),
            value: from.optional(|from| Ok(from.text()?.to_owned()))?,
        })
    }
}

impl ResourceConfigRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage, touched: &mut Touched) {
        let present = image.resource_configs.get(&self.resource);
        let mut configs = present.map_or_else(BTreeMap::new, |configs| BTreeMap::clone(configs));
        match &self.value {
            Some(value) => configs.insert(self.name.clone(), value.clone()),
            None => configs.remove(&self.name),
        };
        if configs.is_empty() {
            image.resource_configs.remove_mut(&self.resource);
        } else {
            image.resource_configs.insert_mut(self.resource.clone(), Arc::new(configs));
        }
        touched.configs();
    }
}
