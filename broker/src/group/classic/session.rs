//! Heartbeats, the end of a session, and who may commit offsets.

use super::turn::Turn;
use super::{CONSUMER, ClassicGroup, State};
use crate::group::error::GroupError;
use crate::group::ids::{InstanceId, MemberId};
use crate::group::offsets::RetentionFrom;

/// Who commits offsets.
#[derive(Clone, Debug)]
pub struct CommitIdentity {
    /// "" when the client does not use membership.
    pub member_id: MemberId,
    /// `group.instance.id`.
    pub instance: Option<InstanceId>,
    /// Negative when the client does not use membership.
    pub generation: i32,
}

impl ClassicGroup {
    /// A Heartbeat came.
    ///
    /// # Errors
    /// What the member is told, REBALANCE_IN_PROGRESS among it.
    pub fn heartbeat(
        &self,
        member: &MemberId,
        instance: Option<&InstanceId>,
        generation: i32,
        turn: &mut Turn<'_>,
    ) -> Result<(), GroupError> {
        if self.state == State::Dead {
            return Err(GroupError::CoordinatorNotAvailable);
        }
        self.check_member(member, instance)?;
        if generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        match self.state {
            State::Empty => Err(GroupError::UnknownMemberId),
            State::Dead => Err(GroupError::CoordinatorNotAvailable),
            State::PreparingRebalance => {
                self.reset_session(member, turn);
                Err(GroupError::RebalanceInProgress)
            }
            // A member that has its JoinGroup answer may heartbeat before the assignment is there.
            State::CompletingRebalance | State::Stable => {
                self.reset_session(member, turn);
                Ok(())
            }
        }
    }

    /// Whether these offsets may be committed. A commit of a member counts as a heartbeat.
    ///
    /// # Errors
    /// What every partition of the request is told.
    pub fn check_commit(&self, identity: &CommitIdentity, turn: &mut Turn<'_>) -> Result<(), GroupError> {
        let CommitIdentity { member_id, instance, generation } = identity;
        if self.state == State::Dead {
            return Err(GroupError::CoordinatorNotAvailable);
        }
        if *generation < 0 && self.state == State::Empty {
            return Ok(());
        }
        if *generation < 0 && member_id.is_unknown() && instance.is_none() {
            return Err(GroupError::UnknownMemberId);
        }
        self.check_member(member_id, instance.as_ref())?;
        if *generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        match self.state {
            // The member knows the new generation but not its assignment: it must come to SyncGroup first.
            State::CompletingRebalance => Err(GroupError::RebalanceInProgress),
            State::Stable | State::PreparingRebalance => {
                self.reset_session(member_id, turn);
                Ok(())
            }
            State::Empty | State::Dead => Ok(()),
        }
    }

    /// A member's or pending member's time is over. One that is parked is alive; its session starts again when it is
    /// answered. But a new member's time runs even while it is parked.
    pub(super) fn session_over(&mut self, id: &MemberId, turn: &mut Turn<'_>) {
        if self.state == State::Dead {
            return;
        }
        if !self.pending_joins.contains(id) {
            let Some(member) = self.members.get(id) else { return };
            let is_parked = self.joining.contains_key(id) || self.syncing.contains_key(id);
            if is_parked && !member.is_new {
                return;
            }
        }
        let was_pending = self.pending_joins.contains(id);
        self.remove_member(id, turn);
        match self.state {
            State::Stable | State::CompletingRebalance if !was_pending => self.prepare_rebalance(turn),
            State::PreparingRebalance if self.all_joined() => self.complete_join(turn),
            State::Empty | State::PreparingRebalance | State::CompletingRebalance | State::Stable | State::Dead => {}
        }
    }

    /// From when the retention of this group's offsets counts; `None` while they must not expire.
    #[must_use]
    pub fn retention(&self) -> Option<RetentionFrom> {
        let Some(protocol_type) = &self.protocol_type else { return Some(RetentionFrom::Commit) };
        match self.state {
            State::Empty => Some(self.state_since.map_or(RetentionFrom::Commit, RetentionFrom::Since)),
            State::Stable if &**protocol_type == CONSUMER && self.subscribed_topics.is_some() => {
                Some(RetentionFrom::Commit)
            }
            State::Stable | State::PreparingRebalance | State::CompletingRebalance | State::Dead => None,
        }
    }

    /// Whether a member reads this topic; when that cannot be known, a consumer group reads every topic.
    #[must_use]
    pub fn is_subscribed(&self, topic: &str) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(topic),
            None => self.protocol_type.as_deref() == Some(CONSUMER),
        }
    }
}
