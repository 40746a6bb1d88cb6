//! How cost grows: throughput, CPU and memory by the number of partitions and of connections, as data and as a picture.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use barnabas_broker::bench::{Bootstrap, Limit, produce, topic};
use clap::Args;

use crate::load::{TIME_MAX, warm_up};
use crate::peer::{Peer, Programs};
use crate::plot::{Panel, Scale, Series, page};
use crate::running::Running;
use crate::table::median;
use crate::workload::with_cpu;
use crate::{Outcome, say};

/// Partitions of one topic: Kafka's controller makes fewer than 10,000 in one request.
const TOPIC_PARTITIONS_MAX: i32 = 5000;
/// The head of the data.
const HEAD: &str =
    "by\tcount\tbroker\tmake_topics_ms\tmegabytes_per_second\tcpu_seconds_per_gb\tresident_mib\tanonymous_mib";

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    programs: Programs,
    /// Rounds; medians are written.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// Megabytes that each point writes.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    megabytes: u64,
    /// Numbers of partitions.
    #[arg(long, value_delimiter = ',', default_value = "1,10,100,1000,10000")]
    partitions: Vec<u16>,
    /// Numbers of connections.
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000,5000")]
    connections: Vec<u16>,
    /// Where the data goes; the picture goes beside it.
    #[arg(long, default_value = "benches/scale.tsv")]
    data: PathBuf,
    /// Only draws the picture again.
    #[arg(long)]
    plot_only: bool,
}

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Partitions,
    Connections,
}

impl By {
    fn word(self) -> &'static str {
        match self {
            Self::Partitions => "partitions",
            Self::Connections => "connections",
        }
    }
}

/// A line of the data; a figure that a broker could not give is NaN.
#[derive(Clone, Debug)]
struct Point {
    by: By,
    count: u16,
    peer: Peer,
    /// In the order of [`HEAD`].
    figures: [f64; 5],
}

/// Measures, writes the data and draws.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    if !options.plot_only {
        options.programs.check()?;
        measure_all(options)?;
    }
    let points = read(&fs::read_to_string(&options.data)?)?;
    let picture = options.data.with_extension("svg");
    fs::write(&picture, draw(&points))?;
    say(&format!("{} and {} are written", options.data.display(), shown(&picture)));
    Ok(())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Every point is written when it is there, so that a run that is cut short is not lost.
fn measure_all(options: &Options) -> Outcome<()> {
    let by_partitions = options.partitions.iter().map(|count| (By::Partitions, *count));
    let by_connections = options.connections.iter().map(|count| (By::Connections, *count));
    let mut points = Vec::new();
    for (by, count) in by_partitions.chain(by_connections) {
        let mut rounds: Vec<(Peer, Vec<[f64; 5]>)> = options.programs.peers().map(|peer| (peer, Vec::new())).collect();
        for _ in 0..options.rounds {
            for (peer, figures) in &mut rounds {
                figures.push(measure_or_say(options, by, count, *peer));
            }
        }
        let medians = |figures: &[[f64; 5]]| {
            std::array::from_fn(|at| median(&figures.iter().map(|round| round[at]).collect::<Vec<_>>()))
        };
        points.extend(rounds.iter().map(|(peer, rounds)| Point { by, count, peer: *peer, figures: medians(rounds) }));
        fs::write(&options.data, written(&points))?;
    }
    Ok(())
}

/// A broker that cannot do it has no figure: the run goes on.
fn measure_or_say(options: &Options, by: By, count: u16, peer: Peer) -> [f64; 5] {
    let named = format!("{count} {}, {}", by.word(), peer.name());
    let measured = measure(options, by, count, peer);
    match &measured {
        Ok(figures) => say(&format!("{named}: {:.0} MB/s", figures[1])),
        Err(error) => say(&format!("{named}: {error}")),
    }
    measured.unwrap_or([f64::NAN; 5])
}

fn measure(options: &Options, by: By, count: u16, peer: Peer) -> Outcome<[f64; 5]> {
    let running = Running::start(peer, &options.programs)?;
    let load = load(by, count, &running.bootstrap, options.megabytes);
    let since = Instant::now();
    for name in &load.topics {
        let wanted = topic::Wanted { name, partitions: load.partitions, replication_factor: 1, configs: &[] };
        topic::ensure(&running.bootstrap, &wanted)?;
    }
    let made = since.elapsed().as_secs_f64() * 1e3;
    produce::run(&warm_up(&load))?;
    let (done, cpu) = with_cpu(&running, || produce::run(&load))?;
    let usage = running.usage()?;
    let cpu_per_gb = cpu / (done.bytes as f64 / 1e9);
    Ok([made, done.megabytes_per_second(), cpu_per_gb, usage.resident_mib, usage.anonymous_mib])
}

