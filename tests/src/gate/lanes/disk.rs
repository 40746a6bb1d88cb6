//! Disks that fail: full, erring on sync, erring on read, read-only; and no file descriptor left. The broker refuses what it
//! cannot do, goes on with the rest, and comes back by itself when it can.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::history::History;
use barnabas_tests::harness::loop_device::{LoopDevice, Memory};
use barnabas_tests::harness::process::Process;
use barnabas_tests::harness::wait::{self, Stopwatch};

use super::crash::{drain, franz_go, stopped};
use super::workload::{grown, start_producer};
use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// What Kafka answers for a disk that does not take or give: clients try again.
const STORAGE_ERROR: &str = "KAFKA_STORAGE_ERROR";
/// Longest wait for the broker to notice.
const NOTICED: Duration = Duration::from_secs(20);
/// Longest time from room on the disk to the next acknowledgement.
const RESUMED: Duration = Duration::from_secs(10);
/// Open files that the broker may have in the last part.
const DESCRIPTORS: u32 = 256;
/// Processor time of a broker out of descriptors within a second of waiting, at most, in ticks of 10 ms.
const TICKS_MAX: u64 = 50;
/// Topics that are deleted while the disk is full.
const SPARE: usize = 30;
/// Few partitions of the groups' topic, so that starts are quick.
const SETTINGS: &[(&str, &str)] = &[("offsets.topic.num.partitions", "2"), ("log.segment.bytes", "1048576")];
/// Free bytes with which the full disk counts as full, while metadata can be written without what is reserved.
const BELOW_THE_MARK: u64 = 2 << 20;
/// Deleted topics are kept, as long as there is room.
const KEPT: (&str, &str) = ("barnabas.delete.keep.ms", "3600000");

/// All of them, one after the other.
pub(crate) fn disk(room: &Room<'_>) -> Result<String, Outcome> {
    let facts = [full(room)?, erring_sync(room)?, erring_read(room)?, read_only(room)?, no_descriptors(room)?];
    Ok(facts.join("; "))
}

fn device(room: &Room<'_>, name: &str, mebibytes: u64) -> Result<LoopDevice, Outcome> {
    let (image, mount) = (room.path(&format!("{name}.image")), room.path(&format!("{name}.mount")));
    LoopDevice::make(&image, &mount, mebibytes << 20)
        .map_err(|error| Outcome::Forbidden(format!("no file system on a loop device: {error}")))
}

fn text(path: &Path) -> Result<&str, Outcome> {
    path.to_str().ok_or_else(|| Outcome::Failed("a path that is not text".to_owned()))
}

