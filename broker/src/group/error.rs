//! Why a group request is refused. One enum for the family: each variant is one of Kafka's codes, mapped in
//! `api/error_code.rs`.

use barnabas_storage::AppendError;

use crate::partition::CommitError;

/// Why a group request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// The group's state could not be stored just now, or the group is gone.
    #[error("the coordinator cannot store the group just now: try again")]
    CoordinatorNotAvailable,
    /// This broker does not coordinate the group.
    #[error("this broker does not coordinate the group: find its coordinator again")]
    NotCoordinator,
    /// The group's partition is being read.
    #[error("the coordinator is still loading the group: try again")]
    LoadInProgress,
    /// The group id is empty or null.
    #[error("the group id is empty")]
    InvalidGroupId,
    /// `session.timeout.ms` lies outside the bounds of the broker.
    #[error("session.timeout.ms lies outside group.min.session.timeout.ms and group.max.session.timeout.ms")]
    InvalidSessionTimeout,
    /// The member is not in the group.
    #[error("the member is not in the group: join again")]
    UnknownMemberId,
    /// The instance id belongs to another, newer member.
    #[error("another member uses this group.instance.id")]
    FencedInstanceId,
    /// The generation is not the present one.
    #[error("the generation is not the present one: join again")]
    IllegalGeneration,
    /// Type or protocols do not fit those of the group.
    #[error("the member's protocols do not fit those of the group")]
    InconsistentProtocol,
    /// A rebalance is under way.
    #[error("the group is rebalancing: join again")]
    RebalanceInProgress,
    /// A first JoinGroup was given its member id and must come again with it (KIP-394).
    #[error("join again with the member id of this answer")]
    MemberIdRequired,
    /// The group is as large as `group.max.size` allows.
    #[error("the group has reached group.max.size")]
    GroupMaxSizeReached,
    /// No such group.
    #[error("no such group")]
    GroupIdNotFound,
    /// The group has members.
    #[error("the group has members: stop them first")]
    NonEmptyGroup,
    /// A member reads the topic whose offsets are to be deleted.
    #[error("a member of the group reads the topic")]
    GroupSubscribedToTopic,
    /// The metadata of a committed offset is longer than `offset.metadata.max.bytes`.
    #[error("the metadata is longer than offset.metadata.max.bytes")]
    OffsetMetadataTooLarge,
    /// No such topic or partition.
    #[error("no such topic or partition")]
    UnknownTopicOrPartition,
    /// The group's record cannot be written, and trying again will not help.
    #[error("the group's record is too large to be stored")]
    Unstorable,
}

impl GroupError {
    /// What a member is told when a record of its group was not appended: the same translation as Kafka's.
    #[must_use]
    pub fn from_append(error: &AppendError) -> Self {
        match error {
            AppendError::Offline(_)
            | AppendError::Damaged(_)
            | AppendError::Closed
            | AppendError::Io(_)
            | AppendError::StaleLeaderEpoch { .. } => Self::NotCoordinator,
            AppendError::DiskFull => Self::CoordinatorNotAvailable,
            AppendError::TooLarge { .. }
            | AppendError::LargerThanSegment { .. }
            | AppendError::Framing(_)
            | AppendError::Corrupt(_)
            | AppendError::InvalidRecord(_)
            | AppendError::MissingKey { .. }
            | AppendError::InvalidTimestamp { .. }
            | AppendError::UnsupportedCompression(_)
            | AppendError::OutOfOrderSequence { .. }
            | AppendError::ProducerFenced { .. } => Self::Unstorable,
        }
    }

    /// What a member is told when a record of its group is not known to be committed.
    #[must_use]
    pub fn from_commit(error: &CommitError) -> Self {
        match error {
            CommitError::TimedOut => Self::CoordinatorNotAvailable,
            CommitError::Offline | CommitError::NotLeader => Self::NotCoordinator,
        }
    }
}
