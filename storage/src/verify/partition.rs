//! One partition's directory.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use super::companions::{self, Owner};
use super::root::Known;
use super::segment::{self, Walk};
use super::{Findings, Observer, Walked, action, indexes, kept};
use crate::checksums::Checksums;
use crate::ids::{Offset, PartitionIndex, TopicId};
use crate::journal::{LogCheckpoint, LogKey};
use crate::log_dir::{is_deleted, kept_of, partition_of};
use crate::manifest::Manifest;
use crate::partition_metadata;
use crate::seam::Disk;
use crate::segment::{CHECKSUMS, DATA, OFFSET_INDEX, SNAPSHOT, TIME_INDEX, UNINDEXED_BYTES_MAX, base_of, file_path};

/// Every partition, and those that the manifest knows and that are gone.
pub(super) fn look_at_all(
    disk: &dyn Disk,
    directory: &Path,
    known: &Known,
    findings: &mut Findings,
    observer: &mut Observer<'_>,
) -> io::Result<()> {
    let mut there = HashSet::new();
    let mut claims: BTreeMap<TopicId, Vec<Claim>> = BTreeMap::new();
    let names = directories(disk, directory)?;
    let of = names.len();
    for (done, name) in names.iter().enumerate() {
        observer(Walked { done, of, next: Some(name) });
        let path = directory.join(name);
        if is_deleted(name) {
            there.extend(deleted(disk, &path, known));
            continue;
        }
        if let Some((topic, key)) = kept_of(name).filter(|(_, key)| kept::is_kept(disk, &path, *key, known)) {
            there.insert(key);
            kept::look_at(disk, path, topic, key, known, findings);
            continue;
        }
        let Some((topic, partition)) = partition_of(name) else { continue };
        match Partition::served(disk, path.clone(), topic.clone(), partition, known).look(findings) {
            Ok(Some((key, proven))) => {
                there.insert(key);
                claims.entry(key.topic_id).or_default().push(Claim { topic, path, proven });
            }
            Ok(None) => {}
            Err(error) => findings.damage(&path, None, format!("it cannot be read: {error}"), action::CUT),
        }
    }
    observer(Walked { done: of, of, next: None });
    for (topic_id, claims) in &claims {
        judge(*topic_id, claims, findings);
    }
    gone(directory, known, &there, findings);
    Ok(())
}

/// The names of directories in a directory, ordered.
fn directories(disk: &dyn Disk, directory: &Path) -> io::Result<Vec<String>> {
    let entries = disk.list(directory)?.into_iter().filter(|entry| entry.is_dir);
    let mut names: Vec<String> = entries.map(|entry| entry.name).collect();
    names.sort();
    Ok(names)
}

/// The logs of the topic whose directory is marked as deleted.
fn deleted<'a>(disk: &dyn Disk, path: &Path, known: &'a Known) -> impl Iterator<Item = &'a LogKey> {
    let topic_id = partition_metadata::read(disk, path).ok().flatten();
    let logs = known.manifest.iter().flat_map(|manifest| manifest.logs.keys());
    logs.filter(move |key| Some(key.topic_id) == topic_id)
}

/// Logs with records that the manifest knows and that no directory is of.
fn gone(directory: &Path, known: &Known, there: &HashSet<LogKey>, findings: &mut Findings) {
    let Some(manifest) = &known.manifest else { return };
    for (key, line) in &manifest.logs {
        let has_records = line.checkpoint.recovery_point > line.checkpoint.log_start;
        if has_records && !there.contains(key) && !known.others_ran {
            let what = format!(
                "partition {} of topic id {} has offsets up to {}, but no directory here is of it",
                key.partition, key.topic_id, line.checkpoint.recovery_point
            );
            findings.damage(&Manifest::path(directory), None, what, action::CUT);
        }
    }
}

/// A directory that says that it is of a topic id.
struct Claim {
    topic: String,
    path: PathBuf,
    /// Its segments say so, too.
    proven: bool,
}

/// A topic id is that of one topic. Of several that claim it, those are named that have nothing else to show for it: an empty
/// partition with the id of another topic would be taken for a log that has lost its records.
fn judge(topic_id: TopicId, claims: &[Claim], findings: &mut Findings) {
    let all_proven = claims.iter().all(|claim| claim.proven);
    for claim in claims.iter().filter(|claim| all_proven || !claim.proven) {
        if let Some(other) = claims.iter().find(|other| other.topic != claim.topic) {
            let what = format!("topic id {topic_id} is that of topic {}, too", other.topic);
            findings.damage(&claim.path.join(partition_metadata::NAME), None, what, action::ROOT);
        }
    }
}

