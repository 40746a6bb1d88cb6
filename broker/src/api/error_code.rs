//! The one map from typed errors to Kafka error codes. Matches are exhaustive, without wildcards: a new variant does
//! not compile until its code is decided. A produce never gets UNKNOWN_SERVER_ERROR; a fetch only the codes of the
//! whitelist in the protocol note 2.2.

use barnabas_config::client_metrics::InvalidSubscription;
use barnabas_config::topic::InvalidTopicConfig;
use barnabas_raft::{
    AclError, AlterConfigError, AlterScramError, CreatePartitionsError, CreateTopicError, DelegationTokenError,
    DeleteTopicError, ProposeError,
};
use barnabas_storage::{AppendError, ReadError};
use kafka_protocol::error::ResponseError;

use crate::group::error::GroupError;
use crate::loggers::LevelError;
use crate::login::LoginError;
use crate::partition::fetch_session::SessionError;
use crate::partition::{CommitError, FindError};
use crate::topics::InvalidTopicName;

/// An error that a client is told of by a Kafka code.
pub trait ErrorCode {
    /// Kafka's code.
    fn code(&self) -> ResponseError;
}

impl ErrorCode for AppendError {
    fn code(&self) -> ResponseError {
        match self {
            Self::Framing(_) | Self::InvalidRecord(_) | Self::MissingKey { .. } => ResponseError::InvalidRecord,
            Self::Corrupt(_) => ResponseError::CorruptMessage,
            Self::InvalidTimestamp { .. } => ResponseError::InvalidTimestamp,
            Self::UnsupportedCompression(_) => ResponseError::UnsupportedCompressionType,
            Self::TooLarge { .. } => ResponseError::MessageTooLarge,
            Self::LargerThanSegment { .. } => ResponseError::RecordListTooLarge,
            Self::OutOfOrderSequence { .. } => ResponseError::OutOfOrderSequenceNumber,
            Self::ProducerFenced { .. } => ResponseError::InvalidProducerEpoch,
            Self::StaleLeaderEpoch { .. } | Self::Closed => ResponseError::NotLeaderOrFollower,
            // Retriable for every client, and certainly refused (DiskFull) or perhaps written (Io): a retry of an
            // idempotent producer is right either way.
            Self::DiskFull | Self::Damaged(_) | Self::Offline(_) | Self::Io(_) => ResponseError::KafkaStorageError,
        }
    }
}

impl ErrorCode for ReadError {
    fn code(&self) -> ResponseError {
        match self {
            Self::OutOfRange { .. } => ResponseError::OffsetOutOfRange,
            Self::Closed => ResponseError::NotLeaderOrFollower,
            Self::Damaged(_) | Self::Offline(_) | Self::Io(_) => ResponseError::KafkaStorageError,
        }
    }
}

impl ErrorCode for CommitError {
    fn code(&self) -> ResponseError {
        match self {
            Self::TimedOut => ResponseError::RequestTimedOut,
            Self::Offline => ResponseError::KafkaStorageError,
            Self::NotLeader => ResponseError::NotLeaderOrFollower,
        }
    }
}

impl ErrorCode for FindError {
    fn code(&self) -> ResponseError {
        match self {
            Self::UnknownPartition => ResponseError::UnknownTopicOrPartition,
            Self::NotLeader { .. } => ResponseError::NotLeaderOrFollower,
            Self::Offline => ResponseError::KafkaStorageError,
        }
    }
}

impl ErrorCode for SessionError {
    fn code(&self) -> ResponseError {
        match self {
            Self::UnknownId => ResponseError::FetchSessionIdNotFound,
            Self::InvalidEpoch => ResponseError::InvalidFetchSessionEpoch,
            Self::TopicIds => ResponseError::FetchSessionTopicIdError,
        }
    }
}

impl ErrorCode for GroupError {
    fn code(&self) -> ResponseError {
        match self {
            Self::CoordinatorNotAvailable => ResponseError::CoordinatorNotAvailable,
            Self::NotCoordinator => ResponseError::NotCoordinator,
            Self::LoadInProgress => ResponseError::CoordinatorLoadInProgress,
            Self::InvalidGroupId => ResponseError::InvalidGroupId,
            Self::InvalidSessionTimeout => ResponseError::InvalidSessionTimeout,
            Self::UnknownMemberId => ResponseError::UnknownMemberId,
            Self::FencedInstanceId => ResponseError::FencedInstanceId,
            Self::IllegalGeneration => ResponseError::IllegalGeneration,
            Self::InconsistentProtocol => ResponseError::InconsistentGroupProtocol,
            Self::RebalanceInProgress => ResponseError::RebalanceInProgress,
            Self::MemberIdRequired => ResponseError::MemberIdRequired,
            Self::GroupMaxSizeReached => ResponseError::GroupMaxSizeReached,
            Self::GroupIdNotFound => ResponseError::GroupIdNotFound,
            Self::NonEmptyGroup => ResponseError::NonEmptyGroup,
            Self::GroupSubscribedToTopic => ResponseError::GroupSubscribedToTopic,
            Self::OffsetMetadataTooLarge => ResponseError::OffsetMetadataTooLarge,
            Self::UnknownTopicOrPartition => ResponseError::UnknownTopicOrPartition,
            Self::Unstorable => ResponseError::UnknownServerError,
        }
    }
}

