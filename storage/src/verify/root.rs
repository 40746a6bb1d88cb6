//! The files in the root of a log directory.

use std::io;
use std::path::{Path, PathBuf};

use super::{Findings, action};
use crate::checkpoint_file::{self, Offsets};
use crate::clean_shutdown;
use crate::error::LogDirError;
use crate::ids::{Offset, PartitionIndex};
use crate::journal::replay;
use crate::journal::ring::RingFiles;
use crate::journal::{LogCheckpoint, LogKey};
use crate::log_dir::MetaProperties;
use crate::manifest::Manifest;
use crate::meta_properties;
use crate::seam::Disk;
use crate::whole_file;

/// What the root says about the partitions.
pub(super) struct Known {
    pub(super) manifest: Option<Manifest>,
    /// The last stop was clean.
    pub(super) clean: bool,
    /// Another broker may have run here since our last stop.
    pub(super) others_ran: bool,
    recovery_points: Offsets,
    log_starts: Offsets,
    /// A batch that is not in its segment may be in the journal.
    pub(super) journal: bool,
}

impl Known {
    /// What the manifest says of a log, when it still counts.
    pub(super) fn line(&self, key: LogKey) -> Option<LogCheckpoint> {
        let line = self.manifest.as_ref().and_then(|manifest| manifest.logs.get(&key));
        line.map(|line| line.checkpoint.clone()).filter(|_| !self.others_ran)
    }

    /// Whether the manifest has a line of a log.
    pub(super) fn lists(&self, key: LogKey) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| manifest.logs.contains_key(&key))
    }

    /// Up to where a log is known to be on disk; `None` when nothing is known.
    pub(super) fn checkpoint(&self, topic: &str, key: LogKey) -> Option<LogCheckpoint> {
        let line = self.line(key);
        if line.is_some() || !self.clean {
            let new = self.manifest.is_some() && !self.others_ran;
            return line.or_else(|| new.then(|| crate::log_dir::empty(key)));
        }
        let name = (topic.to_owned(), key.partition);
        let of = |offsets: &Offsets| offsets.get(&name).copied().unwrap_or(Offset::ZERO);
        Some(LogCheckpoint {
            log_start: of(&self.log_starts),
            recovery_point: of(&self.recovery_points),
            ..crate::log_dir::empty(key)
        })
    }
}

pub(super) fn look(disk: &dyn Disk, directory: &Path, findings: &mut Findings) -> io::Result<Known> {
    if clean_shutdown::is_damaged(disk, directory) {
        findings.rebuildable(&directory.join(clean_shutdown::NAME), "it is there, but not as a clean stop writes it");
    }
    let names: Vec<_> = disk.list(directory)?.into_iter().map(|entry| entry.name).collect();
    let meta = meta(disk, directory, findings);
    let manifest = match Manifest::read(disk, directory) {
        Ok(manifest) => manifest,
        Err(error) => {
            findings.damage(&Manifest::path(directory), None, error.to_string(), action::ROOT);
            None
        }
    };
    let clean = clean_shutdown::is_there(disk, directory);
    let others_ran = match &manifest {
        Some(manifest) => manifest.clean && !clean_shutdown::is_ours(disk, directory),
        None => true,
    };
    let journal = names.iter().any(|name| name.starts_with("barnabas-journal-"));
    look_at_ring(disk, directory, manifest.as_ref(), meta.as_ref(), findings);
    if journal && !names.iter().any(|name| name == "barnabas-manifest") {
        findings.damage(&Manifest::path(directory), None, "it is gone, but a journal is there", action::ROOT);
    }
    if let Some(manifest) = &manifest {
        judge(directory, manifest, meta.as_ref(), clean, findings);
    }
    let ours = manifest.as_ref().filter(|manifest| manifest.clean && clean && !others_ran);
    let names = Names::of(disk, directory, ours)?;
    let recovery_points =
        offsets(disk, directory, checkpoint_file::RECOVERY_POINT, &names, |at| at.recovery_point, clean, findings);
    let log_starts = offsets(disk, directory, checkpoint_file::LOG_START, &names, |at| at.log_start, clean, findings);
    offsets(disk, directory, checkpoint_file::HIGH_WATERMARK, &names, |at| at.high_watermark, clean, findings);
    Ok(Known { manifest, clean, others_ran, recovery_points, log_starts, journal })
}

fn meta(disk: &dyn Disk, directory: &Path, findings: &mut Findings) -> Option<MetaProperties> {
    let path = directory.join("meta.properties");
    match meta_properties::read(disk, directory) {
        Ok(Some(meta)) => Some(meta),
        Ok(None) => {
            findings.damage(&path, None, "it is gone: nothing says whose directory this is", action::ROOT);
            None
        }
        Err(error) => {
            findings.damage(&path, None, error.to_string(), action::ROOT);
            None
        }
    }
}

