//! Errors of the metadata layer. `broker` maps each to a Kafka error code in one place.

use std::path::PathBuf;

use barnabas_storage::TopicId;

/// Why a topic was not created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateTopicError {
    /// The name is taken.
    #[error("Topic '{0}' already exists.")]
    Exists(String),
    /// The name differs from an existing one only in `.` and `_`, which metric names do not tell apart.
    #[error("Topic '{name}' collides with existing topic: {existing}")]
    Collides {
        /// What was asked for.
        name: String,
        /// What it collides with.
        existing: String,
    },
    /// Fewer than one partition.
    #[error("Number of partitions was set to an invalid non-positive value.")]
    InvalidPartitions,
    /// More replicas than brokers, or fewer than one.
    #[error("{0}")]
    InvalidReplicationFactor(String),
    /// More records than one entry of the metadata log may hold.
    #[error("Unable to perform excessively large batch operation.")]
    TooLarge,
    /// A manual assignment with gaps, duplicates or unknown brokers.
    #[error("{0}")]
    InvalidAssignment(String),
    /// No deleted topic of the name (and the id, if there was one) is kept.
    #[error(
        "No deleted topic '{0}' is kept: topics are for as long as barnabas.delete.keep.ms says at their deletion, while \
         the disk has room"
    )]
    NotKept(String),
    /// Several are.
    #[error("Several deleted topics '{name}' are kept, name one by its id: {kept}")]
    SeveralKept {
        /// Their name.
        name: String,
        /// Each with what tells it from the others.
        kept: String,
    },
}

/// Why a topic got no more partitions. The messages are Kafka's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreatePartitionsError {
    /// No topic has this id.
    #[error("no topic has id {0}")]
    UnknownTopic(TopicId),
    /// It has as many already.
    #[error("Topic already has {0} partition(s).")]
    Same(i32),
    /// It has more.
    #[error("The topic {name} currently has {present} partition(s); {asked} would not be an increase.")]
    Fewer {
        /// The topic.
        name: String,
        /// What it has.
        present: i32,
        /// What was asked for.
        asked: i32,
    },
    /// Not one list of replicas for each new partition.
    #[error("Attempted to add {additional} additional partition(s), but only {given} assignment(s) were specified.")]
    Assignments {
        /// New partitions.
        additional: usize,
        /// Lists.
        given: usize,
    },
    /// The replicas cannot be placed so.
    #[error(transparent)]
    Placement(#[from] CreateTopicError),
}

/// Why settings were not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlterConfigError {
    /// No topic has this id.
    #[error("no topic has id {0}")]
    UnknownTopic(TopicId),
    /// Somebody else changed them meanwhile.
    #[error("the settings were changed by somebody else at the same time")]
    Raced,
}

/// Why a topic was not deleted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeleteTopicError {
    /// No topic has this id.
    #[error("no topic has id {0}")]
    UnknownId(TopicId),
    /// The topic's settings say so.
    #[error("Topic '{0}' is protected: set its barnabas.delete.protection to false first, if it is to be deleted")]
    Protected(String),
    /// The cluster keeps as many deleted topics as it may.
    #[error(
        "Topic '{0}' cannot be kept: 10000 deleted topics are; set its barnabas.delete.keep.ms to 0 to delete it for good"
    )]
    TooManyKept(String),
}

/// Why a user's SCRAM credentials were not altered, in Kafka's words where it has them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlterScramError {
    /// No name.
    #[error("Username must not be empty")]
    EmptyName,
    /// A number that stands for no mechanism.
    #[error("Unknown SCRAM mechanism")]
    UnknownMechanism,
    /// Fewer rounds than Kafka allows.
    #[error("Too few iterations")]
    TooFewIterations,
    /// More rounds than Kafka allows.
    #[error("Too many iterations")]
    TooManyIterations,
    /// A name or salt beyond every use.
    #[error("The user name or the salt is longer than 1024 bytes")]
    TooLong,
    /// A user's mechanism twice in one request.
    #[error("A user credential cannot be altered twice in the same request")]
    Duplicate,
    /// Nothing to remove.
    #[error("Attempt to delete a user credential that does not exist")]
    NotFound,
    /// More records than one entry of the metadata log may hold.
    #[error("Unable to perform excessively large batch operation.")]
    TooLarge,
}

/// Why a delegation token was not made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DelegationTokenError {
    /// There is none such.
    #[error("there is no such delegation token")]
    NotFound,
    /// Its time is over.
    #[error("the delegation token has expired")]
    Expired,
    /// Whoever asks neither owns it nor may renew it.
    #[error("the delegation token is another's")]
    NotAllowed,
    /// The cluster has as many as it may have.
    #[error("the cluster has as many delegation tokens as it may have: let some expire")]
    TooMany,
    /// More renewers than a token may have.
    #[error("a delegation token has at most 1000 renewers")]
    TooManyRenewers,
}

/// Why rules of access were not made or removed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AclError {
    /// More rules to be made than one entry of the metadata log may hold.
    #[error("Unable to perform excessively large batch operation.")]
    TooManyToCreate,
    /// The filters mean more rules than one entry of the metadata log may remove.
    #[error("Cannot remove more than {0} acls in a single delete operation.")]
    TooManyToDelete(usize),
}

/// Why a change of metadata was not made, or is not known to be made.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// This node is not the active controller: certainly refused.
    #[error("this node is not the active controller")]
    NotController,
    /// The outcome is unknown: it may still be committed.
    #[error("the metadata change was not committed in time; it may still be")]
    Unknown,
    /// The metadata log failed: the node must stop.
    #[error("the metadata log failed: {0}")]
    Fatal(String),
}

/// Why the metadata layer did not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The write-ahead log or a snapshot is damaged.
    #[error("{file}: {reason}")]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A file operation failed.
    #[error("open the metadata log")]
    Io(#[from] std::io::Error),
    /// The log is of another cluster.
    #[error("the metadata log belongs to cluster {found}, meta.properties names {expected}: a file was replaced")]
    OtherCluster {
        /// What the log says.
        found: String,
        /// What meta.properties says.
        expected: String,
    },
    /// Raft refused to start.
    #[error("start raft: {0}")]
    Raft(String),
}
