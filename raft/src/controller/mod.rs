//! The controller: evaluates changes of metadata one after the other, proposes them to raft, answers at commit.

mod acls;
mod actor;
mod alter_client_quotas;
mod alter_configs;
mod alter_scram;
mod create_partitions;
mod create_topics;
mod delegation_tokens;
mod delete_topics;
mod kept_topics;
mod producer_ids;
mod register_broker;
#[cfg(test)]
mod tests;
mod update_features;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use barnabas_auth::{Acl, AclFilter};
use barnabas_storage::Timestamp;
use barnabas_storage::seam::Seams;
use openraft::type_config::TypeConfigExt as _;
use tokio::sync::{mpsc, oneshot};

use self::actor::{Actor, KeptTopicsRequest, Request, TokenRequest};
pub use self::alter_client_quotas::AlteredQuotas;
pub use self::alter_configs::{ConfigChange, ConfigOwner};
pub use self::alter_scram::{AlteredUsers, ScramAlteration};
pub use self::create_partitions::MorePartitions;
pub use self::delegation_tokens::{DelegationTokenChange, NewDelegationToken};
pub use self::delete_topics::TopicDeletion;
pub use self::kept_topics::TopicUndeletion;
use crate::consensus::quorum::Quorum;
pub use crate::consensus::quorum::QuorumStatus;
use crate::consensus::type_config::TypeConfig;
use crate::error::{
    AclError, AlterConfigError, CreatePartitionsError, CreateTopicError, DelegationTokenError, DeleteTopicError,
    OpenError, ProposeError,
};
use crate::metadata::scram::UserScramCredentialRecord;
use crate::metadata::{BrokerEndpoint, BrokerId, DelegationToken, MetadataImage, TopicImage};
use crate::publisher::{MetadataListener, Publications};

/// Requests that may wait for the actor; callers wait when more do.
const QUEUE: usize = 1024;

/// How the metadata layer works.
#[derive(Clone, Debug)]
pub struct ControllerOptions {
    /// Directory of the write-ahead log and the snapshot: the log directory itself. Both are regular files in it, which
    /// Apache Kafka ignores.
    pub directory: PathBuf,
    /// The cluster's id, from meta.properties.
    pub cluster_id: String,
    /// This node's `node.id`.
    pub node_id: BrokerId,
    /// Bytes of records after which a snapshot is taken (`metadata.log.max.record.bytes.between.snapshots`).
    pub snapshot_bytes: u64,
    /// Users that a new cluster has from its first entry on. Without effect on a log that is there already.
    pub first_users: Vec<UserScramCredentialRecord>,
}

/// A topic to be made.
#[derive(Clone, Debug)]
pub struct NewTopic {
    /// Name, already checked against Kafka's rules by the caller.
    pub name: String,
    /// Number of partitions (1 or more), unless `assignment` gives them.
    pub partitions: i32,
    /// Number of replicas, unless `assignment` gives them.
    pub replication_factor: i16,
    /// Replicas per partition, preferred leader first; empty to let the controller place them.
    pub assignment: Vec<Vec<BrokerId>>,
    /// Settings, already validated by the caller.
    pub configs: BTreeMap<String, String>,
}

/// What became of each topic that was to be made.
pub type CreatedTopics = Vec<Result<Arc<TopicImage>, CreateTopicError>>;

/// The rules that each filter removed.
pub type DeletedAcls = Vec<Result<Vec<Arc<Acl>>, AclError>>;

/// A handle on the metadata layer, cheap to clone.
#[derive(Clone)]
pub struct Controller {
    inner: Arc<Inner>,
}

struct Inner {
    requests: mpsc::Sender<Request>,
    publications: Arc<Publications>,
    quorum: Arc<Quorum>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.publications.close();
    }
}

