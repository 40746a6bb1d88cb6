//! `barnabas bench`: load on any broker that speaks the Kafka protocol, and what it took.
//!
//! Must not know: sockets and frames; that is the load client's, in `broker/src/bench`.

use std::time::Duration;

use barnabas_config::SecurityProtocol;
use clap::value_parser;

use super::Failure;
use super::complete::names;
use super::connection::ConnectionArguments;
use super::interrupt::AtInterrupt;
use super::progress::Progress;
use crate::bench::{Bootstrap, CONNECTIONS_MAX, Limit, STALLED, connections, consume, e2e, produce, so_far};

mod output;

use output::{Figures, Format};

/// How long a run takes when nothing else ends it.
const SECONDS: f64 = 10.0;
/// Largest record and batch: no broker takes more.
const SIZE_MAX: u64 = 100 << 20;

/// What `bench` is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  barnabas bench produce --topic load --record-size 100 --seconds 5\n  \
    barnabas bench consume --topic load -o json\n  barnabas bench e2e --rate 5000\n  \
    barnabas bench connections --connections 2000\n\nTopics are made when they are missing and stay: delete them when done.")]
pub(super) struct Arguments {
    #[command(flatten)]
    connection: ConnectionArguments,
    /// Form of the result.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table)]
    output: Format,
    #[command(subcommand)]
    work: Work,
}

#[derive(Debug, clap::Subcommand)]
enum Work {
    /// Writes one batch a request, pipelined, round-robin over the partitions.
    Produce(Produce),
    /// Reads topics from their beginning to where they end now.
    Consume(Consume),
    /// Writes at a rate and takes the time until a consumer has each record.
    E2e(EndToEnd),
    /// Opens connections, leaves them idle, and asks again on each.
    Connections(Connections),
}

impl Work {
    /// Shown while it runs: by the time where that ends it.
    fn progress(&self, is_document: bool) -> Progress {
        let (name, time) = match self {
            Self::Produce(told) => ("bench produce", told.until.limit_or_time().time),
            Self::Consume(told) => ("bench consume", told.until.limit().time),
            Self::E2e(told) => ("bench e2e", told.until.limit_or_time().time),
            Self::Connections(told) => ("bench connections", Some(told.seconds)),
        };
        // Load that ends early has figures all the same; connections have none before they were idle.
        let at_interrupt = match self {
            Self::Connections(_) => AtInterrupt::Ends,
            _ => AtInterrupt::Stops(crate::bench::stop),
        };
        let progress = match time {
            Some(time) => Progress::timed(name, time, is_document, at_interrupt),
            None => Progress::endless(name, is_document, at_interrupt),
        };
        if matches!(self, Self::Connections(_)) { progress } else { progress.counting(so_far) }
    }
}

#[derive(Debug, clap::Args)]
struct Topics {
    /// Topic; may be given several times.
    #[arg(long, default_value = "bench", add = names::topics())]
    topic: Vec<String>,
    /// Partitions of each topic: all that it has, and 16 of a new one, when not given.
    #[arg(long, value_parser = value_parser!(i32).range(1..))]
    partitions: Option<i32>,
}

#[derive(Debug, clap::Args)]
struct Records {
    /// 0, 1, or all: whose word is waited for.
    #[arg(long, default_value = "all", allow_hyphen_values = true, value_parser = acks)]
    acks: i16,
    /// Replicas of a new topic; -1 leaves it to the broker.
    #[arg(long, default_value_t = -1, allow_hyphen_values = true, value_parser = value_parser!(i16).range(-1..))]
    replication_factor: i16,
}

#[derive(Debug, clap::Args)]
struct Until {
    /// Stop after this time.
    #[arg(long, value_parser = seconds)]
    seconds: Option<Duration>,
    /// Stop after these millions of bytes of batches.
    #[arg(long, value_parser = value_parser!(u64).range(1..1 << 40))]
    megabytes: Option<u64>,
    /// Stop after these records; the last batch is whole.
    #[arg(long, value_parser = value_parser!(u64).range(1..))]
    records: Option<u64>,
}

impl Until {
    fn limit(&self) -> Limit {
        Limit { time: self.seconds, bytes: self.megabytes.map(|count| count * 1_000_000), records: self.records }
    }

