//! Static members that come back under a new member id (KIP-345, KIP-814).

use super::join::JoinRequest;
use super::turn::{Effect, Joined, Purpose, StaticRejoin, Ticket, Turn};
use super::{ClassicGroup, State};
use crate::group::error::GroupError;
use crate::group::ids::{InstanceId, MemberId};

impl ClassicGroup {
    /// A static member without a member id whose instance id is known: it takes the place of its former self.
    pub(super) fn rejoin_static(
        &mut self,
        request: &JoinRequest,
        instance: &InstanceId,
        old_id: &MemberId,
        ticket: Ticket,
        turn: &mut Turn<'_>,
    ) {
        let new_id = &request.new_member_id;
        let Some(former) = self.members.get(old_id).cloned() else {
            return turn.refuse_join(ticket, GroupError::UnknownMemberId, &request.member_id);
        };
        let rejoin = StaticRejoin {
            instance: instance.clone(),
            new_id: new_id.clone(),
            old_id: old_id.clone(),
            old_protocols: former.protocols,
            old_session_timeout_ms: former.session_timeout_ms,
            old_rebalance_timeout_ms: former.rebalance_timeout_ms,
            old_leader: self.leader.clone(),
            may_skip_assignment: request.may_skip_assignment,
        };
        self.rename_static(instance, old_id, new_id, turn);
        self.update_member(new_id, request);
        self.park_join(new_id, ticket, turn);
        match self.state {
            State::Stable if self.support.select(&self.members, self.leader.as_ref()) == self.protocol => {
                turn.store(self.to_value(), Purpose::StaticMember(rejoin));
            }
            State::Stable => self.rebalance_or_complete(turn),
            // The leader may have the old id in the assignment it is making.
            State::CompletingRebalance => self.prepare_rebalance(turn),
            State::PreparingRebalance | State::Empty | State::Dead => self.maybe_complete_join(turn),
        }
    }

    /// Gives a static member another id. Whoever is parked under the old one is fenced.
    fn rename_static(&mut self, instance: &InstanceId, old_id: &MemberId, new_id: &MemberId, turn: &mut Turn<'_>) {
        if let Some(ticket) = self.joining.remove(old_id) {
            turn.refuse_join(ticket, GroupError::FencedInstanceId, old_id);
        }
        if let Some(ticket) = self.syncing.remove(old_id) {
            turn.refuse_sync(ticket, GroupError::FencedInstanceId);
        }
        let Some(mut member) = self.members.remove(old_id) else { return };
        member.is_new = false;
        self.members.insert(new_id.clone(), member);
        if self.is_leader(old_id) {
            self.leader = Some(new_id.clone());
        }
        if self.pending_syncs.remove(old_id) {
            self.pending_syncs.insert(new_id.clone());
        }
        self.static_members.insert(instance.clone(), new_id.clone());
        turn.cancel_timer(super::GroupTimer::Session(old_id.clone()));
        self.reset_session(new_id, turn);
    }

    /// The record with the new id is durable, or failed: then the old id is the member again.
    pub(super) fn static_member_stored(
        &mut self,
        rejoin: StaticRejoin,
        outcome: Result<(), GroupError>,
        turn: &mut Turn<'_>,
    ) {
        // In any other state a rebalance has begun, and its end answers the member and stores it.
        if self.state != State::Stable {
            return;
        }
        let Some(ticket) = self.joining.remove(&rejoin.new_id) else { return };
        if let Err(error) = outcome {
            turn.refuse_join(ticket, error, &MemberId::unknown());
            let (session_ms, rebalance_ms) = (rejoin.old_session_timeout_ms, rejoin.old_rebalance_timeout_ms);
            self.change_member(&rejoin.new_id, &rejoin.old_protocols, session_ms, rebalance_ms);
            self.rename_static(&rejoin.instance, &rejoin.new_id, &rejoin.old_id, turn);
            return;
        }
        let joined = self.joined(&rejoin.new_id);
        let is_leader = self.is_leader(&rejoin.new_id);
        let joined = if rejoin.may_skip_assignment {
            Joined { skip_assignment: is_leader, ..joined }
        } else {
            // A client that does not know `skip_assignment` would assign if it saw itself as the leader: it is told
            // the former id.
            Joined { leader: rejoin.old_leader, members: Vec::new(), ..joined }
        };
        turn.effects.push(Effect::Join(ticket, Ok(joined)));
        // A session that ended while the record was being written was let pass: it needs a new deadline.
        self.reset_session(&rejoin.new_id, turn);
    }
}
