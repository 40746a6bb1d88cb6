//! The controller: evaluates changes of metadata one after the other, proposes them to raft, answers at commit.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use barnabas_storage::TopicId;
use barnabas_storage::seam::Seams;

use crate::error::{CreateTopicError, DeleteTopicError, OpenError, ProposeError};
use crate::metadata::{BrokerEndpoint, BrokerId, MetadataDelta, MetadataImage};

/// How the metadata layer works.
#[derive(Clone, Debug)]
pub struct ControllerOptions {
    /// Directory of the write-ahead log and the snapshots (`<log dir>/__cluster_metadata-0` is Kafka's name; ours must
    /// be a form that Kafka ignores, see reference storage 1.1 trap 1).
    pub directory: PathBuf,
    /// The cluster's id, from meta.properties.
    pub cluster_id: String,
    /// This node's `node.id`.
    pub node_id: BrokerId,
    /// Bytes of records after which a snapshot is taken (`metadata.log.max.record.bytes.between.snapshots`).
    pub snapshot_bytes: u64,
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

/// Hears of each published image, in order, from one task. May block for disk work; the next publication waits.
pub trait MetadataListener: Send + Sync {
    /// `image` is now the truth; `delta` says what changed since the last call. At the start it is called once with
    /// everything as created.
    fn publish(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>);
}

/// A handle on the metadata layer, cheap to clone.
#[derive(Clone)]
pub struct Controller {
    _private: (),
}

impl Controller {
    /// Opens the write-ahead log and newest snapshot, starts raft with one voter, and returns once this node leads and
    /// its own first entry is applied.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(_seams: Seams, _options: ControllerOptions) -> Result<Self, OpenError> {
        todo!()
    }

    /// The image as last applied.
    #[must_use]
    pub fn image(&self) -> Arc<MetadataImage> {
        todo!()
    }

    /// Starts publishing to `listener`; returns after its first call (everything as created) has returned.
    pub async fn subscribe(&self, _listener: Arc<dyn MetadataListener>) {
        todo!()
    }

    /// Registers this broker and its advertised endpoints; returns when applied and published.
    ///
    /// # Errors
    /// See [`ProposeError`].
    pub async fn register_broker(
        &self,
        _endpoints: Vec<BrokerEndpoint>,
        _rack: Option<String>,
    ) -> Result<(), ProposeError> {
        todo!()
    }

    /// Creates topics, each on its own merits, in one entry. Returns when the change is committed **and every listener
    /// has returned**, so that a partition can be used at once. With `validate_only` nothing is changed.
    ///
    /// # Errors
    /// See [`ProposeError`]; refusals of single topics are inside the answer, in the order of the request.
    pub async fn create_topics(
        &self,
        _topics: Vec<NewTopic>,
        _validate_only: bool,
    ) -> Result<Vec<Result<Arc<crate::metadata::TopicImage>, CreateTopicError>>, ProposeError> {
        todo!()
    }

    /// Deletes topics by id; returns when committed and every listener has returned.
    ///
    /// # Errors
    /// See [`ProposeError`]; refusals of single topics are inside the answer.
    pub async fn delete_topics(
        &self,
        _topics: Vec<TopicId>,
    ) -> Result<Vec<Result<(), DeleteTopicError>>, ProposeError> {
        todo!()
    }

    /// Reserves a block of producer ids; the first id and how many. Durable before it returns.
    ///
    /// # Errors
    /// See [`ProposeError`].
    pub async fn allocate_producer_ids(&self) -> Result<std::ops::Range<i64>, ProposeError> {
        todo!()
    }

    /// Clean stop: a snapshot when worthwhile, everything synced, raft's task ended.
    pub async fn close(&self) {
        todo!()
    }
}