    /// A limit of time where nothing else ends the run.
    fn limit_or_time(&self) -> Limit {
        let limit = self.limit();
        let none = limit.time.is_none() && limit.bytes.is_none() && limit.records.is_none();
        if none { Limit { time: Some(Duration::from_secs_f64(SECONDS)), ..limit } } else { limit }
    }
}

#[derive(Debug, clap::Args)]
struct Produce {
    #[command(flatten)]
    topics: Topics,
    #[command(flatten)]
    records: Records,
    #[command(flatten)]
    until: Until,
    /// Bytes of a record's value.
    #[arg(long, default_value_t = 1024, value_parser = value_parser!(u64).range(..=SIZE_MAX))]
    record_size: u64,
    /// Bytes of a batch, about; one record when it is smaller than that.
    #[arg(long, default_value_t = 16_384, value_parser = value_parser!(u64).range(..=SIZE_MAX))]
    batch_size: u64,
    /// Connections, each with a thread of its own.
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u16).range(1..=CONNECTIONS_MAX as i64))]
    connections: u16,
    /// Requests under way on each connection.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u16).range(1..))]
    in_flight: u16,
    /// Records a second of all connections together; as fast as answers come when not given.
    #[arg(long, value_parser = rate)]
    rate: Option<f64>,
}

#[derive(Debug, clap::Args)]
struct Consume {
    #[command(flatten)]
    topics: Topics,
    #[command(flatten)]
    until: Until,
    /// Connections, each with a thread of its own; partitions are dealt out to them.
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u16).range(1..=CONNECTIONS_MAX as i64))]
    connections: u16,
    /// Most bytes of one partition in an answer.
    #[arg(long, default_value_t = 1 << 20, value_parser = value_parser!(i32).range(1..))]
    partition_bytes: i32,
    /// Most bytes of an answer.
    #[arg(long, default_value_t = 50 << 20, value_parser = value_parser!(i32).range(1..))]
    fetch_bytes: i32,
    /// Partitions in a request.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..))]
    partitions_per_fetch: u16,
}

#[derive(Debug, clap::Args)]
struct EndToEnd {
    #[command(flatten)]
    topics: Topics,
    #[command(flatten)]
    records: Records,
    #[command(flatten)]
    until: Until,
    /// Bytes of a record's value.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u64).range(..=SIZE_MAX))]
    record_size: u64,
    /// Bytes of a batch, about: five records of 100 bytes when not given.
    #[arg(long, default_value_t = 640, value_parser = value_parser!(u64).range(..=SIZE_MAX))]
    batch_size: u64,
    /// Pairs of a connection that writes and one that reads, each on a partition of its own.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..=CONNECTIONS_MAX as i64 / 2))]
    connections: u16,
    /// Requests under way on each connection: above it, a request leaves late, and its time shows it.
    #[arg(long, default_value_t = 1000, value_parser = value_parser!(u16).range(1..))]
    in_flight: u16,
    /// Records a second of all connections together.
    #[arg(long, default_value = "5000", value_parser = rate)]
    rate: f64,
}

#[derive(Debug, clap::Args)]
struct Connections {
    /// How many.
    #[arg(long, default_value_t = 2000, value_parser = value_parser!(u16).range(1..=CONNECTIONS_MAX as i64))]
    connections: u16,
    /// How long they are left idle.
    #[arg(long, default_value = "10", value_parser = seconds)]
    seconds: Duration,
}

/// Runs the work and prints what it took.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let bootstrap = &arguments.bootstrap()?;
    let progress = arguments.work.progress(arguments.output == Format::Json);
    let figures = match &arguments.work {
        Work::Produce(told) => Figures::of_load("produce", &produce::run(&told.options(bootstrap))?),
        Work::Consume(told) => Figures::of_load("consume", &consume::run(&told.options(bootstrap))?),
        Work::E2e(told) => Figures::of_load("e2e", &e2e::run(&told.options(bootstrap))?),
        Work::Connections(told) => {
            Figures::of_connections(&connections::run(bootstrap, told.connections.into(), told.seconds)?)
        }
    };
    drop(progress);
    println!("{}", figures.show(arguments.output));
    Ok(())
}

