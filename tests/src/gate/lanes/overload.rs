//! More than the broker can take, of three kinds: 500 producers whose requests are together twice the byte budget, 100
//! clients that fetch 50 MiB at a time, and both at once beside 2,000 readers that take 1 KiB/s of large answers.
//!
//! What is shown: anonymous memory stays below the budget and the overhead that is stated here; whoever behaves (one record
//! a request, produced and fetched at a rate) is served within seconds, or within three times what it takes beside a load
//! that fills the processors and is no overload; slow readers are cut; every other client gets all its answers, and
//! afterwards all is as before.
//!
//! Times are the 99th percentile of `barnabas bench e2e`, whose records are synced. A busy machine, or a busy disk, gives times
//! of its own, so they are compared with those of the same run: alone, and beside four ordinary producers that leave neither
//! a processor nor the disk idle. Loads stand for other machines: they run when the broker and the client that is measured
//! leave a processor to them.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::proc::Proc;
use barnabas_tests::harness::process::Process;
use barnabas_tests::harness::reader::{fetch, gulp, sip};
use barnabas_tests::harness::wait::{self, Stopwatch};
use serde_json::Value;

use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// Memory for requests and unsent answers, as the broker is told.
const BUDGET: u64 = 64 << 20;
/// Beside the budget: for each connection, ...
const PER_CONNECTION: u64 = 24 << 10;
/// ... the journal's queue and its round, and ...
const JOURNAL: u64 = 20 << 20;
/// ... what the broker has before the load, which is measured, and as much as this beside it.
const REST: u64 = 32 << 20;
const SLOW_READERS: usize = 2000;
const PRODUCERS: usize = 500;
const LARGE_FETCHES: usize = 100;
/// What one of the large fetches asks for.
const FETCH_BYTES: i32 = 50 << 20;
/// What there is to fetch, in partitions that hold more than one fetch takes.
const MEGABYTES: u64 = 512;
const PARTITIONS: i32 = 8;
/// How long each load lasts, unless `OVERLOAD_SECONDS` says otherwise.
const SECONDS: u64 = 6;
/// A good client's times may grow to this many times.
const SLOWER_MAX: f64 = 3.0;
/// Times below this pass whatever the others are, in milliseconds.
const PASSES: f64 = 50.0;
/// So many slow readers are cut ...
const CUT_LEAST: usize = SLOW_READERS / 10;
/// ... within this time of their request. Who holds memory that others wait for is cut after a second, a few at a time when
/// the kernel has reclaimed what they read; those that wait hold nothing.
const CUT: Duration = Duration::from_secs(60);
/// Longest wait for loads to begin and to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// Every load alone, then all of them.
pub(crate) fn overload(room: &Room<'_>) -> Result<String, Outcome> {
    let budget = BUDGET.to_string();
    let mut broker = room.broker("broker", &[("queued.max.request.bytes", budget.as_str())])?;
    let outcome = fill(room, &mut broker).and_then(|()| loads(room, &broker));
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

/// The topic that is fetched from. A stop leaves nothing to be synced.
fn fill(room: &Room<'_>, broker: &mut Broker) -> Result<(), Outcome> {
    let mut fill = client(room, broker, &["produce", "--topic", "load", "--batch-size", "524288"]);
    fill.args(["--partitions", &PARTITIONS.to_string(), "--megabytes", &MEGABYTES.to_string()]);
    room.step("fill", fill)?;
    broker.stop()?;
    broker.restart()?;
    Ok(())
}

fn client(room: &Room<'_>, broker: &Broker, arguments: &[&str]) -> Command {
    let mut command = Command::new(room.program());
    command.arg("bench").args(arguments).args(["--bootstrap-server", &broker.bootstrap(), "-o", "json"]);
    command
}

/// One broker under one load after the other.
struct Bench<'a> {
    room: &'a Room<'a>,
    broker: &'a Broker,
    process: Proc,
    seconds: u64,
    /// The largest anonymous memory that was seen.
    peak: &'a AtomicU64,
    /// Stops what runs beside.
    stop: &'a AtomicBool,
}

