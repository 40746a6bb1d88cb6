//! The running raft node: opening it, proposing entries, stopping it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use barnabas_storage::advice::{MEND_DISK, REPORT_BUG};
use barnabas_storage::reserve;
use barnabas_storage::seam::{Clock, Disk, Seams};
use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::errors::{ClientWriteError, Fatal};
use openraft::impls::ProgressResponder;
use openraft::raft::ClientWriteResult;
use openraft::type_config::alias::OneshotReceiverOf;
use openraft::{Config, EmptyNode, Raft, ReadPolicy, ServerState, SnapshotPolicy};
use parking_lot::Mutex;

use super::log_store::LogStore;
use super::network::SingleVoterNetwork;
use super::snapshot::SnapshotFile;
use super::state_machine::{Applied, StateMachine};
use super::type_config::{Proposal, TypeConfig};
use crate::error::{OpenError, ProposeError};
use crate::metadata::{Entry, MetadataImage};
use crate::publisher::Publications;
use crate::wal::Wal;

/// A segment of the write-ahead log is followed by another one above this size.
const SEGMENT_BYTES: u64 = 8 << 20;
/// One voter elects itself within milliseconds; more than this means that it cannot.
const ELECTION_LIMIT: Duration = Duration::from_secs(30);

/// A raft node and the parts of it that others look at.
pub(crate) struct Quorum {
    raft: Raft<TypeConfig, StateMachine>,
    wal: Arc<Wal>,
    applied: Arc<Mutex<Applied>>,
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    snapshot_bytes: u64,
    // Applied index at which a snapshot was last asked for.
    snapshot_asked: AtomicU64,
    clock: Arc<dyn Clock>,
    commits: AtomicU64,
    commit_micros: AtomicU64,
}

/// What raft shows of itself at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuorumStatus {
    /// Kafka's word for what this node is: `leader`, `follower`, `candidate`, `observer` or `unattached`.
    pub state: &'static str,
    /// Whether a leader is known.
    pub has_leader: bool,
    /// The present term.
    pub term: u64,
    /// Index of the last entry in the log.
    pub log_end: u64,
    /// Index of the last entry that is committed.
    pub committed: u64,
    /// Rounds of changes that were committed here since the start.
    pub commits: u64,
    /// How long they took together, from the proposal until they were applied.
    pub commit_time: Duration,
}

/// Where the answer to a proposal will come.
type Answer = OneshotReceiverOf<TypeConfig, ClientWriteResult<TypeConfig>>;

fn config(cluster_id: &str) -> Result<Config, OpenError> {
    let config = Config {
        cluster_name: cluster_id.to_owned(),
        heartbeat_interval: 50,
        election_timeout_min: 150,
        election_timeout_max: 300,
        // A node that comes back must not lead on what it remembers of its leadership.
        enable_leader_restore: Some(false),
        enable_pre_vote: Some(true),
        // With one voter there is nobody to hear a heartbeat, and `lead` starts the one election: a clock that ticks a
        // hundred times a second would only keep the machine awake.
        enable_tick: false,
        quorum_loss_probe_interval: Some(600),
        // Entries differ in size by orders of magnitude: snapshots are asked for by bytes.
        snapshot_policy: SnapshotPolicy::Never,
        // Nobody but this node reads the log: what the snapshot has can go.
        max_in_snapshot_log_to_keep: 0,
        ..Config::default()
    };
    config.validate().map_err(|error| OpenError::Raft(error.to_string()))
}

