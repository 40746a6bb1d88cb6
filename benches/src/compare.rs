//! The side-by-side run: every workload on every broker in turn, several rounds, medians, and ratios to Apache Kafka.

use std::path::PathBuf;

use clap::Args;

use crate::peer::{Peer, Programs, Running};
use crate::{Outcome, fetch, idle, latency, peer, process, produce, report, topic};

#[derive(Args)]
pub(crate) struct Options {
    /// Directory with the jars of Apache Kafka 4.3.1 (`cargo gate` puts them there).
    #[arg(long, default_value = ".gate/java-4/jars")]
    kafka_jars: PathBuf,
    /// The release build of Barnabas.
    #[arg(long, default_value = "target/release/barnabas")]
    barnabas: PathBuf,
    /// Where the brokers keep their data: use the disk that you want to measure.
    #[arg(long, default_value = "target")]
    scratch: PathBuf,
    /// Rounds; the table shows medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Megabytes that each produce workload writes.
    #[arg(long, default_value_t = 1000)]
    megabytes: usize,
}

/// One row of the table.
struct Row {
    name: &'static str,
    /// Whether a larger figure is better.
    more_is_better: bool,
    /// Figures by peer, one for each round.
    figures: [Vec<f64>; Peer::ALL.len()],
}

/// A workload of produce.
struct Load {
    names: [&'static str; 2],
    record_bytes: usize,
    batch_bytes: usize,
    partitions: i32,
    connections: usize,
}

const LOADS: [Load; 3] = [
    Load {
        names: ["produce 1 KiB, 16 KiB batches, 16 partitions, 4 connections, MB/s", "- broker CPU s per GB"],
        record_bytes: 1024,
        batch_bytes: 16_384,
        partitions: 16,
        connections: 4,
    },
    Load {
        names: ["produce 100 B, 16 KiB batches, 1 partition, 1 connection, MB/s", "- broker CPU s per GB "],
        record_bytes: 100,
        batch_bytes: 16_384,
        partitions: 1,
        connections: 1,
    },
    Load {
        names: ["produce 1 KiB, 512 KiB batches, 16 partitions, 4 connections, MB/s", "- broker CPU s per GB  "],
        record_bytes: 1024,
        batch_bytes: 524_288,
        partitions: 16,
        connections: 4,
    },
];

/// Runs it and prints the table.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let programs = Programs {
        kafka_jars: options.kafka_jars.clone(),
        barnabas: options.barnabas.clone(),
        scratch: std::path::absolute(&options.scratch)?,
    };
    let mut rows = Vec::new();
    for round in 0..options.rounds {
        for (column, peer) in Peer::ALL.into_iter().enumerate() {
            report(&format!("round {} of {}: {}", round + 1, options.rounds, peer.name()));
            let running = peer::start(peer, &programs)?;
            measure(&running, options.megabytes, &mut |name, more_is_better, figure| {
                note(&mut rows, column, name, more_is_better, figure);
            })?;
        }
    }
    print_table(&rows);
    Ok(())
}

