//! `barnabas log repair`: sets aside what cannot be read, and has everything that can be made again made again.
//!
//! A plan first: which file is renamed, which is cut where. Nothing that is set aside is removed: it stays in the same
//! directory under `<name>.damaged`, or `<name>.cut-<position>` for the end of a file, which neither Apache Kafka nor a
//! start of ours looks at. Then the directory is opened and closed by the product's own code, which recovers it, writes
//! the indexes, snapshots and checksums, and leaves it cleanly stopped.
//!
//! Must not know: the metadata's files, which only a copy can restore; how findings are made.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

use crate::clean_shutdown;
use crate::error::LogDirError;
use crate::ids::{Offset, PartitionIndex};
use crate::journal::LogKey;
use crate::journal::replay;
use crate::journal::ring::{self, RingFiles};
use crate::log_dir::{self, Belongs, LogDir, LogDirOptions};
use crate::manifest::Manifest;
use crate::options::LogOptions;
use crate::partition_metadata;
use crate::seam::{Disk, OpenMode, Seams};
use crate::segment::{CHECKSUMS, DATA, OFFSET_INDEX, SNAPSHOT, TIME_INDEX, TRANSACTION_INDEX, base_of, file_path};
use crate::verify::{Finding, Severity};

/// Bytes copied at a time.
const COPY_CHUNK: u64 = 1 << 20;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The file gets another name: it is made again, or cannot be used any more.
    SetAside(PathBuf),
    /// Everything from there on is moved into a file beside it.
    Cut(PathBuf, u64),
    /// The partition's first segments are gone: its log begins at the first that is there, or where it ended.
    Begin(PathBuf, Option<Offset>),
    /// Only a person can help; the reason.
    Leave(PathBuf, String),
}

impl Step {
    fn left(&self) -> Option<&Path> {
        match self {
            Self::Leave(path, _) => Some(path),
            Self::SetAside(_) | Self::Cut(..) | Self::Begin(..) => None,
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SetAside(path) => write!(f, "rename {} to {}", path.display(), aside(path, ".damaged").display()),
            Self::Cut(path, position) => {
                let kept = aside(path, &format!(".cut-{position}"));
                write!(f, "cut {} at byte {position}; what follows is kept in {}", path.display(), kept.display())
            }
            Self::Begin(path, Some(offset)) => write!(f, "let the log of {} begin at {offset}", path.display()),
            Self::Begin(path, None) => write!(f, "let the log of {} go on empty from its end", path.display()),
            Self::Leave(path, reason) => write!(f, "leave {}: {reason}", path.display()),
        }
    }
}

/// What to do about findings.
///
/// # Errors
/// When a directory cannot be listed.
pub fn plan(disk: &dyn Disk, directory: &Path, findings: &[Finding]) -> io::Result<Vec<Step>> {
    let mut first_damage: BTreeMap<&Path, (Offset, u64)> = BTreeMap::new();
    let mut steps = Vec::new();
    let root = disk.list(directory)?;
    for finding in findings.iter().filter(|finding| finding.severity > Severity::Note) {
        let (path, parent) = (&finding.path, finding.path.parent().unwrap_or(directory));
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let base = base_of(name, DATA).filter(|_| finding.severity == Severity::Damage);
        let of_partition = parent == directory && root.iter().any(|entry| entry.is_dir && entry.name == name);
        if of_partition {
            first_damage.entry(path).or_insert((Offset::ZERO, 0));
        } else if path == directory || parent == directory {
            steps.extend(root_step(disk, finding, name));
            if finding.severity == Severity::Rebuildable && ring::is_file(name) {
                // They are numbered one behind the other: with one all go, and after a clean stop nobody misses them.
                let others = root.iter().filter(|entry| ring::is_file(&entry.name));
                steps.extend(others.map(|entry| Step::SetAside(directory.join(&entry.name))));
            }
        } else if let Some(base) = base {
            let at = (base, finding.position.unwrap_or(0));
            let first = first_damage.entry(parent).or_insert(at);
            *first = at.min(*first);
        } else if name == partition_metadata::NAME {
            let reason = "nothing else says for certain which topic this is: restore it from a copy".to_owned();
            steps.push(Step::Leave(path.clone(), reason));
        } else if disk.exists(path) {
            steps.push(Step::SetAside(path.clone()));
        }
    }
    // Nobody knows whose partition it is: nothing else there is touched.
    let left: Vec<PathBuf> =
        steps.iter().filter_map(Step::left).filter_map(Path::parent).map(Path::to_path_buf).collect();
    let is_left = |path: &Path| path != directory && left.iter().any(|dir| dir == path && dir != directory);
    steps.retain(|step| !matches!(step, Step::SetAside(path) if path.parent().is_some_and(is_left)));
    first_damage.retain(|partition, _| !is_left(partition));
    for (partition, (base, position)) in first_damage {
        match first_base(disk, partition) {
            Some(first) if first <= base => cut_log(disk, partition, base, position, &mut steps)?,
            first => steps.push(Step::Begin(partition.to_path_buf(), first)),
        }
    }
    // Of several findings about one file one step comes, wherever they stand.
    let mut planned = Vec::with_capacity(steps.len());
    for step in steps {
        if !planned.contains(&step) {
            planned.push(step);
        }
    }
    Ok(planned)
}

