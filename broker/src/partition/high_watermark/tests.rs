//! The waiters of one and of many partitions, on a paused clock: no wake-up is missed, none is made for nothing, and
//! nothing is left behind.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::purgatory::{self, PendingCommit, ReadWait};
use super::*;
use crate::seam::Tasks;

/// What a log hears.
#[derive(Default)]
struct Heard(Mutex<Vec<Offset>>);

impl CommitListener for Heard {
    fn committed(&self, to: Offset) {
        self.0.lock().push(to);
    }
}

/// Partitions of ten bytes a record.
struct Bench {
    _logs: Vec<Arc<Heard>>,
    partitions: Vec<Arc<HighWatermark>>,
}

impl Bench {
    /// With 100 records each, one a batch, none committed.
    fn of(partitions: usize) -> Self {
        let logs: Vec<_> = (0..partitions).map(|_| Arc::new(Heard::default())).collect();
        let dynamic = |log: &Arc<Heard>| Arc::clone(log) as Arc<dyn CommitListener>;
        let watermark = |log| Arc::new(HighWatermark::new(Arc::downgrade(&dynamic(log)), Offset(0)));
        let partitions: Vec<_> = logs.iter().map(watermark).collect();
        for partition in &partitions {
            (1..=100).for_each(|next| partition.appended(Offset(next), 10));
        }
        Self { _logs: logs, partitions }
    }

    fn commits(&self, last_offsets: &[i64]) -> Vec<PendingCommit> {
        let pending = self.partitions.iter().zip(last_offsets);
        pending.map(|(partition, last)| PendingCommit::of(Arc::clone(partition), Offset(*last))).collect()
    }

    /// Waits from the present high watermarks on, where a read found so many bytes.
    fn readable(&self, found: &[u64], max_bytes: u64, min_bytes: u64) -> ReadWait {
        let marks: Vec<Mark> = self.partitions.iter().map(|partition| partition.mark()).collect();
        self.readable_from(&marks, found, max_bytes, min_bytes)
    }

    fn readable_from(&self, marks: &[Mark], found: &[u64], max_bytes: u64, min_bytes: u64) -> ReadWait {
        let mut wait = ReadWait::for_bytes(min_bytes, self.partitions.len());
        for ((partition, mark), found) in self.partitions.iter().zip(marks).zip(found) {
            wait.enter(partition, *mark, *found, max_bytes);
        }
        wait
    }

