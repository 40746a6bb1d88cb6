//! Fetch as fast as the broker answers, every partition from offset 0 to what was written.

use std::thread;
use std::time::Instant;

use bytes::{BufMut, BytesMut};
use clap::Args;

use crate::Outcome;
use crate::connection::{Connection, frame};
use crate::produce::Done;

#[derive(Args, Clone)]
pub(crate) struct Options {
    /// host:port of the broker.
    #[arg(long, default_value = "127.0.0.1:9092")]
    pub(crate) bootstrap: String,
    /// Topic to read.
    #[arg(long, default_value = "bench")]
    pub(crate) topic: String,
    /// Partitions of the topic, dealt out over the connections.
    #[arg(long, default_value_t = 16)]
    pub(crate) partitions: i32,
    /// Connections, each with a thread of its own.
    #[arg(long, default_value_t = 4)]
    pub(crate) connections: i32,
    /// Most bytes of one partition in an answer.
    #[arg(long, default_value_t = 1_048_576)]
    pub(crate) partition_bytes: i32,
}

/// Reads everything that is there now.
pub(crate) fn run(options: &Options) -> Outcome<Done> {
    let start = Instant::now();
    let workers: Vec<_> = (0..options.connections)
        .map(|worker| {
            let options = options.clone();
            thread::Builder::new().spawn(move || fetch_on_one_connection(&options, worker))
        })
        .collect::<Result<_, _>>()?;
    let (mut bytes, mut waits) = (0, Vec::new());
    for worker in workers {
        let (read, took) = worker.join().map_err(|_| "a load thread died")??;
        bytes += read;
        waits.extend(took);
    }
    let elapsed = start.elapsed();
    waits.sort_unstable();
    Ok(Done { bytes, elapsed, waits })
}

fn fetch_on_one_connection(options: &Options, worker: i32) -> Outcome<(usize, Vec<std::time::Duration>)> {
    let mut connection = Connection::open(&options.bootstrap)?;
    let (mut bytes, mut waits) = (0, Vec::new());
    for partition in (worker..options.partitions).step_by(usize::try_from(options.connections)?) {
        let mut offset = 0;
        loop {
            let asked = Instant::now();
            connection.send(&fetch_frame(&options.topic, partition, offset, options.partition_bytes, 0))?;
            let records = records_of(connection.receive()?, options.topic.len())?;
            if records.is_empty() {
                break;
            }
            waits.push(asked.elapsed());
            bytes += records.len();
            offset = next_offset(records)?;
        }
    }
    Ok((bytes, waits))
}

/// A Fetch v11 request for one partition, without a session; waits up to `wait_ms` for a byte.
pub(crate) fn fetch_frame(
    topic: &str,
    partition: i32,
    offset: i64,
    partition_bytes: i32,
    wait_ms: i32,
) -> bytes::Bytes {
    let mut body = BytesMut::with_capacity(128);
    body.put_i32(-1); // replica id
    body.put_i32(wait_ms);
    body.put_i32(1);
    body.put_i32(52_428_800);
    body.put_i8(0);
    body.put_i32(0);
    body.put_i32(-1); // no session
    body.put_i32(1);
    body.put_i16(i16::try_from(topic.len()).unwrap_or(0));
    body.extend_from_slice(topic.as_bytes());
    body.put_i32(1);
    body.put_i32(partition);
    body.put_i32(-1); // leader epoch unknown
    body.put_i64(offset);
    body.put_i64(-1);
    body.put_i32(partition_bytes);
    body.put_i32(0); // forgotten topics
    body.put_i16(0); // rack
    frame(1, 11, false, &body)
}

/// The records of a Fetch v11 answer for one partition.
pub(crate) fn records_of(answer: &[u8], topic_bytes: usize) -> Outcome<&[u8]> {
    // throttle 4, error 2, session 4, topics 4, name, partitions 4, index 4: then error 2, three offsets 24.
    let at = 4 + 2 + 4 + 4 + 2 + topic_bytes + 4 + 4;
    let code = answer.get(at..at + 2).ok_or("a short answer")?;
    if code != [0, 0] {
        return Err(format!("fetch: error {}", i16::from_be_bytes([code[0], code[1]])).into());
    }
    let aborted_at = at + 2 + 24;
    let aborted = read_i32(answer, aborted_at)?.max(0);
    let length_at = aborted_at + 4 + usize::try_from(aborted)? * 16 + 4;
    let length = usize::try_from(read_i32(answer, length_at)?.max(0))?;
    answer.get(length_at + 4..length_at + 4 + length).ok_or_else(|| "short records".into())
}

/// The offset after the last whole batch.
pub(crate) fn next_offset(records: &[u8]) -> Outcome<i64> {
    let (mut at, mut next) = (0, None);
    while let (Some(base), Ok(length)) = (records.get(at..at + 8), read_i32(records, at + 8)) {
        let end = at + 12 + usize::try_from(length)?;
        if end > records.len() {
            break;
        }
        let base = i64::from_be_bytes(base.try_into()?);
        next = Some(base + i64::from(read_i32(records, at + 23)?) + 1);
        at = end;
    }
    next.ok_or_else(|| "an answer without a whole batch".into())
}

fn read_i32(bytes: &[u8], at: usize) -> Outcome<i32> {
    Ok(i32::from_be_bytes(bytes.get(at..at + 4).ok_or("a short answer")?.try_into()?))
}