impl Arguments {
    /// Where the brokers are, by which protocol, and as whom.
    fn bootstrap(&self) -> Result<Bootstrap, Failure> {
        let settings = self.connection.settings()?;
        let protocol = settings.security.protocol;
        let has_tls = matches!(protocol, SecurityProtocol::Ssl | SecurityProtocol::SaslSsl);
        let tls = has_tls.then(|| settings.tls()).transpose().map_err(|error| Failure::usage(error.to_string()))?;
        let patience = self.connection.timeout().unwrap_or(STALLED);
        Ok(Bootstrap { addresses: settings.bootstrap.join(","), tls, sasl: settings.security.sasl, patience })
    }
}

impl Produce {
    fn options(&self, bootstrap: &Bootstrap) -> produce::Options {
        produce::Options {
            bootstrap: bootstrap.clone(),
            topics: self.topics.topic.clone(),
            partitions: self.topics.partitions,
            replication_factor: self.records.replication_factor,
            connections: self.connections.into(),
            in_flight: self.in_flight.into(),
            record_bytes: bytes(self.record_size),
            batch_bytes: bytes(self.batch_size),
            acks: self.records.acks,
            limit: self.until.limit_or_time(),
            records_per_second: self.rate,
        }
    }
}

impl Consume {
    fn options(&self, bootstrap: &Bootstrap) -> consume::Options {
        consume::Options {
            bootstrap: bootstrap.clone(),
            topics: self.topics.topic.clone(),
            partitions: self.topics.partitions,
            connections: self.connections.into(),
            partition_bytes: self.partition_bytes,
            fetch_bytes: self.fetch_bytes,
            partitions_per_fetch: self.partitions_per_fetch.into(),
            limit: self.until.limit(),
        }
    }
}

impl EndToEnd {
    fn options(&self, bootstrap: &Bootstrap) -> produce::Options {
        produce::Options {
            bootstrap: bootstrap.clone(),
            topics: self.topics.topic.clone(),
            partitions: self.topics.partitions,
            replication_factor: self.records.replication_factor,
            connections: self.connections.into(),
            in_flight: self.in_flight.into(),
            record_bytes: bytes(self.record_size),
            batch_bytes: bytes(self.batch_size),
            acks: self.records.acks,
            limit: self.until.limit_or_time(),
            records_per_second: Some(self.rate),
        }
    }
}

fn bytes(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

fn acks(text: &str) -> Result<i16, String> {
    match text {
        "all" | "-1" => Ok(-1),
        "1" => Ok(1),
        "0" => Ok(0),
        _ => Err("acks is 0, 1 or all".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let read = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    read.filter(|time| !time.is_zero() && *time < Duration::from_secs(1 << 30))
        .ok_or_else(|| "a number of seconds above 0, as 2.5".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    let read = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    read.ok_or_else(|| "a number of records a second above 0".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        bench: Arguments,
    }

    fn parse(line: &str) -> Result<Arguments, String> {
        Line::try_parse_from(line.split(' ')).map(|line| line.bench).map_err(|error| error.to_string())
    }

    #[test]
    fn a_run_that_is_told_no_limit_ends_after_ten_seconds() {
        let Work::Produce(told) = parse("bench produce").unwrap().work else { panic!("produce") };
        assert_eq!(told.options(&"b:1".into()).limit.time, Some(Duration::from_secs(10)));
        let Work::Produce(told) = parse("bench produce --megabytes 3 --acks 1").unwrap().work else {
            panic!("produce")
        };
        let options = told.options(&"b:1".into());
        assert_eq!((options.limit.time, options.limit.bytes, options.acks), (None, Some(3_000_000), 1));
    }

    #[test]
    fn both_spellings_of_the_broker_are_read_on_either_side_of_the_work() {
        assert_eq!(parse("bench produce --bootstrap b:1").unwrap().bootstrap().unwrap().addresses, "b:1");
        assert_eq!(
            parse("bench --bootstrap-server b:2 consume -o json").unwrap().bootstrap().unwrap().addresses,
            "b:2"
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "bench produce --acks 2",
            "bench produce --seconds 0",
            "bench produce --rate -1",
            "bench produce --partitions 0",
            "bench connections --connections 10001",
            "bench e2e --rate nan",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn end_to_end_sends_five_records_a_request() {
        let Work::E2e(told) = parse("bench e2e").unwrap().work else { panic!("e2e") };
        let options = told.options(&"b:1".into());
        assert_eq!(crate::bench::batch::build(options.record_bytes, options.batch_bytes).records, 5);
    }
}
