//! The join phase: how it starts, how long it waits, how it ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::turn::{Effect, GroupTimer, Purpose, Turn};
use super::{CONSUMER, ClassicGroup, InitialRebalance, State};
use crate::group::error::GroupError;
use crate::group::ids::MemberId;
use crate::group::schema::subscribed_topics;

impl ClassicGroup {
    /// Starts a rebalance where one can start, otherwise ends the running join phase if everyone is there.
    pub(super) fn rebalance_or_complete(&mut self, turn: &mut Turn<'_>) {
        match self.state {
            State::Empty | State::CompletingRebalance | State::Stable => self.prepare_rebalance(turn),
            State::PreparingRebalance => self.maybe_complete_join(turn),
            State::Dead => {}
        }
    }

    pub(super) fn prepare_rebalance(&mut self, turn: &mut Turn<'_>) {
        if self.state == State::CompletingRebalance {
            self.reset_assignments(GroupError::RebalanceInProgress, turn);
        }
        self.pending_syncs.clear();
        turn.cancel_timer(GroupTimer::Sync);
        let was_empty = self.state == State::Empty;
        self.transition(State::PreparingRebalance, turn);
        if was_empty {
            let delay = turn.settings.initial_rebalance_delay;
            let remaining = self.rebalance_timeout().saturating_sub(delay);
            self.initial = Some(InitialRebalance { delay, remaining, member_added: false });
            turn.set_timer(GroupTimer::Join, delay);
        } else if self.all_joined() {
            self.complete_join(turn);
        } else {
            turn.set_timer(GroupTimer::Join, self.rebalance_timeout());
        }
    }

    /// Ends the join phase when everyone is there, except that a first rebalance sits out its delay.
    pub(super) fn maybe_complete_join(&mut self, turn: &mut Turn<'_>) {
        if self.state == State::PreparingRebalance && self.initial.is_none() && self.all_joined() {
            self.complete_join(turn);
        }
    }

    /// The join phase has lasted long enough; the delay of a first one is extended while new members keep coming.
    pub(super) fn join_time_over(&mut self, turn: &mut Turn<'_>) {
        if self.state != State::PreparingRebalance {
            return;
        }
        match &mut self.initial {
            Some(initial) if initial.member_added && !initial.remaining.is_zero() => {
                let delay = turn.settings.initial_rebalance_delay.min(initial.remaining);
                let remaining = initial.remaining.saturating_sub(initial.delay);
                *initial = InitialRebalance { delay, remaining, member_added: false };
                turn.set_timer(GroupTimer::Join, delay);
            }
            Some(_) | None => self.complete_join(turn),
        }
    }

    /// Ends the join phase: members that have not come are dropped (static ones stay), and the others are told the new
    /// generation.
    pub(super) fn complete_join(&mut self, turn: &mut Turn<'_>) {
        self.initial = None;
        turn.cancel_timer(GroupTimer::Join);
        let absent: Vec<_> = self
            .members
            .iter()
            .filter(|(id, member)| member.instance.is_none() && !self.joining.contains_key(*id))
            .map(|(id, _)| id.clone())
            .collect();
        for id in &absent {
            self.remove_member(id, turn);
        }
        if self.members.is_empty() {
            self.become_empty(turn);
        } else if self.elect_leader() {
            self.begin_generation(turn);
        } else {
            // Only static members are left and none has come: wait for them or for the end of their sessions.
            turn.set_timer(GroupTimer::Join, self.rebalance_timeout());
        }
    }

    /// The leader must be one of those that came. False when nobody did.
    fn elect_leader(&mut self) -> bool {
        if self.leader.as_ref().is_some_and(|leader| self.joining.contains_key(leader)) {
            return true;
        }
        match self.joining.keys().next() {
            Some(member) => {
                self.leader = Some(member.clone());
                true
            }
            None => false,
        }
    }

    fn become_empty(&mut self, turn: &mut Turn<'_>) {
        self.generation = self.generation.saturating_add(1);
        self.protocol = None;
        self.leader = None;
        self.subscribed_topics = self.compute_subscribed_topics();
        self.pending_syncs.clear();
        self.transition(State::Empty, turn);
        turn.store(self.to_value(), Purpose::Emptied(None));
    }

    fn begin_generation(&mut self, turn: &mut Turn<'_>) {
        self.generation = self.generation.saturating_add(1);
        self.protocol = self.support.select(&self.members, self.leader.as_ref());
        self.subscribed_topics = self.compute_subscribed_topics();
        self.transition(State::CompletingRebalance, turn);
        self.pending_syncs = self.members.keys().cloned().collect();
        let ids: Vec<MemberId> = self.members.keys().cloned().collect();
        for id in ids {
            if let Some(ticket) = self.joining.remove(&id) {
                turn.effects.push(Effect::Join(ticket, Ok(self.joined(&id))));
            }
            self.reset_session(&id, turn);
            if let Some(member) = self.members.get_mut(&id) {
                member.is_new = false;
            }
        }
        turn.set_timer(GroupTimer::Sync, self.rebalance_timeout());
    }

    /// What the consumers of this generation read. `None` for other types, and when a member's metadata cannot be read.
    pub(super) fn compute_subscribed_topics(&self) -> Option<BTreeSet<Arc<str>>> {
        if self.protocol_type.as_deref() != Some(CONSUMER) {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol.as_ref()?;
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            topics.append(&mut subscribed_topics(member.protocols.metadata(protocol)?).ok()?);
        }
        Some(topics)
    }
}
