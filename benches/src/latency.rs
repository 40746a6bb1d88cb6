//! End to end at a fixed rate: from the moment a record should be sent until a long-polling consumer has it.

use std::collections::VecDeque;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use crate::connection::Connection;
use crate::produce::{self, percentile};
use crate::{Outcome, batch, fetch};

#[derive(Args, Clone)]
pub(crate) struct Options {
    /// host:port of the broker.
    #[arg(long, default_value = "127.0.0.1:9092")]
    pub(crate) bootstrap: String,
    /// Topic to use; must be empty or new.
    #[arg(long, default_value = "bench-latency")]
    pub(crate) topic: String,
    /// Requests per second, of five records of 100 bytes each.
    #[arg(long, default_value_t = 1000)]
    pub(crate) requests_per_second: u32,
    /// Seconds to run.
    #[arg(long, default_value_t = 10)]
    pub(crate) seconds: u32,
}

/// Times from planned send to receipt, sorted.
pub(crate) struct Done {
    waits: Vec<Duration>,
}

impl Done {
    pub(crate) fn percentile(&self, part: f64) -> Duration {
        percentile(&self.waits, part)
    }
}

/// Runs the load.
pub(crate) fn run(options: &Options) -> Outcome<Done> {
    let requests = options.requests_per_second * options.seconds;
    let (planned, times) = mpsc::channel();
    let consumer = {
        let options = options.clone();
        thread::Builder::new().spawn(move || consume(&options, &times, requests))?
    };
    send_on_time(options, &planned, requests)?;
    let mut waits = consumer.join().map_err(|_| "the consumer died")??;
    waits.sort_unstable();
    Ok(Done { waits })
}

fn send_on_time(options: &Options, planned: &mpsc::Sender<Instant>, requests: u32) -> Outcome<()> {
    let load = produce::Options {
        bootstrap: options.bootstrap.clone(),
        topic: options.topic.clone(),
        partitions: 1,
        connections: 1,
        in_flight: 1,
        record_bytes: 100,
        batch_bytes: 61 + 5 * 108,
        acks: -1,
        megabytes: 0,
    };
    let frame = produce::produce_frame(&load, 0, &batch::build(load.record_bytes, load.batch_bytes));
    let mut connection = Connection::open(&options.bootstrap)?;
    // Answers are read apart: a slow one must not keep the next request from leaving on time.
    let mut answers = connection.reader()?;
    let topic_bytes = options.topic.len();
    let acknowledged = thread::Builder::new().spawn(move || -> Outcome<()> {
        (0..requests).try_for_each(|_| produce::check(answers.receive()?, topic_bytes))
    })?;
    let start = Instant::now();
    for request in 0..requests {
        let due = start + Duration::from_secs(1) * request / options.requests_per_second;
        if let Some(early) = due.checked_duration_since(Instant::now()) {
            thread::sleep(early);
        }
        planned.send(due)?;
        connection.send(&frame)?;
    }
    acknowledged.join().map_err(|_| "the thread that reads answers died")?
}

fn consume(options: &Options, times: &mpsc::Receiver<Instant>, requests: u32) -> Outcome<Vec<Duration>> {
    let mut connection = Connection::open(&options.bootstrap)?;
    let (mut offset, mut waits) = (0, Vec::new());
    let mut due: VecDeque<Instant> = VecDeque::new();
    let mut seen = 0;
    while waits.len() < usize::try_from(requests)? {
        connection.send(&fetch::fetch_frame(&options.topic, 0, offset, 1_048_576, 500))?;
        let records = fetch::records_of(connection.receive()?, options.topic.len())?;
        let now = Instant::now();
        if records.is_empty() {
            continue;
        }
        offset = fetch::next_offset(records)?;
        due.extend(times.try_iter());
        // Every request carries five records: what has arrived is told by the offset alone.
        while seen < offset / 5 {
            seen += 1;
            waits.push(now - due.pop_front().ok_or("more arrived than was sent")?);
        }
    }
    Ok(waits)
}
