//! Fetch sessions (KIP-227): what a client fetches is remembered, so that its next request names only changes and the
//! answer only news.
//!
//! Must not know: how partitions are read; the wire.
//!
//! Invariants:
//! 1. A session's epoch rises with each request of it, from the maximum to 1. A request of another epoch is refused,
//!    and so is the answer to a request that was overtaken.
//! 2. A session names topics by id or by name for life.
//! 3. An incremental answer holds only partitions of the session, and of those at least every one with records, an
//!    error, or a moved high watermark or log start; after an error the partition is in the next answer too.
//! 4. At most `max.incremental.fetch.session.cache.slots` sessions, each of at most [`SESSION_PARTITIONS_MAX`]
//!    partitions. Who gets no session is served without one.
//! 5. Lock order: the cache before a session; a session's lock is never held while the cache's is taken.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use barnabas_storage::seam::{Clock, Rng, Seams};
use barnabas_storage::{LeaderEpoch, Offset, PartitionIndex, TopicId};
use parking_lot::Mutex;

mod session;

use session::Session;

use crate::metrics::Metrics;

/// A request with this epoch asks for everything anew, and for a session.
const INITIAL_EPOCH: i32 = 0;
/// A request with this epoch asks for everything anew, without a session.
const FINAL_EPOCH: i32 = -1;
/// Id of no session.
const NO_SESSION: i32 = 0;
/// A session that was not used for so long gives its slot to a new one; one that is so old may have to give it to one
/// with more partitions. Kafka's value.
const EVICT_AFTER: Duration = Duration::from_secs(120);
/// Partitions of one session.
pub const SESSION_PARTITIONS_MAX: usize = 10_000;

/// How a request names a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TopicKey {
    /// By name, up to version 12.
    Name(Arc<str>),
    /// By id, from version 13 on.
    Id(TopicId),
}

/// How a request names a partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartitionKey {
    /// The topic.
    pub topic: TopicKey,
    /// The partition's index.
    pub index: PartitionIndex,
}

/// What a client wants of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The leader epoch that the client knows, -1 for none.
    pub leader_epoch: LeaderEpoch,
    /// The first offset it has not.
    pub offset: Offset,
    /// The leader epoch of the last record it has, -1 for unknown.
    pub last_fetched_epoch: LeaderEpoch,
    /// The most it takes, beside a first batch that is larger.
    pub max_bytes: usize,
}

/// What a fetch request says of sessions and partitions.
#[derive(Clone, Debug)]
pub struct SessionRequest {
    /// Session id, 0 for none.
    pub id: i32,
    /// Session epoch.
    pub epoch: i32,
    /// Whether this version names topics by id.
    pub by_id: bool,
    /// Partitions that are new to the session or changed; all of them in a full request.
    pub wanted: Vec<(PartitionKey, Wanted)>,
    /// Partitions that leave the session.
    pub forgotten: Vec<PartitionKey>,
}

/// What a partition's answer holds, as far as a session cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The answer's high watermark.
    pub high_watermark: Offset,
    /// The answer's log start offset.
    pub log_start_offset: Offset,
    /// It carries records.
    pub has_records: bool,
    /// It carries an error or a diverging epoch.
    pub is_special: bool,
}

/// Why a fetch was refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// No such session: it was evicted, closed, or is of another broker.
    #[error("unknown fetch session")]
    UnknownId,
    /// The epoch is not the session's next one.
    #[error("wrong fetch session epoch")]
    InvalidEpoch,
    /// The session names topics by id and the request by name, or the other way around.
    #[error("the fetch session names topics in another way")]
    TopicIds,
}

/// A fetch between its request and its answer.
pub struct SessionFetch {
    kind: Kind,
    partitions: Vec<(PartitionKey, Wanted)>,
}

enum Kind {
    Sessionless,
    /// May become a session when it is answered.
    Full {
        by_id: bool,
    },
    Incremental {
        id: i32,
        slot: Arc<Slot>,
        /// The session's epoch after this request.
        epoch: i32,
        /// The places of `partitions` in the session.
        places: Vec<u64>,
    },
}

impl SessionFetch {
    /// Every partition to be read, in order.
    #[must_use]
    pub fn partitions(&self) -> &[(PartitionKey, Wanted)] {
        &self.partitions
    }

    /// The session that there is already, 0 for none.
    #[must_use]
    pub fn session_id(&self) -> i32 {
        match &self.kind {
            Kind::Sessionless | Kind::Full { .. } => NO_SESSION,
            Kind::Incremental { id, .. } => *id,
        }
    }
}

/// What goes into the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Session id, 0 for none.
    pub session_id: i32,
    /// Positions in [`SessionFetch::partitions`], in order.
    pub included: Vec<usize>,
}

/// Every fetch session of this broker.
pub struct FetchSessions {
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    metrics: Arc<Metrics>,
    slots: usize,
    sessions: Mutex<HashMap<i32, Arc<Slot>>>,
}

struct Slot {
    created: Duration,
    /// Milliseconds of the monotonic clock.
    last_used: AtomicU64,
    partitions: AtomicUsize,
    session: Mutex<Session>,
}

impl FetchSessions {
    /// None yet, and never more than `slots`.
    #[must_use]
    pub fn new(seams: &Seams, slots: usize, metrics: Arc<Metrics>) -> Self {
        let (clock, rng) = (Arc::clone(&seams.clock), Arc::clone(&seams.rng));
        Self { clock, rng, metrics, slots, sessions: Mutex::default() }
    }

