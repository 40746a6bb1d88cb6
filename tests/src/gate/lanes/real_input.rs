//! Real lines through the broker: a million of them, from Debian's package log, a word list and change logs.
//!
//! kcat produces them with each codec and franz-go reads them back, byte for byte; a group of three loses a member in the
//! middle and reads everything all the same; the broker is killed while confluent-kafka produces, and nothing is lost,
//! doubled or out of order.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::history::History;
use barnabas_tests::harness::process::Process;
use barnabas_tests::harness::wait;

use super::crash::{drain, franz_go, start_member, stopped};
use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

const LINES: usize = 1_000_000;
const KILLS: u64 = 3;
const PROGRESS: Duration = Duration::from_secs(120);

/// Everything above, on one broker.
pub(crate) fn real_input(room: &Room<'_>) -> Result<String, Outcome> {
    let corpus = room.path("corpus");
    let note = write_corpus(&corpus)?;
    let mut broker = room.broker("broker", &[])?;
    let outcome = at_work(room, &mut broker, &corpus);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(format!("{LINES} lines{note} in 5 codecs byte for byte; {facts}"))
}

fn at_work(room: &Room<'_>, broker: &mut Broker, corpus: &Path) -> Result<String, Outcome> {
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let topic = format!("real-{codec}");
        let mut producer = kcat(broker);
        producer.args(["-P", "-t", &topic, "-z", codec]);
        room.step_reading(&format!("produce-{codec}"), producer, corpus)?;
        same_as_corpus(room, broker, &topic, corpus)?;
    }
    let group = group_of_three(room, broker, corpus)?;
    let kills = killed_while_producing(room, broker, corpus)?;
    Ok(format!("{group}; {kills}"))
}

fn kcat(broker: &Broker) -> Command {
    let mut command = Command::new("kcat");
    command.args(["-b", &broker.bootstrap()]);
    command
}

/// Reads a topic of one partition with franz-go and compares it with the corpus.
fn same_as_corpus(room: &Room<'_>, broker: &Broker, topic: &str, corpus: &Path) -> Result<(), Outcome> {
    let name = format!("read-{topic}");
    room.step(&name, franz_go(room, broker, &["cat", topic]))?;
    let mut comparison = Command::new("cmp");
    comparison.arg(corpus).arg(room.output(&name));
    room.step(&format!("compare-{topic}"), comparison)?;
    Ok(fs::remove_file(room.output(&name))?)
}

/// Three members over twelve partitions; one is killed when it has read some, the others take over.
fn group_of_three(room: &Room<'_>, broker: &Broker, corpus: &Path) -> Result<String, Outcome> {
    room.step("create", franz_go(room, broker, &["create", "shared", "12"]))?;
    let names = ["one", "two", "three"];
    let mut members =
        names.iter().map(|name| start_member(room, broker, name, "shared")).collect::<Result<Vec<_>, _>>()?;
    let history = |name: &str| room.path(&format!("{name}.history"));
    for name in names {
        // Everybody has a share before there is anything to read.
        grows(&history(name), 0, "a member to get its share")?;
    }
    let mut producer = kcat(broker);
    producer.args(["-P", "-t", "shared"]);
    room.step_reading("produce-shared", producer, corpus)?;
    grows(&history("one"), 100_000, "the first member to read")?;
    members.remove(0).kill();
    let log = drain(room, broker, "shared")?;
    if log.len() != LINES {
        return failed(format!("{LINES} lines sent to twelve partitions, {} found", log.len()));
    }
    let seen = wait::until("the group to read every line", PROGRESS, || {
        let mut seen = History::default();
        names.iter().try_for_each(|name| seen.add(&history(name))).ok()?;
        (seen.read_once() >= log.len()).then_some(seen)
    })?;
    for (member, name) in members.iter_mut().zip(["two", "three"]) {
        stopped(member, &room.log(name))?;
    }
    seen.check_group(&log).map_err(|anomalies| Outcome::Failed(anomalies.to_string()))?;
    Ok(format!("a group of three less one read all, {} twice", seen.read() - log.len()))
}

