//! Reads the live rounds of a ring at start: which batches each log must hold.
//!
//! Only the heads of the rounds are read here: the rows in them carry a checksum of each batch, so a log that finds the
//! bytes in its segment (they outlive a killed process) needs none from the ring. The last round is read whole, because
//! it may be torn; every other one was synced before the next began.
//!
//! Holds JRN-1 (stop at the first round that does not follow) and its part of JRN-3 (what must not come back). Memory: a
//! [`ReplayBatch`] for each live entry, about as much as its row and header take in the ring.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::format::{BLOCK, ENTRY, EntryRow, ROUND_HEADER, RoundHeader, RoundId};
use super::ring::{Live, Place, RingFiles, Tail};
use super::sink::{EntryProof, LogKey, ReplayBatch};
use super::writer::ROUND_BYTES_MAX;
use crate::error::LogDirError;
use crate::ids::Offset;
use crate::manifest::Manifest;
use crate::seam::mutant;

/// Read at a time: the heads of several small rounds, or of one that is large.
const WINDOW: usize = 16 << 10;

/// What a replay found.
#[derive(Default)]
pub(crate) struct Replay {
    /// By log, in the order of offsets.
    pub(crate) batches: HashMap<LogKey, Vec<ReplayBatch>>,
    /// Every log that a live round speaks of, whether its batches are wanted or not.
    pub(crate) named: HashSet<LogKey>,
    /// The rounds, oldest first.
    pub(crate) live: Vec<Live>,
    /// Where a round stands of which only the head is whole.
    torn: Option<Place>,
}

/// A round whose header and rows are undamaged.
struct Head {
    live: Live,
    rows: Vec<(EntryRow, EntryProof)>,
    /// Where its first batch starts in the file.
    batches_at: u64,
}

/// Reads the ring from the manifest's tail. Also gives where the next round goes, and its number.
pub(crate) fn read(files: &RingFiles, manifest: &Manifest) -> Result<(Replay, Tail), LogDirError> {
    let mut replay = Replay::default();
    let mut heads = Heads { files, window: Vec::new(), at: Place::START };
    let mut end = manifest.tail;
    let mut last: Option<Head> = None;
    loop {
        let id = RoundId { directory: manifest.directory, session: manifest.session, number: end.round };
        let Some(head) = heads.find(end.place, id)? else { break };
        end = head.live.end();
        if let Some(synced) = last.replace(head) {
            replay.take(files, manifest, &synced);
        }
    }
    if let Some(last) = last {
        if last.is_whole(files)? {
            replay.take(files, manifest, &last);
        } else {
            replay.torn = Some(last.live.place);
            // The next round has its number, and is looked for where it was.
            end = replay.live.last().map_or(manifest.tail, Live::end);
        }
    }
    heads.refuse_a_later_round(end, manifest)?;
    if mutant("replay_skips_the_last") {
        replay.batches.values_mut().for_each(|batches| drop(batches.pop()));
    }
    Ok((replay, end))
}

impl Replay {
    /// Before a round is written behind these: the last one may be in memory only, and the head of a torn one must not be
    /// taken for that of the round which gets its number and may go to another place.
    pub(crate) fn settle(&self, files: &RingFiles) -> Result<(), LogDirError> {
        if let Some(torn) = self.torn {
            files.wipe(torn)?;
            files.sync(torn)?;
        }
        self.live.last().map_or(Ok(()), |last| files.sync(last.place))
    }

    fn take(&mut self, files: &RingFiles, manifest: &Manifest, head: &Head) {
        self.live.push(head.live);
        let Some(file) = files.get(head.live.place.file) else { return };
        let mut ring_position = head.batches_at;
        for (row, proof) in &head.rows {
            let key = LogKey { topic_id: row.topic_id, partition: row.partition };
            self.named.insert(key);
            if is_wanted(manifest, key, row, head.live.number) {
                let batch = ReplayBatch {
                    base_offset: row.base_offset,
                    next_offset: row.next_offset,
                    segment_base: row.segment_base,
                    position: row.position,
                    length: usize::try_from(row.length).unwrap_or(usize::MAX),
                    proof: *proof,
                    ring_file: Arc::clone(&file.file),
                    ring_position,
                };
                push(self.batches.entry(key).or_default(), batch);
            }
            ring_position += u64::from(row.length);
        }
    }
}

impl Live {
    fn end(&self) -> Tail {
        let place = Place { file: self.place.file, position: self.place.position + self.length };
        Tail { round: self.number + 1, place }
    }
}

impl Head {
    /// True when every batch of the round is there.
    fn is_whole(&self, files: &RingFiles) -> Result<bool, LogDirError> {
        let Some(file) = files.get(self.live.place.file) else { return Ok(false) };
        let mut position = self.batches_at;
        let mut bytes = Vec::new();
        for (row, proof) in &self.rows {
            bytes.resize(usize::try_from(row.length).unwrap_or(usize::MAX), 0);
            read_at(files, Place { position, ..self.live.place }, &mut bytes, &file.path)?;
            if !proof.holds(&bytes) {
                return Ok(false);
            }
            position += u64::from(row.length);
        }
        Ok(true)
    }
}

