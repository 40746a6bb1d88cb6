//! Damage on purpose: one thing in a data directory is changed at random, in a file of any kind. `log verify` has to name it,
//! the broker must serve nothing but what was acknowledged, or refuse and say so, and `log repair` leaves a directory that
//! verifies clean and keeps what it cuts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::dice::Dice;
use barnabas_tests::harness::process::tail;

use self::injury::{Damage, Injury, Kind, copy_tree, hurt};
use self::stock::{SETTINGS, Stock, Stop, fill, survey};
use self::survey::Served;
use self::table::{Named, Repair, Start, Table, Verdict};
use super::crash::given;
use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

mod injury;
mod stock;
mod survey;
mod table;

/// Cases, unless `DAMAGE_CASES` says otherwise.
const CASES: u64 = 30;
/// The first case's seed, unless `DAMAGE_SEED` says otherwise: the gate asks the same questions each time.
const SEED: u64 = 1;
/// Failures after which the rest is not tried.
const FAILURES: usize = 20;
/// Exit status of `log verify` and `log repair` for something to be repaired.
const FOUND: i32 = 8;

/// Damages copies of three directories, one case after the other.
pub(crate) fn damage(room: &Room<'_>) -> Result<String, Outcome> {
    let cases = given("DAMAGE_CASES").unwrap_or(CASES);
    let (stocks, acknowledged) = fill(room)?;
    let seed = given("DAMAGE_SEED").unwrap_or(SEED);
    let mut broker = room.prepared("case", SETTINGS)?;
    let (mut table, mut failures) = (Table::default(), Vec::new());
    for number in 0..cases {
        let seed = seed.wrapping_add(number);
        let mut dice = Dice::of(seed);
        let stock = &stocks[usize::try_from(dice.draw(0..stocks.len() as u64)).unwrap_or(0)];
        copy_tree(&stock.data, &broker.data())?;
        let injury = hurt(&broker.data(), &mut dice)?;
        let repair_first = dice.draw(0..2) == 0;
        let outcome = Case { room, stock, injury: &injury, repair_first }.run(&mut broker);
        broker.kill();
        match outcome {
            Ok(verdict) => table.add(injury.kind, injury.damage, verdict),
            Err(Outcome::Failed(why)) => {
                copy_tree(&broker.data(), &room.path(&format!("failed-{seed}")))?;
                failures.push(format!("DAMAGE_CASES=1 DAMAGE_SEED={seed}, {:?}, {injury}: {why}", stock.stop));
            }
            Err(other) => return Err(other),
        }
        if failures.len() >= FAILURES {
            break;
        }
    }
    fs::write(room.path("table.md"), table.render())?;
    if failures.is_empty() {
        return Ok(format!("{acknowledged} records acknowledged; {}", table.summary()));
    }
    failed(format!("{} failures; {}\n{}", failures.len(), table.summary(), failures.join("\n")))
}

/// One damaged directory.
struct Case<'a> {
    room: &'a Room<'a>,
    stock: &'a Stock,
    injury: &'a Injury,
    /// Repaired before the broker sees it, or after.
    repair_first: bool,
}