fn measure(running: &Running, megabytes: usize, note: &mut dyn FnMut(&'static str, bool, f64)) -> Outcome<()> {
    note("exec to the first answered Metadata, ms", false, running.ready.as_secs_f64() * 1e3);
    note("idle memory, MiB", false, process::resident_mib(&running.child)?);
    note("an idle connection, bytes", false, idle::bytes_per_connection(&running.bootstrap, &running.child)?);
    for load in &LOADS {
        produce_one(running, load, megabytes, note)?;
    }
    fetch_back(running, note)?;
    one_record_a_request(running, note)?;
    let waits = latency::run(&latency_options(running)?)?;
    note("5,000 records/s end to end, p50 ms", false, waits.percentile(0.5).as_secs_f64() * 1e3);
    note("5,000 records/s end to end, p99 ms", false, waits.percentile(0.99).as_secs_f64() * 1e3);
    note("memory after load, MiB", false, process::resident_mib(&running.child)?);
    Ok(())
}

fn produce_one(
    running: &Running,
    load: &Load,
    megabytes: usize,
    note: &mut dyn FnMut(&'static str, bool, f64),
) -> Outcome<()> {
    let options = produce_options(running, load, megabytes);
    topic::create(&options.bootstrap, &options.topic, options.partitions, &[])?;
    let warm_up = produce::Options { megabytes: (megabytes / 10).max(1), ..options.clone() };
    produce::run(&warm_up)?;
    let before = process::cpu_seconds(&running.child)?;
    let done = produce::run(&options)?;
    let cpu = process::cpu_seconds(&running.child)? - before;
    note(load.names[0], true, done.megabytes_per_second());
    note(load.names[1], false, cpu / (done.bytes as f64 / 1e9));
    Ok(())
}

fn fetch_back(running: &Running, note: &mut dyn FnMut(&'static str, bool, f64)) -> Outcome<()> {
    let options = fetch::Options {
        bootstrap: running.bootstrap.clone(),
        topic: topic_of(&LOADS[0]),
        partitions: LOADS[0].partitions,
        connections: 4,
        partition_bytes: 1_048_576,
    };
    fetch::run(&options)?;
    let before = process::cpu_seconds(&running.child)?;
    let done = fetch::run(&options)?;
    let cpu = process::cpu_seconds(&running.child)? - before;
    note("fetch of it, 1 MiB an answer, 4 connections, MB/s", true, done.megabytes_per_second());
    note("- broker CPU s per GB   ", false, cpu / (done.bytes as f64 / 1e9));
    Ok(())
}

fn one_record_a_request(running: &Running, note: &mut dyn FnMut(&'static str, bool, f64)) -> Outcome<()> {
    let load = Load { names: ["", ""], record_bytes: 100, batch_bytes: 150, partitions: 1, connections: 1 };
    let options = produce::Options { in_flight: 1, ..produce_options(running, &load, 2) };
    topic::create(&options.bootstrap, &options.topic, 1, &[])?;
    note("one 100 B record a request, one in flight, requests/s", true, produce::run(&options)?.requests_per_second());
    Ok(())
}

fn latency_options(running: &Running) -> Outcome<latency::Options> {
    let topic = "latency".to_owned();
    topic::create(&running.bootstrap, &topic, 1, &[])?;
    Ok(latency::Options { bootstrap: running.bootstrap.clone(), topic, requests_per_second: 1000, seconds: 10 })
}

fn topic_of(load: &Load) -> String {
    format!("load-{}-{}-{}", load.record_bytes, load.batch_bytes, load.partitions)
}

fn produce_options(running: &Running, load: &Load, megabytes: usize) -> produce::Options {
    produce::Options {
        bootstrap: running.bootstrap.clone(),
        topic: topic_of(load),
        partitions: load.partitions,
        connections: load.connections,
        in_flight: 5,
        record_bytes: load.record_bytes,
        batch_bytes: load.batch_bytes,
        acks: -1,
        megabytes,
    }
}

fn note(rows: &mut Vec<Row>, column: usize, name: &'static str, more_is_better: bool, figure: f64) {
    let at = rows.iter().position(|row: &Row| row.name == name).unwrap_or_else(|| {
        rows.push(Row { name, more_is_better, figures: Default::default() });
        rows.len() - 1
    });
    if let Some(figures) = rows.get_mut(at).and_then(|row| row.figures.get_mut(column)) {
        figures.push(figure);
    }
}

fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A Markdown table: medians, and in brackets how many times better than Apache Kafka.
fn print_table(rows: &[Row]) {
    let heads: Vec<_> = Peer::ALL.iter().map(|peer| peer.name()).collect();
    report(&format!("\n| work | {} |\n|---|---|---|---|", heads.join(" | ")));
    for row in rows {
        let kafka = median(&row.figures[0]);
        let cells: Vec<_> = row
            .figures
            .iter()
            .map(|figures| {
                let own = median(figures);
                let ratio = if row.more_is_better { own / kafka } else { kafka / own };
                format!("{own:.2} ({ratio:.2}x)")
            })
            .collect();
        report(&format!("| {} | {} |", row.name.trim_end(), cells.join(" | ")));
    }
}