#[derive(Clone, Copy, Default)]
struct Load {
    ordinary: bool,
    producers: bool,
    fetches: bool,
    readers: bool,
}

fn loads(room: &Room<'_>, broker: &Broker) -> Result<String, Outcome> {
    let id = broker.process().map(Process::id).ok_or_else(|| Outcome::Failed("the broker is gone".to_owned()))?;
    let seconds = std::env::var("OVERLOAD_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS);
    let (peak, stop, over) = (AtomicU64::new(0), AtomicBool::new(false), AtomicBool::new(false));
    let bench = Bench { room, broker, process: Proc(id), seconds, peak: &peak, stop: &stop };
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                peak.fetch_max(bench.process.anonymous_bytes().unwrap_or(0), Ordering::Relaxed);
                wait::moment(Duration::from_millis(20));
            }
        });
        let outcome = bench.run();
        stop.store(true, Ordering::Relaxed);
        over.store(true, Ordering::Relaxed);
        outcome
    })
}

impl Bench<'_> {
    fn run(&self) -> Result<String, Outcome> {
        let connections = SLOW_READERS + PRODUCERS + LARGE_FETCHES;
        let before = self.process.anonymous_bytes()?;
        let bound = BUDGET + connections as u64 * PER_CONNECTION + JOURNAL + REST + before;
        let none = Load::default();
        let quiet = self.times("quiet", none)?;
        let busy = self.times("ordinary", Load { ordinary: true, ..none })?;
        let mut facts = vec![format!("p99 alone {quiet:.1} ms, beside ordinary clients {busy:.1} ms")];
        let most = (busy.max(quiet) * SLOWER_MAX).max(PASSES);
        let all = Load { ordinary: false, producers: true, fetches: true, readers: true };
        let overloads = [
            ("producers", Load { producers: true, ..none }),
            ("fetches", Load { fetches: true, ..none }),
            ("all", all),
        ];
        let mut slow = Vec::new();
        for (name, load) in overloads {
            let p99 = self.times(name, load)?;
            facts.push(format!("{name} {p99:.1} ms"));
            if p99 > most {
                slow.push(name);
            }
        }
        let after = self.times("after", none)?;
        facts.push(format!("after {after:.1} ms"));
        let mib = |bytes: u64| bytes >> 20;
        let peak = self.peak.load(Ordering::Relaxed);
        facts.push(format!("anonymous memory {} MiB before, {} at most of {}", mib(before), mib(peak), mib(bound)));
        let facts = facts.join(", ");
        if peak > bound {
            return failed(format!("the broker took more memory than it may: {facts}"));
        }
        if !slow.is_empty() || after > most {
            return failed(format!(
                "a client that behaves waited too long beside {slow:?}, more than {most:.1} ms: {facts}"
            ));
        }
        Ok(facts)
    }

    /// The 99th percentile of a good client's times beside a load, in milliseconds. The load ends well, and leaves nothing.
    fn times(&self, name: &str, load: Load) -> Result<f64, Outcome> {
        let idle = self.process.sockets()?;
        self.stop.store(false, Ordering::Relaxed);
        let taken = AtomicU64::new(0);
        let p99 = thread::scope(|scope| {
            let outcome = self.beside(name, load, scope, &taken);
            self.stop.store(true, Ordering::Relaxed);
            outcome
        })?;
        wait::until("the load's connections to end", PATIENCE, || {
            self.process.sockets().is_ok_and(|open| open <= idle).then_some(())
        })?;
        if load.fetches && taken.load(Ordering::Relaxed) < u64::from(FETCH_BYTES.unsigned_abs()) {
            return failed(format!("{name}: the large fetches got {} bytes", taken.load(Ordering::Relaxed)));
        }
        Ok(p99)
    }

    fn beside<'s, 'e: 's>(
        &'e self,
        name: &str,
        load: Load,
        scope: &'s thread::Scope<'s, 'e>,
        taken: &'e AtomicU64,
    ) -> Result<f64, Outcome> {
        let mut idle = self.process.sockets()?;
        let stopwatch = Stopwatch::start();
        let mut expected = self.fetchers(load, scope, taken);
        let mut processes = Vec::new();
        for (kind, command, connections) in self.producers(load) {
            let kind = format!("{name}-{kind}");
            processes.push((self.room.start(&kind, command)?, kind));
            expected += connections;
        }
        wait::until("the load's connections", PATIENCE, || {
            let open = self.process.sockets().ok()?;
            // The connections of who came before may have been about to close.
            idle = idle.min(open);
            (open >= idle + expected).then_some(())
        })?;
        let p99 = self.probe(name)?;
        if load.readers {
            let kept = if load.fetches { LARGE_FETCHES } else { 0 } + SLOW_READERS - CUT_LEAST;
            wait::until("slow readers to be cut", CUT.saturating_sub(stopwatch.elapsed()), || {
                self.process.sockets().is_ok_and(|open| open <= idle + kept).then_some(())
            })?;
        }
        for (mut process, kind) in processes {
            self.room.finish(&kind, &mut process)?;
        }
        Ok(p99)
    }

    /// Starts the readers and the large fetches of a load: how many connections they have.
    fn fetchers<'s, 'e: 's>(&'e self, load: Load, scope: &'s thread::Scope<'s, 'e>, taken: &'e AtomicU64) -> usize {
        let (bootstrap, mut connections) = (self.broker.bootstrap(), 0);
        if load.readers {
            let (request, bootstrap) = (fetch("load", 0..PARTITIONS, 8 << 20), bootstrap.clone());
            scope.spawn(move || sip(&bootstrap, &request, SLOW_READERS, self.stop));
            connections += SLOW_READERS;
        }
        if load.fetches {
            for _ in 0..LARGE_FETCHES {
                let (request, bootstrap) = (fetch("load", 0..PARTITIONS, FETCH_BYTES), bootstrap.clone());
                scope.spawn(move || gulp(&bootstrap, &request, self.stop, taken));
            }
            connections += LARGE_FETCHES;
        }
        connections
    }

    /// The producers of a load, with the number of their connections.
    fn producers(&self, load: Load) -> Vec<(&'static str, Command, usize)> {
        let mut started = Vec::new();
        let seconds = (self.seconds + 1).to_string();
        let mut produce = |kind, connections: usize, in_flight: usize, batch_bytes: u64| {
            let mut command = self.load(&["produce", "--topic", "written", "--seconds", &seconds]);
            command.args(["--connections", &connections.to_string(), "--in-flight", &in_flight.to_string()]);
            command.args(["--batch-size", &batch_bytes.to_string()]);
            started.push((kind, command, connections));
        };
        let batch_bytes = 2 * BUDGET / PRODUCERS as u64;
        if load.ordinary {
            produce("clients", 4, 4, batch_bytes);
        }
        if load.producers {
            produce("producers", PRODUCERS, 1, batch_bytes);
        }
        started
    }

    /// A load client.
    fn load(&self, arguments: &[&str]) -> Command {
        let client = client(self.room, self.broker, arguments);
        let mut command = Command::new("chrt");
        command.args(["--idle", "0"]).arg(client.get_program()).args(client.get_args());
        command
    }

    fn probe(&self, name: &str) -> Result<f64, Outcome> {
        let name = format!("{name}-probe");
        let seconds = self.seconds.to_string();
        let rate = ["--rate", "100", "--batch-size", "200", "--seconds", &seconds];
        let probe = client(self.room, self.broker, &[&["e2e", "--topic", "good"][..], &rate].concat());
        self.room.step(&name, probe)?;
        let found: Value = serde_json::from_str(&fs::read_to_string(self.room.output(&name))?)?;
        found["p99_ms"].as_f64().ok_or_else(|| Outcome::Failed(format!("{name} gave no p99_ms")))
    }
}
