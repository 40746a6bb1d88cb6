//! Transcripts of KIP-227.

use std::sync::Arc;

use barnabas_storage::Timestamp;
use barnabas_storage::seam::{Rng, Seams};
use parking_lot::Mutex;

use super::session::next_epoch;
use super::*;

struct ManualClock(Mutex<Duration>);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
    fn monotonic(&self) -> Duration {
        *self.0.lock()
    }
}

struct Counter(AtomicU64);

impl Rng for Counter {
    fn next_u64(&self) -> u64 {
        self.0.fetch_add(1 << 33, Ordering::Relaxed)
    }
}

struct Table {
    clock: Arc<ManualClock>,
    sessions: FetchSessions,
}

impl Table {
    fn with_slots(slots: usize) -> Self {
        let clock = Arc::new(ManualClock(Mutex::new(Duration::from_secs(1000))));
        let rng = Arc::new(Counter(AtomicU64::new(1 << 33)));
        let seams = Seams { clock: Arc::clone(&clock) as Arc<dyn Clock>, rng, ..Seams::system() };
        Self { clock, sessions: FetchSessions::new(&seams, slots, Arc::default()) }
    }

    fn pass(&self, seconds: u64) {
        *self.clock.0.lock() += Duration::from_secs(seconds);
    }

    fn begin(&self, id: i32, epoch: i32, wanted: &[i32]) -> Result<SessionFetch, SessionError> {
        self.sessions.begin(request(id, epoch, wanted, &[]))
    }

    /// A full request and its answer; the session's id.
    fn open(&self, partitions: &[i32]) -> i32 {
        let fetch = self.begin(0, 0, partitions).unwrap();
        let told = vec![quiet(); partitions.len()];
        let selected = self.sessions.finish(&fetch, &told).unwrap();
        assert_eq!(selected.included, (0..partitions.len()).collect::<Vec<_>>(), "a full answer holds everything");
        selected.session_id
    }

    /// The partitions that an answer holds.
    fn answer(&self, fetch: &SessionFetch, told: &[Told]) -> Vec<i32> {
        let selected = self.sessions.finish(fetch, told).unwrap();
        selected.included.iter().map(|position| fetch.partitions()[*position].0.index.0).collect()
    }
}

fn key(index: i32) -> PartitionKey {
    PartitionKey { topic: TopicKey::Name("t".into()), index: PartitionIndex(index) }
}

fn wanted(offset: i64) -> Wanted {
    Wanted {
        leader_epoch: LeaderEpoch(0),
        offset: Offset(offset),
        last_fetched_epoch: LeaderEpoch::NONE,
        max_bytes: 1024,
    }
}

fn request(id: i32, epoch: i32, partitions: &[i32], forgotten: &[i32]) -> SessionRequest {
    SessionRequest {
        id,
        epoch,
        by_id: false,
        wanted: partitions.iter().map(|index| (key(*index), wanted(0))).collect(),
        forgotten: forgotten.iter().map(|index| key(*index)).collect(),
    }
}

fn quiet() -> Told {
    told(10)
}

fn told(high_watermark: i64) -> Told {
    Told { high_watermark: Offset(high_watermark), log_start_offset: Offset(0), has_records: false, is_special: false }
}

fn indexes(fetch: &SessionFetch) -> Vec<i32> {
    fetch.partitions().iter().map(|(key, _)| key.index.0).collect()
}

#[test]
fn an_incremental_answer_holds_only_news() {
    let table = Table::with_slots(10);
    let id = table.open(&[0, 1, 2, 3]);
    assert_ne!(id, 0);
    let fetch = table.begin(id, 1, &[]).unwrap();
    assert_eq!(indexes(&fetch), [0, 1, 2, 3], "the session remembers");
    let log_start_moved = Told { log_start_offset: Offset(3), ..quiet() };
    let records = Told { has_records: true, ..quiet() };
    assert_eq!(table.answer(&fetch, &[quiet(), told(11), log_start_moved, records]), [1, 2, 3]);
    let fetch = table.begin(id, 2, &[]).unwrap();
    assert_eq!(table.answer(&fetch, &[quiet(), told(11), log_start_moved, quiet()]), [0i32; 0]);
}

#[test]
fn a_served_partition_goes_to_the_end() {
    let table = Table::with_slots(10);
    let id = table.open(&[0, 1, 2]);
    let fetch = table.begin(id, 1, &[]).unwrap();
    table.answer(&fetch, &[Told { has_records: true, ..quiet() }, quiet(), quiet()]);
    let fetch = table.begin(id, 2, &[]).unwrap();
    assert_eq!(indexes(&fetch), [1, 2, 0]);
    table.answer(&fetch, &[quiet(), Told { has_records: true, ..quiet() }, quiet()]);
    assert_eq!(indexes(&table.begin(id, 3, &[]).unwrap()), [1, 0, 2]);
}

#[test]
fn an_error_is_told_and_so_is_its_end() {
    let table = Table::with_slots(10);
    let id = table.open(&[0]);
    let fetch = table.begin(id, 1, &[]).unwrap();
    assert_eq!(table.answer(&fetch, &[Told { is_special: true, ..quiet() }]), [0]);
    let fetch = table.begin(id, 2, &[]).unwrap();
    assert_eq!(table.answer(&fetch, &[quiet()]), [0], "the error is over: the client must hear of it");
    let fetch = table.begin(id, 3, &[]).unwrap();
    assert_eq!(table.answer(&fetch, &[quiet()]), [0i32; 0]);
}

