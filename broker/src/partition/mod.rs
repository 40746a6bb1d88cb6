//! Partitions this broker leads: appends, reads, high watermarks and who waits for them.
//!
//! Must not know: requests and their versions; sockets.
//!
//! Invariants:
//! 1. log start <= last stable offset <= high watermark <= log end.
//! 2. Nothing at or above the high watermark is ever read by a consumer or acknowledged with acks=all.
//! 3. One node: the high watermark is the synced offset in `group` mode and the log end in `interval` and `os`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::time::Duration;

use barnabas_raft::PartitionImage;
use barnabas_storage::{
    AppendError, AppendOrigin, Appended, DurabilityMode, LeaderEpoch, Log, LogDirError, LogObserver, LogOptions,
    Offset, PartitionIndex, Read, ReadError, TopicId,
};
use bytes::Bytes;

pub mod fetch_session;
mod high_watermark;
pub mod log_options;
mod partitions;
pub mod producer_ids;
pub mod purgatory;
mod traffic;

pub use partitions::{FindError, Partitions, TopicPartitions};

use high_watermark::{CommitListener, HighWatermark, Stopped};
pub use high_watermark::{Mark, Waiting};
use purgatory::PendingCommit;
pub use traffic::{Number, Traffic};

use crate::seam::Tasks;

/// One partition that this broker leads.
pub struct Partition {
    tasks: Tasks,
    log: Arc<Log>,
    high_watermark: Arc<HighWatermark>,
    /// Rises at each change of leader; told by the metadata.
    leader_epoch: AtomicI32,
    /// Members of the in-sync set, this broker among them; told by the metadata.
    in_sync_replicas: AtomicUsize,
    /// All of its replicas; told by the metadata.
    replicas: AtomicUsize,
    /// `min.insync.replicas`.
    min_in_sync_replicas: AtomicUsize,
    /// `durability.mode` is `interval` or `os`: what is appended is committed, whenever it is synced.
    commits_at_append: AtomicBool,
    traffic: Arc<Traffic>,
}

/// Why an append that was made is not known to be committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The deadline passed; the data stays and may still be committed.
    #[error("not committed before the deadline")]
    TimedOut,
    /// The log directory went offline; the data may or may not survive.
    #[error("the log directory went offline")]
    Offline,
    /// The partition was deleted or this broker no longer leads it.
    #[error("no longer the leader")]
    NotLeader,
}

impl Partition {
    /// Takes over the leadership of an open log.
    fn lead(
        tasks: Tasks,
        log: Arc<Log>,
        image: &PartitionImage,
        min_in_sync_replicas: usize,
        traffic: Arc<Traffic>,
    ) -> Self {
        let hears: Arc<dyn CommitListener> = Arc::clone(&log) as Arc<dyn CommitListener>;
        let high_watermark = Arc::new(HighWatermark::new(Arc::downgrade(&hears), log.high_watermark()));
        log.observe(Arc::clone(&high_watermark) as Arc<dyn LogObserver>);
        // Alone in the in-sync set, a leader has committed whatever it holds for certain. Read after the observer
        // stands: what is synced from now on is told.
        let commits_at_append = commits_at_append(&log.options());
        high_watermark.advance(if commits_at_append { log.log_end_offset() } else { log.synced_offset() });
        Self {
            tasks,
            log,
            high_watermark,
            leader_epoch: AtomicI32::new(image.leader_epoch.0),
            in_sync_replicas: AtomicUsize::new(image.isr.len()),
            replicas: AtomicUsize::new(image.replicas.len()),
            min_in_sync_replicas: AtomicUsize::new(min_in_sync_replicas),
            commits_at_append: AtomicBool::new(commits_at_append),
            traffic,
        }
    }

    /// The metadata changed.
    fn update(&self, image: &PartitionImage, min_in_sync_replicas: usize) {
        self.in_sync_replicas.store(image.isr.len(), Ordering::Relaxed);
        self.replicas.store(image.replicas.len(), Ordering::Relaxed);
        self.min_in_sync_replicas.store(min_in_sync_replicas, Ordering::Relaxed);
        if self.leader_epoch.swap(image.leader_epoch.0, Ordering::AcqRel) != image.leader_epoch.0 {
            self.high_watermark.wake_readers();
        }
    }

    /// The topic's settings changed. On the way to `group` appends commit by themselves until its file is synced, on the
    /// way back before the journal is left: at no time does a batch wait for a sync that nobody makes.
    fn set_options(&self, options: LogOptions) -> Result<(), LogDirError> {
        if *self.log.options() == options {
            return Ok(());
        }
        let commits_at_append = commits_at_append(&options);
        if commits_at_append {
            self.commits_at_append.store(true, Ordering::Release);
        }
        self.log.set_options(options)?;
        self.commits_at_append.store(commits_at_append, Ordering::Release);
        Ok(())
    }

