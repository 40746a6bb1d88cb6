//! A dozen jobs of every day: what is typed and how long it takes, with Kafka's tools and with `barnabas`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::Args;

use crate::peer::{Peer, Programs};
use crate::running::Running;
use crate::{Outcome, report, say};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    programs: Programs,
    /// How often each job is done; the table shows medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// Also takes the time of our commands on Kafka's broker.
    #[arg(long)]
    on_kafka: bool,
}

/// A job, as it is typed; `N` in a word is the round, because what is made can be made once.
struct Job {
    what: &'static str,
    /// The class behind Kafka's script.
    class: &'static str,
    theirs: &'static str,
    ours: &'static str,
}

const fn job(what: &'static str, class: &'static str, theirs: &'static str, ours: &'static str) -> Job {
    Job { what, class, theirs, ours }
}

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
const CONFIGS: &str = "kafka.admin.ConfigCommand";
const GROUPS: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";

const JOBS: [Job; 12] = [
    job("list topics", TOPICS, "kafka-topics.sh --list", "barnabas topics list"),
    job(
        "make a topic",
        TOPICS,
        "kafka-topics.sh --create --topic ordersN --partitions 12 --config retention.ms=86400000",
        "barnabas topics create ordersN -p 12 -c retention.ms=86400000",
    ),
    job(
        "write lines",
        "org.apache.kafka.tools.ConsoleProducer",
        "kafka-console-producer.sh --topic ordersN < lines",
        "barnabas produce ordersN < lines",
    ),
    job(
        "read all of them",
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        "kafka-console-consumer.sh --topic ordersN --from-beginning --max-messages 1000",
        "barnabas consume ordersN --from earliest --exit",
    ),
    job(
        "move a group to the beginning",
        GROUPS,
        "kafka-consumer-groups.sh --group billing --topic ordersN --reset-offsets --to-earliest --execute",
        "barnabas groups seek billing --topic ordersN --to earliest --execute",
    ),
    job(
        "how far is a group behind",
        GROUPS,
        "kafka-consumer-groups.sh --describe --group billing",
        "barnabas groups lag billing",
    ),
    job(
        "change a setting",
        CONFIGS,
        "kafka-configs.sh --alter --topic ordersN --add-config retention.ms=3600000",
        "barnabas configs set topic/ordersN retention.ms=3600000",
    ),
    job(
        "what was changed",
        CONFIGS,
        "kafka-configs.sh --describe --topic ordersN",
        "barnabas configs list topic/ordersN",
    ),
    job(
        "more partitions",
        TOPICS,
        "kafka-topics.sh --alter --topic ordersN --partitions 24",
        "barnabas topics alter ordersN -p 24",
    ),
    job(
        "is a partition unwell",
        TOPICS,
        "kafka-topics.sh --describe --under-replicated-partitions",
        "barnabas topics health",
    ),
    job(
        "what fills the disks",
        "org.apache.kafka.tools.LogDirsCommand",
        "kafka-log-dirs.sh --describe",
        "barnabas cluster disks",
    ),
    job("delete a topic", TOPICS, "kafka-topics.sh --delete --topic ordersN", "barnabas topics delete ordersN --yes"),
];

/// Lines that are written and read.
const LINES: usize = 1000;
/// What Kafka's scripts give their JVM.
const JVM: [&str; 7] = [
    "-Xmx256M",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-Djava.awt.headless=true",
];

/// Whose tool is asked of which broker.
#[derive(Clone, Copy, PartialEq)]
enum Pair {
    /// Kafka's tool, Kafka's broker.
    Theirs,
    /// Our command, Kafka's broker.
    OursOnKafka,
    /// Our command, our broker.
    Ours,
}

/// Runs it and prints the table.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    options.programs.check()?;
    let mut times = Vec::new();
    for (peer, pairs) in [(Peer::Kafka, &[Pair::Theirs, Pair::OursOnKafka][..]), (Peer::Group, &[Pair::Ours])] {
        say(&format!("{} starts", peer.name()));
        let running = Running::start(peer, &options.programs)?;
        for pair in pairs.iter().filter(|pair| options.on_kafka || **pair != Pair::OursOnKafka) {
            times.push((*pair, measure(options, *pair, &running.bootstrap.addresses)?));
        }
    }
    let of = |pair: Pair| times.iter().find(|(measured, _)| *measured == pair).map_or(&[][..], |(_, times)| times);
    let (head, line) = if options.on_kafka { (" ms on Kafka |", "---|") } else { ("", "") };
    report(&format!("| job | Apache Kafka's tool | ms | `barnabas` | ms |{head}\n|---|---|---|---|---|{line}"));
    for (at, job) in JOBS.iter().enumerate() {
        let ms = |pair| of(pair).get(at).map_or_else(String::new, |ms| format!("{ms:.0}"));
        report(&format!(
            "| {} | `{}` | {} | `{}` | {} |{}",
            job.what,
            job.theirs.replace("ordersN", "orders"),
            ms(Pair::Theirs),
            job.ours.replace("ordersN", "orders"),
            ms(Pair::Ours),
            if options.on_kafka { format!(" {} |", ms(Pair::OursOnKafka)) } else { String::new() }
        ));
    }
    Ok(())
}

/// Medians of all jobs, in milliseconds.
fn measure(options: &Options, pair: Pair, bootstrap: &str) -> Outcome<Vec<f64>> {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); JOBS.len()];
    for round in 0..options.rounds {
        let mark = if pair == Pair::Theirs { format!("t{round}") } else { format!("o{round}") };
        for (job, times) in JOBS.iter().zip(&mut times) {
            let typed = if pair == Pair::Theirs { job.theirs } else { job.ours };
            let typed = typed.replace('N', &mark);
            say(&typed);
            let words: Vec<&str> = typed.split(' ').take_while(|word| *word != "<").skip(1).collect();
            let command = match pair {
                Pair::Theirs => theirs(&options.programs.kafka_jars, job.class, &words, bootstrap),
                _ => ours(&options.programs.barnabas, &words, bootstrap),
            };
            times.push(timed(command, typed.contains('<')).map_err(|error| format!("{typed}: {error}"))?);
        }
    }
    Ok(times.into_iter().map(median).collect())
}

fn theirs(jars: &Path, class: &str, words: &[&str], bootstrap: &str) -> Command {
    let mut command = Command::new("java");
    command.args(JVM).arg("-cp").arg(jars.join("*")).arg(class).args(["--bootstrap-server", bootstrap]).args(words);
    command
}

fn ours(program: &Path, words: &[&str], bootstrap: &str) -> Command {
    let mut command = Command::new(program);
    command.args(words).args(["-b", bootstrap]);
    command
}

/// From exec to exit, in milliseconds.
fn timed(mut command: Command, reads: bool) -> Outcome<f64> {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take().filter(|_| reads) {
        let lines: String = (0..LINES).map(|n| format!("line {n}\n")).collect();
        input.write_all(lines.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    let took = started.elapsed().as_secs_f64() * 1000.0;
    if output.status.success() {
        Ok(took)
    } else {
        Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_one_command_of_each_side() {
        for job in &JOBS {
            assert!(job.theirs.starts_with("kafka-") && job.ours.starts_with("barnabas "), "{}", job.what);
            assert!(job.ours.len() < job.theirs.len(), "{}", job.what);
        }
    }

    #[test]
    fn a_median_is_not_moved_by_one_slow_run() {
        assert!((median(vec![900.0, 2.0, 3.0]) - 3.0).abs() < f64::EPSILON);
    }
}
