//! Cluster metadata: record types, pure `apply`, the immutable image and its deltas, placement, the controller's
//! decisions, the openraft adapter and its write-ahead log.
//!
//! Must not know: the client protocol.

#![forbid(unsafe_code)]

mod consensus;
pub mod controller;
pub mod error;
pub mod metadata;
pub mod placement;
mod publisher;
mod verify;
mod wal;

pub use controller::{
    AlteredQuotas, AlteredUsers, ConfigChange, ConfigOwner, Controller, ControllerOptions, DelegationTokenChange,
    MorePartitions, NewDelegationToken, NewTopic, QuorumStatus, ScramAlteration, TopicDeletion, TopicUndeletion,
};
pub use error::{
    AclError, AlterConfigError, AlterScramError, CreatePartitionsError, CreateTopicError, DelegationTokenError,
    DeleteTopicError, OpenError, ProposeError,
};
pub use metadata::{
    BrokerEndpoint, BrokerId, BrokerImage, DelegationToken, DelegationTokenId, KeptTopic, MetadataDelta, MetadataImage,
    PartitionImage, QuotaEntity, QuotaName, QuotaValue, QuotaValues, TopicImage,
};
pub use publisher::MetadataListener;
pub use verify::verify;