    /// Number of sessions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.lock().len()
    }

    /// True without sessions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Finds the session of a request and applies its changes. To be called in the order of the connection.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub fn begin(&self, request: SessionRequest) -> Result<SessionFetch, SessionError> {
        if matches!(request.epoch, INITIAL_EPOCH | FINAL_EPOCH) {
            if request.id != NO_SESSION {
                self.close(&mut self.sessions.lock(), request.id);
            }
            let full = Kind::Full { by_id: request.by_id };
            let kind = if request.epoch == INITIAL_EPOCH { full } else { Kind::Sessionless };
            return Ok(SessionFetch { kind, partitions: request.wanted });
        }
        let id = request.id;
        let slot = self.sessions.lock().get(&id).map(Arc::clone).ok_or(SessionError::UnknownId)?;
        let (fetch, partitions) = {
            let mut session = slot.session.lock();
            let fetch = session.advance(request)?;
            (fetch, session.partitions.len())
        };
        slot.partitions.store(partitions, Ordering::Relaxed);
        slot.last_used.store(self.now_ms(), Ordering::Relaxed);
        let (epoch, places, wanted) = fetch;
        if partitions == 0 || partitions > SESSION_PARTITIONS_MAX {
            self.close(&mut self.sessions.lock(), id);
        }
        match partitions {
            0 => Ok(SessionFetch { kind: Kind::Sessionless, partitions: Vec::new() }),
            // The client comes again with a full request and is served without a session.
            _ if partitions > SESSION_PARTITIONS_MAX => Err(SessionError::UnknownId),
            _ => Ok(SessionFetch { kind: Kind::Incremental { id, slot, epoch, places }, partitions: wanted }),
        }
    }

    /// Selects what goes into the answer and remembers what was told. `told` is in the order of the partitions.
    ///
    /// # Errors
    /// `InvalidEpoch` when a later request of the session overtook this one.
    pub fn finish(&self, fetch: &SessionFetch, told: &[Told]) -> Result<Selected, SessionError> {
        let all = || (0..fetch.partitions.len()).collect();
        match &fetch.kind {
            Kind::Sessionless => Ok(Selected { session_id: NO_SESSION, included: all() }),
            Kind::Full { by_id } => {
                Ok(Selected { session_id: self.create(*by_id, &fetch.partitions, told), included: all() })
            }
            Kind::Incremental { id, slot, epoch, places } => {
                let included = slot.session.lock().select(*epoch, places, told)?;
                Ok(Selected { session_id: *id, included })
            }
        }
    }

    /// The id of a new session, 0 when there is no room for it.
    fn create(&self, by_id: bool, partitions: &[(PartitionKey, Wanted)], told: &[Told]) -> i32 {
        if partitions.is_empty() || partitions.len() > SESSION_PARTITIONS_MAX {
            self.metrics.fetch_sessions_refused.increment();
            return NO_SESSION;
        }
        let mut sessions = self.sessions.lock();
        if !self.make_room(&mut sessions, partitions.len()) {
            self.metrics.fetch_sessions_refused.increment();
            return NO_SESSION;
        }
        let mut session = Session::new(by_id);
        for ((key, wanted), told) in partitions.iter().zip(told) {
            session.put(key.clone(), *wanted);
            session.remember(key, told);
        }
        let id = self.fresh_id(&sessions);
        let slot = Slot {
            created: self.clock.monotonic(),
            last_used: AtomicU64::new(self.now_ms()),
            partitions: AtomicUsize::new(session.partitions.len()),
            session: Mutex::new(session),
        };
        sessions.insert(id, Arc::new(slot));
        self.metrics.fetch_sessions.increment();
        id
    }

    /// Makes room for one more session: takes the slot of the one that idles longest, else of the smallest that is old
    /// enough and smaller than the new one.
    fn make_room(&self, sessions: &mut HashMap<i32, Arc<Slot>>, size: usize) -> bool {
        if sessions.len() < self.slots {
            return true;
        }
        let idle_since = |slot: &Slot| Duration::from_millis(slot.last_used.load(Ordering::Relaxed));
        let size_of = |slot: &Slot| slot.partitions.load(Ordering::Relaxed);
        let now = self.clock.monotonic();
        let is_over = |since: Duration| now.saturating_sub(since) > EVICT_AFTER;
        let idle = sessions.iter().filter(|(_, slot)| is_over(idle_since(slot)));
        let idle = idle.min_by_key(|(_, slot)| idle_since(slot));
        let smaller = || {
            let smaller = sessions.iter().filter(|(_, slot)| is_over(slot.created) && size_of(slot) < size);
            smaller.min_by_key(|(_, slot)| size_of(slot))
        };
        let Some(evicted) = idle.or_else(smaller).map(|(id, _)| *id) else { return false };
        self.close(sessions, evicted);
        self.metrics.fetch_sessions_evicted.increment();
        true
    }

    fn close(&self, sessions: &mut HashMap<i32, Arc<Slot>>, id: i32) {
        if sessions.remove(&id).is_some() {
            self.metrics.fetch_sessions.sub(1);
        }
    }

    /// A random id, so that a client of another broker, or of this one before a restart, does not hit upon it.
    fn fresh_id(&self, sessions: &HashMap<i32, Arc<Slot>>) -> i32 {
        loop {
            let id = i32::try_from(self.rng.next_u64() >> 33).unwrap_or(NO_SESSION);
            if id != NO_SESSION && !sessions.contains_key(&id) {
                return id;
            }
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.clock.monotonic().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests;
