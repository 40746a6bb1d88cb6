//! The image: the fold of every applied record. Immutable once published; the maps share structure, so that a clone
//! costs nothing and a change costs the path to it.
//!
//! Invariants:
//! 1. `apply` is pure and total: same image, same entry, same result, on every machine. No clock, no random number, no
//!    settings, no order of a hash map. A record that names what is not there changes nothing.
//! 2. `MetadataImage::from_records` of an image's index and records is that image.
//! 3. `topic_ids` and `topics` name each other; a topic's partitions are numbered without gaps.
//! 4. `kept_topics` has no id that `topics` has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use barnabas_auth::Acl;
use barnabas_storage::{PartitionIndex, TopicId};
use rpds::{HashTrieMapSync, RedBlackTreeMapSync};

use super::acls::{AccessControlEntryRecord, AclId};
use super::brokers::{BrokerId, BrokerImage, RegisterBrokerRecord};
use super::client_quotas::{ClientQuotaRecord, QuotaEntity, QuotaValues};
use super::cluster::{ClusterRecord, ClusterSecretRecord};
use super::configs::TopicConfigRecord;
use super::delegation_tokens::{DelegationToken, DelegationTokenId, DelegationTokenRecord};
use super::entry::Entry;
use super::features::FeatureLevelRecord;
use super::kept_topics::{KeepTopicRecord, KeptTopic};
use super::partitions::PartitionRecord;
use super::producer_ids::ProducerIdsRecord;
use super::record::Record;
use super::resource_configs::{Resource, ResourceConfigRecord, ResourceKind};
use super::scram::{self, UserScramCredentials};
use super::topics::{TopicImage, TopicRecord, metric_name};

/// Everything the cluster has decided, as of one raft index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetadataImage {
    pub(super) cluster_id: Arc<str>,
    pub(super) applied_index: u64,
    pub(super) brokers: RedBlackTreeMapSync<BrokerId, BrokerImage>,
    pub(super) topics: RedBlackTreeMapSync<TopicId, Arc<TopicImage>>,
    pub(super) kept_topics: RedBlackTreeMapSync<TopicId, Arc<KeptTopic>>,
    pub(super) topic_ids: RedBlackTreeMapSync<Arc<str>, TopicId>,
    pub(super) metric_names: RedBlackTreeMapSync<String, Arc<str>>,
    pub(super) features: RedBlackTreeMapSync<Arc<str>, i16>,
    pub(super) next_producer_id: i64,
    pub(super) secret: Arc<[u8]>,
    /// By a hash: a look-up takes no longer for a name that is nearly a user's.
    pub(super) scram: HashTrieMapSync<Arc<str>, UserScramCredentials>,
    pub(super) client_quotas: RedBlackTreeMapSync<QuotaEntity, Arc<QuotaValues>>,
    pub(super) resource_configs: RedBlackTreeMapSync<Resource, Arc<BTreeMap<String, String>>>,
    pub(super) acls: RedBlackTreeMapSync<AclId, Arc<Acl>>,
    pub(super) acl_ids: RedBlackTreeMapSync<Arc<Acl>, AclId>,
    pub(super) delegation_tokens: RedBlackTreeMapSync<DelegationTokenId, Arc<DelegationToken>>,
}

/// The settings of a resource that has none.
static NO_CONFIGS: BTreeMap<String, String> = BTreeMap::new();

/// What entries touched, collected over any number of them: [`super::MetadataDelta`] is made from it.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    pub(super) topics: BTreeSet<TopicId>,
    pub(super) brokers: bool,
    pub(super) client_quotas: bool,
    pub(super) configs: bool,
    pub(super) acls: bool,
    pub(super) delegation_tokens: BTreeSet<DelegationTokenId>,
}

impl Touched {
    pub(super) fn topic(&mut self, id: TopicId) {
        self.topics.insert(id);
    }

    pub(super) fn brokers(&mut self) {
        self.brokers = true;
    }

    pub(super) fn client_quotas(&mut self) {
        self.client_quotas = true;
    }

    pub(super) fn configs(&mut self) {
        self.configs = true;
    }

    pub(super) fn acls(&mut self) {
        self.acls = true;
    }

    pub(super) fn delegation_token(&mut self, id: &DelegationTokenId) {
        self.delegation_tokens.insert(id.clone());
    }

    /// Adds what a later change touched.
    pub fn merge(&mut self, later: Self) {
        self.topics.extend(later.topics);
        self.brokers |= later.brokers;
        self.client_quotas |= later.client_quotas;
        self.configs |= later.configs;
        self.acls |= later.acls;
        self.delegation_tokens.extend(later.delegation_tokens);
    }
}

impl MetadataImage {
    /// The cluster's id.
    #[must_use]
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// Raft index of the last entry applied.
    #[must_use]
    pub fn applied_index(&self) -> u64 {
        self.applied_index
    }