/// 1 KiB records in 16 KiB batches: over many partitions by 4 connections, or to 16 partitions by many connections.
fn load(by: By, count: u16, bootstrap: &Bootstrap, megabytes: u64) -> produce::Options {
    let (partitions, connections, in_flight) = match by {
        By::Partitions => (i32::from(count), 4, 5),
        By::Connections => (topic::PARTITIONS, usize::from(count), 1),
    };
    let topics = (partitions + TOPIC_PARTITIONS_MAX - 1) / TOPIC_PARTITIONS_MAX;
    produce::Options {
        bootstrap: bootstrap.clone(),
        topics: (0..topics).map(|at| format!("scale-{at}")).collect(),
        partitions: Some(partitions / topics.max(1)),
        replication_factor: 1,
        connections,
        in_flight,
        record_bytes: 1024,
        batch_bytes: 16 << 10,
        acks: -1,
        limit: Limit { bytes: Some(megabytes * 1_000_000), time: Some(TIME_MAX), records: None },
        records_per_second: None,
    }
}

fn written(points: &[Point]) -> String {
    let line = |point: &Point| {
        let figures: String = point.figures.iter().map(|figure| format!("\t{figure:.2}")).collect();
        format!("{}\t{}\t{}{figures}\n", point.by.word(), point.count, point.peer.word())
    };
    format!("{HEAD}\n{}", points.iter().map(line).collect::<String>())
}

fn read(data: &str) -> Outcome<Vec<Point>> {
    let mut lines = data.lines();
    if lines.next() != Some(HEAD) {
        return Err("the data has another head: measure again".into());
    }
    lines.map(|line| point(line).ok_or_else(|| format!("a line that cannot be read: {line}").into())).collect()
}

fn point(line: &str) -> Option<Point> {
    let mut fields = line.split('\t');
    let by = fields.next()?;
    let by = [By::Partitions, By::Connections].into_iter().find(|known| known.word() == by)?;
    let count = fields.next()?.parse().ok()?;
    let peer = fields.next()?;
    let peer = Peer::ALL.into_iter().find(|known| known.word() == peer)?;
    let figures: Vec<f64> = fields.map(|field| field.parse().ok()).collect::<Option<_>>()?;
    Some(Point { by, count, peer, figures: figures.try_into().ok()? })
}

/// Six panels: what is paid, by what grows.
fn draw(points: &[Point]) -> String {
    let paid = [
        ("produced, MB/s", 1, Scale::Linear),
        ("broker CPU, s per GB", 2, Scale::Log),
        ("resident memory, MiB", 3, Scale::Log),
    ];
    let grows = [(By::Partitions, "partitions (4 connections)"), (By::Connections, "connections (16 partitions)")];
    let panels: Vec<Panel> = grows
        .into_iter()
        .flat_map(|(by, x)| paid.map(|(y, figure, scale)| Panel { x, y, scale, series: series(points, by, figure) }))
        .collect();
    page("1 KiB records in 16 KiB batches: what it costs as partitions and connections grow", &panels, paid.len())
}

fn series(points: &[Point], by: By, figure: usize) -> Vec<Series> {
    let of = |peer: Peer| {
        let own = points.iter().filter(|point| point.by == by && point.peer == peer);
        let points = own.filter_map(|point| Some((f64::from(point.count), *point.figures.get(figure)?)));
        Series { name: peer.name(), points: points.filter(|(_, y)| y.is_finite()).collect() }
    };
    Peer::ALL.map(of).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_read_as_it_was_written() {
        let points = [
            Point { by: By::Partitions, count: 10_000, peer: Peer::Kafka, figures: [f64::NAN; 5] },
            Point { by: By::Connections, count: 10, peer: Peer::Os, figures: [1.0, 2.5, 3.0, 4.0, 5.0] },
        ];
        let read = read(&written(&points)).unwrap();
        assert!(read[0].figures.iter().all(|figure| figure.is_nan()));
        assert_eq!((read[1].by, read[1].count, read[1].peer), (By::Connections, 10, Peer::Os));
        assert!((read[1].figures[1] - 2.5).abs() < 1e-9);
        assert!(super::read("another head\n").is_err());
    }

    #[test]
    fn many_partitions_are_spread_over_topics() {
        let load = load(By::Partitions, 10_000, &"b:1".into(), 1);
        assert_eq!((load.topics.len(), load.partitions), (2, Some(5000)));
    }
}
