//! One turn of the state machine: when it happens, by which settings, and what came of it. The machine touches nothing
//! else of the world; the shard carries the effects out in their order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use barnabas_storage::Timestamp;
use bytes::Bytes;

use crate::group::error::GroupError;
use crate::group::ids::{InstanceId, MemberId};
use crate::group::schema::GroupMetadataValue;
use crate::group::settings::GroupSettings;

use super::member::Protocols;

/// The present moment, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For deadlines.
    pub monotonic: Duration,
    /// For what is stored.
    pub wall: Timestamp,
}

/// Names a request that waits for its answer; never used twice within a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A deadline of a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupTimer {
    /// The join phase ends.
    Join,
    /// Members that have not sent SyncGroup are removed.
    Sync,
    /// A member's session ends.
    Session(MemberId),
}

/// A member of a Joined answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub id: MemberId,
    /// Its instance id.
    pub instance: Option<InstanceId>,
    /// Its metadata for the chosen protocol.
    pub metadata: Bytes,
}

/// A member is in the generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The member's id.
    pub member_id: MemberId,
    /// The generation.
    pub generation: i32,
    /// Type of the group.
    pub protocol_type: Option<Arc<str>>,
    /// The protocol the members agreed on.
    pub protocol: Option<Arc<str>>,
    /// The leader's id: the member assigns when it is its own.
    pub leader: Option<MemberId>,
    /// The leader need not assign again (KIP-814).
    pub skip_assignment: bool,
    /// For the leader: everyone.
    pub members: Vec<JoinedMember>,
}

/// A JoinGroup is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRefused {
    /// Why.
    pub error: GroupError,
    /// The member id that the answer carries.
    pub member_id: MemberId,
}

/// A member's assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// Type of the group.
    pub protocol_type: Option<Arc<str>>,
    /// The protocol the members agreed on.
    pub protocol: Option<Arc<str>>,
    /// What the leader gave it; empty when the leader forgot it.
    pub assignment: Bytes,
}

/// One member of a LeaveGroup, as named by the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its id as asked.
    pub member_id: MemberId,
    /// Its instance id as asked.
    pub instance: Option<InstanceId>,
    /// Whether it was there.
    pub result: Result<(), GroupError>,
}

/// Answer to JoinGroup.
pub type JoinAnswer = Result<Joined, JoinRefused>;
/// Answer to SyncGroup.
pub type SyncAnswer = Result<Synced, GroupError>;
/// Answer to LeaveGroup.
pub type LeaveAnswer = Result<Vec<Left>, GroupError>;

/// What waits for a record to be durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The leader's assignment: then the generation is stable.
    Assignment {
        /// Of this generation.
        generation: i32,
        /// By member; every member has one.
        assignments: BTreeMap<MemberId, Bytes>,
    },
    /// The group became empty, perhaps by a LeaveGroup, whose answer waits.
    Emptied(Option<(Ticket, Vec<Left>)>),
    /// A static member came back under a new id (KIP-345).
    StaticMember(StaticRejoin),
}

/// A static member that came back to a stable group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticRejoin {
    /// Which.
    pub instance: InstanceId,
    /// Its id now.
    pub new_id: MemberId,
    /// Its id before.
    pub old_id: MemberId,
    /// Its protocols before.
    pub old_protocols: Protocols,
    /// Its session timeout before.
    pub old_session_timeout_ms: i32,
    /// Its rebalance timeout before.
    pub old_rebalance_timeout_ms: i32,
    /// The leader's id before.
    pub old_leader: Option<MemberId>,
    /// The client understands `skip_assignment`.
    pub may_skip_assignment: bool,
}

/// A record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The group's metadata.
    pub value: GroupMetadataValue,
    /// What is to be done when it is durable, or has failed.
    pub purpose: Purpose,
}

/// What came of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Answer a JoinGroup.
    Join(Ticket, JoinAnswer),
    /// Answer a SyncGroup.
    Sync(Ticket, SyncAnswer),
    /// Answer a LeaveGroup.
    Leave(Ticket, LeaveAnswer),
    /// Write a record, then call [`super::ClassicGroup::stored`].
    Store(Box<Store>),
    /// Call [`super::ClassicGroup::timer_fired`] at this moment.
    SetTimer(GroupTimer, Duration),
    /// Do not.
    CancelTimer(GroupTimer),
}

/// One turn.
pub struct Turn<'a> {
    /// When.
    pub now: Now,
    /// By which settings.
    pub settings: &'a GroupSettings,
    /// What came of it so far, in order.
    pub effects: Vec<Effect>,
}

impl<'a> Turn<'a> {
    /// A turn at `now`.
    #[must_use]
    pub fn new(now: Now, settings: &'a GroupSettings) -> Self {
        Self { now, settings, effects: Vec::new() }
    }

    pub(super) fn set_timer(&mut self, timer: GroupTimer, after: Duration) {
        self.effects.push(Effect::SetTimer(timer, self.now.monotonic + after));
    }

    pub(super) fn cancel_timer(&mut self, timer: GroupTimer) {
        self.effects.push(Effect::CancelTimer(timer));
    }

    pub(super) fn store(&mut self, value: GroupMetadataValue, purpose: Purpose) {
        self.effects.push(Effect::Store(Box::new(Store { value, purpose })));
    }

    pub(super) fn refuse_join(&mut self, ticket: Ticket, error: GroupError, member_id: &MemberId) {
        self.effects.push(Effect::Join(ticket, Err(JoinRefused { error, member_id: member_id.clone() })));
    }

    pub(super) fn refuse_sync(&mut self, ticket: Ticket, error: GroupError) {
        self.effects.push(Effect::Sync(ticket, Err(error)));
    }
}