/// One that is looked at.
pub(super) struct Partition<'a> {
    disk: &'a dyn Disk,
    path: PathBuf,
    topic: String,
    partition: PartitionIndex,
    /// The topic whose deletion it was kept at: it was closed then, whatever came after.
    kept: Option<TopicId>,
    known: &'a Known,
}

impl<'a> Partition<'a> {
    /// One under its own name.
    fn served(disk: &'a dyn Disk, path: PathBuf, topic: String, partition: PartitionIndex, known: &'a Known) -> Self {
        Self { disk, path, topic, partition, kept: None, known }
    }

    /// One that is kept.
    pub(super) fn kept(disk: &'a dyn Disk, path: PathBuf, topic: String, key: LogKey, known: &'a Known) -> Self {
        Self { disk, path, topic, partition: key.partition, kept: Some(key.topic_id), known }
    }

    /// The last thing that happened to it was a clean end.
    fn is_closed(&self) -> bool {
        self.kept.is_some() || self.known.clean
    }

    fn checkpoint(&self, key: LogKey) -> Option<LogCheckpoint> {
        // Kafka's files are of the topic that has the name now.
        if self.kept.is_some() { self.known.line(key) } else { self.known.checkpoint(&self.topic, key) }
    }

    /// The key of it, when it has one, and whether its segments bear it out.
    pub(super) fn look(&self, findings: &mut Findings) -> io::Result<Option<(LogKey, bool)>> {
        let names: Vec<String> = self.disk.list(&self.path)?.into_iter().map(|entry| entry.name).collect();
        let bases = |suffix| names.iter().filter_map(|name| base_of(name, suffix)).collect::<BTreeSet<_>>();
        let metadata = self.path.join(partition_metadata::NAME);
        let topic_id = match partition_metadata::read(self.disk, &self.path) {
            Ok(Some(topic_id)) => topic_id,
            Ok(None) if bases(DATA).is_empty() && self.kept.is_none() => {
                findings.note(&self.path, None, "its making did not end: a start removes it");
                return Ok(None);
            }
            Ok(None) => {
                findings.damage(&metadata, None, "it is gone: nothing says which topic this is", action::ROOT);
                return Ok(None);
            }
            Err(error) => {
                findings.damage(&metadata, None, error.to_string(), action::ROOT);
                return Ok(None);
            }
        };
        if let Some(other) = self.kept.filter(|kept| *kept != topic_id) {
            let what = format!("it has topic id {topic_id}, but the directory's name is of topic id {other}");
            findings.damage(&metadata, None, what, action::ROOT);
            return Ok(None);
        }
        let owner = self.owner_of_segments(&bases(CHECKSUMS)).filter(|_| !self.known.others_ran);
        if let Some(other) = owner.filter(|owner| *owner != topic_id) {
            let what = format!("it has topic id {topic_id}, but the segments here are of topic id {other}");
            findings.damage(&metadata, None, what, action::ROOT);
            return Ok(None);
        }
        if let Some(swap) = names.iter().find(|name| name.ends_with(".swap")) {
            let what = "a compaction by Apache Kafka was interrupted";
            findings.damage(&self.path.join(swap), None, what, "start Apache Kafka once, stop it cleanly");
        }
        let key = LogKey { topic_id, partition: self.partition };
        if let Some(manifest) = self.known.manifest.as_ref().filter(|_| self.known.clean && !self.known.others_ran)
            && !manifest.logs.contains_key(&key)
            && self.kept.is_none()
        {
            let what = format!("at the clean stop no partition of topic id {topic_id} was here");
            findings.damage(&metadata, None, what, action::ROOT);
            return Ok(None);
        }
        let proven = owner.is_some();
        let owner = Owner { topic_id, partition: self.partition };
        let checkpoint = self.checkpoint(key);
        let data = bases(DATA);
        self.orphans(&bases(CHECKSUMS), &data, checkpoint.as_ref(), findings);
        let walks = self.segments(&data, owner, checkpoint.as_ref(), findings)?;
        self.extent(&walks, checkpoint.as_ref(), findings);
        let synced = match &checkpoint {
            _ if self.is_closed() => Offset(i64::MAX),
            Some(checkpoint) => checkpoint.recovery_point,
            None => Offset::ZERO,
        };
        self.snapshots(&bases(SNAPSHOT), &walks, synced, findings);
        companions::epochs(self.disk, &self.path, &walks, synced, findings);
        Ok(Some((key, proven)))
    }