/// Reads heads through a window.
struct Heads<'a> {
    files: &'a RingFiles,
    window: Vec<u8>,
    at: Place,
}

impl Heads<'_> {
    /// The round of this number at one of the places where it may be.
    fn find(&mut self, end: Place, id: RoundId) -> Result<Option<Head>, LogDirError> {
        for place in self.files.candidates(end) {
            if let Some(head) = self.read(place)?
                && head.0 == id
            {
                return Ok(Some(head.1));
            }
        }
        Ok(None)
    }

    fn read(&mut self, place: Place) -> Result<Option<(RoundId, Head)>, LogDirError> {
        let Some(file) = self.files.get(place.file) else { return Ok(None) };
        let Some(header) = self.header(place)? else { return Ok(None) };
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        let head_length = header.head_length();
        let fits = place.position.saturating_add(u64::from(header.length)) <= file.length;
        if !fits || length > ROUND_BYTES_MAX.max(BLOCK) || head_length > length {
            return Ok(None);
        }
        let Some(head) = self.bytes(place, head_length)? else { return Ok(None) };
        if !header.matches(head) {
            return Ok(None);
        }
        let rows: Vec<_> = head[ROUND_HEADER..].as_chunks::<ENTRY>().0.iter().map(EntryRow::decode).collect();
        let batches: u64 = rows.iter().map(|(row, _)| u64::from(row.length)).sum();
        if head_length as u64 + batches > u64::from(header.length) {
            return Ok(None);
        }
        let live = Live { number: header.id.number, place, length: u64::from(header.length) };
        Ok(Some((header.id, Head { live, rows, batches_at: place.position + head_length as u64 })))
    }

    fn header(&mut self, place: Place) -> Result<Option<RoundHeader>, LogDirError> {
        let header = self.bytes(place, ROUND_HEADER)?;
        Ok(header.and_then(<[u8]>::first_chunk).and_then(RoundHeader::decode))
    }

    /// `length` bytes from `place`; `None` beyond the end of the file.
    fn bytes(&mut self, place: Place, length: usize) -> Result<Option<&[u8]>, LogDirError> {
        let Some(file) = self.files.get(place.file) else { return Ok(None) };
        let left = usize::try_from(file.length.saturating_sub(place.position)).unwrap_or(usize::MAX);
        if length > left {
            return Ok(None);
        }
        let skip = if place.file == self.at.file { place.position.checked_sub(self.at.position) } else { None };
        let skip = skip.and_then(|skip| usize::try_from(skip).ok()).filter(|skip| skip + length <= self.window.len());
        let skip = match skip {
            Some(skip) => skip,
            None => {
                self.window.resize(length.max(WINDOW).min(left), 0);
                self.at = place;
                read_at(self.files, place, &mut self.window, &file.path)?;
                0
            }
        };
        Ok(self.window.get(skip..skip + length))
    }

    /// A round that is missing may be torn only if it was the last: no round is begun before the one before it is
    /// synced.
    fn refuse_a_later_round(&mut self, missing: Tail, manifest: &Manifest) -> Result<(), LogDirError> {
        let blocks = (ROUND_BYTES_MAX / BLOCK) as u64;
        for start in self.files.candidates(missing.place) {
            for block in 0..=blocks {
                let place = Place { file: start.file, position: start.position + block * BLOCK as u64 };
                let Some(header) = self.header(place)? else { continue };
                let ours = header.id.directory == manifest.directory && header.id.session == manifest.session;
                if ours && header.id.number > missing.round && self.read(place)?.is_some() {
                    let file = self.files.get(place.file).map_or_else(PathBuf::new, |file| file.path.clone());
                    return Err(damaged(&file, missing.round, header.id.number));
                }
            }
        }
        Ok(())
    }
}

fn read_at(files: &RingFiles, place: Place, into: &mut [u8], path: &Path) -> Result<(), LogDirError> {
    let Some(file) = files.get(place.file) else { return Ok(()) };
    let read = file.file.read_exact_at(into, place.position);
    read.map_err(|source: io::Error| LogDirError::Io { act: "read", path: path.to_path_buf(), source })
}

fn is_wanted(manifest: &Manifest, key: LogKey, row: &EntryRow, round: u64) -> bool {
    let Some(line) = manifest.logs.get(&key) else { return true };
    let Offset(durable) = line.checkpoint.recovery_point.max(line.checkpoint.log_start);
    round >= line.replay_from && row.next_offset.0 > durable
}

/// A later entry replaces what starts at or above its own start: between the two the log was cut.
fn push(batches: &mut Vec<ReplayBatch>, batch: ReplayBatch) {
    let keep = batches.partition_point(|earlier| earlier.base_offset < batch.base_offset);
    batches.truncate(keep);
    batches.push(batch);
}

fn damaged(file: &Path, missing: u64, later: u64) -> LogDirError {
    LogDirError::Malformed {
        file: file.to_path_buf(),
        reason: format!(
            "round {missing} of the journal is damaged, but round {later} behind it is whole: acknowledged batches are \
             lost on this disk. Restore the directory from a replica; or, to go on with what is left, move the \
             barnabas-journal files and barnabas-manifest away"
        ),
    }
}
