//! Produce as fast as the broker answers, or at a rate: pipelined requests of one batch each, round-robin over the
//! partitions.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::BytesMut;
use kafka_protocol::messages::ApiVersionsRequest;

use super::batch::{self, Batch};
use super::connection::{Connection, allow_files};
use super::schedule::{Schedule, Turn};
use super::tally::Tally;
use super::workers::{self, Brokers, Target};
use super::{BenchError, Bootstrap, Done, Limit, frame, topic};

const ACT: &str = "produce to";

/// What to write.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the brokers are.
    pub bootstrap: Bootstrap,
    /// Topics to write to; made when missing.
    pub topics: Vec<String>,
    /// Partitions of each topic; all that it has, or [`topic::PARTITIONS`] of a new one.
    pub partitions: Option<i32>,
    /// Replicas of a new topic; -1 leaves it to the broker.
    pub replication_factor: i16,
    /// Connections, each with a thread of its own.
    pub connections: usize,
    /// Requests under way on each connection.
    pub in_flight: usize,
    /// Bytes of a record's value.
    pub record_bytes: usize,
    /// Bytes of a batch, about.
    pub batch_bytes: usize,
    /// -1 waits for the commit, 1 for the leader, 0 for nobody.
    pub acks: i16,
    /// What ends the run.
    pub limit: Limit,
    /// Records a second of all connections together; as fast as answers come when not given.
    pub records_per_second: Option<f64>,
}

/// Makes the topics that are missing and runs the load; fails at the first answer that carries an error.
///
/// # Errors
/// See [`BenchError`].
pub fn run(options: &Options) -> Result<Done, BenchError> {
    allow_files(options.connections)?;
    let mut brokers = Brokers::default();
    for name in &options.topics {
        let (partitions, replication_factor) = (options.partitions, options.replication_factor);
        let wanted = topic::Wanted { name, partitions, replication_factor, configs: &[] };
        brokers.add(name, topic::ensure(&options.bootstrap, &wanted)?);
    }
    let batch = batch::build(options.record_bytes, options.batch_bytes);
    let producers: Vec<_> = brokers
        .shares(options.connections)
        .map(|(address, targets, share)| {
            let connection = options.bootstrap.open_at(address)?;
            // Connections begin far from each other, so that together they go round as soon as they can.
            let first = targets.len() * share.at / share.of;
            Ok(Producer::new(connection, targets, first, &batch, options.acks, options.in_flight))
        })
        .collect::<Result<_, BenchError>>()?;
    let requests = options.limit.requests(batch.bytes.len() as u64, batch.records);
    let rate = options.records_per_second.map(|records| records / batch.records as f64);
    let schedule = &Schedule::new(options.limit.time, requests, rate);
    let jobs = producers.into_iter().map(|producer| move || producer.run(schedule)).collect();
    let tally = workers::run(jobs)?;
    Ok(tally.done(schedule.start().elapsed()))
}

/// One connection that writes.
pub(super) struct Producer<'a> {
    connection: Connection,
    targets: &'a [Target],
    next: usize,
    batch: &'a Batch,
    acks: i16,
    in_flight: usize,
    head: BytesMut,
    /// What is not answered: since when, and where it went.
    sent: VecDeque<(Instant, &'a Target)>,
    tally: Tally,
}

impl<'a> Producer<'a> {
    pub(super) fn new(
        connection: Connection,
        targets: &'a [Target],
        first: usize,
        batch: &'a Batch,
        acks: i16,
        in_flight: usize,
    ) -> Self {
        let (head, sent, tally) = (BytesMut::new(), VecDeque::new(), Tally::default());
        Self { connection, targets, next: first, batch, acks, in_flight: in_flight.max(1), head, sent, tally }
    }

    pub(super) fn run(mut self, schedule: &Schedule) -> Result<Tally, BenchError> {
        let mut turn = schedule.next();
        loop {
            match turn {
                Some(next) if self.sent.len() < self.in_flight => {
                    // An answer that comes before the next request is due is taken when it comes.
                    if next.due.is_some_and(|due| due > Instant::now())
                        && self.connection.readable_before(next.due.unwrap_or_else(Instant::now), ACT)?
                    {
                        self.receive()?;
                    } else {
                        self.send(next)?;
                        turn = schedule.next();
                    }
                }
                _ if !self.sent.is_empty() => self.receive()?,
                _ => return self.end(),
            }
        }
    }

    fn send(&mut self, turn: Turn) -> Result<(), BenchError> {
        let Some(target) = self.targets.get(self.next % self.targets.len().max(1)) else { return Ok(()) };
        self.next += 1;
        let id = self.connection.begin();
        frame::produce(&mut self.head, id, self.acks, (&target.topic, target.partition), self.batch.bytes.len());
        let since = turn.due.unwrap_or_else(Instant::now);
        self.connection.send(&self.head, &self.batch.bytes, ACT)?;
        if self.acks == 0 {
            self.tally.count(self.batch.records, self.batch.bytes.len() as u64, since.elapsed());
        } else {
            self.connection.await_answer();
            self.sent.push_back((since, target));
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<(), BenchError> {
        let answer = self.connection.receive(ACT)?;
        match (frame::produced(answer), self.sent.pop_front()) {
            (Ok(0), Some((since, _))) => {
                self.tally.count(self.batch.records, self.batch.bytes.len() as u64, since.elapsed())
            }
            (Ok(code), Some((_, target))) => {
                return Err(BenchError::Refused { act: ACT, what: name_of(target), code });
            }
            (Err(_), _) | (_, None) => {
                return Err(self.connection.malformed(ACT, "an answer that is too short".to_owned()));
            }
        }
        Ok(())
    }

    /// Without answers the run ends when the broker has read everything: requests are taken in order.
    fn end(mut self) -> Result<Tally, BenchError> {
        if self.acks == 0 {
            self.connection.call(&ApiVersionsRequest::default(), 0, ACT)?;
        }
        Ok(self.tally)
    }
}

/// A partition as Kafka's log directories spell it.
pub(super) fn name_of(target: &Target) -> String {
    format!("{}-{}", target.topic, target.partition)
}
