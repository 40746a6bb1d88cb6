//! A classic group (KIP-62, 345, 394, 814) as a pure state machine: every method is told the time, changes the group,
//! and leaves what is to be done in the [`Turn`].
//!
//! Must not know: logs, sockets, clocks, tasks, other groups.
//!
//! 1. A parked request is answered exactly once: at the end of its phase, when its member goes, or when a later request
//!    of the same member takes its place (Kafka forgets it in that case; here it is told REBALANCE_IN_PROGRESS).
//! 2. The generation only grows.
//! 3. In Stable every member has an assignment that is durable; nobody is told an assignment before.
//! 4. Only Stable and Empty are stored: a group that is reloaded continues with its last Stable or Empty generation.
//! 5. Static members are unique by instance id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use barnabas_storage::Timestamp;
use bytes::Bytes;

mod describe;
mod image;
mod join;
mod leave;
mod member;
mod rebalance;
mod session;
mod static_member;
mod sync;
mod turn;

#[cfg(test)]
mod tests;

pub use describe::{Described, DescribedMember, Listed};
pub use join::JoinRequest;
pub use leave::LeavingMember;
pub use member::{Member, Protocol, Protocols};
pub use session::CommitIdentity;
pub use sync::SyncRequest;
pub use turn::{
    Effect, GroupTimer, JoinAnswer, JoinRefused, Joined, JoinedMember, LeaveAnswer, Left, Now, Purpose, StaticRejoin,
    Store, SyncAnswer, Synced, Ticket, Turn,
};

use member::Support;

use crate::group::error::GroupError;
use crate::group::ids::{GroupId, InstanceId, MemberId};

/// A member that waits in its first JoinGroup is given up after this time: it has no member id and cannot heartbeat.
pub const NEW_MEMBER_JOIN_TIMEOUT: Duration = Duration::from_secs(300);

/// Members that were told MEMBER_ID_REQUIRED and have not come back; beyond this a group takes no more (Kafka has no
/// bound here).
pub const PENDING_MEMBERS_MAX: usize = 10_000;

/// The protocol type of consumers; others ("connect", "sr") are opaque.
pub const CONSUMER: &str = "consumer";

/// Where a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No members; perhaps offsets.
    Empty,
    /// Members are coming (again) with JoinGroup.
    PreparingRebalance,
    /// Joined; the leader's assignment is awaited or being stored.
    CompletingRebalance,
    /// Assigned.
    Stable,
    /// Unloaded or deleted: whoever still holds it must find the coordinator again.
    Dead,
}

/// The first rebalance of an empty group waits for more members, up to `remaining` beyond the running delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct InitialRebalance {
    delay: Duration,
    remaining: Duration,
    member_added: bool,
}

/// A classic group.
#[derive(Debug, PartialEq, Eq)]
pub struct ClassicGroup {
    id: GroupId,
    state: State,
    /// When it came into its state; `None` when loaded from an old record.
    state_since: Option<Timestamp>,
    generation: i32,
    protocol_type: Option<Arc<str>>,
    protocol: Option<Arc<str>>,
    leader: Option<MemberId>,
    members: BTreeMap<MemberId, Member>,
    static_members: BTreeMap<InstanceId, MemberId>,
    support: Support,
    /// Told MEMBER_ID_REQUIRED, not yet back. They hold up the join phase.
    pending_joins: BTreeSet<MemberId>,
    /// Members that have joined this generation and not sent SyncGroup.
    pending_syncs: BTreeSet<MemberId>,
    /// Members parked in JoinGroup.
    joining: BTreeMap<MemberId, Ticket>,
    /// Members parked in SyncGroup.
    syncing: BTreeMap<MemberId, Ticket>,
    /// In PreparingRebalance out of Empty, until the delay is over.
    initial: Option<InitialRebalance>,
    /// What the consumers of this generation read; `None` when that cannot be known.
    subscribed_topics: Option<BTreeSet<Arc<str>>>,
}

