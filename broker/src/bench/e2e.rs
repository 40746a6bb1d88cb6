//! End to end at a fixed rate: from the moment a record is due to leave until a long-polling consumer has it.
//!
//! Every connection that writes has one that reads, and a partition of its own: what has arrived is told by offsets alone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::batch::{self, Batch};
use super::connection::{Connection, allow_files};
use super::consume::{ACT, WAIT_MS, pass};
use super::frame::{self, FetchSize, Wanted};
use super::produce::{self, Producer, name_of};
use super::schedule::Schedule;
use super::tally::Tally;
use super::workers::{self, Brokers, Target};
use super::{BenchError, Done, topic};

/// How long a consumer goes on after everything was acknowledged.
const LATE: Duration = Duration::from_secs(30);
/// Nobody knows yet how many requests there will be.
const UNKNOWN: u64 = u64::MAX;
const FETCH: FetchSize = FetchSize { wait_ms: WAIT_MS, bytes_max: 50 << 20, partition_bytes_max: 1 << 20 };

/// Runs the load of `options`, whose connections are pairs and whose rate must be given.
///
/// # Errors
/// See [`BenchError`].
pub fn run(options: &produce::Options) -> Result<Done, BenchError> {
    allow_files(2 * options.connections)?;
    let pairs = i32::try_from(options.connections).unwrap_or(i32::MAX);
    let mut brokers = Brokers::default();
    for name in &options.topics {
        let partitions = Some(options.partitions.unwrap_or(pairs).max(pairs));
        let wanted = topic::Wanted { name, partitions, replication_factor: options.replication_factor, configs: &[] };
        brokers.add(name, topic::ensure(&options.bootstrap, &wanted)?);
    }
    let batch = batch::build(options.record_bytes, options.batch_bytes);
    let requests = options.limit.requests(batch.bytes.len() as u64, batch.records);
    let requests = requests.map(|requests| requests.div_ceil(options.connections as u64));
    let rate = options.records_per_second.map(|records| records / batch.records as f64 / f64::from(pairs));
    let pairs = brokers
        .targets()
        .take(options.connections)
        .map(|(address, target)| Pair::open(address, target, &batch, options))
        .collect::<Result<Vec<_>, _>>()?;
    let start = Instant::now();
    let jobs =
        pairs.into_iter().map(|pair| move || pair.run(&Schedule::new(options.limit.time, requests, rate))).collect();
    let tally = workers::run(jobs)?;
    Ok(tally.done(start.elapsed()))
}

/// A connection that writes and one that reads the same partition.
struct Pair<'a> {
    producer: Producer<'a>,
    consumer: Connection,
    target: &'a Target,
    batch: &'a Batch,
    start: i64,
}

impl<'a> Pair<'a> {
    fn open(
        address: &str,
        target: &'a Target,
        batch: &'a Batch,
        options: &produce::Options,
    ) -> Result<Self, BenchError> {
        let mut consumer = options.bootstrap.open_at(address)?;
        let extents = topic::extents(&mut consumer, &target.topic, &[target.partition])?;
        let start = extents.first().map_or(0, |extent| extent.end);
        let targets = std::slice::from_ref(target);
        let producer =
            Producer::new(options.bootstrap.open_at(address)?, targets, 0, batch, options.acks, options.in_flight);
        Ok(Self { producer, consumer, target, batch, start })
    }

    fn run(self, schedule: &Schedule) -> Result<Tally, BenchError> {
        let Self { producer, mut consumer, target, batch, start } = self;
        let sent = &AtomicU64::new(UNKNOWN);
        thread::scope(|scope| {
            let writes = thread::Builder::new()
                .spawn_scoped(scope, move || {
                    let done = producer.run(schedule);
                    sent.store(done.as_ref().map_or(0, |tally| tally.requests), Ordering::Release);
                    done
                })
                .map_err(BenchError::Thread)?;
            let arrived = Arrivals { target, batch, start, schedule, sent }.receive(&mut consumer);
            writes.join().map_err(|_| BenchError::Died)??;
            arrived
        })
    }
}

/// What a consumer has of what was sent.
struct Arrivals<'a> {
    target: &'a Target,
    batch: &'a Batch,
    /// Where the log ended before the first request.
    start: i64,
    schedule: &'a Schedule,
    sent: &'a AtomicU64,
}

impl Arrivals<'_> {
    fn receive(&self, consumer: &mut Connection) -> Result<Tally, BenchError> {
        let (mut offset, mut tally, mut request) = (self.start, Tally::default(), BytesMut::new());
        let mut deadline: Option<Instant> = None;
        while tally.requests < self.sent.load(Ordering::Acquire) {
            let wanted = [Wanted { partition: self.target.partition, offset }];
            frame::fetch(&mut request, consumer.begin(), &self.target.topic, &wanted, FETCH);
            consumer.send(&request, &[], ACT)?;
            consumer.await_answer();
            offset = self.offset_after(consumer)?.unwrap_or(offset);
            self.count(offset, Instant::now(), &mut tally);
            let sent = self.sent.load(Ordering::Acquire);
            if sent != UNKNOWN && Instant::now() > *deadline.get_or_insert_with(|| Instant::now() + LATE) {
                let missing = sent.saturating_sub(tally.requests);
                return Err(BenchError::NotDelivered { missing, sent, waited: LATE });
            }
        }
        Ok(tally)
    }

    fn offset_after(&self, consumer: &mut Connection) -> Result<Option<i64>, BenchError> {
        let refused = |code| BenchError::Refused { act: ACT, what: name_of(self.target), code };
        let found = match frame::fetched(consumer.receive(ACT)?) {
            Ok(Ok(found)) => found.into_iter().next().map(|fetched| (fetched.code, pass(fetched.records).next)),
            Ok(Err(code)) => return Err(refused(code)),
            Err(_) => None,
        };
        match found {
            Some((0, next)) => Ok(next),
            Some((code, _)) => Err(refused(code)),
            None => Err(consumer.malformed(ACT, "an answer that is too short".to_owned())),
        }
    }

    /// Counts every request of which all records are below `offset`.
    fn count(&self, offset: i64, now: Instant, tally: &mut Tally) {
        let arrived = u64::try_from(offset - self.start).unwrap_or(0) / self.batch.records;
        while tally.requests < arrived {
            let due = self.schedule.due(tally.requests).unwrap_or(self.schedule.start());
            let wait = now.saturating_duration_since(due);
            tally.count(self.batch.records, self.batch.bytes.len() as u64, wait);
        }
    }
}