    /// The topic whose segments lie here, when all that say so agree.
    fn owner_of_segments(&self, bases: &BTreeSet<Offset>) -> Option<TopicId> {
        let read = |base: &Offset| Checksums::read(self.disk, &self.file(*base, CHECKSUMS)).ok()??.ok();
        let all: Vec<Checksums> = bases.iter().filter_map(read).collect();
        let first = all.first()?;
        let agree = all.iter().all(|one| one.topic_id == first.topic_id && one.partition == self.partition);
        let walk = Walk::over(self.disk, &self.file(first.base, DATA), first.base, first.base).ok()?;
        (agree && walk.first_mismatch(first).is_none()).then_some(first.topic_id)
    }

    fn file(&self, base: Offset, suffix: &str) -> PathBuf {
        file_path(&self.path, base, suffix)
    }

    /// Checksums whose segment is gone.
    fn orphans(
        &self,
        checksums: &BTreeSet<Offset>,
        data: &BTreeSet<Offset>,
        checkpoint: Option<&LogCheckpoint>,
        findings: &mut Findings,
    ) {
        let Some(checkpoint) = checkpoint.filter(|_| !self.known.others_ran) else { return };
        for base in checksums.difference(data) {
            if *base >= checkpoint.log_start && *base < checkpoint.recovery_point {
                let what = "it is gone, but the files beside it are there";
                findings.damage(&self.file(*base, DATA), None, what, action::CUT);
            }
        }
    }

    fn segments(
        &self,
        bases: &BTreeSet<Offset>,
        owner: Owner,
        checkpoint: Option<&LogCheckpoint>,
        findings: &mut Findings,
    ) -> io::Result<Vec<Walk>> {
        let mut walks: Vec<Walk> = Vec::new();
        let mut expected = Offset::ZERO;
        let nexts: BTreeMap<Offset, Offset> = bases.iter().copied().zip(bases.iter().copied().skip(1)).collect();
        for base in bases {
            let data = self.file(*base, DATA);
            let walk = Walk::over(self.disk, &data, *base, expected.max(*base))?;
            let synced_len = self.synced_len(*base, walk.len, checkpoint);
            let next = nexts.get(base).copied();
            if let Some((position, reason)) = &walk.broken {
                self.broken(&walk, *position, reason, synced_len, next, checkpoint, findings);
            }
            let above_next = next.is_some_and(|next| walk.next_offset() > next);
            if above_next && synced_len == walk.len {
                let what = format!("it reaches to {}, into the next segment", walk.next_offset());
                findings.damage(&data, None, what, action::CUT);
            }
            self.beside(&walk, owner, next, synced_len, checkpoint, findings);
            expected = walk.next_offset();
            let torn = walk.broken.is_some() && walk.good_end() >= synced_len;
            walks.push(walk);
            if torn && !self.is_closed() {
                break;
            }
        }
        Ok(walks)
    }

    /// Up to where the segment's bytes are known to be on disk.
    fn synced_len(&self, base: Offset, len: u64, checkpoint: Option<&LogCheckpoint>) -> u64 {
        match checkpoint {
            _ if self.is_closed() => len,
            Some(checkpoint) if base < checkpoint.segment_base => len,
            Some(checkpoint) if base == checkpoint.segment_base => checkpoint.position,
            Some(_) | None => 0,
        }
    }

    #[allow(clippy::too_many_arguments, reason = "what a judgement on a broken segment depends on")]
    fn broken(
        &self,
        walk: &Walk,
        position: u64,
        reason: &str,
        synced_len: u64,
        next: Option<Offset>,
        checkpoint: Option<&LogCheckpoint>,
        findings: &mut Findings,
    ) {
        let data = self.file(walk.base, DATA);
        if position < synced_len || (checkpoint.is_none() && next.is_some()) {
            findings.damage(&data, Some(position), reason, action::CUT);
        } else if self.known.journal {
            let what =
                format!("not synced, and not whole ({reason}): a start writes it again from the journal, or cuts it");
            findings.note(&data, Some(position), what);
        } else {
            findings.note(&data, Some(position), format!("a torn tail ({reason}): a start cuts it"));
        }
    }

