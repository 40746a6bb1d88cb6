//! One partition of `__consumer_offsets` that this broker leads: loads its shard, keeps it behind a lock, and drives it
//! with one task: commits, deadlines, the end.
//!
//! 1. A shard serves only after it is loaded: until then requests are answered LOAD_IN_PROGRESS.
//! 2. A read that fails is not final: the shard is loaded anew after a pause, for as long as the partition is led. Damage and
//!    a directory that is offline are final.
//! 3. A retired slot never serves again; a new one is made when the partition is led again.

use std::sync::Arc;
use std::time::Duration;

use barnabas_storage::advice::{LOOK_AT_DISK, MEND_DISK, REPAIR_LOG};
use barnabas_storage::seam::Clock;
use barnabas_storage::{LeaderEpoch, Offset, ReadError};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::classic::Now;
use super::error::GroupError;
use super::log::GroupLog;
use super::offsets::DeletedTopic;
use super::settings::GroupSettings;
use super::shard::{Attention, Shard};
use crate::partition::CommitError;
use crate::seam::{Stopping, Tasks};

/// The pause after the first read error while loading; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause between two attempts to load.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// One partition of `__consumer_offsets` that this broker leads.
pub struct Slot {
    epoch: LeaderEpoch,
    log: Arc<dyn GroupLog>,
    settings: Arc<GroupSettings>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// The task must look again.
    wake: Notify,
}

enum State {
    /// The log is being read; topics that are deleted meanwhile are remembered.
    Loading { deleted: Vec<DeletedTopic> },
    /// Requests are served. The task sleeps with this in mind.
    Serving { shard: Box<Shard>, asleep: Option<Attention> },
    /// No longer led, or the log failed.
    Retired,
}

impl Slot {
    /// A slot that has not begun to load; [`Slot::run`] does.
    #[must_use]
    pub fn new(
        epoch: LeaderEpoch,
        log: Arc<dyn GroupLog>,
        settings: Arc<GroupSettings>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let state = Mutex::new(State::Loading { deleted: Vec::new() });
        Arc::new(Self { epoch, log, settings, clock, state, wake: Notify::new() })
    }

    /// The leadership it serves.
    #[must_use]
    pub fn epoch(&self) -> LeaderEpoch {
        self.epoch
    }

    /// Lets a request at the shard.
    ///
    /// # Errors
    /// While it loads, and when it is retired.
    pub fn with<T>(&self, act: impl FnOnce(&mut Shard, Now) -> T) -> Result<T, GroupError> {
        let mut state = self.state.lock();
        match &mut *state {
            State::Loading { .. } => Err(GroupError::LoadInProgress),
            State::Retired => Err(GroupError::NotCoordinator),
            State::Serving { shard, asleep } => {
                let outcome = act(shard, now(&*self.clock));
                if asleep.is_some_and(|asleep| needs_waking(asleep, shard.attention())) {
                    *asleep = None;
                    self.wake.notify_one();
                }
                Ok(outcome)
            }
        }
    }

    /// Forgets the offsets of deleted topics, at once or when the shard is loaded.
    pub fn delete_topics(&self, topics: &[DeletedTopic]) {
        if let State::Loading { deleted } = &mut *self.state.lock() {
            deleted.extend(topics.iter().cloned());
            return;
        }
        // A retired slot has nothing to forget.
        let _ = self.with(|shard, now| shard.delete_topics(topics, now));
    }

    /// Ends it: whatever waits is answered NOT_COORDINATOR.
    pub fn retire(&self) {
        let before = std::mem::replace(&mut *self.state.lock(), State::Retired);
        if let State::Serving { mut shard, .. } = before {
            shard.retire(now(&*self.clock));
        }
        self.wake.notify_one();
    }

