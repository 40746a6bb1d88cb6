//! What is measured on each broker, one after the other.

use std::time::Duration;

use barnabas_broker::bench::{BenchError, Bootstrap, Done, Limit, connections, consume, e2e, produce, topic};

use crate::load::{CHOSEN, Load, matrix, warm_up};
use crate::running::Running;
use crate::table::Better::{Less, More};
use crate::table::Figures;
use crate::{Outcome, cache, say};

/// A broker that nobody has asked for anything for so long is idle.
const IDLE_AFTER: Duration = Duration::from_secs(2);
/// Connections that are left idle.
const IDLE_CONNECTIONS: usize = 2000;
/// How long each load that sends small requests takes.
const SMALL_TIME: Duration = Duration::from_secs(2);
/// How long what is cached is fetched again and again.
const FETCH_TIME: Duration = Duration::from_secs(1);
/// How long the load at a fixed rate takes.
const LATENCY_TIME: Duration = Duration::from_secs(5);

/// One thing that is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// Exec to the first answer, and memory before any load.
    Start,
    /// Connections that do nothing.
    Idle,
    /// Single records, with so many connections.
    OneRecord(usize),
    /// A fixed rate, end to end.
    Latency,
    /// As fast as it goes.
    Produce(Load),
    /// What a load of produce wrote, from the disk.
    FetchCold(Load),
    /// What a load of produce wrote, from memory.
    FetchHot(Load),
    /// Memory after all of it.
    Memory,
}

impl Workload {
    /// Everything, in the order of the table.
    pub(crate) fn all(with_matrix: bool) -> Vec<Self> {
        let mut all = vec![Self::Start, Self::Idle];
        all.extend(if with_matrix { matrix() } else { CHOSEN.to_vec() }.into_iter().map(Self::Produce));
        let [small, _, _, _, _, large, ..] = CHOSEN;
        all.extend([Self::FetchCold(small.clone()), Self::FetchHot(small), Self::FetchCold(large.clone())]);
        all.extend([Self::FetchHot(large), Self::OneRecord(1), Self::OneRecord(16), Self::Latency, Self::Memory]);
        all
    }

    /// Its word for `--only`.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Start => "start".to_owned(),
            Self::Idle => "idle".to_owned(),
            Self::OneRecord(connections) => format!("one-record-{connections}"),
            Self::Latency => "latency".to_owned(),
            Self::Produce(load) => load.word(),
            Self::FetchCold(load) => format!("fetch-cold-{}k", load.batch_kib),
            Self::FetchHot(load) => format!("fetch-hot-{}k", load.batch_kib),
            Self::Memory => "memory".to_owned(),
        }
    }

    /// Measures it.
    pub(crate) fn run(&self, running: &Running, megabytes: u64, figures: &mut Figures) -> Outcome<()> {
        cache::write_back(&running.data())?;
        match self {
            Self::Start => start(running, figures),
            Self::Idle => idle(running, figures),
            Self::OneRecord(connections) => one_record(running, *connections, figures),
            Self::Latency => latency(running, figures),
            Self::Produce(load) => write(running, load, megabytes, figures),
            Self::FetchCold(load) => fetch(running, load, megabytes, true, figures),
            Self::FetchHot(load) => fetch(running, load, megabytes, false, figures),
            Self::Memory => memory(running, figures),
        }
    }
}

fn start(running: &Running, figures: &mut Figures) -> Outcome<()> {
    figures.note("exec to the first answered Metadata, ms", Less, running.ready.as_secs_f64() * 1e3);
    std::thread::sleep(IDLE_AFTER);
    let usage = running.usage()?;
    figures.note("idle memory, MiB", Less, usage.resident_mib);
    figures.note("- of it anonymous, MiB", Less, usage.anonymous_mib);
    Ok(())
}

fn idle(running: &Running, figures: &mut Figures) -> Outcome<()> {
    let before = running.usage()?.resident_mib;
    let open = connections::open(&running.bootstrap, IDLE_CONNECTIONS)?;
    let after = running.usage()?.resident_mib;
    drop(open);
    figures.note("an idle connection, bytes", Less, (after - before) * 1_048_576.0 / IDLE_CONNECTIONS as f64);
    Ok(())
}

fn write(running: &Running, load: &Load, megabytes: u64, figures: &mut Figures) -> Outcome<()> {
    let options = load.options(&running.bootstrap, megabytes);
    produce::run(&warm_up(&options))?;
    let (done, cpu) = with_cpu(running, || produce::run(&options))?;
    figures.note(load.name(), More, done.megabytes_per_second());
    note_cpu_per_gb(&done, cpu, figures);
    Ok(())
}