impl Controller {
    /// Opens the write-ahead log and newest snapshot, starts raft with one voter, and returns once this node leads and
    /// its own first entry is applied. Must be called inside a tokio runtime: raft's tasks and the controller's actor
    /// run on it.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(seams: Seams, options: ControllerOptions) -> Result<Self, OpenError> {
        let publications = Arc::new(Publications::new());
        let publisher = Arc::clone(&publications);
        seams.spawn.thread("metadata-publisher", Box::new(move || publisher.run()))?;
        let opened = Self::start(seams, options, Arc::clone(&publications)).await;
        if opened.is_err() {
            publications.close();
        }
        opened
    }

    async fn start(
        seams: Seams,
        options: ControllerOptions,
        publications: Arc<Publications>,
    ) -> Result<Self, OpenError> {
        let (cluster_id, directory) = (options.cluster_id, options.directory);
        let quorum = Quorum::open(&seams, directory, &cluster_id, options.snapshot_bytes, Arc::clone(&publications));
        let quorum = Arc::new(quorum.await?);
        let (requests, waiting) = mpsc::channel(QUEUE);
        let actor = Actor {
            node_id: options.node_id,
            seams,
            quorum: Arc::clone(&quorum),
            publications: Arc::clone(&publications),
        };
        actor.bootstrap(&cluster_id, options.first_users).await?;
        TypeConfig::spawn(actor.run(waiting));
        Ok(Self { inner: Arc::new(Inner { requests, publications, quorum }) })
    }

    /// The newest image that every listener has seen: what it shows can be used.
    #[must_use]
    pub fn image(&self) -> Arc<MetadataImage> {
        self.inner.publications.image()
    }

    /// Starts publishing to `listener`; returns after its first call (everything as created) has returned.
    pub async fn subscribe(&self, listener: Arc<dyn MetadataListener>) {
        self.inner.publications.join(listener).await;
    }

    /// Registers this broker and its advertised endpoints, and makes it the leader anew of what it led before, under
    /// higher epochs; returns when applied and published.
    ///
    /// # Errors
    /// See [`ProposeError`].
    pub async fn register_broker(
        &self,
        endpoints: Vec<BrokerEndpoint>,
        rack: Option<String>,
    ) -> Result<(), ProposeError> {
        self.ask(|answer| Request::RegisterBroker { endpoints, rack, answer }).await
    }

    /// Creates topics, each on its own merits, in one entry. Returns when the change is committed **and every listener
    /// has returned**, so that a partition can be used at once. With `validate_only` nothing is changed.
    ///
    /// # Errors
    /// See [`ProposeError`]; refusals of single topics are inside the answer, in the order of the request.
    pub async fn create_topics(
        &self,
        topics: Vec<NewTopic>,
        validate_only: bool,
    ) -> Result<CreatedTopics, ProposeError> {
        self.ask(|answer| Request::CreateTopics { topics, validate_only, answer }).await
    }

    /// Deletes topics by id, for good or for as long as they are kept; returns when committed and every listener has
    /// returned.
    ///
    /// # Errors
    /// See [`ProposeError`]; refusals of single topics are inside the answer.
    pub async fn delete_topics<T: Into<TopicDeletion>>(
        &self,
        topics: Vec<T>,
    ) -> Result<Vec<Result<(), DeleteTopicError>>, ProposeError> {
        let topics = topics.into_iter().map(Into::into).collect();
        self.ask(|answer| Request::DeleteTopics { topics, answer }).await
    }

    /// Brings deleted topics back that are kept, as they were; returns as [`Controller::create_topics`] does. With
    /// `validate_only` nothing is changed.
    ///
    /// # Errors
    /// See [`ProposeError`]; refusals of single topics are inside the answer, in the order of the request.
    pub async fn undelete_topics(
        &self,
        topics: Vec<TopicUndeletion>,
        validate_only: bool,
    ) -> Result<CreatedTopics, ProposeError> {
        self.ask(|answer| Request::KeptTopics(KeptTopicsRequest::Undelete { topics, validate_only, answer })).await
    }

    /// Lets kept topics go whose time ends at `until` or before, some thousands at once; how many.
    ///
    /// # Errors
    /// See [`ProposeError`].
    pub async fn remove_kept_topics(&self, until: Timestamp) -> Result<usize, ProposeError> {
        self.ask(|answer| Request::KeptTopics(KeptTopicsRequest::Remove { until, answer })).await
    }

    /// Sets and removes client quotas, all of them or none; returns when committed and every listener has returned.
    ///
    /// # Errors
    /// See [`ProposeError`].
    pub async fn alter_client_quotas(&self, altered: Vec<AlteredQuotas>) -> Result<(), ProposeError> {
        self.ask(|answer| Request::AlterClientQuotas { altered, answer }).await
    }

    /// Changes settings, all of each owner's or none; returns when committed and every listener has returned. With
    /// `validate_only` nothing is changed.
    ///
    /// # Errors
    /// See [`ProposeError`]; refusals of single owners are inside the answer.
    pub async fn alter_configs(
        &self,
        changes: Vec<ConfigChange>,
        validate_only: bool,
    ) -> Result<Vec<Result<(), AlterConfigError>>, ProposeError> {
        self.ask(|answer| Request::AlterConfigs { changes, validate_only, answer }).await
    }

    /// Adds partitions to topics; returns when committed and every listener has returned, so that they can be used at
    /// once. With `validate_only` nothing is changed.
    ///
    /// # Errors
    /// See [`ProposeError`]; refusals of single topics are inside the answer.
    pub async fn create_partitions(
        &self,
        topics: Vec<MorePartitions>,
        validate_only: bool,
    ) -> Result<Vec<Result<(), CreatePartitionsError>>, ProposeError> {
        self.ask(|answer| Request::CreatePartitions { topics, validate_only, answer }).await
    }

    /// Brings features to these levels, already judged by the caller.
    ///
    /// # Errors
    /// See [`ProposeError`].
    pub async fn update_features(&self, levels: Vec<(String, i16)>) -> Result<(), ProposeError> {
        self.ask(|answer| Request::UpdateFeatures { levels, answer }).await
    }

    /// Makes rules of access, in one entry; one that is there already is no error. Returns when committed and every
    /// listener has returned, so that the rules are in force here.
    ///
    /// # Errors
    /// See [`ProposeError`]; a refusal is inside the answer.
    pub async fn create_acls(&self, acls: Vec<Acl>) -> Result<Result<(), AclError>, ProposeError> {
        self.ask(|answer| Request::CreateAcls { acls, answer }).await
    }

    /// Removes every rule that a filter means, in one entry; the rules of each filter, in its order. Returns as
    /// [`Controller::create_acls`] does.
    ///
    /// # Errors
    /// See [`ProposeError`]; refusals of single filters are inside the answer.
    pub async fn delete_acls(&self, filters: Vec<AclFilter>) -> Result<DeletedAcls, ProposeError> {
        self.ask(|answer| Request::DeleteAcls { filters, answer }).await
    }

    /// Reserves a block of producer ids; the first id and how many. Durable before it returns.
    ///
    /// # Errors
    /// See [`ProposeError`].
    pub async fn allocate_producer_ids(&self) -> Result<Range<i64>, ProposeError> {
        self.ask(|answer| Request::AllocateProducerIds { answer }).await
    }

    /// Sets and removes SCRAM credentials, each user as a whole or not at all; returns when committed and published.
    ///
    /// # Errors
    /// See [`ProposeError`]; refusals of single users are inside the answer.
    pub async fn alter_scram_credentials(
        &self,
        alterations: Vec<ScramAlteration>,
    ) -> Result<AlteredUsers, ProposeError> {
        self.ask(|answer| Request::AlterScram { alterations, answer }).await
    }

    /// Makes a delegation token; returns when committed and published, so that it can be used at once.
    ///
    /// # Errors
    /// See [`ProposeError`]; a refusal is inside the answer.
    pub async fn create_delegation_token(
        &self,
        new: NewDelegationToken,
    ) -> Result<Result<Arc<DelegationToken>, DelegationTokenError>, ProposeError> {
        self.ask(|answer| Request::DelegationToken(TokenRequest::Create { new, answer })).await
    }

    /// Renews a delegation token, lets it expire, or removes it; when it then expires.
    ///
    /// # Errors
    /// See [`ProposeError`]; a refusal is inside the answer.
    pub async fn change_delegation_token(
        &self,
        change: DelegationTokenChange,
    ) -> Result<Result<Timestamp, DelegationTokenError>, ProposeError> {
        self.ask(|answer| Request::DelegationToken(TokenRequest::Change { change, answer })).await
    }

    /// Removes delegation tokens whose time is over, some thousands at once; how many.
    ///
    /// # Errors
    /// See [`ProposeError`].
    pub async fn remove_expired_delegation_tokens(&self) -> Result<usize, ProposeError> {
        self.ask(|answer| Request::DelegationToken(TokenRequest::RemoveExpired { answer })).await
    }

    /// The term in which this node leads: rises at each start.
    #[must_use]
    pub fn term(&self) -> u64 {
        self.inner.quorum.term()
    }

    /// What raft shows of itself now.
    #[must_use]
    pub fn quorum_status(&self) -> QuorumStatus {
        self.inner.quorum.status()
    }

    /// Returns, with the reason, when the metadata layer cannot go on: its log failed, or it was closed.
    pub async fn failed(&self) -> String {
        self.inner.quorum.failed().await
    }

    /// Clean stop: everything synced, raft's tasks and the threads ended. Later requests are refused.
    pub async fn close(&self) {
        self.inner.quorum.close().await;
        self.inner.publications.close();
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, ProposeError>>) -> Request,
    ) -> Result<T, ProposeError> {
        let (answer, answered) = oneshot::channel();
        self.inner.requests.send(request(answer)).await.map_err(|_| ProposeError::NotController)?;
        answered.await.unwrap_or(Err(ProposeError::Unknown))
    }
}