    fn waiting(&self) -> usize {
        self.partitions
            .iter()
            .map(|partition| partition.waiting())
            .map(|waiting| waiting.produces + waiting.fetches)
            .sum()
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Wakes {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>, wakes: &Arc<Wakes>) -> Poll<F::Output> {
    let waker = Waker::from(Arc::clone(wakes));
    future.poll(&mut Context::from_waker(&waker))
}

#[tokio::test(start_paused = true)]
async fn a_commit_over_many_partitions_is_woken_once_by_the_last() {
    let bench = Bench::of(16);
    let pending = bench.commits(&[4; 16]);
    let (tasks, wakes) = (Tasks::new(), Arc::new(Wakes::default()));
    let mut commit = pin!(purgatory::all_committed(&tasks, &pending, Duration::from_secs(30)));
    assert!(poll(commit.as_mut(), &wakes).is_pending());
    for partition in &bench.partitions {
        assert_eq!(wakes.count(), 0);
        partition.advance(Offset(4));
        assert_eq!(wakes.count(), 0, "offset 4 itself is not below 4");
        partition.advance(Offset(5));
    }
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(commit.as_mut(), &wakes), Poll::Ready(vec![Ok(()); 16]));
    assert_eq!(bench.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn only_pending_partitions_time_out_and_leave_nothing_behind() {
    let bench = Bench::of(3);
    let pending = bench.commits(&[4, 4, 4]);
    let tasks = Tasks::new();
    bench.partitions[0].advance(Offset(5));
    bench.partitions[2].stop(Stopped::NotLeader);
    let outcomes = purgatory::all_committed(&tasks, &pending, Duration::from_secs(30)).await;
    assert_eq!(outcomes, [Ok(()), Err(CommitError::TimedOut), Err(CommitError::NotLeader)]);
    assert_eq!(bench.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_wait_leaves_nothing_behind() {
    let bench = Bench::of(2);
    let pending = bench.commits(&[4, 4]);
    let tasks = Tasks::new();
    let mut commit = Box::pin(purgatory::all_committed(&tasks, &pending, Duration::from_secs(30)));
    assert!(commit.as_mut().now_or_never().is_none());
    let read = bench.readable(&[0, 0], 100, 10);
    assert_eq!(bench.waiting(), 4);
    drop(commit);
    drop(read);
    assert_eq!(bench.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_offline_directory_ends_every_wait_but_takes_nothing_back() {
    let bench = Bench::of(2);
    let pending = bench.commits(&[4, 9]);
    let tasks = Tasks::new();
    for partition in &bench.partitions {
        partition.advance(Offset(5));
        partition.offline();
    }
    let outcomes = purgatory::all_committed(&tasks, &pending, Duration::MAX).await;
    assert_eq!(outcomes, [Ok(()), Err(CommitError::Offline)]);
    bench.readable(&[5, 5], 100, 1).await;
}

#[test]
fn a_read_is_woken_once_when_enough_bytes_are_there_together() {
    let bench = Bench::of(3);
    let wakes = Arc::new(Wakes::default());
    let mut read = pin!(bench.readable(&[0, 5, 0], 1000, 60));
    assert!(poll(read.as_mut(), &wakes).is_pending());
    bench.partitions[0].advance(Offset(2));
    bench.partitions[1].advance(Offset(2));
    bench.partitions[0].advance(Offset(3));
    assert_eq!(wakes.count(), 0, "5 + 20 + 20 + 10 bytes are not 60");
    bench.partitions[2].advance(Offset(1));
    assert_eq!(wakes.count(), 1);
    bench.partitions[2].advance(Offset(2));
    assert_eq!(wakes.count(), 1);
    assert!(poll(read.as_mut(), &wakes).is_ready());
}

#[test]
fn a_partition_with_all_that_is_taken_from_it_ends_the_wait() {
    let bench = Bench::of(1);
    let mut read = pin!(bench.readable(&[0], 50, 1_000_000));
    let wakes = Arc::new(Wakes::default());
    assert!(poll(read.as_mut(), &wakes).is_pending());
    bench.partitions[0].advance(Offset(4));
    assert_eq!(wakes.count(), 0);
    bench.partitions[0].advance(Offset(5));
    assert_eq!(wakes.count(), 1);
}

#[test]
fn what_was_committed_between_read_and_wait_counts() {
    let bench = Bench::of(2);
    let marks: Vec<Mark> = bench.partitions.iter().map(|partition| partition.mark()).collect();
    bench.partitions[1].advance(Offset(3));
    assert!(bench.readable_from(&marks, &[0, 0], 1000, 30).now_or_never().is_some());
    assert!(bench.readable_from(&marks, &[0, 0], 1000, 31).now_or_never().is_none());
    assert!(bench.readable_from(&marks, &[1, 0], 1000, 31).now_or_never().is_some());
}

#[test]
fn bytes_count_once_whichever_of_append_and_sync_is_told_first() {
    let bench = Bench::of(1);
    let partition = &bench.partitions[0];
    partition.advance(Offset(100));
    let before = partition.mark();
    partition.advance(Offset(103));
    assert_eq!(partition.mark().bytes, before.bytes, "the journal was quicker than the appends");
    for next in [102, 101, 103] {
        partition.appended(Offset(next), 7);
    }
    assert_eq!(partition.mark().bytes, before.bytes + 21);
    for next in [105, 104, 106] {
        partition.appended(Offset(next), 1);
    }
    partition.advance(Offset(105));
    assert_eq!(partition.mark().bytes, before.bytes + 23, "two appends told in the wrong order");
}

#[test]
fn a_new_leader_epoch_makes_readers_look_again() {
    let bench = Bench::of(2);
    let mut read = pin!(bench.readable(&[0, 0], 1000, 10));
    let wakes = Arc::new(Wakes::default());
    assert!(poll(read.as_mut(), &wakes).is_pending());
    bench.partitions[1].wake_readers();
    assert_eq!(wakes.count(), 1);
    assert!(poll(read.as_mut(), &wakes).is_ready());
}

#[test]
fn the_high_watermark_never_goes_back_and_the_log_hears_each_move() {
    let log = Arc::new(Heard::default());
    let dynamic: Arc<dyn CommitListener> = Arc::clone(&log) as Arc<dyn CommitListener>;
    let watermark = HighWatermark::new(Arc::downgrade(&dynamic), Offset(3));
    for to in [2, 3, 5, 4, 5, 9] {
        watermark.synced(Offset(to));
    }
    assert_eq!(watermark.offset(), Offset(9));
    assert_eq!(*log.0.lock(), [Offset(5), Offset(9)]);
}

#[derive(Clone, Debug)]
enum Step {
    Commit {
        last: [i64; 3],
    },
    /// Bytes that the read found; `from` is filled in with the high watermarks at which the wait began.
    Read {
        found: [u64; 3],
        from: [i64; 3],
        max: u64,
        min: u64,
    },
    Advance {
        partition: usize,
        to: i64,
    },
    Drop {
        which: usize,
    },
}

fn a_step() -> impl Strategy<Value = Step> {
    let offset = 0i64..40;
    let offsets = [offset.clone(), offset.clone(), offset.clone()];
    let found = [0u64..30, 0u64..30, 0u64..30];
    prop_oneof![
        offsets.prop_map(|last| Step::Commit { last }),
        (found, 1u64..500, 1u64..500).prop_map(|(found, max, min)| Step::Read { found, from: [0; 3], max, min }),
        (0usize..3, offset).prop_map(|(partition, to)| Step::Advance { partition, to }),
        (0usize..64).prop_map(|which| Step::Drop { which }),
    ]
}

/// A wait, its model and the wakes it got.
struct Waiting {
    future: Pin<Box<dyn Future<Output = ()>>>,
    step: Step,
    wakes: Arc<Wakes>,
}

impl Step {
    /// Whether the wait is over at these high watermarks.
    fn is_over(&self, at: &[i64; 3]) -> bool {
        match self {
            Self::Commit { last } => last.iter().zip(at).all(|(last, at)| at > last),
            Self::Read { found, from, max, min } => {
                let bytes = |from: &i64, at: &i64| u64::try_from(at - from).unwrap_or(0) * 10;
                let each = || from.iter().zip(at).zip(found).map(|((from, at), found)| found + bytes(from, at));
                each().any(|bytes| bytes >= *max) || each().sum::<u64>() >= *min
            }
            Self::Advance { .. } | Self::Drop { .. } => true,
        }
    }
}

proptest! {
    /// After every step: exactly the waits whose condition holds are woken, each once.
    #[test]
    fn waits_end_exactly_when_the_model_says(steps in vec(a_step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let _entered = runtime.enter();
        let bench = Bench::of(3);
        let mut at = [0i64; 3];
        let mut waits: Vec<Waiting> = Vec::new();
        for mut step in steps {
            let future: Option<Pin<Box<dyn Future<Output = ()>>>> = match &mut step {
                Step::Commit { last } => {
                    let pending = bench.commits(last);
                    let tasks = Tasks::new();
                    let forever = Duration::from_secs(3600);
                    Some(Box::pin(async move { drop(purgatory::all_committed(&tasks, &pending, forever).await) }))
                }
                Step::Read { found, from, max, min } => {
                    *from = at;
                    Some(Box::pin(bench.readable(found, *max, *min)))
                }
                Step::Advance { partition, to } => {
                    bench.partitions[*partition].advance(Offset(*to));
                    at[*partition] = at[*partition].max(*to);
                    None
                }
                Step::Drop { which } => {
                    if !waits.is_empty() {
                        waits.swap_remove(*which % waits.len());
                    }
                    None
                }
            };
            if let Some(mut future) = future {
                let wakes = Arc::new(Wakes::default());
                let is_ready = poll(future.as_mut(), &wakes).is_ready();
                prop_assert_eq!(is_ready, step.is_over(&at));
                if !is_ready {
                    waits.push(Waiting { future, step, wakes });
                }
            }
            let mut over = Vec::new();
            for (position, wait) in waits.iter().enumerate() {
                prop_assert_eq!(wait.wakes.count(), usize::from(wait.step.is_over(&at)), "{:?}", wait.step);
                if wait.wakes.count() == 1 {
                    over.push(position);
                }
            }
            for position in over.into_iter().rev() {
                let mut wait = waits.swap_remove(position);
                prop_assert!(poll(wait.future.as_mut(), &wait.wakes).is_ready());
            }
        }
        drop(waits);
        prop_assert_eq!(bench.waiting(), 0);
    }
}
