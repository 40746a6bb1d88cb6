//! Fetch as fast as the broker answers: every partition from its first offset to what was its end when the run began.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use barnabas_storage::batch::BatchHeader;
use bytes::BytesMut;

use super::connection::{Connection, allow_files};
use super::frame::{self, FetchSize, Wanted};
use super::schedule::Schedule;
use super::tally::Tally;
use super::topic::{self, Extent};
use super::workers::{self, Brokers, Share, Target};
use super::{BenchError, Bootstrap, Done, Limit};

pub(super) const ACT: &str = "fetch from";
/// How long the broker may wait for a byte.
pub(super) const WAIT_MS: i32 = 500;
/// So many answers in a row without a record below the end of the log are a stand-still of a minute.
const EMPTY_MAX: u32 = 120;

/// What to read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the brokers are.
    pub bootstrap: Bootstrap,
    /// Topics to read.
    pub topics: Vec<String>,
    /// The first partitions of each topic; all of them when not given.
    pub partitions: Option<i32>,
    /// Connections, each with a thread of its own; partitions are dealt out to them.
    pub connections: usize,
    /// Most bytes of one partition in an answer.
    pub partition_bytes: i32,
    /// Most bytes of an answer.
    pub fetch_bytes: i32,
    /// Partitions in a request.
    pub partitions_per_fetch: usize,
    /// What ends the run before everything is read.
    pub limit: Limit,
}

/// Reads everything that is there when it begins.
///
/// # Errors
/// See [`BenchError`].
pub fn run(options: &Options) -> Result<Done, BenchError> {
    allow_files(options.connections)?;
    let brokers = Brokers::of(&options.bootstrap, &options.topics, options.partitions)?;
    let read = &Read::default();
    let consumers: Vec<_> = brokers
        .shares(options.connections)
        .map(|(address, targets, share)| {
            Consumer::new(options.bootstrap.open_at(address)?, targets, share, options, read)
        })
        .collect::<Result<_, BenchError>>()?;
    if consumers.iter().all(|consumer| consumer.positions.is_empty()) {
        return Err(BenchError::Empty(options.topics.join(", ")));
    }
    let schedule = &Schedule::new(options.limit.time, None, None);
    let jobs = consumers.into_iter().map(|consumer| move || consumer.run(schedule)).collect();
    let tally = workers::run(jobs)?;
    Ok(tally.done(schedule.start().elapsed()))
}

/// What all connections have read.
#[derive(Default)]
struct Read {
    bytes: AtomicU64,
    records: AtomicU64,
}

impl Read {
    fn add(&self, bytes: u64, records: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.records.fetch_add(records, Ordering::Relaxed);
    }

    fn fills(&self, limit: &Limit) -> bool {
        limit.bytes.is_some_and(|most| self.bytes.load(Ordering::Relaxed) >= most)
            || limit.records.is_some_and(|most| self.records.load(Ordering::Relaxed) >= most)
    }
}

struct Position {
    target: Target,
    offset: i64,
    end: i64,
}

/// One connection that reads.
struct Consumer<'a> {
    connection: Connection,
    positions: VecDeque<Position>,
    size: FetchSize,
    partitions_per_fetch: usize,
    limit: Limit,
    read: &'a Read,
    request: BytesMut,
    empty: u32,
    tally: Tally,
}

impl<'a> Consumer<'a> {
    fn new(
        mut connection: Connection,
        targets: &[Target],
        share: Share,
        options: &Options,
        read: &'a Read,
    ) -> Result<Self, BenchError> {
        let mut positions = VecDeque::new();
        let own: Vec<_> = targets.iter().skip(share.at).step_by(share.of).collect();
        for of_one_topic in own.chunk_by(|left, right| left.topic == right.topic) {
            let Some(first) = of_one_topic.first() else { continue };
            let partitions: Vec<_> = of_one_topic.iter().map(|target| target.partition).collect();
            for Extent { partition, start, end } in topic::extents(&mut connection, &first.topic, &partitions)? {
                let target = Target { topic: first.topic.clone(), partition };
                positions.extend((start < end).then_some(Position { target, offset: start, end }));
            }
        }
        Ok(Self {
            connection,
            positions,
            size: FetchSize {
                wait_ms: WAIT_MS,
                bytes_max: options.fetch_bytes,
                partition_bytes_max: options.partition_bytes,
            },
            partitions_per_fetch: options.partitions_per_fetch.max(1),
            limit: options.limit,
            read,
            request: BytesMut::new(),
            empty: 0,
            tally: Tally::default(),
        })
    }

    fn run(mut self, schedule: &Schedule) -> Result<Tally, BenchError> {
        while !self.positions.is_empty() && !self.read.fills(&self.limit) && schedule.next().is_some() {
            self.fetch()?;
        }
        Ok(self.tally)
    }