impl Case<'_> {
    fn run(&self, broker: &mut Broker) -> Result<Verdict, Outcome> {
        let data = broker.data();
        let named = self.named(&data)?;
        let (start, repair, served) = if self.repair_first {
            let repair = self.repair(&data, named == Named::Finding)?;
            let (start, served) = self.start(broker, repair == Repair::Cut)?;
            if start != Start::Whole && repair != Repair::Cut {
                let refused = format!("after the repair ({repair:?}) it is not served whole: {served:?}");
                if !(self.injury.kind == Kind::PartitionMetadata && self.is_empty_partition()) {
                    return failed(refused);
                }
            }
            (start, repair, served)
        } else {
            let (start, served) = self.start(broker, false)?;
            (start, self.repair(&data, false)?, served)
        };
        // An empty partition with another id is refused, though nothing is there to be named.
        let whole = (served.is_whole() && start == Start::Whole) || self.injury.kind == Kind::PartitionMetadata;
        if named != Named::Finding && !(whole && self.may_be_silent(named)) {
            return failed(format!("`log verify` says nothing of it ({named:?}), and then: {start:?}, {served:?}"));
        }
        Ok(Verdict { named, start, repair })
    }

    /// What may be damaged without a finding, as long as everything is served.
    fn may_be_silent(&self, named: Named) -> bool {
        let killed = self.stock.stop != Stop::Clean;
        match self.injury.kind {
            // Zeros that hold a place; and a second witness, which says nothing then.
            Kind::Reserve | Kind::MetadataMark => true,
            // Without it a start reads the log as after a kill.
            Kind::MetadataEnd => self.injury.damage == Damage::Removed,
            // Only what lies between the tail and the head is read, and nothing at all after a clean stop.
            Kind::Journal => true,
            // A start makes what was not synced again, from the journal or the batches.
            Kind::OffsetIndex | Kind::TimeIndex => killed,
            // An older one does as well; after a kill it is another that is begun from.
            Kind::Snapshot => self.injury.damage == Damage::Removed || killed,
            // Of a partition without records.
            Kind::PartitionMetadata => self.is_empty_partition(),
            // There are none.
            Kind::LeaderEpochs => self.is_empty_partition(),
            // Of an earlier stop: nobody reads them.
            Kind::KafkasCheckpoint => killed,
            // A torn tail.
            Kind::MetadataLog => killed && self.injury.damage == Damage::Garbage,
            Kind::Checksums => killed && (named == Named::Note || self.injury.damage == Damage::Removed),
            // The journal has all of one that is begun after the synced point.
            Kind::Segment => killed && (named == Named::Note || self.injury.damage == Damage::Removed),
            // A stop that was cut short before its last file: the manifest says the same.
            Kind::CleanShutdown => named == Named::Note && self.injury.damage == Damage::Removed,
            _ => false,
        }
    }

    fn is_empty_partition(&self) -> bool {
        let partition = self.injury.files.first().and_then(|file| file.parent());
        partition.is_some_and(|partition| segment_bytes(partition).is_ok_and(|bytes| bytes == 0))
    }

    /// What `log verify` says.
    fn named(&self, data: &Path) -> Result<Named, Outcome> {
        let (status, text) = self.tool(&["log", "verify", "-o", "json"], data)?;
        let findings: serde_json::Value = serde_json::from_str(&text)?;
        let mut near = Vec::new();
        for finding in findings.as_array().into_iter().flatten() {
            let path = PathBuf::from(finding["file"].as_str().unwrap_or_default());
            if self.is_near(&path, data) {
                near.push(finding["severity"].as_str() != Some("note"));
            }
        }
        let named = match near.iter().max() {
            Some(true) => Named::Finding,
            Some(false) => Named::Note,
            None => Named::Harmless,
        };
        match (status, named) {
            (0, Named::Note | Named::Harmless) | (FOUND, Named::Finding) => Ok(named),
            // Its directory is noted; what is found are checkpoints that speak of it.
            (FOUND, Named::Note) if self.injury.kind == Kind::PartitionMetadata && self.is_empty_partition() => {
                Ok(named)
            }
            (status, _) => failed(format!("`log verify` ended with {status}, and does not name the place:\n{text}")),
        }
    }

    /// The file itself, one of its partition, or for a file of the root any of the root.
    fn is_near(&self, path: &Path, data: &Path) -> bool {
        self.injury.files.iter().any(|file| {
            let parent = file.parent().unwrap_or(data);
            path == file || path == parent || path.parent() == Some(parent)
        })
    }

    /// Starts the broker and compares what it serves.
    fn start(&self, broker: &mut Broker, cut_openly: bool) -> Result<(Start, Served), Outcome> {
        let _ = fs::remove_file(broker.log());
        let started = broker.restart();
        let log = |broker: &Broker| fs::read_to_string(broker.log()).unwrap_or_default();
        if let Err(error) = started {
            let refused = self.injury.kind.is_of_root() && log(broker).contains("barnabas-")
                || log(broker).contains("meta.properties");
            if !refused || log(broker).contains("panicked") || error.to_string().contains("waited") {
                return failed(format!("it does not start: {}", tail(&broker.log(), 5)));
            }
            return Ok((Start::Refused, Served::default()));
        }
        let seen = survey(self.room, broker)?;
        if let Some(status) = broker.crashed() {
            return failed(format!("the broker ended: {status}; {}", tail(&broker.log(), 5)));
        }
        let judged = self.stock.truth.judge(&seen, cut_openly);
        let served = judged.map_err(|why| Outcome::Failed(format!("{why}; {}", tail(&broker.log(), 5))))?;
        broker.stop()?;
        let log = log(broker);
        if log.contains("panicked") {
            return failed(format!("a panic: {}", tail(&broker.log(), 5)));
        }
        for (topic, index) in &served.refused {
            let name = format!("{topic}-{index}");
            let told = |line: &str| (line.contains("ERROR") || line.contains("WARN")) && line.contains(&name);
            if !log.lines().any(told) {
                return failed(format!("{name} is refused, and the log does not say so: {}", tail(&broker.log(), 5)));
            }
        }
        let whole = served.is_whole();
        Ok((if whole { Start::Whole } else { Start::Partitions }, served))
    }

    /// The plan, which changes nothing; then what it says; then nothing may be left.
    fn repair(&self, data: &Path, wanted: bool) -> Result<Repair, Outcome> {
        let (status, plan) = self.tool(&["log", "repair"], data)?;
        if status == 0 {
            return if wanted {
                failed(format!("`log repair` finds nothing to do: {plan}"))
            } else {
                Ok(Repair::Nothing)
            };
        }
        let (stored, cut) =
            (segment_bytes(data)?, plan.contains("\n- cut ") || plan.contains(".log to ") || plan.contains("\n- let "));
        if status != FOUND || !plan.contains("The plan:") {
            return failed(format!("`log repair` ended with {status}: {plan}"));
        }
        let (status, told) = self.tool(&["log", "repair", "--yes"], data)?;
        if segment_bytes(data)? < stored {
            return failed(format!("the repair threw away {} bytes of segments", stored - segment_bytes(data)?));
        }
        let by_hand = told.contains("- leave ");
        if status != 0 && by_hand {
            self.restore(data)?;
        }
        let (mut after, mut left) = self.tool(&["log", "verify"], data)?;
        if after != 0 && by_hand {
            // What was left alone for the sake of the file.
            self.tool(&["log", "repair", "--yes"], data)?;
            (after, left) = self.tool(&["log", "verify"], data)?;
        }
        if after != 0 || (status != 0 && !by_hand) {
            return failed(format!(
                "`log repair --yes` ended with {status}, `log verify` then with {after}:\n{told}\n{left}"
            ));
        }
        Ok(match (by_hand, cut) {
            (true, _) => Repair::Copy,
            (false, true) => Repair::Cut,
            (false, false) => Repair::Whole,
        })
    }

    /// Puts the files back as they were.
    fn restore(&self, data: &Path) -> Result<(), Outcome> {
        for file in &self.injury.files {
            let name = file.strip_prefix(data).unwrap_or(file);
            fs::copy(self.stock.data.join(name), file)?;
        }
        Ok(())
    }

    /// Runs the program itself; its exit status and what it prints.
    fn tool(&self, arguments: &[&str], data: &Path) -> Result<(i32, String), Outcome> {
        let mut at = arguments.to_vec();
        at.insert(2, data.to_str().unwrap_or_default());
        let output = Command::new(self.room.program()).args(&at).env("RUST_BACKTRACE", "0").output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(code @ (0 | FOUND)) if !errors.contains("panicked") => {
                Ok((code, String::from_utf8_lossy(&output.stdout).into_owned()))
            }
            _ => failed(format!("{arguments:?} ended with {}: {errors}", output.status)),
        }
    }
}

/// Bytes of all segments, what a repair has cut or set aside included.
fn segment_bytes(directory: &Path) -> Result<u64, Outcome> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            bytes += segment_bytes(&path)?;
        } else if name.ends_with(".log") || name.contains(".log.") {
            bytes += fs::metadata(&path)?.len();
        }
    }
    Ok(bytes)
}
