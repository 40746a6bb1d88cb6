//! Records: what an entry of the metadata log says. Results, never commands, so that every version of the program
//! that knows a record applies it alike.
//!
//! Encoding: kind, version and length of the body as varints, then the body. The kinds that Apache Kafka has too carry
//! Kafka's numbers. A new field means a new version; a version is written only when every voter can read it.

use super::acls::{AccessControlEntryRecord, RemoveAccessControlEntryRecord};
use super::brokers::RegisterBrokerRecord;
use super::client_quotas::ClientQuotaRecord;
use super::cluster::{ClusterRecord, ClusterSecretRecord};
use super::codec::{DecodeError, Reader, Writer};
use super::configs::TopicConfigRecord;
use super::delegation_tokens::{DelegationTokenRecord, RemoveDelegationTokenRecord};
use super::features::FeatureLevelRecord;
use super::kept_topics::{KeepTopicRecord, RestoreTopicRecord};
use super::partitions::{PartitionChangeRecord, PartitionRecord};
use super::producer_ids::ProducerIdsRecord;
use super::resource_configs::ResourceConfigRecord;
use super::scram::{RemoveUserScramCredentialRecord, UserScramCredentialRecord};
use super::topics::{RemoveTopicRecord, TopicRecord};

/// The fields of one kind of record.
pub(super) trait Body: Sized {
    /// Writes every field.
    fn encode(&self, out: &mut Writer);
    /// Reads every field; the caller checks that nothing is left.
    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// Every kind is at its first version.
const VERSION: u64 = 0;

macro_rules! records {
    ($($(#[$doc:meta])* $kind:literal => $name:ident($body:ty);)*) => {
        /// One fact.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Record {
            $($(#[$doc])* $name($body),)*
        }

        $(impl From<$body> for Record {
            fn from(body: $body) -> Self {
                Self::$name(body)
            }
        })*

        impl Record {
            /// The number that stands for this kind of record in the log.
            #[must_use]
            pub const fn kind(&self) -> u64 {
                match self {
                    $(Self::$name(_) => $kind,)*
                }
            }

            fn encode_body(&self, out: &mut Writer) {
                match self {
                    $(Self::$name(body) => body.encode(out),)*
                }
            }

            fn decode_body(kind: u64, version: u64, from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match (kind, version) {
                    $(($kind, VERSION) => <$body>::decode(from).map(Self::$name),)*
                    _ => Err(DecodeError::Unknown { what: "record", kind, version }),
                }
            }
        }
    };
}

records! {
    /// A broker (re)started.
    0 => RegisterBroker(RegisterBrokerRecord);
    /// A topic was created.
    2 => Topic(TopicRecord);
    /// A partition, whole.
    3 => Partition(PartitionRecord);
    /// A topic's setting.
    4 => TopicConfig(TopicConfigRecord);
    /// A partition's leadership.
    5 => PartitionChange(PartitionChangeRecord);
    /// A topic was deleted.
    9 => RemoveTopic(RemoveTopicRecord);
    /// A delegation token was made or renewed.
    10 => DelegationToken(DelegationTokenRecord);
    /// A user's SCRAM credential.
    11 => UserScramCredential(UserScramCredentialRecord);
    /// A feature's finalized level.
    12 => FeatureLevel(FeatureLevelRecord);
    /// A quota of a user, client id or address.
    14 => ClientQuota(ClientQuotaRecord);
    /// A block of producer ids.
    15 => ProducerIds(ProducerIdsRecord);
    /// A rule of access was made.
    18 => AccessControlEntry(AccessControlEntryRecord);
    /// A rule of access was removed.
    19 => RemoveAccessControlEntry(RemoveAccessControlEntryRecord);
    /// A user's SCRAM credential was removed.
    22 => RemoveUserScramCredential(RemoveUserScramCredentialRecord);
    /// A delegation token is gone.
    26 => RemoveDelegationToken(RemoveDelegationTokenRecord);
    /// The cluster's id (ours alone).
    128 => Cluster(ClusterRecord);
    /// A setting of what is no topic (ours alone).
    129 => ResourceConfig(ResourceConfigRecord);
    /// The cluster's secret (ours alone).
    130 => ClusterSecret(ClusterSecretRecord);
    /// A topic was deleted, and is kept (ours alone).
    131 => KeepTopic(KeepTopicRecord);
    /// A kept topic was brought back (ours alone).
    132 => RestoreTopic(RestoreTopicRecord);
}

impl Record {
    /// Writes kind, version, length and body.
    pub fn encode(&self, out: &mut Writer) {
        let mut body = Writer::default();
        self.encode_body(&mut body);
        out.unsigned(self.kind());
        out.unsigned(VERSION);
        out.bytes(&body.into_bytes());
    }

    /// Reads one record.
    ///
    /// # Errors
    /// See [`DecodeError`].
    pub fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (kind, version) = (from.unsigned()?, from.unsigned()?);
        let mut body = Reader::new(from.bytes()?);
        let record = Self::decode_body(kind, version, &mut body)?;
        body.end()?;
        Ok(record)
    }
}
