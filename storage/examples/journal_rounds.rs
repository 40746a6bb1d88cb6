//! How fast a log directory makes batches durable on this machine's disk: threads append to their logs and count a
//! batch when it is synced.
//!
//!     cargo run --release -p barnabas-storage --example journal_rounds -- <directory> [key=value ...]
//!
//! Keys: `batch` bytes (16384), `logs` (16), `threads` (4), `in_flight` batches a thread (5), `seconds` (5),
//! `journal_batch_max` bytes (262144): larger batches skip the journal and sync their file.

#![allow(clippy::disallowed_types, reason = "a measurement is no part of the simulated node")]

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use barnabas_storage::batch::BatchBuilder;
use barnabas_storage::log_dir::{Belongs, LogDirOptions, MetaProperties};
use barnabas_storage::seam::{Clock, Seams};
use barnabas_storage::{
    AppendOrigin, LeaderEpoch, Log, LogDir, LogObserver, LogOptions, Offset, PartitionIndex, Timestamp, TopicId,
};
use bytes::Bytes;

/// The settings of a run.
struct Settings {
    batch: usize,
    logs: usize,
    threads: usize,
    in_flight: usize,
    seconds: u64,
    journal_batch_max: usize,
}

/// Wakes the thread that owns the logs.
#[derive(Default)]
struct Signal {
    synced: Mutex<u64>,
    moved: Condvar,
}

impl LogObserver for Signal {
    fn synced(&self, _synced: Offset) {
        *self.synced.lock().expect("no thread panics") += 1;
        self.moved.notify_all();
    }

    fn offline(&self) {
        panic!("the log directory went offline");
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().expect("usage: journal_rounds <directory> [key=value ...]");
    let pairs: Vec<(String, usize)> = arguments
        .map(|pair| {
            let (key, value) = pair.split_once('=').expect("key=value");
            (key.to_owned(), value.parse().expect("a number"))
        })
        .collect();
    let of = |key: &str, default| pairs.iter().find(|(name, _)| name == key).map_or(default, |(_, value)| *value);
    let settings = Settings {
        batch: of("batch", 16 << 10),
        logs: of("logs", 16),
        threads: of("threads", 4),
        in_flight: of("in_flight", 5),
        seconds: of("seconds", 5) as u64,
        journal_batch_max: of("journal_batch_max", 256 << 10),
    };
    run(Path::new(&directory), &settings);
}

fn run(path: &Path, settings: &Settings) {
    let seams = Seams::system();
    if LogDir::read_meta(&seams, path).expect("meta.properties is readable").is_none() {
        let meta =
            MetaProperties { cluster_id: "bench".to_owned(), node_id: 1, directory_id: TopicId(seams.rng.uuid()) };
        LogDir::format(&seams, path, &meta).expect("the directory can be formatted");
    }
    let options = LogDirOptions { journal_batch_bytes_max: settings.journal_batch_max, ..LogDirOptions::default() };
    let started = seams.clock.monotonic();
    let belongs = |_: &str, _, _| Belongs::Here(LogOptions::default());
    let (dir, report) = LogDir::open(seams.clone(), path, options, &belongs).expect("the directory opens");
    println!("opened in {:?}, {report:?}", seams.clock.monotonic() - started);
    let logs: Vec<Arc<Log>> = (0..settings.logs)
        .map(|index| {
            let partition = PartitionIndex(i32::try_from(index).expect("few logs"));
            dir.create_log("bench", TopicId(seams.rng.uuid()), partition, LogOptions::default()).expect("a log is made")
        })
        .collect();
    let batch = batch_of(settings.batch);
    let mut threads = Vec::new();
    let latencies = Arc::new(Mutex::new(Vec::new()));
    let begun = seams.clock.monotonic();
    for chunk in logs.chunks(settings.logs.div_ceil(settings.threads)) {
        let (logs, clock, batch, latencies) = (chunk.to_vec(), seams.clock.clone(), batch.clone(), latencies.clone());
        let (in_flight, until) = (settings.in_flight, begun + Duration::from_secs(settings.seconds));
        let work = move || {
            let measured = append_until(&logs, &*clock, &batch, in_flight, until);
            latencies.lock().expect("no thread panics").extend(measured);
        };
        threads.push(seams.spawn.thread("appender", Box::new(work)).expect("a thread"));
    }
    for thread in threads {
        thread.join().expect("no thread panics");
    }
    print_result(&mut latencies.lock().expect("no thread panics"), batch.len(), seams.clock.monotonic() - begun);
    let closing = seams.clock.monotonic();
    dir.close().expect("a clean stop");
    println!("closed in {:?}", seams.clock.monotonic() - closing);
}

fn batch_of(bytes: usize) -> Bytes {
    let mut builder = BatchBuilder::new();
    let value = vec![b'x'; 1000];
    while builder.size() + 1024 <= bytes || builder.is_empty() {
        builder = builder.record(Timestamp(1), None, Some(&value));
    }
    builder.build()
}

fn append_until(
    logs: &[Arc<Log>],
    clock: &dyn Clock,
    batch: &Bytes,
    in_flight: usize,
    until: Duration,
) -> Vec<Duration> {
    let signal = Arc::new(Signal::default());
    for log in logs {
        log.observe(signal.clone());
    }
    let mut waiting: VecDeque<(usize, Offset, Duration)> = VecDeque::new();
    let (mut latencies, mut turn) = (Vec::new(), 0);
    while clock.monotonic() < until {
        while waiting.len() < in_flight {
            let log = turn % logs.len();
            turn += 1;
            let at = clock.monotonic();
            let appended = logs[log]
                .append_as_leader(batch, LeaderEpoch(0), AppendOrigin::Client { zstd_allowed: true })
                .expect("an append");
            waiting.push_back((log, appended.last_offset, at));
        }
        let seen = *signal.synced.lock().expect("no thread panics");
        let before = latencies.len();
        waiting.retain(|(log, last, at)| {
            let synced = logs[*log].synced_offset() > *last;
            if synced {
                latencies.push(clock.monotonic() - *at);
            }
            !synced
        });
        if latencies.len() == before {
            let guard = signal.synced.lock().expect("no thread panics");
            let changed = signal.moved.wait_while(guard, |now| *now == seen);
            drop(changed.expect("no thread panics"));
        }
    }
    latencies
}

fn print_result(latencies: &mut [Duration], batch: usize, elapsed: Duration) {
    latencies.sort_unstable();
    let at = |per_mille: usize| latencies.get(latencies.len() * per_mille / 1000).copied().unwrap_or_default();
    let megabytes = (latencies.len() * batch) as f64 / 1e6;
    println!(
        "{:.0} MB/s synced, {} batches of {batch} bytes; p50 {:?}, p99 {:?}, p99.9 {:?}",
        megabytes / elapsed.as_secs_f64(),
        latencies.len(),
        at(500),
        at(990),
        at(999)
    );
}
