//! Produce as fast as the broker answers: pipelined requests of one batch each, round-robin over the partitions.

use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use clap::Args;

use crate::connection::{Connection, frame};
use crate::{Outcome, batch};

#[derive(Args, Clone)]
pub(crate) struct Options {
    /// host:port of the broker.
    #[arg(long, default_value = "127.0.0.1:9092")]
    pub(crate) bootstrap: String,
    /// Topic to write to.
    #[arg(long, default_value = "bench")]
    pub(crate) topic: String,
    /// Partitions of the topic.
    #[arg(long, default_value_t = 16)]
    pub(crate) partitions: i32,
    /// Connections, each with a thread of its own.
    #[arg(long, default_value_t = 4)]
    pub(crate) connections: usize,
    /// Requests under way on each connection.
    #[arg(long, default_value_t = 5)]
    pub(crate) in_flight: usize,
    /// Size of a record's value in bytes.
    #[arg(long, default_value_t = 1024)]
    pub(crate) record_bytes: usize,
    /// Size of a batch in bytes.
    #[arg(long, default_value_t = 16_384)]
    pub(crate) batch_bytes: usize,
    /// -1 waits for the commit, 1 for the leader.
    #[arg(long, default_value_t = -1, allow_hyphen_values = true)]
    pub(crate) acks: i16,
    /// Megabytes to write in all.
    #[arg(long, default_value_t = 1000)]
    pub(crate) megabytes: usize,
}

/// What a run did.
pub(crate) struct Done {
    pub(crate) bytes: usize,
    pub(crate) elapsed: Duration,
    /// Time from a request to its answer, sorted.
    pub(crate) waits: Vec<Duration>,
}

impl Done {
    pub(crate) fn megabytes_per_second(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.elapsed.as_secs_f64()
    }

    pub(crate) fn requests_per_second(&self) -> f64 {
        self.waits.len() as f64 / self.elapsed.as_secs_f64()
    }

    pub(crate) fn percentile(&self, part: f64) -> Duration {
        percentile(&self.waits, part)
    }
}

/// The value below which `part` of the sorted `waits` lie.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index below the length")]
pub(crate) fn percentile(waits: &[Duration], part: f64) -> Duration {
    let at = (waits.len() as f64 * part) as usize;
    waits.get(at.min(waits.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Runs the load; fails at the first answer that carries an error.
pub(crate) fn run(options: &Options) -> Outcome<Done> {
    let records = batch::build(options.record_bytes, options.batch_bytes);
    let requests = (options.megabytes * 1_000_000 / records.len() / options.connections).max(1);
    let start = Instant::now();
    let workers: Vec<_> = (0..options.connections)
        .map(|worker| {
            let (options, records) = (options.clone(), records.clone());
            thread::Builder::new().spawn(move || produce_on_one_connection(&options, &records, worker, requests))
        })
        .collect::<Result<_, _>>()?;
    let mut waits = Vec::new();
    for worker in workers {
        waits.extend(worker.join().map_err(|_| "a load thread died")??);
    }
    let elapsed = start.elapsed();
    waits.sort_unstable();
    Ok(Done { bytes: waits.len() * records.len(), elapsed, waits })
}

fn produce_on_one_connection(
    options: &Options,
    records: &Bytes,
    worker: usize,
    requests: usize,
) -> Outcome<Vec<Duration>> {
    let frames: Vec<Bytes> = (0..options.partitions).map(|at| produce_frame(options, at, records)).collect();
    let mut connection = Connection::open(&options.bootstrap)?;
    let mut sent_at = VecDeque::with_capacity(options.in_flight);
    let mut waits = Vec::with_capacity(requests);
    let mut sent = 0;
    while waits.len() < requests {
        while sent < requests && sent_at.len() < options.in_flight {
            let frame = frames.get((worker + sent) % frames.len()).ok_or("no partition")?;
            connection.send(frame)?;
            sent_at.push_back(Instant::now());
            sent += 1;
        }
        check(connection.receive()?, options.topic.len())?;
        waits.extend(sent_at.pop_front().map(|at| at.elapsed()));
    }
    Ok(waits)
}

/// A Produce v7 request with one batch for one partition.
pub(crate) fn produce_frame(options: &Options, partition: i32, records: &Bytes) -> Bytes {
    let mut body = BytesMut::with_capacity(records.len() + 64);
    body.put_i16(-1); // no transactional id
    body.put_i16(options.acks);
    body.put_i32(30_000);
    body.put_i32(1);
    body.put_i16(i16::try_from(options.topic.len()).unwrap_or(0));
    body.extend_from_slice(options.topic.as_bytes());
    body.put_i32(1);
    body.put_i32(partition);
    body.put_i32(i32::try_from(records.len()).unwrap_or(i32::MAX));
    body.extend_from_slice(records);
    frame(0, 7, false, &body)
}

/// A Produce v7 answer for one partition: topics, name, partitions, index, then the error.
pub(crate) fn check(answer: &[u8], topic_bytes: usize) -> Outcome<()> {
    let at = 4 + 2 + topic_bytes + 4 + 4;
    let code = answer.get(at..at + 2).ok_or("a short answer")?;
    if code != [0, 0] {
        return Err(format!("produce: error {}", i16::from_be_bytes([code[0], code[1]])).into());
    }
    Ok(())
}