impl ErrorCode for CreateTopicError {
    fn code(&self) -> ResponseError {
        match self {
            Self::Exists(_) => ResponseError::TopicAlreadyExists,
            Self::Collides { .. } => ResponseError::InvalidTopicException,
            Self::InvalidPartitions => ResponseError::InvalidPartitions,
            Self::InvalidReplicationFactor(_) => ResponseError::InvalidReplicationFactor,
            Self::TooLarge => ResponseError::PolicyViolation,
            Self::InvalidAssignment(_) => ResponseError::InvalidReplicaAssignment,
            Self::NotKept(_) => ResponseError::UnknownTopicOrPartition,
            Self::SeveralKept { .. } => ResponseError::InvalidRequest,
        }
    }
}

impl ErrorCode for CreatePartitionsError {
    fn code(&self) -> ResponseError {
        match self {
            Self::UnknownTopic(_) => ResponseError::UnknownTopicOrPartition,
            Self::Same(_) | Self::Fewer { .. } => ResponseError::InvalidPartitions,
            Self::Assignments { .. } => ResponseError::InvalidReplicaAssignment,
            Self::Placement(error) => error.code(),
        }
    }
}

impl ErrorCode for AlterConfigError {
    fn code(&self) -> ResponseError {
        match self {
            Self::UnknownTopic(_) => ResponseError::UnknownTopicOrPartition,
            // Nothing was changed: the client asks again.
            Self::Raced => ResponseError::RequestTimedOut,
        }
    }
}

impl ErrorCode for LevelError {
    fn code(&self) -> ResponseError {
        match self {
            Self::Unknown(_) | Self::Level { .. } => ResponseError::InvalidConfig,
            Self::Root => ResponseError::InvalidRequest,
        }
    }
}

impl ErrorCode for InvalidSubscription {
    fn code(&self) -> ResponseError {
        match self {
            Self::Request(_) => ResponseError::InvalidRequest,
            Self::Value(_) => ResponseError::InvalidConfig,
        }
    }
}

impl ErrorCode for DeleteTopicError {
    fn code(&self) -> ResponseError {
        match self {
            Self::UnknownId(_) => ResponseError::UnknownTopicId,
            Self::Protected(_) | Self::TooManyKept(_) => ResponseError::PolicyViolation,
        }
    }
}

impl ErrorCode for DelegationTokenError {
    fn code(&self) -> ResponseError {
        match self {
            Self::NotFound => ResponseError::DelegationTokenNotFound,
            Self::Expired => ResponseError::DelegationTokenExpired,
            Self::NotAllowed => ResponseError::DelegationTokenOwnerMismatch,
            Self::TooMany | Self::TooManyRenewers => ResponseError::PolicyViolation,
        }
    }
}

impl ErrorCode for AclError {
    fn code(&self) -> ResponseError {
        match self {
            Self::TooManyToCreate | Self::TooManyToDelete(_) => ResponseError::PolicyViolation,
        }
    }
}

impl ErrorCode for ProposeError {
    fn code(&self) -> ResponseError {
        match self {
            Self::NotController => ResponseError::NotController,
            // It may still be made: the client asks again and finds out.
            Self::Unknown => ResponseError::RequestTimedOut,
            Self::Fatal(_) => ResponseError::UnknownServerError,
        }
    }
}

impl ErrorCode for InvalidTopicName {
    fn code(&self) -> ResponseError {
        ResponseError::InvalidTopicException
    }
}

impl ErrorCode for InvalidTopicConfig {
    fn code(&self) -> ResponseError {
        ResponseError::InvalidConfig
    }
}

impl ErrorCode for LoginError {
    fn code(&self) -> ResponseError {
        match self {
            Self::UnsupportedMechanism => ResponseError::UnsupportedSaslMechanism,
            Self::IllegalState(_) => ResponseError::IllegalSaslState,
            Self::Failed(_) => ResponseError::SaslAuthenticationFailed,
        }
    }
}

impl ErrorCode for AlterScramError {
    fn code(&self) -> ResponseError {
        match self {
            Self::EmptyName | Self::TooFewIterations | Self::TooManyIterations | Self::TooLong => {
                ResponseError::UnacceptableCredential
            }
            Self::UnknownMechanism => ResponseError::UnsupportedSaslMechanism,
            Self::Duplicate => ResponseError::DuplicateResource,
            Self::NotFound => ResponseError::ResourceNotFound,
            Self::TooLarge => ResponseError::PolicyViolation,
        }
    }
}