    /// The files beside a segment.
    fn beside(
        &self,
        walk: &Walk,
        owner: Owner,
        next: Option<Offset>,
        synced_len: u64,
        checkpoint: Option<&LogCheckpoint>,
        findings: &mut Findings,
    ) {
        let sealed = next.is_some();
        let below = checkpoint.is_some_and(|checkpoint| walk.base < checkpoint.segment_base);
        let settled = self.is_closed() || (sealed && below);
        let path = self.file(walk.base, CHECKSUMS);
        let ours = !self.known.others_ran;
        let counts = settled || checkpoint.is_some_and(|at| at.segment_base == walk.base && synced_len > 0);
        let checksums =
            if ours { companions::checksums(self.disk, &path, owner, walk.base, counts, findings) } else { None };
        let covered = checksums.as_ref().is_some_and(|checksums| checksums.len() >= walk.len);
        if let Some(checksums) = &checksums {
            segment::compare(walk, &self.file(walk.base, DATA), checksums, next, settled, findings);
            if settled && covered {
                let last = !sealed && self.is_closed();
                companions::compare(self.disk, &self.path, checksums, last, findings);
            }
        }
        if ours && settled && walk.len > 0 && !covered && !path_is_damaged(findings, &path) {
            findings.rebuildable(&path, "there is none for all of the segment");
        }
        if walk.broken.is_none() && !(covered && settled) {
            let unclean = !self.is_closed() && !below;
            let trusted = if unclean { synced_len.saturating_sub(UNINDEXED_BYTES_MAX) } else { walk.len };
            indexes::offsets(self.disk, &self.file(walk.base, OFFSET_INDEX), walk, trusted, findings);
            indexes::times(self.disk, &self.file(walk.base, TIME_INDEX), walk, settled, findings);
        }
    }

    /// The log has to start and end where it is known to.
    fn extent(&self, walks: &[Walk], checkpoint: Option<&LogCheckpoint>, findings: &mut Findings) {
        let Some(checkpoint) = checkpoint.filter(|at| at.recovery_point > at.log_start) else { return };
        let first = walks.first().map(|walk| walk.base);
        if first.is_none_or(|first| first > checkpoint.log_start) {
            let what = format!("the log starts at {}, but no segment here holds that offset", checkpoint.log_start);
            findings.damage(&self.path, None, what, action::CUT);
        }
        let Some(last) = walks.last() else { return };
        let end = last.next_offset();
        let whole = walks.iter().all(|walk| walk.broken.is_none());
        let short = end < checkpoint.recovery_point && whole;
        // The line of a kept log may be of the time before it was closed.
        let counts = self.known.clean && !self.known.others_ran && self.kept.is_none();
        let beyond = end > checkpoint.recovery_point && counts;
        if short || beyond {
            let what = format!("the log ends at {end}, but was synced to {}", checkpoint.recovery_point);
            findings.damage(&self.file(last.base, DATA), Some(last.len), what, action::CUT);
        }
        let missing = walks.iter().all(|walk| walk.base != checkpoint.segment_base);
        if missing && checkpoint.position > 0 && !short {
            let file = self.file(checkpoint.segment_base, DATA);
            findings.damage(&file, None, "it is gone, and it was synced", action::CUT);
        }
    }

    fn snapshots(&self, offsets: &BTreeSet<Offset>, walks: &[Walk], synced: Offset, findings: &mut Findings) {
        for offset in offsets {
            companions::producers(self.disk, &self.file(*offset, SNAPSHOT), *offset, *offset <= synced, findings);
        }
        let end = walks.last().map_or(Offset::ZERO, Walk::next_offset);
        if self.is_closed() && !self.known.others_ran && end > Offset::ZERO && !offsets.contains(&end) {
            findings.rebuildable(&self.file(end, SNAPSHOT), "it is gone, and a clean stop writes it");
        }
    }
}

fn path_is_damaged(findings: &Findings, path: &Path) -> bool {
    findings.all.iter().any(|finding| finding.path == path)
}