#[test]
fn partitions_are_added_changed_and_forgotten() {
    let table = Table::with_slots(10);
    let id = table.open(&[0, 1]);
    let mut change = request(id, 1, &[1, 2], &[0]);
    change.wanted[0].1 = wanted(77);
    let fetch = table.sessions.begin(change).unwrap();
    assert_eq!(indexes(&fetch), [1, 2]);
    assert_eq!(fetch.partitions()[0].1.offset, Offset(77));
    assert_eq!(table.answer(&fetch, &[quiet(), quiet()]), [2], "a new partition is told once");
}

#[test]
fn a_session_without_partitions_is_closed() {
    let table = Table::with_slots(10);
    let id = table.open(&[0, 1]);
    let fetch = table.sessions.begin(request(id, 1, &[], &[0, 1])).unwrap();
    assert_eq!(table.sessions.finish(&fetch, &[]).unwrap(), Selected { session_id: 0, included: vec![] });
    assert_eq!(table.begin(id, 2, &[]).err(), Some(SessionError::UnknownId));
    assert!(table.sessions.is_empty());
}

#[test]
fn a_wrong_epoch_or_id_is_refused() {
    let table = Table::with_slots(10);
    let id = table.open(&[0]);
    assert_eq!(table.begin(id, 2, &[]).err(), Some(SessionError::InvalidEpoch));
    assert_eq!(table.begin(id, -2, &[]).err(), Some(SessionError::InvalidEpoch));
    assert_eq!(table.begin(id + 1, 1, &[]).err(), Some(SessionError::UnknownId));
    assert_eq!(table.begin(0, 1, &[]).err(), Some(SessionError::UnknownId));
    assert!(table.begin(id, 1, &[]).is_ok(), "a refused request changes nothing");
}

#[test]
fn a_request_that_was_overtaken_is_not_answered() {
    let table = Table::with_slots(10);
    let id = table.open(&[0]);
    let slow = table.begin(id, 1, &[]).unwrap();
    let fast = table.begin(id, 2, &[]).unwrap();
    assert_eq!(table.sessions.finish(&slow, &[quiet()]), Err(SessionError::InvalidEpoch));
    assert!(table.sessions.finish(&fast, &[quiet()]).is_ok());
}

#[test]
fn a_session_does_not_cross_from_names_to_ids() {
    let table = Table::with_slots(10);
    let id = table.open(&[0]);
    let by_id = SessionRequest { by_id: true, ..request(id, 1, &[], &[]) };
    assert_eq!(table.sessions.begin(by_id).err(), Some(SessionError::TopicIds));
}

#[test]
fn a_full_request_closes_the_session_it_names() {
    let table = Table::with_slots(10);
    for epoch in [INITIAL_EPOCH, FINAL_EPOCH] {
        let id = table.open(&[0]);
        let fetch = table.begin(id, epoch, &[0]).unwrap();
        assert_eq!(table.begin(id, 1, &[]).err(), Some(SessionError::UnknownId));
        let next = table.sessions.finish(&fetch, &[quiet()]).unwrap().session_id;
        assert_eq!(next == 0, epoch == FINAL_EPOCH, "only epoch 0 asks for a new one");
    }
}

#[test]
fn the_epoch_wraps_to_one() {
    assert_eq!(next_epoch(i32::MAX), 1);
    assert_eq!(next_epoch(1), 2);
}

#[test]
fn a_full_cache_gives_no_session_before_two_minutes() {
    let table = Table::with_slots(2);
    let (first, second) = (table.open(&[0]), table.open(&[0]));
    assert_eq!(table.open(&[0, 1, 2]), 0);
    table.pass(120);
    assert_eq!(table.open(&[0, 1, 2]), 0, "not more than two minutes");
    assert!(table.begin(second, 1, &[]).is_ok());
    table.pass(1);
    assert_ne!(table.open(&[0]), 0, "the idle one goes");
    assert_eq!(table.begin(first, 1, &[]).err(), Some(SessionError::UnknownId));
    assert!(table.begin(second, 2, &[]).is_ok());
}

#[test]
fn an_old_session_yields_to_a_larger_one_only() {
    let table = Table::with_slots(2);
    let (small, large) = (table.open(&[0, 1]), table.open(&[0, 1, 2]));
    for epoch in 1..5 {
        table.pass(60);
        assert!(table.begin(small, epoch, &[]).is_ok() && table.begin(large, epoch, &[]).is_ok());
    }
    assert_eq!(table.open(&[0, 1]), 0, "not larger");
    assert_ne!(table.open(&[0, 1, 2, 3]), 0);
    assert_eq!(table.begin(small, 5, &[]).err(), Some(SessionError::UnknownId));
    assert!(table.begin(large, 5, &[]).is_ok());
    assert_eq!(table.sessions.len(), 2);
    let metrics = &table.sessions.metrics;
    let counts = (metrics.fetch_sessions.value(), metrics.fetch_sessions_evicted.value());
    assert_eq!((counts, metrics.fetch_sessions_refused.value()), ((2, 1), 1));
}

#[test]
fn too_many_partitions_are_served_without_a_session() {
    let table = Table::with_slots(2);
    let many: Vec<i32> = (0..=i32::try_from(SESSION_PARTITIONS_MAX).unwrap()).collect();
    assert_eq!(table.open(&many), 0);
    let id = table.open(&many[1..]);
    assert_ne!(id, 0);
    assert_eq!(table.begin(id, 1, &many[..1]).err(), Some(SessionError::UnknownId), "it outgrew its bound");
    assert!(table.sessions.is_empty());
}
