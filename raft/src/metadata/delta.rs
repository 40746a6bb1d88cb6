//! What one publication changed.

use std::sync::Arc;

use super::delegation_tokens::DelegationTokenId;
use super::image::{MetadataImage, Touched};
use super::topics::TopicImage;

/// What one publication changed against the image before it. A topic that was deleted and made again under its name
/// is in both lists, with different ids: deletions come first.
#[derive(Clone, Debug, Default)]
pub struct MetadataDelta {
    /// Topics that were not there before.
    pub topics_created: Vec<Arc<TopicImage>>,
    /// Topics that are gone, whether they are kept or not.
    pub topics_deleted: Vec<Arc<TopicImage>>,
    /// Deleted topics that were kept, and are no longer.
    pub topics_forgotten: Vec<Arc<TopicImage>>,
    /// Topics whose partitions or settings changed.
    pub topics_changed: Vec<Arc<TopicImage>>,
    /// Whether any broker changed.
    pub brokers_changed: bool,
    /// Whether any client quota changed.
    pub client_quotas_changed: bool,
    /// Whether any setting of what is no topic changed.
    pub configs_changed: bool,
    /// Whether any rule of access changed.
    pub acls_changed: bool,
    /// Delegation tokens that were made, renewed or removed.
    pub delegation_tokens: Vec<DelegationTokenId>,
}

impl MetadataDelta {
    /// The way from `before` to `after`, of which `touched` names all that may differ.
    #[must_use]
    pub fn between(before: &MetadataImage, after: &MetadataImage, touched: &Touched) -> Self {
        let mut delta = Self {
            brokers_changed: touched.brokers,
            client_quotas_changed: touched.client_quotas,
            configs_changed: touched.configs,
            acls_changed: touched.acls,
            delegation_tokens: touched.delegation_tokens.iter().cloned().collect(),
            ..Self::default()
        };
        for id in &touched.topics {
            match (before.topic_by_id(*id), after.topic_by_id(*id)) {
                (None, Some(created)) => delta.topics_created.push(Arc::clone(created)),
                (Some(deleted), None) => delta.topics_deleted.push(Arc::clone(deleted)),
                (Some(old), Some(new)) if old != new => delta.topics_changed.push(Arc::clone(new)),
                (Some(_), Some(_)) => {}
                (None, None) => {
                    let forgotten = before.kept_topic(*id).filter(|_| after.kept_topic(*id).is_none());
                    delta.topics_forgotten.extend(forgotten.map(|kept| Arc::clone(&kept.topic)));
                }
            }
        }
        delta
    }

    /// True when nothing that a listener could care about changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.brokers_changed
            && !self.client_quotas_changed
            && !self.configs_changed
            && !self.acls_changed
            && self.delegation_tokens.is_empty()
            && self.topics_created.is_empty()
            && self.topics_deleted.is_empty()
            && self.topics_forgotten.is_empty()
            && self.topics_changed.is_empty()
    }
}