/// `None` when a start makes the file anew anyway.
fn root_step(disk: &dyn Disk, finding: &Finding, name: &str) -> Option<Step> {
    if finding.severity == Severity::Rebuildable {
        // A manifest of a clean stop beside a journal that is not whole stays: the journal is made again.
        let goes = disk.exists(&finding.path) && Some(name) != Manifest::path("".as_ref()).to_str();
        return goes.then(|| Step::SetAside(finding.path.clone()));
    }
    Some(Step::Leave(finding.path.clone(), format!("{}; restore it from a copy", finding.what)))
}

/// The log ends at the damage: what lies behind it in the segment is kept beside it, later segments are set aside.
fn cut_log(disk: &dyn Disk, partition: &Path, base: Offset, position: u64, steps: &mut Vec<Step>) -> io::Result<()> {
    let suffixes = [DATA, OFFSET_INDEX, TIME_INDEX, TRANSACTION_INDEX, SNAPSHOT, CHECKSUMS];
    for entry in disk.list(partition)? {
        let of = suffixes.iter().find_map(|suffix| base_of(&entry.name, suffix).map(|of| (of, *suffix)));
        let goes = of.is_some_and(|(of, suffix)| of > base || (of == base && !matches!(suffix, DATA | SNAPSHOT)));
        let step = Step::SetAside(partition.join(&entry.name));
        if goes && !steps.contains(&step) {
            steps.push(step);
        }
    }
    let data = file_path(partition, base, DATA);
    if disk.exists(&data) {
        steps.push(Step::Cut(data, position));
    }
    Ok(())
}

/// Carries the steps out, then recovers the directory and stops it cleanly. `Leave` steps are passed over.
///
/// # Errors
/// See [`LogDirError`].
pub fn carry_out(seams: &Seams, directory: &Path, steps: &[Step]) -> Result<(), LogDirError> {
    let disk = &*seams.disk;
    let failed = |path: &Path, source| LogDirError::Io { act: "repair", path: path.to_path_buf(), source };
    let mut cut = Vec::new();
    for step in steps {
        match step {
            Step::SetAside(path) => {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                if base_of(name, DATA).is_some() {
                    cut.extend(path.parent());
                }
                disk.rename(path, &free_name(disk, path, ".damaged")).map_err(|source| failed(path, source))?;
            }
            Step::Cut(path, position) => {
                keep_end(disk, path, *position).map_err(|source| failed(path, source))?;
                cut.extend(path.parent());
            }
            Step::Begin(path, _) => cut.push(path),
            Step::Leave(..) => {}
        }
    }
    cut.dedup();
    for partition in &cut {
        disk.sync_dir(partition).map_err(|source| failed(partition, source))?;
    }
    look_again(disk, directory, &cut)?;
    let left: Vec<&Path> = steps.iter().filter_map(Step::left).filter_map(Path::parent).collect();
    let belongs = |topic: &str, _, partition: PartitionIndex| {
        // Nobody knows whose it is: it stays as it is.
        let path = directory.join(format!("{topic}-{partition}"));
        if left.contains(&path.as_path()) {
            Belongs::Elsewhere("?".to_owned())
        } else {
            Belongs::Here(LogOptions::default())
        }
    };
    let (dir, _) = LogDir::open(seams.clone(), directory, LogDirOptions::default(), &belongs)?;
    for log in dir.logs() {
        log.write_all_checksums().map_err(|source| failed(directory, source))?;
    }
    dir.recover_kept()?;
    dir.close()
}

