//! Cluster metadata as data: records, the image they make, and the difference between two images. Pure: no raft, no
//! file, no clock.

pub mod acls;
pub mod brokers;
pub mod client_quotas;
pub mod cluster;
pub mod codec;
pub mod configs;
pub mod delegation_tokens;
pub mod delta;
pub mod entry;
pub mod features;
pub mod image;
pub mod kept_topics;
pub mod partitions;
pub mod producer_ids;
pub mod record;
pub mod resource_configs;
pub mod scram;
#[cfg(test)]
mod tests;
pub mod topics;

pub use acls::AclId;
pub use brokers::{BrokerEndpoint, BrokerId, BrokerImage};
pub use client_quotas::{QuotaEntity, QuotaName, QuotaValue, QuotaValues};
pub use delegation_tokens::{DelegationToken, DelegationTokenId};
pub use delta::MetadataDelta;
pub use entry::Entry;
pub use image::{MetadataImage, Touched};
pub use kept_topics::KeptTopic;
pub use partitions::PartitionImage;
pub use record::Record;
pub use scram::UserScramCredentials;
pub use topics::TopicImage;
