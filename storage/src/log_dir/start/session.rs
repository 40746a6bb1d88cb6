//! The journal of a start: the session that a crash has ended goes on, or a new one begins.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::super::{LogDirOptions, MetaProperties};
use super::Left;
use crate::checkpointer::Checkpointer;
use crate::error::LogDirError;
use crate::journal::ring::{Place, Ring, Tail};
use crate::journal::{Journal, JournalStart};
use crate::manifest::Manifest;
use crate::seam::Seams;

/// What a journal is made of.
pub(super) struct Beginning {
    ring: Ring,
    manifest: Manifest,
    /// The disk has this manifest.
    written: bool,
}

impl Beginning {
    /// Not yet running.
    pub(super) fn make(self, seams: Seams, path: &Path, options: &LogDirOptions) -> Arc<Journal> {
        Journal::new(JournalStart {
            dir: path.to_path_buf(),
            directory: self.manifest.directory,
            session: self.manifest.session,
            batch_bytes_max: options.journal_batch_bytes_max,
            ring_bytes_max: options.journal_bytes_max,
            ring: self.ring,
            checkpointer: Checkpointer::new(
                self.manifest,
                self.written,
                options.checkpoint_interval,
                options.free_bytes_min,
            ),
            seams,
        })
    }
}

/// The session that a crash has ended goes on behind its last round: nothing has to be written before the first append.
/// But what was read here may be in memory only, and what follows builds on it: the last round, the manifest's name, and
/// the names of partitions.
pub(super) fn go_on(seams: &Seams, path: &Path, left: Left, manifest: Manifest) -> Result<Beginning, LogDirError> {
    left.replay.settle(&left.ring)?;
    let synced = seams.disk.sync_dir(path);
    synced.map_err(|source| LogDirError::Io { act: "sync the directory", path: path.to_path_buf(), source })?;
    Ok(Beginning { ring: Ring::resumed(left.ring, left.replay.live, left.head), manifest, written: true })
}

/// A new session. The first file of the ring is made if there is none.
pub(super) fn begin_anew(
    seams: &Seams,
    path: &Path,
    options: &LogDirOptions,
    meta: &MetaProperties,
    left: Left,
) -> Result<Beginning, LogDirError> {
    let (mut ring, next_round) = (left.ring, left.head.round);
    if ring.is_empty() {
        let made = ring.make_next(&*seams.disk, options.journal_bytes_initial);
        ring.push(made.map_err(|source| LogDirError::Io {
            act: "make the journal in",
            path: path.to_path_buf(),
            source,
        })?);
    }
    let manifest = Manifest {
        directory: meta.directory_id,
        session: seams.rng.next_u64(),
        clean: false,
        tail: Tail { round: next_round, place: Place::START },
        logs: BTreeMap::new(),
    };
    Ok(Beginning { ring: Ring::new(ring, next_round), manifest, written: false })
}