    /// One request for the partitions that were not asked for longest, and its answer.
    fn fetch(&mut self) -> Result<(), BenchError> {
        let mut asked = self.take_positions();
        let Some(topic) = asked.first().map(|position| position.target.topic.clone()) else { return Ok(()) };
        let wanted: Vec<_> =
            asked.iter().map(|at| Wanted { partition: at.target.partition, offset: at.offset }).collect();
        frame::fetch(&mut self.request, self.connection.begin(), &topic, &wanted, self.size);
        let since = Instant::now();
        self.connection.send(&self.request, &[], ACT)?;
        self.connection.await_answer();
        let (records, bytes) = take_answer(self.connection.receive(ACT)?, &mut asked)
            .map_err(|wrong| wrong.into_error(&self.connection, &topic))?;
        self.empty = if records == 0 { self.empty + 1 } else { 0 };
        if self.empty > EMPTY_MAX {
            return Err(BenchError::Refused {
                act: ACT,
                what: format!("{topic}, which gives no records below its end"),
                code: 0,
            });
        }
        if records > 0 {
            self.tally.count(records, bytes, since.elapsed());
        }
        self.read.add(bytes, records);
        self.positions.extend(asked.into_iter().filter(|position| position.offset < position.end));
        Ok(())
    }

    fn take_positions(&mut self) -> Vec<Position> {
        let mut taken: Vec<Position> = Vec::with_capacity(self.partitions_per_fetch);
        while taken.len() < self.partitions_per_fetch
            && let Some(next) = self.positions.pop_front()
        {
            if taken.first().is_some_and(|first| first.target.topic != next.target.topic) {
                self.positions.push_front(next);
                break;
            }
            taken.push(next);
        }
        taken
    }
}

/// What is wrong with an answer.
enum Wrong {
    Refused { partition: Option<i32>, code: i16 },
    Short,
}

impl Wrong {
    fn into_error(self, connection: &Connection, topic: &str) -> BenchError {
        match self {
            Self::Refused { partition: Some(partition), code } => {
                BenchError::Refused { act: ACT, what: format!("{topic}-{partition}"), code }
            }
            Self::Refused { partition: None, code } => BenchError::Refused { act: ACT, what: topic.to_owned(), code },
            Self::Short => connection.malformed(ACT, "an answer that is too short".to_owned()),
        }
    }
}

/// Moves the positions over the records of the answer; gives the records and their bytes.
fn take_answer(answer: &[u8], asked: &mut [Position]) -> Result<(u64, u64), Wrong> {
    let found = frame::fetched(answer).map_err(|_| Wrong::Short)?;
    let (mut records, mut bytes) = (0, 0);
    for fetched in found.map_err(|code| Wrong::Refused { partition: None, code })? {
        if fetched.code != 0 {
            return Err(Wrong::Refused { partition: Some(fetched.partition), code: fetched.code });
        }
        let passed = pass(fetched.records);
        let position = asked.iter_mut().find(|at| at.target.partition == fetched.partition);
        if let (Some(position), Some(next)) = (position, passed.next) {
            position.offset = next;
            records += passed.records;
            bytes += passed.bytes;
        }
    }
    Ok((records, bytes))
}

/// What whole batches hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// The offset after the last of them.
    pub(super) next: Option<i64>,
    pub(super) records: u64,
    pub(super) bytes: u64,
}

/// Goes over the whole batches; a broker may send the beginning of one more.
pub(super) fn pass(mut records: &[u8]) -> Passed {
    let mut passed = Passed::default();
    while let Some(header) = BatchHeader::read(records)
        && let Some(size) = header.size().filter(|size| *size <= records.len())
    {
        passed.next = Some(header.next_offset().0);
        passed.records += u64::try_from(header.record_count()).unwrap_or(0);
        passed.bytes += size as u64;
        records = records.get(size..).unwrap_or_default();
    }
    passed
}

#[cfg(test)]
mod tests {
    use super::super::batch;
    use super::*;

    #[test]
    fn only_whole_batches_are_counted() {
        let batch = batch::of(100, 3);
        let two = [&batch.bytes[..], &batch.bytes[..]].concat();
        let size = batch.bytes.len() as u64;
        assert_eq!(pass(&two), Passed { next: Some(3), records: 6, bytes: 2 * size });
        assert_eq!(pass(&two[..two.len() - 1]), Passed { next: Some(3), records: 3, bytes: size });
        assert_eq!(pass(&two[..20]), Passed::default());
    }

    #[test]
    fn what_is_read_fills_the_first_limit_that_is_reached() {
        let read = Read::default();
        read.add(1000, 10);
        let limit = Limit { time: None, bytes: Some(1001), records: None };
        assert!(!read.fills(&limit) && read.fills(&Limit { records: Some(10), ..limit }));
    }
}