fn aside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The name, with a number when it is taken.
fn free_name(disk: &dyn Disk, path: &Path, suffix: &str) -> PathBuf {
    let names = std::iter::once(aside(path, suffix)).chain((2..).map(|n| aside(path, &format!("{suffix}-{n}"))));
    let mut free = names.filter(|name| !disk.exists(name));
    free.next().expect("invariant: the numbers do not end")
}

/// Copies the end of a file beside it, durably, and only then cuts it.
fn keep_end(disk: &dyn Disk, path: &Path, position: u64) -> io::Result<()> {
    let file = disk.open(path, OpenMode::ReadWrite)?;
    let len = file.len()?;
    let from = position.min(len);
    let kept = disk.open(&free_name(disk, path, &format!(".cut-{position}")), OpenMode::CreateNew)?;
    let mut at = from;
    while at < len {
        let mut bytes = vec![0; usize::try_from((len - at).min(COPY_CHUNK)).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, at)?;
        kept.write_all_at(&[IoSlice::new(&bytes)], at - from)?;
        at += bytes.len() as u64;
    }
    kept.sync_data()?;
    if let Some(parent) = path.parent() {
        disk.sync_dir(parent)?;
    }
    file.set_len(from)?;
    file.sync_data()
}

/// The manifest says no more that the stop was clean, so that the start looks at everything; the lines of logs that were
/// cut say that they are to be verified from their first segment on.
fn look_again(disk: &dyn Disk, directory: &Path, cut: &[&Path]) -> Result<(), LogDirError> {
    let Some(mut manifest) = Manifest::read(disk, directory)? else { return Ok(()) };
    let ring = RingFiles::look(disk, directory, manifest.directory)?;
    if manifest.clean && ring.is_empty() {
        // It was set aside. A start that is not a clean one expects a journal.
        let made = ring.make_next(disk, LogDirOptions::default().journal_bytes_initial);
        made.map_err(|source| LogDirError::Io { act: "repair", path: directory.to_path_buf(), source })?;
    }
    let next_round = if manifest.clean { manifest.tail.round } else { replay::read(&ring, &manifest)?.1.round };
    for partition in cut {
        let name = partition.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let kept = || log_dir::kept_of(name).map(|(_, key)| key.partition);
        let index = log_dir::partition_of(name).map(|(_, index)| index).or_else(kept);
        let (Some(index), Ok(Some(topic_id))) = (index, partition_metadata::read(disk, partition)) else { continue };
        if let Some(line) = manifest.logs.get_mut(&LogKey { topic_id, partition: index }) {
            // What the journal still has of it lies behind the cut.
            line.replay_from = next_round;
            let at = &mut line.checkpoint;
            let first = first_base(disk, partition).unwrap_or(at.recovery_point);
            (at.recovery_point, at.segment_base, at.position) = (first, first, 0);
            at.log_start = at.log_start.max(first);
            at.high_watermark = at.log_start;
        }
    }
    manifest.clean = false;
    let failed = |source| LogDirError::Io { act: "repair", path: Manifest::path(directory), source };
    clean_shutdown::take(disk, directory).map_err(failed)?;
    manifest.write(disk, directory).map_err(failed)
}

fn first_base(disk: &dyn Disk, partition: &Path) -> Option<Offset> {
    disk.list(partition).ok()?.iter().filter_map(|entry| base_of(&entry.name, DATA)).min()
}

#[cfg(test)]
mod tests;