    /// Every topic, ordered by name.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<TopicImage>> + '_ {
        self.topic_ids.values().filter_map(|id| self.topics.get(id))
    }

    /// Number of topics.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.topics.size()
    }

    /// A topic by name.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<&Arc<TopicImage>> {
        self.topics.get(self.topic_ids.get(name)?)
    }

    /// The topics from this name on, ordered by name.
    pub fn topics_from<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Arc<TopicImage>> + 'a {
        let bounds = (std::ops::Bound::Included(name), std::ops::Bound::Unbounded);
        self.topic_ids.range::<str, _>(bounds).filter_map(|(_, id)| self.topics.get(id))
    }

    /// A topic by id.
    #[must_use]
    pub fn topic_by_id(&self, id: TopicId) -> Option<&Arc<TopicImage>> {
        self.topics.get(&id)
    }

    /// The topic whose metrics would be taken for those of `name`.
    #[must_use]
    pub fn colliding_topic(&self, name: &str) -> Option<&Arc<str>> {
        self.metric_names.get(&metric_name(name)?)
    }

    /// Every registered broker, ordered by id.
    pub fn brokers(&self) -> impl Iterator<Item = &BrokerImage> + '_ {
        self.brokers.values()
    }

    /// A broker by id.
    #[must_use]
    pub fn broker(&self, id: BrokerId) -> Option<&BrokerImage> {
        self.brokers.get(&id)
    }

    /// Finalized features and their levels, ordered by name.
    pub fn features(&self) -> impl Iterator<Item = (&str, i16)> + '_ {
        self.features.iter().map(|(name, level)| (&**name, *level))
    }

    /// The settings of what is no topic.
    #[must_use]
    pub fn resource_configs(&self, resource: &Resource) -> &BTreeMap<String, String> {
        self.resource_configs.get(resource).map_or(&NO_CONFIGS, |configs| &**configs)
    }

    /// Every resource of this kind that has settings, ordered by name.
    pub fn resources(&self, kind: ResourceKind) -> impl Iterator<Item = &str> + '_ {
        let of_kind = self.resource_configs.keys().filter(move |resource| resource.kind == kind);
        of_kind.map(|resource| &*resource.name)
    }

    /// The first producer id that nobody has.
    #[must_use]
    pub fn next_producer_id(&self) -> i64 {
        self.next_producer_id
    }

    /// The cluster's secret; empty in a log that has none yet.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// The SCRAM credentials of a user.
    #[must_use]
    pub fn scram_credentials(&self, user: &str) -> Option<&UserScramCredentials> {
        self.scram.get(user)
    }

    /// Every user with a SCRAM credential, ordered by name.
    #[must_use]
    pub fn users_with_scram(&self) -> Vec<(&Arc<str>, &UserScramCredentials)> {
        let mut users: Vec<_> = self.scram.iter().collect();
        users.sort_unstable_by_key(|(user, _)| *user);
        users
    }

    /// Everybody who has quotas, in order.
    pub fn client_quotas(&self) -> impl Iterator<Item = (&QuotaEntity, &QuotaValues)> + '_ {
        self.client_quotas.iter().map(|(entity, values)| (entity, &**values))
    }

    /// The quotas of one entity.
    #[must_use]
    pub fn client_quotas_of(&self, entity: &QuotaEntity) -> Option<&QuotaValues> {
        self.client_quotas.get(entity).map(|values| &**values)
    }

    /// Every rule of access, in the order of what they say.
    pub fn acls(&self) -> impl Iterator<Item = (AclId, &Arc<Acl>)> + '_ {
        self.acl_ids.iter().map(|(acl, id)| (*id, acl))
    }

    /// Whether the rule is there.
    #[must_use]
    pub fn has_acl(&self, acl: &Acl) -> bool {
        self.acl_ids.contains_key(acl)
    }

    /// Whether the id is a rule's.
    #[must_use]
    pub fn has_acl_id(&self, id: AclId) -> bool {
        self.acls.contains_key(&id)
    }

    /// A delegation token.
    #[must_use]
    pub fn delegation_token(&self, id: &DelegationTokenId) -> Option<&Arc<DelegationToken>> {
        self.delegation_tokens.get(id)
    }

    /// Every delegation token, in the order of the ids.
    pub fn delegation_tokens(&self) -> impl Iterator<Item = &Arc<DelegationToken>> + '_ {
        self.delegation_tokens.values()
    }

    /// How many delegation tokens there are.
    #[must_use]
    pub fn delegation_token_count(&self) -> usize {
        self.delegation_tokens.size()
    }

    /// Applies the entry at `index`.
    pub fn apply(&mut self, index: u64, entry: &Entry, touched: &mut Touched) {
        for record in &entry.records {
            self.apply_record(index, record, touched);
        }
        self.applied_index = index;
    }

    /// Notes that an entry without records, such as raft's own, was applied.
    pub fn skip(&mut self, index: u64) {
        self.applied_index = index;
    }

    fn apply_record(&mut self, index: u64, record: &Record, touched: &mut Touched) {
        match record {
            Record::RegisterBroker(record) => record.apply(index, self, touched),
            Record::Topic(record) => record.apply(self, touched),
            Record::Partition(record) => record.apply(self, touched),
            Record::TopicConfig(record) => record.apply(self, touched),
            Record::PartitionChange(record) => record.apply(self, touched),
            Record::RemoveTopic(record) => record.apply(self, touched),
            Record::KeepTopic(record) => record.apply(self, touched),
            Record::RestoreTopic(record) => record.apply(self, touched),
            Record::FeatureLevel(record) => record.apply(self),
            Record::ClientQuota(record) => record.apply(self, touched),
            Record::ProducerIds(record) => record.apply(self),
            Record::DelegationToken(record) => record.apply(self, touched),
            Record::RemoveDelegationToken(record) => record.apply(self, touched),
            Record::UserScramCredential(record) => record.apply(self),
            Record::RemoveUserScramCredential(record) => record.apply(self),
            Record::AccessControlEntry(record) => record.apply(self, touched),
            Record::RemoveAccessControlEntry(record) => record.apply(self, touched),
            Record::Cluster(record) => record.apply(self),
            Record::ClusterSecret(record) => record.apply(self),
            Record::ResourceConfig(record) => record.apply(self, touched),
        }
    }

    pub(super) fn topic_mut(&mut self, id: TopicId, touched: &mut Touched) -> Option<&mut TopicImage> {
        let topic = self.topics.get_mut(&id)?;
        touched.topic(id);
        Some(Arc::make_mut(topic))
    }

    /// The records that make this image: what a snapshot holds.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let mut records: Vec<Record> = vec![ClusterRecord { cluster_id: self.cluster_id().to_owned() }.into()];
        if !self.secret.is_empty() {
            records.push(ClusterSecretRecord { secret: self.secret.to_vec() }.into());
        }
        for (name, level) in self.features() {
            records.push(FeatureLevelRecord { name: name.to_owned(), level }.into());
        }
        records.push(ProducerIdsRecord { broker: BrokerId(-1), next: self.next_producer_id }.into());
        records.extend(self.brokers().map(|broker| RegisterBrokerRecord::from(broker).into()));
        records.extend(scram::records(self).map(Record::from));
        for (entity, values) in self.client_quotas() {
            records.extend(ClientQuotaRecord::of(entity, values).map(Record::from));
        }
        records.extend(self.acls().map(|(id, acl)| AccessControlEntryRecord { id, acl: Arc::clone(acl) }.into()));
        records.extend(self.delegation_tokens().map(|token| DelegationTokenRecord { token: Arc::clone(token) }.into()));
        // Before those that have their names now.
        for kept in self.kept_topics() {
            topic_records(&kept.topic, &mut records);
            let KeptTopic { topic, deleted, until } = &**kept;
            records.push(KeepTopicRecord { id: topic.id, deleted: *deleted, until: *until }.into());
        }
        for topic in self.topics() {
            topic_records(topic, &mut records);
        }
        for (resource, configs) in self.resource_configs.iter() {
            records.extend(configs.iter().map(|(name, value)| {
                let (name, value) = (name.clone(), Some(value.clone()));
                ResourceConfigRecord { resource: resource.clone(), name, value }.into()
            }));
        }
        records
    }

    /// The image that these records make, as of `applied_index`.
    #[must_use]
    pub fn from_records<'a>(applied_index: u64, records: impl IntoIterator<Item = &'a Record>) -> Self {
        let (mut image, mut touched) = (Self::default(), Touched::default());
        for record in records {
            image.apply_record(applied_index, record, &mut touched);
        }
        image.skip(applied_index);
        image
    }

    /// Everything, as if all of it had just been made.
    #[must_use]
    pub fn everything(&self) -> Touched {
        Touched {
            topics: self.topics.keys().chain(self.kept_topics.keys()).copied().collect(),
            brokers: true,
            client_quotas: true,
            configs: true,
            acls: true,
            delegation_tokens: self.delegation_tokens.keys().cloned().collect(),
        }
    }
}

fn topic_records(topic: &TopicImage, records: &mut Vec<Record>) {
    records.push(TopicRecord { name: topic.name.to_string(), id: topic.id }.into());
    for (index, partition) in (0..).zip(&topic.partitions) {
        let index = PartitionIndex(index);
        records.push(PartitionRecord { topic: topic.id, index, partition: partition.clone() }.into());
    }
    for (name, value) in &topic.configs {
        let (name, value) = (name.clone(), Some(value.clone()));
        records.push(TopicConfigRecord { topic: topic.id, name, value }.into());
    }
}