/// The ring: whole files, and after a crash every round up to the last.
fn look_at_ring(
    disk: &dyn Disk,
    directory: &Path,
    manifest: Option<&Manifest>,
    meta: Option<&MetaProperties>,
    findings: &mut Findings,
) {
    let id = manifest.map(|manifest| manifest.directory).or_else(|| meta.map(|meta| meta.directory_id));
    let Some(id) = id else { return };
    let running = manifest.filter(|manifest| !manifest.clean);
    let ring = match RingFiles::look(disk, directory, id) {
        Ok(ring) => ring,
        // After a clean stop nothing in it counts.
        Err(error) if manifest.is_some_and(|manifest| manifest.clean) => {
            return findings.rebuildable(&place_of(&error, directory), error.to_string());
        }
        Err(error) => return findings.damage(&place_of(&error, directory), None, error.to_string(), action::ROOT),
    };
    if manifest.is_some() && ring.is_empty() {
        let what = "the journal that it speaks of is gone";
        match running {
            Some(_) => findings.damage(&Manifest::path(directory), None, what, action::ROOT),
            None => findings.rebuildable(&Manifest::path(directory), what),
        }
        return;
    }
    if let Some(manifest) = running
        && let Err(error) = replay::read(&ring, manifest)
    {
        findings.damage(&place_of(&error, directory), None, error.to_string(), action::ROOT);
    }
}

/// The file of an error.
fn place_of(error: &LogDirError, directory: &Path) -> PathBuf {
    match error {
        LogDirError::Malformed { file, .. } => file.clone(),
        LogDirError::Io { path, .. } => path.clone(),
        _ => directory.to_path_buf(),
    }
}

/// The names that Kafka's checkpoint files have for the logs of a manifest.
struct Names(Vec<(String, LogCheckpoint)>);

impl Names {
    fn of(disk: &dyn Disk, directory: &Path, manifest: Option<&Manifest>) -> io::Result<Self> {
        let Some(manifest) = manifest else { return Ok(Self(Vec::new())) };
        let mut names = Vec::new();
        for entry in disk.list(directory)?.into_iter().filter(|entry| entry.is_dir) {
            let Some((topic, partition)) = crate::log_dir::partition_of(&entry.name) else { continue };
            if let Ok(Some(topic_id)) = crate::partition_metadata::read(disk, &directory.join(&entry.name))
                && let Some(line) = manifest.logs.get(&LogKey { topic_id, partition })
            {
                names.push((topic, line.checkpoint.clone()));
            }
        }
        Ok(Self(names))
    }
}

/// One of Kafka's checkpoint files. After a stop of ours it says what the manifest says.
fn offsets(
    disk: &dyn Disk,
    directory: &Path,
    name: &str,
    names: &Names,
    of: fn(&LogCheckpoint) -> Offset,
    clean: bool,
    findings: &mut Findings,
) -> Offsets {
    let path = directory.join(name);
    let bytes = match whole_file::read(disk, &path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) if !names.0.is_empty() => {
            findings.rebuildable(&path, "it is gone, and a clean stop writes it");
            return Offsets::new();
        }
        Ok(None) => return Offsets::new(),
        Err(error) => {
            findings.rebuildable(&path, format!("it cannot be read: {error}"));
            return Offsets::new();
        }
    };
    let Some(offsets) = std::str::from_utf8(&bytes).ok().and_then(checkpoint_file::parse) else {
        // Behind an unclean stop of ours it is of an earlier time, and nobody reads it.
        if clean {
            findings.rebuildable(&path, "it does not parse: Apache Kafka refuses a directory with it");
        } else {
            findings.note(&path, None, "it does not parse; the manifest is what counts");
        }
        return Offsets::new();
    };
    compare(&path, &offsets, names, of, findings);
    offsets
}

/// What the file says of each log, against the manifest.
fn compare(path: &Path, offsets: &Offsets, names: &Names, of: fn(&LogCheckpoint) -> Offset, findings: &mut Findings) {
    let start_file = path.ends_with(checkpoint_file::LOG_START);
    for (topic, line) in &names.0 {
        let said = offsets.get(&(topic.clone(), line.partition)).copied();
        let expected = Some(of(line)).filter(|offset| !start_file || *offset > Offset::ZERO);
        if said != expected {
            let partition: PartitionIndex = line.partition;
            findings.rebuildable(path, format!("its line of {topic}-{partition} is not what the manifest says"));
        }
    }
    if !names.0.is_empty()
        && offsets
            .keys()
            .any(|(topic, partition)| !names.0.iter().any(|(name, line)| name == topic && line.partition == *partition))
    {
        findings.rebuildable(path, "it names a partition that is not here");
    }
}

/// Whether the manifest fits what is beside it.
fn judge(directory: &Path, manifest: &Manifest, meta: Option<&MetaProperties>, clean: bool, findings: &mut Findings) {
    if let Some(meta) = meta.filter(|meta| meta.directory_id != manifest.directory) {
        let what =
            format!("it belongs to directory {}, meta.properties names {}", manifest.directory, meta.directory_id);
        findings.damage(&Manifest::path(directory), None, what, action::ROOT);
    }
    if !manifest.clean && clean {
        let what = "a clean-shutdown file lies beside a manifest that says `running`: another broker ran here after an \
                    unclean stop of ours";
        findings.damage(&Manifest::path(directory), None, what, action::ROOT);
    }
    if manifest.clean && !clean {
        let what = "there is none, but the manifest says `clean`: a stop was cut short, or another broker ran here";
        findings.note(&directory.join(clean_shutdown::NAME), None, what);
    }
}