impl Quorum {
    /// Starts the node; returns once it leads and its own first entry is applied.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(crate) async fn open(
        seams: &Seams,
        directory: PathBuf,
        cluster_id: &str,
        snapshot_bytes: u64,
        publications: Arc<Publications>,
    ) -> Result<Self, OpenError> {
        let wal = Arc::new(Wal::open(seams, directory.clone(), SEGMENT_BYTES)?);
        let file = SnapshotFile::new(Arc::clone(&seams.disk), directory.clone());
        let state_machine = StateMachine::open(publications, file, Arc::clone(&seams.spawn), &wal)?;
        let applied = state_machine.applied();
        let (node, store) = (wal.read(crate::wal::LogState::node), LogStore::new(Arc::clone(&wal)));
        let config = Arc::new(config(cluster_id)?);
        let raft = Raft::new(node, config, SingleVoterNetwork, store, state_machine).await;
        let raft = raft.map_err(|error| OpenError::Raft(error.to_string()))?;
        let snapshot_asked = AtomicU64::new(0);
        let disk = Arc::clone(&seams.disk);
        let clock = Arc::clone(&seams.clock);
        let (commits, commit_micros) = (AtomicU64::new(0), AtomicU64::new(0));
        let quorum =
            Self { raft, wal, applied, disk, directory, snapshot_bytes, snapshot_asked, clock, commits, commit_micros };
        quorum.lead(node).await.map_err(|error| OpenError::Raft(error.to_string()))?;
        Ok(quorum)
    }

    /// Elects this node at once, without waiting for a timeout, and waits until everything before is applied.
    async fn lead(&self, node: u64) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if self.raft.is_initialized().await? {
            self.raft.trigger().elect(false).await?;
        } else {
            self.raft.initialize(BTreeMap::from([(node, EmptyNode::default())])).await?;
        }
        self.raft.wait(Some(ELECTION_LIMIT)).state(ServerState::Leader, "the only voter leads").await?;
        self.raft.ensure_linearizable(ReadPolicy::ReadIndex).await?;
        Ok(())
    }

    /// The image as last applied.
    pub(crate) fn image(&self) -> MetadataImage {
        self.applied.lock().image.clone()
    }

    /// Proposes entries in order, evaluated under the present leadership and void under any other. The index of each,
    /// once applied.
    pub(crate) async fn propose(&self, entries: Vec<Entry>) -> Vec<Result<u64, ProposeError>> {
        let begun = self.clock.monotonic();
        let mut answers = Vec::with_capacity(entries.len());
        for entry in entries {
            answers.push(self.submit(entry).await);
        }
        let mut outcomes = Vec::with_capacity(answers.len());
        for answer in answers {
            outcomes.push(match answer {
                Ok(answer) => outcome(answer).await,
                Err(error) => Err(error),
            });
        }
        if outcomes.iter().any(Result::is_ok) {
            let took = self.clock.monotonic().saturating_sub(begun).as_micros();
            self.commit_micros.fetch_add(u64::try_from(took).unwrap_or(u64::MAX), Ordering::Relaxed);
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
        outcomes
    }

    async fn submit(&self, entry: Entry) -> Result<Answer, ProposeError> {
        let leader = self.raft.as_leader().map_err(|_| ProposeError::NotController)?.to_committed_leader_id();
        let (responder, answer) = ProgressResponder::complete_only();
        let write = self.raft.write(Proposal(Arc::new(entry))).with_leader(leader).responder(responder);
        write.await.map_err(fatal)?;
        Ok(answer)
    }

    /// Asks for a snapshot when enough was appended since the last one.
    pub(crate) async fn snapshot_when_due(&self) {
        if self.wal.retained_bytes() < self.snapshot_bytes || !self.has_room() {
            return;
        }
        let applied = self.applied.lock().image.applied_index();
        if self.snapshot_asked.swap(applied, Ordering::Relaxed) == applied {
            return;
        }
        if let Err(error) = self.raft.trigger().snapshot().await {
            tracing::warn!(%error, "no snapshot of the metadata could be asked for: raft has ended; {MEND_DISK}");
        }
    }

    /// Raft takes a snapshot that cannot be written for the end of everything, so none is begun on a full disk.
    fn has_room(&self) -> bool {
        self.disk.free_bytes(&self.directory).is_ok_and(|free| free >= reserve::BYTES)
    }

    /// The term of the present leadership.
    pub(crate) fn term(&self) -> u64 {
        self.raft.metrics().borrow_watched().current_term
    }

    /// What raft shows of itself now.
    pub(crate) fn status(&self) -> QuorumStatus {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        QuorumStatus {
            state: match metrics.state {
                ServerState::Leader => "leader",
                ServerState::Follower => "follower",
                ServerState::Candidate => "candidate",
                ServerState::Learner => "observer",
                ServerState::Shutdown => "unattached",
            },
            has_leader: metrics.current_leader.is_some(),
            term: metrics.current_term,
            log_end: metrics.last_log_index.unwrap_or(0),
            committed: metrics.local_committed.map_or(0, |committed| committed.index),
            commits: self.commits.load(Ordering::Relaxed),
            commit_time: Duration::from_micros(self.commit_micros.load(Ordering::Relaxed)),
        }
    }

    /// Returns, with the reason, when raft's task has ended.
    pub(crate) async fn failed(&self) -> String {
        let mut metrics = self.raft.metrics();
        loop {
            if let Err(error) = &metrics.borrow_watched().running_state {
                return error.to_string();
            }
            if metrics.changed().await.is_err() {
                return "raft's task is gone".to_owned();
            }
        }
    }

    /// Ends raft's tasks and the log's thread; what was appended is synced.
    pub(crate) async fn close(&self) {
        if self.raft.shutdown().await.is_err() {
            tracing::error!("raft's task panicked; {REPORT_BUG}");
        }
        self.wal.close();
    }
}

async fn outcome(answer: Answer) -> Result<u64, ProposeError> {
    match answer.await {
        Ok(Ok(written)) => Ok(written.log_id.index),
        Ok(Err(ClientWriteError::ForwardToLeader(_))) => Err(ProposeError::NotController),
        Ok(Err(ClientWriteError::LogEntryDiscarded(_))) => Err(ProposeError::Unknown),
        // Neither concerns an entry of records.
        Ok(Err(ClientWriteError::ChangeMembershipError(error))) => Err(ProposeError::Fatal(error.to_string())),
        Ok(Err(ClientWriteError::PreconditionFailed(error))) => Err(ProposeError::Fatal(error.to_string())),
        // Raft dropped the proposal when it stopped; the entry may be in the log.
        Err(_) => Err(ProposeError::Unknown),
    }
}

fn fatal(error: Fatal<TypeConfig>) -> ProposeError {
    ProposeError::Fatal(error.to_string())
}