/// The broker is killed while an idempotent producer sends the corpus: what is read is the corpus.
fn killed_while_producing(room: &Room<'_>, broker: &mut Broker, corpus: &Path) -> Result<String, Outcome> {
    let python = Need::Python.place(room.workshop).join("bin/python");
    let progress = room.path("progress");
    let mut command = Command::new(python);
    command.arg("-B").arg(room.workshop.client("python").join("produce_file.py"));
    command.arg("killed").arg(corpus).arg(&progress).env("BOOTSTRAP", broker.bootstrap());
    let mut producer = room.start("produce-killed", command)?;
    for kill in 1..=KILLS {
        let thousands = LINES as u64 / 1000 * kill / (KILLS + 1);
        still_runs_until(&mut producer, &progress, thousands)?;
        broker.kill();
        broker.restart()?;
    }
    room.finish("produce-killed", &mut producer)?;
    same_as_corpus(room, broker, "killed", corpus)?;
    Ok(format!("{KILLS} kills while producing, nothing lost, doubled or out of order"))
}

fn still_runs_until(producer: &mut Process, progress: &Path, thousands: u64) -> Result<(), Outcome> {
    let ended = wait::until("the producer to get on", PROGRESS, || {
        let enough = fs::metadata(progress).is_ok_and(|metadata| metadata.len() >= thousands);
        if enough { Some(None) } else { producer.ended().map(Some) }
    })?;
    match ended {
        None => Ok(()),
        Some(status) => failed(format!("the producer ended before the broker was killed: {status}")),
    }
}

fn grows(history: &Path, beyond: u64, what: &str) -> Result<(), Outcome> {
    let grown = || fs::metadata(history).is_ok_and(|metadata| metadata.len() > beyond).then_some(());
    Ok(wait::until(what, PROGRESS, grown)?)
}

/// Writes the corpus: lines that are not empty, for kcat sends no empty ones. Says if it had to repeat its sources.
fn write_corpus(corpus: &Path) -> Result<String, Outcome> {
    let sources = sources()?;
    let mut output = BufWriter::new(File::create(corpus)?);
    let (mut written, mut rounds) = (0, 0);
    while written < LINES {
        let before = written;
        rounds += 1;
        for source in &sources {
            written += copy_lines(source, &mut output, LINES - written)?;
        }
        if written == before {
            return failed("no real lines on this machine");
        }
    }
    output.flush()?;
    Ok(if rounds > 1 { format!(" (the sources {rounds} times over)") } else { String::new() })
}

fn sources() -> Result<Vec<PathBuf>, Outcome> {
    let mut sources = vec![PathBuf::from("/var/log/dpkg.log"), PathBuf::from("/usr/share/dict/american-english")];
    let mut logs = Vec::new();
    for package in fs::read_dir("/usr/share/doc")?.flatten() {
        let files = fs::read_dir(package.path()).into_iter().flatten().flatten();
        logs.extend(files.map(|file| file.path()).filter(|path| is_change_log(path)));
    }
    logs.sort();
    sources.extend(logs);
    sources.retain(|source| source.is_file());
    Ok(sources)
}

fn is_change_log(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("changelog") && name.ends_with(".gz")
}

fn copy_lines(source: &Path, output: &mut impl Write, most: usize) -> Result<usize, Outcome> {
    let mut lines = BufReader::new(opened(source)?);
    let (mut line, mut copied) = (Vec::new(), 0);
    while copied < most && lines.read_until(b'\n', &mut line)? > 0 {
        if line.last() == Some(&b'\n') && line.len() > 1 {
            output.write_all(&line)?;
            copied += 1;
        }
        line.clear();
    }
    Ok(copied)
}

fn opened(source: &Path) -> Result<Box<dyn Read>, Outcome> {
    if source.extension().is_none_or(|extension| extension != "gz") {
        return Ok(Box::new(File::open(source)?));
    }
    let unpacked = Command::new("gzip").arg("-dc").arg(source).stdin(Stdio::null()).output()?;
    Ok(Box::new(std::io::Cursor::new(unpacked.stdout)))
}