    /// The partition was deleted or is led elsewhere: whoever waits is told.
    fn stop(&self) {
        self.high_watermark.stop(Stopped::NotLeader);
    }

    /// The topic's name.
    #[must_use]
    pub fn topic(&self) -> &Arc<str> {
        self.log.topic()
    }

    /// The topic's id.
    #[must_use]
    pub fn topic_id(&self) -> TopicId {
        self.log.topic_id()
    }

    /// The partition's index.
    #[must_use]
    pub fn index(&self) -> PartitionIndex {
        self.log.partition()
    }

    /// The present leader epoch.
    #[must_use]
    pub fn leader_epoch(&self) -> LeaderEpoch {
        LeaderEpoch(self.leader_epoch.load(Ordering::Acquire))
    }

    /// The log behind it.
    #[must_use]
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// What went in and out since this broker leads it.
    #[must_use]
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Whether the in-sync set is as large as `min.insync.replicas` asks for acks=all.
    #[must_use]
    pub fn has_enough_replicas(&self) -> bool {
        self.in_sync_replicas_to_spare() >= 0
    }

    /// How many of the in-sync set could go until acks=all is refused; negative where it is.
    #[must_use]
    pub fn in_sync_replicas_to_spare(&self) -> i64 {
        count(&self.in_sync_replicas) - count(&self.min_in_sync_replicas)
    }

    /// How many replicas it has.
    #[must_use]
    pub fn replicas(&self) -> i64 {
        count(&self.replicas)
    }

    /// Who waits here now.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        self.high_watermark.waiting()
    }

    /// Validates and appends one batch; does not wait. Await [`Partition::committed`] for acks=all.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub fn append_as_leader(&self, batch: &Bytes, origin: AppendOrigin) -> Result<Appended, AppendError> {
        let appended = self.log.append_as_leader(batch, self.leader_epoch(), origin);
        self.traffic.appended(batch.len(), &appended);
        let appended = appended?;
        let next = Offset(appended.last_offset.0 + 1);
        if !appended.duplicate {
            self.high_watermark.appended(next, batch.len() as u64);
        }
        if self.commits_at_append.load(Ordering::Acquire) {
            self.high_watermark.advance(next);
        }
        Ok(appended)
    }

    /// Waits until the high watermark has passed `last_offset` (so: it is committed and, in `group`, synced).
    ///
    /// # Errors
    /// See [`CommitError`]. Cancellation-safe.
    pub async fn committed(&self, last_offset: Offset, timeout: Duration) -> Result<(), CommitError> {
        purgatory::committed(&self.tasks, PendingCommit::new(self, last_offset), timeout).await
    }

    /// Where `epoch` ended: the largest epoch at or below it, and the offset at which the next one began. `None` for an
    /// epoch that is newer than this leader's. As Kafka has it: the present epoch ends at the log end even before its
    /// first record, and an epoch older than all that is left ends where the log starts.
    #[must_use]
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        let present = self.leader_epoch();
        if epoch < LeaderEpoch(0) || epoch > present {
            return None;
        }
        if epoch == present {
            return Some((epoch, self.log.log_end_offset()));
        }
        let ended = self.log.end_offset_for_epoch(epoch);
        Some(ended.unwrap_or_else(|| (epoch, self.log.log_start_offset())))
    }

    /// Finds committed batches from `from`, below the high watermark of the mark that is given back.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read(&self, from: Offset, max_bytes: usize, at_least_one: bool) -> Result<(Read, Mark), ReadError> {
        let mark = self.mark();
        Ok((self.log.read(from, max_bytes, mark.offset, at_least_one)?, mark))
    }

    /// The high watermark, to be waited from.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.high_watermark.mark()
    }

    /// The first offset that consumers may not see yet.
    #[must_use]
    pub fn high_watermark(&self) -> Offset {
        self.high_watermark.offset()
    }

    /// The first offset of an open transaction, else the high watermark.
    #[must_use]
    pub fn last_stable_offset(&self) -> Offset {
        self.high_watermark()
    }
}

fn count(of: &AtomicUsize) -> i64 {
    i64::try_from(of.load(Ordering::Relaxed)).unwrap_or(i64::MAX)
}

fn commits_at_append(options: &LogOptions) -> bool {
    match options.durability {
        DurabilityMode::Group => false,
        DurabilityMode::Interval(_) | DurabilityMode::Os => true,
    }
}

/// Topics that only the broker itself writes to: its coordinators and its audit.
#[must_use]
pub fn is_internal_topic(name: &str) -> bool {
    matches!(name, "__consumer_offsets" | "__transaction_state" | "__share_group_state" | crate::topics::AUDIT)
}
