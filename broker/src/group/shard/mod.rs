//! The groups and offsets of one partition of `__consumer_offsets`, and the writes under way. Synchronous: it is told the
//! time, appends to its log and never waits; the coordinator holds it in a lock and drives it.
//!
//! Must not know: requests' wire forms, tasks, other partitions.
//!
//! 1. Records are appended in the order in which the state that they hold came about.
//! 2. What waits for a record is done when it is committed, in log order: answers leave, offsets can be fetched.
//! 3. A write that is not committed in time is answered with an error but stays in line: should it be committed later,
//!    its offsets count then, as they would after a reload.
//! 4. A log that refuses for good breaks the shard: everything parked is answered NOT_COORDINATOR, nothing later is
//!    accepted, and the partition is read again before it serves.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use barnabas_storage::Offset;
use tokio::sync::oneshot;

mod administration;
mod commit;
mod load;
mod membership;
mod retention;
mod write;

#[cfg(test)]
mod tests;

pub use administration::{OffsetDeletion, WatchedGroup};
pub use commit::{CommitAnswer, CommitRequest, NewOffset, OffsetWanted};

use super::classic::{ClassicGroup, Effect, GroupTimer, JoinAnswer, LeaveAnswer, Now, SyncAnswer, Ticket, Turn};
use super::error::GroupError;
use super::ids::GroupId;
use super::log::GroupLog;
use super::offsets::Offsets;
use super::settings::GroupSettings;
use super::timers::Timers;
use write::Write;

/// Where an answer goes when it is there. Gone when the client is gone; then the answer is dropped.
enum Parked {
    Join(oneshot::Sender<JoinAnswer>),
    Sync(oneshot::Sender<SyncAnswer>),
    Leave(oneshot::Sender<LeaveAnswer>),
}

/// What the shard's task has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attention {
    /// Wait for this record to be committed.
    pub commit: Option<Offset>,
    /// Come back at this time.
    pub due: Duration,
    /// Somebody waits for a write to be committed.
    pub owes_answers: bool,
    /// The shard is broken: take it down.
    pub broken: bool,
}

/// The groups and offsets of one partition of `__consumer_offsets`.
pub struct Shard {
    log: Arc<dyn GroupLog>,
    settings: Arc<GroupSettings>,
    groups: HashMap<GroupId, ClassicGroup>,
    offsets: Offsets,
    timers: Timers<(GroupId, GroupTimer)>,
    /// Appended, not committed; in log order.
    writes: VecDeque<Write>,
    parked: HashMap<Ticket, Parked>,
    last_ticket: u64,
    next_retention_check: Duration,
    broken: bool,
}

impl Shard {
    /// What the task has to do next.
    #[must_use]
    pub fn attention(&self) -> Attention {
        let write = self.writes.iter().find_map(Write::deadline);
        let due = [self.timers.next_due(), write].into_iter().flatten().fold(self.next_retention_check, Duration::min);
        let commit = self.writes.front().map(Write::last);
        Attention { commit, due, owes_answers: write.is_some(), broken: self.broken }
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Now) {
        self.expire_writes(now);
        while let Some((group, timer)) = self.timers.pop_due(now.monotonic) {
            self.turn(&group, now, |group, turn| group.timer_fired(&timer, turn));
        }
        if self.next_retention_check <= now.monotonic {
            self.next_retention_check = now.monotonic + self.settings.offsets_retention_check_interval;
            self.check_retention(now);
        }
    }

    /// Lets a group act and carries out what comes of it.
    fn turn(&mut self, id: &GroupId, now: Now, act: impl FnOnce(&mut ClassicGroup, &mut Turn<'_>)) {
        let settings = Arc::clone(&self.settings);
        let mut turn = Turn::new(now, &settings);
        if let Some(group) = self.groups.get_mut(id) {
            act(group, &mut turn);
        }
        for effect in turn.effects {
            self.carry_out(id, effect, now);
        }
    }

    fn carry_out(&mut self, id: &GroupId, effect: Effect, now: Now) {
        match effect {
            Effect::Join(ticket, answer) => {
                if let Some(Parked::Join(reply)) = self.parked.remove(&ticket) {
                    let _ = reply.send(answer);
                }
            }
            Effect::Sync(ticket, answer) => {
                if let Some(Parked::Sync(reply)) = self.parked.remove(&ticket) {
                    let _ = reply.send(answer);
                }
            }
            Effect::Leave(ticket, answer) => {
                if let Some(Parked::Leave(reply)) = self.parked.remove(&ticket) {
                    let _ = reply.send(answer);
                }
            }
            Effect::Store(store) => self.store(id, *store, now),
            Effect::SetTimer(timer, due) => self.timers.set((id.clone(), timer), due),
            Effect::CancelTimer(timer) => self.timers.cancel(&(id.clone(), timer)),
        }
    }

    fn park(&mut self, parked: Parked) -> Ticket {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.parked.insert(ticket, parked);
        ticket
    }

    /// Takes the shard down: everything that waits is answered NOT_COORDINATOR.
    pub fn retire(&mut self, now: Now) {
        self.broken = true;
        for write in std::mem::take(&mut self.writes) {
            self.fail_write(write, GroupError::NotCoordinator, now);
        }
        let ids: Vec<_> = self.groups.keys().cloned().collect();
        for id in ids {
            self.turn(&id, now, ClassicGroup::retire);
        }
        self.groups.clear();
        self.parked.clear();
    }

    fn check_alive(&self) -> Result<(), GroupError> {
        if self.broken { Err(GroupError::NotCoordinator) } else { Ok(()) }
    }
}
