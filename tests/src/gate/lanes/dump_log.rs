//! kafka-dump-log on directories of ours, after a clean stop and after `kill -9` and recovery: no batch, index or snapshot that
//! Apache Kafka's own reader minds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::wait;

use super::crash::{franz_go, start_member, stopped};
use super::tools::tool;
use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// Small segments: several of them, with indexes worth a look.
const SETTINGS: &[(&str, &str)] = &[("log.segment.bytes", "1048576")];
/// The word list of Debian's wamerican.
const WORDS: &str = "/usr/share/dict/american-english";
/// What the tool says of damage.
const COMPLAINTS: &[&str] =
    &["isvalid: false", "is followed by", "Mismatches in", "Found timestamp", "Index offset", "Exception", "corrupt"];
/// What the tool of 4.3 says of the first record of every segment that does not begin at 0, Kafka's own too.
const FALSE_ALARM: &str = "-1 is followed by";

/// Fills a broker, stops or kills it, and lets kafka-dump-log read the directory.
pub(crate) fn dump_log(room: &Room<'_>) -> Result<String, Outcome> {
    let mut broker = room.broker("broker", SETTINGS)?;
    let outcome = at_work(room, &mut broker);
    room.with_log_of(&mut broker, outcome)
}

fn at_work(room: &Room<'_>, broker: &mut Broker) -> Result<String, Outcome> {
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let mut command = Command::new("kcat");
        command.args(["-b", &broker.bootstrap(), "-P", "-t", "words", "-z", codec]);
        room.step_reading(&format!("produce-{codec}"), command, Path::new(WORDS))?;
    }
    fill(room, broker, "before")?;
    broker.stop()?;
    let clean = dumped(room, broker, "clean")?;
    broker.restart()?;
    let mut load = start_load(room, broker, "killed")?;
    wait_for(&room.path("killed.history"))?;
    broker.kill();
    load.kill();
    broker.restart()?;
    fill(room, broker, "after")?;
    broker.stop()?;
    let recovered = dumped(room, broker, "recovered")?;
    Ok(format!("{clean} files clean after a stop, {recovered} after kill -9 and recovery"))
}

/// Idempotent batches and commits, for producer snapshots and `__consumer_offsets`.
fn fill(room: &Room<'_>, broker: &Broker, name: &str) -> Result<(), Outcome> {
    let mut load = start_load(room, broker, name)?;
    let member = format!("{name}-member");
    let mut group = start_member(room, broker, &member, "loaded")?;
    wait_for(&room.path(&format!("{name}.history")))?;
    wait_for(&room.path(&format!("{member}.history")))?;
    stopped(&mut load, &room.log(name))?;
    stopped(&mut group, &room.log(&member))
}

fn start_load(
    room: &Room<'_>,
    broker: &Broker,
    name: &str,
) -> Result<barnabas_tests::harness::process::Process, Outcome> {
    if name == "before" {
        room.step("create", franz_go(room, broker, &["create", "loaded", "3"]))?;
    }
    let mut command = franz_go(room, broker, &["load"]);
    command.arg(room.path(&format!("{name}.history"))).args(["loaded", "3", name]);
    room.start(name, command)
}

fn wait_for(history: &Path) -> Result<(), Outcome> {
    let enough = || fs::metadata(history).is_ok_and(|metadata| metadata.len() > 1_000_000).then_some(());
    Ok(wait::until("a history to grow", Duration::from_secs(60), enough)?)
}

/// Runs the tool over every file of every partition; says how many files it read.
fn dumped(room: &Room<'_>, broker: &Broker, when: &str) -> Result<usize, Outcome> {
    let files = partition_files(&broker.data())?;
    let mut read = 0;
    for (kind, options) in [
        ("log", &["--deep-iteration", "--skip-record-metadata"][..]),
        ("index", &["--index-sanity-check"]),
        ("index", &["--verify-index-only"]),
        ("timeindex", &["--index-sanity-check"]),
        ("timeindex", &["--verify-index-only"]),
        ("snapshot", &[]),
    ] {
        let chosen: Vec<&PathBuf> = files.iter().filter(|file| file.extension().is_some_and(|e| e == kind)).collect();
        if chosen.is_empty() {
            return failed(format!("no .{kind} file to dump {when}"));
        }
        read += chosen.len();
        let name = format!("dump-{when}-{kind}{}", options.first().unwrap_or(&""));
        let list: Vec<_> = chosen.iter().map(|file| file.display().to_string()).collect();
        let mut command = tool(room, "DumpLogSegments");
        command.args(options).args(["--files", &list.join(",")]);
        room.step(&name, command)?;
        complaints(&name, &room.output(&name), &room.log(&name))?;
    }
    Ok(read)
}

fn complaints(name: &str, output: &Path, log: &Path) -> Result<(), Outcome> {
    for file in [output, log] {
        let text = fs::read_to_string(file)?;
        let complains = |line: &str| {
            !line.trim_start().starts_with(FALSE_ALARM) && COMPLAINTS.iter().any(|complaint| line.contains(complaint))
        };
        let complaint = text.lines().find(|line| complains(line));
        if let Some(line) = complaint {
            return failed(format!("{name}: {line}\nthe whole of it is in {}", file.display()));
        }
    }
    Ok(())
}

/// The files of all partition directories, but those of Apache Kafka's own metadata log.
fn partition_files(data: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        let metadata_log = entry.file_name().to_string_lossy().starts_with("__cluster_metadata");
        if entry.file_type()?.is_dir() && !metadata_log {
            for file in fs::read_dir(entry.path())? {
                files.push(file?.path());
            }
        }
    }
    files.sort();
    Ok(files)
}