fn fetch(running: &Running, load: &Load, megabytes: u64, cold: bool, figures: &mut Figures) -> Outcome<()> {
    if topic::led(&running.bootstrap, &load.topic(), None).is_err() {
        produce::run(&load.options(&running.bootstrap, megabytes))?; // its own workload was left out
    }
    let options = fetch_options(&running.bootstrap, load);
    let mut measurable = true;
    if cold {
        measurable = cache::drop_pages(&running.data())?;
    } else {
        consume::run(&options)?;
    }
    let least = if cold { Duration::ZERO } else { FETCH_TIME };
    let (mut done, mut cpu) = with_cpu(running, || again_and_again(least, || consume::run(&options)))?;
    let mut name = format!("fetch of {} KiB batches, 1 MiB an answer, 4 connections, MB/s", load.batch_kib);
    if cold {
        name = format!("cold {name}");
    }
    if !measurable {
        say("the page cache could not be dropped: the cold fetch is left out");
        (done.bytes, cpu) = (0, f64::NAN);
    }
    figures.note(name, More, if measurable { done.megabytes_per_second() } else { f64::NAN });
    note_cpu_per_gb(&done, cpu, figures);
    Ok(())
}

/// Repeats a run until all of them took `least`, and adds them up.
pub(crate) fn again_and_again(least: Duration, run: impl Fn() -> Result<Done, BenchError>) -> Result<Done, BenchError> {
    let mut all = run()?;
    while all.elapsed < least {
        let more = run()?;
        all.requests += more.requests;
        all.records += more.records;
        all.bytes += more.bytes;
        all.elapsed += more.elapsed;
        all.waits.add(&more.waits);
    }
    Ok(all)
}

/// How the load client reads what a load wrote.
pub(crate) fn fetch_options(bootstrap: &Bootstrap, load: &Load) -> consume::Options {
    consume::Options {
        bootstrap: bootstrap.clone(),
        topics: vec![load.topic()],
        partitions: None,
        connections: 4,
        partition_bytes: 1 << 20,
        fetch_bytes: 50 << 20,
        partitions_per_fetch: 1,
        limit: Limit::default(),
    }
}

/// Loads of single records, as fast as it goes or at a rate.
pub(crate) fn small(running: &Running, topic: &str, connections: usize) -> produce::Options {
    produce::Options {
        bootstrap: running.bootstrap.clone(),
        topics: vec![topic.to_owned()],
        partitions: Some(1),
        replication_factor: 1,
        connections,
        in_flight: 1,
        record_bytes: 100,
        batch_bytes: 1,
        acks: -1,
        limit: Limit { time: Some(SMALL_TIME), ..Limit::default() },
        records_per_second: None,
    }
}

fn one_record(running: &Running, connections: usize, figures: &mut Figures) -> Outcome<()> {
    let options = small(running, &format!("one-record-{connections}"), connections);
    produce::run(&produce::Options {
        limit: Limit { time: Some(SMALL_TIME / 4), ..Limit::default() },
        ..options.clone()
    })?;
    let (done, cpu) = with_cpu(running, || produce::run(&options))?;
    let by = if connections == 1 { String::new() } else { format!(", {connections} connections") };
    figures.note(
        format!("one 100 B record a request, one in flight{by}, requests/s"),
        More,
        done.requests_per_second(),
    );
    figures.note("- broker CPU µs per request", Less, cpu * 1e6 / done.requests as f64);
    Ok(())
}

fn latency(running: &Running, figures: &mut Figures) -> Outcome<()> {
    let options = produce::Options {
        batch_bytes: 640,
        in_flight: 1000,
        records_per_second: Some(5000.0),
        limit: Limit { time: Some(LATENCY_TIME), ..Limit::default() },
        ..small(running, "latency", 1)
    };
    let warm_up = Limit { time: Some(LATENCY_TIME / 10), ..Limit::default() };
    e2e::run(&produce::Options { limit: warm_up, ..options.clone() })?;
    let (done, cpu) = with_cpu(running, || e2e::run(&options))?;
    for (part, word) in [(0.5, "p50"), (0.99, "p99"), (0.999, "p99.9")] {
        let wait = done.waits.percentile(part).as_secs_f64() * 1e3;
        figures.note(format!("5,000 records/s end to end, {word} ms"), Less, wait);
    }
    figures.note("- broker CPU, % of a core", Less, cpu * 100.0 / done.elapsed.as_secs_f64());
    Ok(())
}

fn memory(running: &Running, figures: &mut Figures) -> Outcome<()> {
    let usage = running.usage()?;
    figures.note("memory after load, MiB", Less, usage.resident_mib);
    figures.note("- of it anonymous, MiB", Less, usage.anonymous_mib);
    Ok(())
}

/// Runs a load and gives the CPU seconds that the broker took meanwhile.
pub(crate) fn with_cpu(running: &Running, load: impl FnOnce() -> Result<Done, BenchError>) -> Outcome<(Done, f64)> {
    let before = running.usage()?.cpu_seconds;
    let done = load()?;
    Ok((done, running.usage()?.cpu_seconds - before))
}

fn note_cpu_per_gb(done: &Done, cpu: f64, figures: &mut Figures) {
    figures.note("- broker CPU s per GB", Less, cpu / (done.bytes as f64 / 1e9));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_can_be_chosen_alone() {
        for with_matrix in [false, true] {
            let mut words: Vec<_> = Workload::all(with_matrix).iter().map(Workload::word).collect();
            let count = words.len();
            words.sort_unstable();
            words.dedup();
            assert_eq!(words.len(), count, "{words:?}");
        }
    }
}