/// The full disk: nothing is taken, everything else goes on, also over a restart; room is noticed. Deleted topics that are
/// kept give their room back.
fn full(room: &Room<'_>) -> Result<String, Outcome> {
    let device = device(room, "full", 48)?;
    let data = device.path().join("data");
    let mut broker = room.broker("full", &[SETTINGS, &[KEPT, ("log.dirs", text(&data)?)]].concat())?;
    let outcome = full_disk(room, &mut broker, &device);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

fn full_disk(room: &Room<'_>, broker: &mut Broker, device: &LoopDevice) -> Result<String, Outcome> {
    let spare: Vec<String> = (0..SPARE).map(|n| format!("spare-{n}")).collect();
    for topic in spare.iter().map(String::as_str).chain(["load", "spare", "early"]) {
        room.step("create", franz_go(room, broker, &["create", topic, "6"]))?;
    }
    expect(room, broker, &["probe", "spare", "0"], "ok")?;
    let mut producer = start_producer(room, broker, "full", true)?;
    grown(room, "full", &mut producer, 20_000)?;
    let reserve = device.path().join("data/barnabas-reserve");
    wait::until("room to be reserved", NOTICED, || reserve.exists().then_some(()))?;
    expect(room, broker, &["drop", "early"], "ok")?;
    put_aside(device, |count| count > 0)?;
    let filler = device.path().join("filler");
    fill_below_the_mark(&filler, device)?;
    put_aside(device, |count| count == 0)?;
    fill(&filler)?;
    wait_for(room, broker, &["probe", "spare", "0"], STORAGE_ERROR)?;
    expect(room, broker, &["fetch", "spare", "0"], "ok")?;
    broker.kill();
    fill(&filler)?;
    broker.restart()?;
    wait_for(room, broker, &["probe", "load", "0"], STORAGE_ERROR)?;
    expect(room, broker, &["fetch", "load", "0"], "ok")?;
    // More than fits into what is left of a block: the metadata needs room.
    for topic in &spare {
        expect(room, broker, &["drop", topic], "ok")?;
    }
    put_aside(device, |count| count == 0)?;
    fs::remove_file(&filler)?;
    let stopwatch = Stopwatch::start();
    grown(room, "full", &mut producer, 5_000)?;
    let took = stopwatch.elapsed();
    if took > RESUMED {
        return failed(format!("produce went on {took:.1?} after there was room again"));
    }
    stopped(&mut producer, &room.log("full"))?;
    let acknowledged = checked(room, "full", &drain(room, broker, "load")?)?;
    Ok(format!("full disk: {acknowledged} records, resumed after {took:.1?}"))
}

/// Waits until so many partitions of deleted topics are kept.
fn put_aside(device: &LoopDevice, wanted: impl Fn(usize) -> bool) -> Result<(), Outcome> {
    let count = || {
        let names = fs::read_dir(device.path().join("data")).ok()?.filter_map(Result::ok);
        let aside = names.filter(|entry| entry.file_name().to_string_lossy().ends_with("-stray")).count();
        wanted(aside).then_some(())
    };
    Ok(wait::until("deleted topics to be kept as they should", NOTICED, count)?)
}

/// Nothing that `NAME.history` holds as acknowledged is missing. (The probes' records are not in a history.)
fn checked(room: &Room<'_>, name: &str, log: &[barnabas_tests::harness::history::Record]) -> Result<usize, Outcome> {
    let mut sends = History::default();
    sends.add(&room.path(&format!("{name}.history")))?;
    let sent: Vec<_> = log.iter().filter(|record| record.value != "probe-0").cloned().collect();
    sends.check_sends(&sent).map_err(|anomalies| Outcome::Failed(format!("{name}: {anomalies}")))?;
    Ok(sends.acknowledged())
}

/// Writes so much that the disk counts as full, while metadata can still be written.
fn fill_below_the_mark(path: &Path, device: &LoopDevice) -> Result<(), Outcome> {
    let status = rustix::fs::statvfs(device.path()).map_err(std::io::Error::from)?;
    let bytes = (status.f_bavail * status.f_frsize).saturating_sub(BELOW_THE_MARK);
    Ok(fs::write(path, vec![1; usize::try_from(bytes).unwrap_or(0)])?)
}

/// Writes until nothing goes in any more.
fn fill(path: &Path) -> Result<(), Outcome> {
    let mut file = File::options().create(true).append(true).open(path)?;
    for size in [1 << 20, 4 << 10, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
    Ok(())
}

/// A sync that fails takes its directory offline for good: nothing there is acknowledged any more, the other directory
/// is served, and new topics go there. What was acknowledged is there after the repair.
fn erring_sync(room: &Room<'_>) -> Result<String, Outcome> {
    // The image promises more than its memory holds.
    let mut memory = Memory::make(&room.path("memory"), 28 << 20)
        .map_err(|error| Outcome::Forbidden(format!("no file system in memory: {error}")))?;
    let device = LoopDevice::make(&memory.path().join("image"), &room.path("sync.mount"), 256 << 20)
        .map_err(|error| Outcome::Forbidden(format!("no file system on a loop device: {error}")))?;
    let (good, bad) = (room.path("sync.good"), device.path().join("data"));
    let dirs = format!("{},{}", text(&good)?, text(&bad)?);
    let mut broker = room.broker("sync", &[SETTINGS, &[("log.dirs", dirs.as_str())]].concat())?;
    let outcome = erring_sync_of(room, &mut broker, &good, &memory);
    let healthy = room.with_log_of(&mut broker, outcome)?;
    broker.kill();
    memory.resize(512 << 20)?;
    device.remount()?;
    broker.restart()?;
    let outcome = drain(room, &broker, "load").and_then(|log| checked(room, "sync", &log));
    let acknowledged = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(format!("failed sync: {acknowledged} records, {healthy} partitions went on"))
}

fn erring_sync_of(room: &Room<'_>, broker: &mut Broker, good: &Path, memory: &Memory) -> Result<usize, Outcome> {
    room.step("create", franz_go(room, broker, &["create", "load", "6"]))?;
    let mut producer = start_producer(room, broker, "sync", false)?;
    grown(room, "sync", &mut producer, 1)?;
    // However slowly records come: the image gets no block any more.
    fill(&memory.path().join("filler"))?;
    wait::until("the directory to go offline", Duration::from_secs(60), || {
        let log = fs::read_to_string(broker.log()).unwrap_or_default();
        log.contains("log directory is offline").then_some(())
    })?;
    stopped(&mut producer, &room.log("sync"))?;
    let is_good = |partition: &usize| good.join(format!("load-{partition}")).exists();
    let (healthy, offline): (Vec<usize>, Vec<usize>) = (0..6).partition(is_good);
    for partition in &healthy {
        expect(room, broker, &["probe", "load", &partition.to_string()], "ok")?;
        expect(room, broker, &["fetch", "load", &partition.to_string()], "ok")?;
    }
    for partition in &offline {
        expect(room, broker, &["probe", "load", &partition.to_string()], STORAGE_ERROR)?;
    }
    if healthy.is_empty() || offline.is_empty() {
        return failed(format!(
            "inconclusive: partitions {healthy:?} are on the good directory, {offline:?} on the bad"
        ));
    }
    room.step("create", franz_go(room, broker, &["create", "fresh", "2"]))?;
    expect(room, broker, &["probe", "fresh", "0"], "ok")?;
    expect(room, broker, &["probe", "fresh", "1"], "ok")?;
    Ok(healthy.len())
}

/// A read that fails is an error to the one who reads; the broker and its other partitions go on.
fn erring_read(room: &Room<'_>) -> Result<String, Outcome> {
    let device = device(room, "read", 256)?;
    let (good, bad) = (room.path("read.good"), device.path().join("data"));
    let dirs = format!("{},{}", text(&good)?, text(&bad)?);
    let mut broker = room.broker("read", &[SETTINGS, &[("log.dirs", dirs.as_str())]].concat())?;
    room.step("create", franz_go(room, &broker, &["create", "load", "6"]))?;
    let mut producer = start_producer(room, &broker, "read", true)?;
    grown(room, "read", &mut producer, 100_000)?;
    stopped(&mut producer, &room.log("read"))?;
    broker.stop()?;
    // What the page cache holds would be given all the same.
    device.remount()?;
    broker.restart()?;
    File::options().write(true).open(device.image())?.set_len(1 << 20)?;
    let outcome = erring_read_of(room, &broker, &good);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.kill();
    Ok(facts)
}

fn erring_read_of(room: &Room<'_>, broker: &Broker, good: &Path) -> Result<String, Outcome> {
    let mut refused = 0;
    for partition in 0..6 {
        let answer = ask(room, broker, &["fetch", "load", &partition.to_string()])?;
        let is_good = good.join(format!("load-{partition}")).exists();
        match answer.as_str() {
            "ok" => {}
            error if error.contains(STORAGE_ERROR) && !is_good => refused += 1,
            error => return failed(format!("a fetch of partition {partition} got {error}")),
        }
    }
    match refused {
        0 => failed("inconclusive: no read failed"),
        refused => Ok(format!("failed reads: {refused} partitions refused, the others served")),
    }
}

/// A directory that cannot be written: the broker says so and ends.
fn read_only(room: &Room<'_>) -> Result<String, Outcome> {
    let device = device(room, "read-only", 64)?;
    let data = device.path().join("data");
    let mut broker = room.broker("read-only", &[SETTINGS, &[("log.dirs", text(&data)?)]].concat())?;
    broker.stop()?;
    device.remount_with("ro")?;
    match broker.restart() {
        Err(error) if error.to_string().contains("Read-only file system") => {}
        Err(error) => return failed(format!("on a read-only file system the broker said: {error}")),
        Ok(_) => return failed("the broker started on a read-only file system"),
    }
    device.remount()?;
    broker.restart()?;
    broker.stop()?;
    Ok("read-only: refused and named".to_owned())
}

/// More connections than descriptors: no crash, no busy loop, and service once they are gone.
fn no_descriptors(room: &Room<'_>) -> Result<String, Outcome> {
    let mut broker = room.broker("descriptors", SETTINGS)?;
    let outcome = out_of_descriptors(room, &mut broker);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

fn out_of_descriptors(room: &Room<'_>, broker: &mut Broker) -> Result<String, Outcome> {
    room.step("create", franz_go(room, broker, &["create", "load", "6"]))?;
    let mut producer = start_producer(room, broker, "descriptors", true)?;
    grown(room, "descriptors", &mut producer, 20_000)?;
    let id = broker.process().map(Process::id).ok_or_else(|| Outcome::Failed("the broker is gone".to_owned()))?;
    let mut limit = Command::new("prlimit");
    limit.arg(format!("--pid={id}")).arg(format!("--nofile={DESCRIPTORS}:{DESCRIPTORS}"));
    room.step("prlimit", limit)?;
    let connections =
        (0..DESCRIPTORS).map(|_| TcpStream::connect(broker.bootstrap())).collect::<Result<Vec<_>, _>>()?;
    wait::until("the descriptors to run out", NOTICED, || {
        let log = fs::read_to_string(broker.log()).unwrap_or_default();
        log.contains("Too many open files").then_some(())
    })?;
    // Rolls and checkpoints come to open files now.
    grown(room, "descriptors", &mut producer, 1)?;
    stopped(&mut producer, &room.log("descriptors"))?;
    let before = ticks(id)?;
    wait::moment(Duration::from_secs(1));
    let spent = ticks(id)? - before;
    if spent > TICKS_MAX {
        return failed(format!("without descriptors the broker is busy: {spent} ticks in a second"));
    }
    drop(connections);
    let stopwatch = Stopwatch::start();
    wait_for(room, broker, &["probe", "load", "0"], "ok")?;
    let took = stopwatch.elapsed();
    let acknowledged = checked(room, "descriptors", &drain(room, broker, "load")?)?;
    Ok(format!("no descriptors: {acknowledged} records, {spent} ticks in a second, served after {took:.1?}"))
}

/// Processor time of a process so far, in ticks.
fn ticks(id: u32) -> Result<u64, Outcome> {
    let stat = fs::read_to_string(PathBuf::from("/proc").join(id.to_string()).join("stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or(0);
    // utime and stime, counted from the state behind the name.
    Ok(field(11) + field(12))
}

/// What a franz-go command prints.
fn ask(room: &Room<'_>, broker: &Broker, arguments: &[&str]) -> Result<String, Outcome> {
    let _ = fs::remove_file(room.output("asked"));
    room.step("asked", franz_go(room, broker, arguments))?;
    Ok(fs::read_to_string(room.output("asked"))?.trim().to_owned())
}

fn expect(room: &Room<'_>, broker: &Broker, arguments: &[&str], wanted: &str) -> Result<(), Outcome> {
    let answer = ask(room, broker, arguments)?;
    if answer.contains(wanted) {
        return Ok(());
    }
    failed(format!("{arguments:?} was answered with {answer}, not with {wanted}"))
}

fn wait_for(room: &Room<'_>, broker: &Broker, arguments: &[&str], wanted: &str) -> Result<(), Outcome> {
    let mut last = String::new();
    let found = wait::until(&format!("{arguments:?} to be answered with {wanted}"), NOTICED, || {
        match ask(room, broker, arguments) {
            Ok(answer) if answer.contains(wanted) => Some(()),
            Ok(answer) => {
                last = answer;
                None
            }
            Err(outcome) => {
                last = format!("{outcome:?}");
                None
            }
        }
    });
    found.map_err(|timed_out| Outcome::Failed(format!("{timed_out}; the last answer was {last}")))
}
