//! `barnabas log verify`: a walk over a stopped log directory that changes nothing and names everything that is not as it
//! was written.
//!
//! What lies beyond the synced point is no damage: a crash leaves it, and a start deals with it. Index files, snapshots
//! and epochs can be made again from the batches. The rest is damage.
//!
//! Must not know: what is done about it; the metadata's files, which `raft` looks at.

mod companions;
mod indexes;
mod kept;
mod partition;
mod root;
mod segment;

use std::io;
use std::path::{Path, PathBuf};

use crate::seam::Disk;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong; an operator may want to know.
    Note,
    /// Wrong, but everything in it can be made again from the batches.
    Rebuildable,
    /// Stored bytes are not what was written, or are gone.
    Damage,
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Rebuildable => "rebuildable",
            Self::Damage => "damage",
        })
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// In which file, or directory.
    pub path: PathBuf,
    /// At which byte, when one can be told.
    pub position: Option<u64>,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub what: String,
    /// What can be done.
    pub action: &'static str,
}

/// What can be done, in an operator's words.
pub(crate) mod action {
    pub(crate) const NOTHING: &str = "nothing needs to be done";
    pub(crate) const STARTS: &str = "`barnabas log repair` makes it again";
    pub(crate) const REPAIR: &str =
        "restore the file from a copy; or run `barnabas log repair`, which makes again what it can";
    pub(crate) const CUT: &str = "restore the partition from a copy; or run `barnabas log repair`, which cuts the log there and keeps what it cuts";
    pub(crate) const ROOT: &str = "restore the file from a copy";
}

/// What a walk has found so far.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) all: Vec<Finding>,
}

impl Findings {
    pub(crate) fn damage(&mut self, path: &Path, position: Option<u64>, what: impl Into<String>, act: &'static str) {
        self.add(path, position, Severity::Damage, what, act);
    }

    pub(crate) fn rebuildable(&mut self, path: &Path, what: impl Into<String>) {
        self.add(path, None, Severity::Rebuildable, what, action::STARTS);
    }

    pub(crate) fn note(&mut self, path: &Path, position: Option<u64>, what: impl Into<String>) {
        self.add(path, position, Severity::Note, what, action::NOTHING);
    }

    fn add(&mut self, path: &Path, at: Option<u64>, severity: Severity, what: impl Into<String>, act: &'static str) {
        self.all.push(Finding { path: path.to_path_buf(), position: at, severity, what: what.into(), action: act });
    }
}

/// How far a walk has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walked<'a> {
    /// Directories of partitions that were looked at.
    pub done: usize,
    /// All of them.
    pub of: usize,
    /// The name of the one that is looked at next; `None` at the end.
    pub next: Option<&'a str>,
}

/// Is told how far a walk has come: before each partition, and at the end.
pub type Observer<'a> = dyn FnMut(Walked<'_>) + 'a;

/// Walks over a log directory and reads all of it. Nobody else may write to it meanwhile.
///
/// # Errors
/// When the directory itself cannot be listed; files that cannot be read are findings.
pub fn verify(disk: &dyn Disk, directory: &Path) -> io::Result<Vec<Finding>> {
    verify_observed(disk, directory, &mut |_| {})
}

/// As [`verify`], and tells `observer` how far it has come.
///
/// # Errors
/// As [`verify`].
pub fn verify_observed(disk: &dyn Disk, directory: &Path, observer: &mut Observer<'_>) -> io::Result<Vec<Finding>> {
    let mut findings = Findings::default();
    let known = root::look(disk, directory, &mut findings)?;
    partition::look_at_all(disk, directory, &known, &mut findings, observer)?;
    Ok(findings.all)
}
