//! SyncGroup: the leader's assignment, durable before anyone hears of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::turn::{Effect, GroupTimer, Purpose, Synced, Ticket, Turn};
use super::{ClassicGroup, State};
use crate::group::error::GroupError;
use crate::group::ids::{InstanceId, MemberId};

/// A SyncGroup.
#[derive(Clone, Debug)]
pub struct SyncRequest {
    /// The member.
    pub member_id: MemberId,
    /// `group.instance.id`.
    pub instance: Option<InstanceId>,
    /// The generation it joined.
    pub generation: i32,
    /// Type of the group, from v5.
    pub protocol_type: Option<Arc<str>>,
    /// The chosen protocol, from v5.
    pub protocol: Option<Arc<str>>,
    /// From the leader: what each member gets.
    pub assignments: Vec<(MemberId, Bytes)>,
}

impl ClassicGroup {
    /// A SyncGroup came. Answered now or when the leader's assignment is durable.
    pub fn sync(&mut self, request: &SyncRequest, ticket: Ticket, turn: &mut Turn<'_>) {
        if let Err(error) = self.check_sync(request) {
            return turn.refuse_sync(ticket, error);
        }
        match self.state {
            State::Empty => turn.refuse_sync(ticket, GroupError::UnknownMemberId),
            State::PreparingRebalance => turn.refuse_sync(ticket, GroupError::RebalanceInProgress),
            State::CompletingRebalance => self.park_sync(request, ticket, turn),
            State::Stable => {
                self.sync_came(&request.member_id, turn);
                turn.effects.push(Effect::Sync(ticket, Ok(self.synced(&request.member_id))));
            }
            State::Dead => turn.refuse_sync(ticket, GroupError::CoordinatorNotAvailable),
        }
    }

    fn check_sync(&self, request: &SyncRequest) -> Result<(), GroupError> {
        if self.state == State::Dead {
            return Err(GroupError::CoordinatorNotAvailable);
        }
        self.check_member(&request.member_id, request.instance.as_ref())?;
        if request.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        let differs = |said: &Option<Arc<str>>, ours: &Option<Arc<str>>| said.is_some() && said != ours;
        if differs(&request.protocol_type, &self.protocol_type) || differs(&request.protocol, &self.protocol) {
            return Err(GroupError::InconsistentProtocol);
        }
        Ok(())
    }

    fn park_sync(&mut self, request: &SyncRequest, ticket: Ticket, turn: &mut Turn<'_>) {
        if let Some(displaced) = self.syncing.insert(request.member_id.clone(), ticket) {
            turn.refuse_sync(displaced, GroupError::RebalanceInProgress);
        }
        self.sync_came(&request.member_id, turn);
        if !self.is_leader(&request.member_id) {
            return;
        }
        // Who is no member is dropped; whom the leader forgot gets nothing.
        let mut assignments: BTreeMap<_, _> = self.members.keys().map(|id| (id.clone(), Bytes::new())).collect();
        for (id, assignment) in &request.assignments {
            if let Some(slot) = assignments.get_mut(id) {
                *slot = assignment.clone();
            }
        }
        let value = self.to_value_with(&assignments);
        turn.store(value, Purpose::Assignment { generation: self.generation, assignments });
    }

    fn sync_came(&mut self, member: &MemberId, turn: &mut Turn<'_>) {
        if self.pending_syncs.remove(member) && self.pending_syncs.is_empty() {
            turn.cancel_timer(GroupTimer::Sync);
        }
    }

    /// The record of an assignment is durable or failed. The group may have moved on meanwhile; then whoever was parked
    /// has been answered.
    pub(super) fn assignment_stored(
        &mut self,
        generation: i32,
        assignments: &BTreeMap<MemberId, Bytes>,
        outcome: Result<(), GroupError>,
        turn: &mut Turn<'_>,
    ) {
        if self.state != State::CompletingRebalance || self.generation != generation {
            return;
        }
        if let Err(error) = outcome {
            self.reset_assignments(error, turn);
            return self.rebalance_or_complete(turn);
        }
        for (id, member) in &mut self.members {
            member.assignment = assignments.get(id).cloned().unwrap_or_else(Bytes::new);
        }
        self.transition(State::Stable, turn);
        for (id, ticket) in std::mem::take(&mut self.syncing) {
            turn.effects.push(Effect::Sync(ticket, Ok(self.synced(&id))));
            // A session that ended while its member was parked was let pass: it needs a new deadline.
            self.reset_session(&id, turn);
        }
    }

    /// Nobody gets an assignment: those that wait are told why.
    pub(super) fn reset_assignments(&mut self, error: GroupError, turn: &mut Turn<'_>) {
        for member in self.members.values_mut() {
            member.assignment = Bytes::new();
        }
        for (id, ticket) in std::mem::take(&mut self.syncing) {
            turn.refuse_sync(ticket, error);
            self.reset_session(&id, turn);
        }
    }

    /// Members that have joined but not sent SyncGroup in time are removed, and the others join again.
    pub(super) fn sync_time_over(&mut self, turn: &mut Turn<'_>) {
        let waits = matches!(self.state, State::CompletingRebalance | State::Stable);
        if !waits || self.pending_syncs.is_empty() {
            return;
        }
        for id in std::mem::take(&mut self.pending_syncs) {
            self.remove_member(&id, turn);
        }
        self.prepare_rebalance(turn);
    }

    fn synced(&self, member: &MemberId) -> Synced {
        let assignment = self.members.get(member).map_or_else(Bytes::new, |member| member.assignment.clone());
        Synced { protocol_type: self.protocol_type.clone(), protocol: self.protocol.clone(), assignment }
    }
}