impl ClassicGroup {
    /// A new, empty group.
    #[must_use]
    pub fn new(id: GroupId, now: Now) -> Self {
        Self {
            id,
            state: State::Empty,
            state_since: Some(now.wall),
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            support: Support::default(),
            pending_joins: BTreeSet::new(),
            pending_syncs: BTreeSet::new(),
            joining: BTreeMap::new(),
            syncing: BTreeMap::new(),
            initial: None,
            subscribed_topics: None,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &GroupId {
        &self.id
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// The present generation.
    #[must_use]
    pub fn generation(&self) -> i32 {
        self.generation
    }

    /// Nothing holds it but its offsets: no members, none coming.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.state == State::Empty && self.pending_joins.is_empty()
    }

    /// A deadline has come.
    pub fn timer_fired(&mut self, timer: &GroupTimer, turn: &mut Turn<'_>) {
        match timer {
            GroupTimer::Join => self.join_time_over(turn),
            GroupTimer::Sync => self.sync_time_over(turn),
            GroupTimer::Session(member) => self.session_over(member, turn),
        }
    }

    /// A record of [`Effect::Store`] is durable, or was not written.
    pub fn stored(&mut self, purpose: Purpose, outcome: Result<(), GroupError>, turn: &mut Turn<'_>) {
        match purpose {
            Purpose::Assignment { generation, assignments } => {
                self.assignment_stored(generation, &assignments, outcome, turn);
            }
            // A group without members loses nothing when its record is missing: the generation before it becomes
            // active again at a reload and times out.
            Purpose::Emptied(None) => {}
            Purpose::Emptied(Some((ticket, left))) => {
                turn.effects.push(Effect::Leave(ticket, outcome.map(|()| left)));
            }
            Purpose::StaticMember(rejoin) => self.static_member_stored(rejoin, outcome, turn),
        }
    }

    /// This broker no longer coordinates the group: whoever is parked must look for the new coordinator.
    pub fn retire(&mut self, turn: &mut Turn<'_>) {
        self.transition(State::Dead, turn);
        for (member, ticket) in std::mem::take(&mut self.joining) {
            turn.refuse_join(ticket, GroupError::NotCoordinator, &member);
        }
        for ticket in std::mem::take(&mut self.syncing).into_values() {
            turn.refuse_sync(ticket, GroupError::NotCoordinator);
        }
    }

    fn transition(&mut self, state: State, turn: &Turn<'_>) {
        self.state = state;
        self.state_since = Some(turn.now.wall);
    }

    fn is_leader(&self, member: &MemberId) -> bool {
        self.leader.as_ref() == Some(member)
    }

    /// Checks what a request says of its sender: the instance id first, then the member id.
    fn check_member(&self, member: &MemberId, instance: Option<&InstanceId>) -> Result<(), GroupError> {
        if let Some(instance) = instance {
            match self.static_members.get(instance) {
                None => return Err(GroupError::UnknownMemberId),
                Some(current) if current != member => return Err(GroupError::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member) { Ok(()) } else { Err(GroupError::UnknownMemberId) }
    }

    fn add_member(&mut self, id: MemberId, member: Member, protocol_type: &Arc<str>) {
        if self.members.is_empty() {
            self.protocol_type = Some(protocol_type.clone());
        }
        if self.leader.is_none() {
            self.leader = Some(id.clone());
        }
        if let Some(instance) = &member.instance {
            self.static_members.insert(instance.clone(), id.clone());
        }
        self.support.add(&member.protocols);
        self.pending_joins.remove(&id);
        self.members.insert(id, member);
    }

    /// Takes a member out, with its deadline; its parked requests are told UNKNOWN_MEMBER_ID, so that a client that is
    /// alive joins again.
    fn remove_member(&mut self, id: &MemberId, turn: &mut Turn<'_>) {
        if let Some(ticket) = self.joining.remove(id) {
            turn.refuse_join(ticket, GroupError::UnknownMemberId, &MemberId::unknown());
        }
        if let Some(ticket) = self.syncing.remove(id) {
            turn.refuse_sync(ticket, GroupError::UnknownMemberId);
        }
        if let Some(member) = self.members.remove(id) {
            self.support.remove(&member.protocols);
            if let Some(instance) = &member.instance {
                self.static_members.remove(instance);
            }
        }
        if self.is_leader(id) {
            self.leader = self.members.keys().next().cloned();
        }
        self.pending_joins.remove(id);
        self.pending_syncs.remove(id);
        turn.cancel_timer(GroupTimer::Session(id.clone()));
    }

    /// Parks a JoinGroup; one that the same member parked before is answered.
    fn park_join(&mut self, member: &MemberId, ticket: Ticket, turn: &mut Turn<'_>) {
        if let Some(displaced) = self.joining.insert(member.clone(), ticket) {
            turn.refuse_join(displaced, GroupError::RebalanceInProgress, member);
        }
    }

    /// Gives a member its whole session time again.
    fn reset_session(&self, id: &MemberId, turn: &mut Turn<'_>) {
        if let Some(member) = self.members.get(id) {
            turn.set_timer(GroupTimer::Session(id.clone()), member.session_timeout());
        }
    }

    fn rebalance_timeout(&self) -> Duration {
        self.members.values().map(Member::rebalance_timeout).max().unwrap_or_default()
    }

    fn all_joined(&self) -> bool {
        self.joining.len() == self.members.len() && self.pending_joins.is_empty()
    }

    /// The members with their metadata, for the leader.
    fn joined_members(&self) -> Vec<JoinedMember> {
        let metadata = |member: &Member| {
            self.protocol.as_ref().and_then(|name| member.protocols.metadata(name)).cloned().unwrap_or_else(Bytes::new)
        };
        self.members
            .iter()
            .map(|(id, member)| JoinedMember {
                id: id.clone(),
                instance: member.instance.clone(),
                metadata: metadata(member),
            })
            .collect()
    }

    /// The present generation, as a member is told of it.
    fn joined(&self, member: &MemberId) -> Joined {
        Joined {
            member_id: member.clone(),
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            skip_assignment: false,
            members: if self.is_leader(member) { self.joined_members() } else { Vec::new() },
        }
    }
}