    /// Loads the shard and drives it until it is retired or the broker stops: then what is being written is answered
    /// first.
    pub async fn run(self: Arc<Self>, tasks: Tasks) {
        let mut stopping = tasks.stopping();
        self.load_until_read(&tasks, &mut stopping).await;
        while let Some(attention) = self.fall_asleep() {
            let wait = attention.due.saturating_sub(self.clock.monotonic());
            tokio::select! {
                // In this order: a request that came before the stop is seen before the stop is.
                biased;
                () = self.wake.notified() => {}
                outcome = self.committed(attention.commit) => self.commit_over(outcome),
                () = tasks.sleep(wait) => {}
                () = stopping.wait(), if !attention.owes_answers => self.retire(),
            }
        }
    }

    /// Loads the shard, again and again where reading fails, until it serves or is retired.
    async fn load_until_read(self: &Arc<Self>, tasks: &Tasks, stopping: &mut Stopping) {
        let mut pause = FIRST_PAUSE;
        while self.is_loading() {
            let slot = Arc::clone(self);
            let Err(error) = tasks.blocking(move || slot.load()).await else { return };
            let pause_ms = pause.as_millis();
            tracing::error!(%error, pause_ms, "a partition of __consumer_offsets cannot be read: its groups wait for the next attempt; {LOOK_AT_DISK}");
            tokio::select! {
                () = self.wake.notified() => {}
                () = tasks.sleep(pause) => {}
                () = stopping.wait() => self.retire(),
            }
            pause = LONGEST_PAUSE.min(2 * pause);
        }
    }

    fn is_loading(&self) -> bool {
        matches!(*self.state.lock(), State::Loading { .. })
    }

    /// Loads the shard once. It serves from then on, or is retired where reading again would help nobody.
    ///
    /// # Errors
    /// When it may be read another time: it is loading still.
    fn load(&self) -> Result<(), ReadError> {
        let loaded = Shard::load(Arc::clone(&self.log), Arc::clone(&self.settings), || now(&*self.clock));
        let mut state = self.state.lock();
        let State::Loading { deleted } = &mut *state else { return Ok(()) };
        match loaded {
            Ok(mut shard) => {
                shard.delete_topics(deleted, now(&*self.clock));
                *state = State::Serving { shard: Box::new(shard), asleep: None };
            }
            // The log's start may have moved past what was to be read next.
            Err(error @ (ReadError::Io(_) | ReadError::OutOfRange { .. })) => return Err(error),
            Err(error @ (ReadError::Damaged(_) | ReadError::Offline(_) | ReadError::Closed)) => {
                tracing::error!(%error, "a partition of __consumer_offsets cannot be read: its groups are not served; {REPAIR_LOG}");
                *state = State::Retired;
            }
        }
        Ok(())
    }

    /// Does what is due, then says what to sleep on; `None` when there is nothing left to drive.
    fn fall_asleep(&self) -> Option<Attention> {
        let mut state = self.state.lock();
        let State::Serving { shard, asleep } = &mut *state else { return None };
        shard.tick(now(&*self.clock));
        let attention = shard.attention();
        if attention.broken {
            drop(state);
            self.retire();
            return None;
        }
        *asleep = Some(attention);
        Some(attention)
    }

    async fn committed(&self, last: Option<Offset>) -> Result<Offset, CommitError> {
        match last {
            Some(last) => self.log.committed(last).await,
            None => std::future::pending().await,
        }
    }

    fn commit_over(&self, outcome: Result<Offset, CommitError>) {
        match outcome {
            Ok(last) => {
                // A retired slot has answered everyone.
                let _ = self.with(|shard, now| shard.committed(last, now));
            }
            Err(CommitError::TimedOut) => {}
            Err(error @ (CommitError::Offline | CommitError::NotLeader)) => {
                tracing::error!(%error, "a partition of __consumer_offsets failed: its groups are not served; {MEND_DISK}");
                self.retire();
            }
        }
    }
}

fn needs_waking(asleep: Attention, attention: Attention) -> bool {
    attention.due < asleep.due || (attention.commit.is_some() && asleep.commit.is_none()) || attention.broken
}

fn now(clock: &dyn Clock) -> Now {
    Now { monotonic: clock.monotonic(), wall: clock.now() }
}
