//! Reads the live rounds of a ring at start: which batches to write again, into which log.
//!
//! Holds JRN-1 (stop at the first round that does not follow) and its part of JRN-3 (what must not come back).

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::format::{BLOCK, ENTRY, EntryRow, ROUND_HEADER, RoundHeader, RoundId};
use super::ring::{Place, RingFiles, Tail};
use super::sink::{LogKey, ReplayBatch};
use super::writer::ROUND_BYTES_MAX;
use crate::error::LogDirError;
use crate::ids::Offset;
use crate::manifest::Manifest;

/// What a replay found. The batches are held in memory: they are bounded by the ring.
pub(crate) struct Replay {
    /// By log, in the order of offsets.
    pub(crate) batches: HashMap<LogKey, Vec<ReplayBatch>>,
    /// The number for the next round.
    pub(crate) next_round: u64,
}

/// Reads the ring from the manifest's tail.
pub(crate) fn read(files: &RingFiles, manifest: &Manifest) -> Result<Replay, LogDirError> {
    let Tail { mut round, place } = manifest.tail;
    let mut replay = Replay { batches: HashMap::new(), next_round: round };
    let mut end = place;
    loop {
        let id = RoundId { directory: manifest.directory, session: manifest.session, number: round };
        let found = find(files, end, id)?;
        let Some((place, bytes)) = found else { break };
        for (key, batch) in entries(&bytes) {
            if is_wanted(manifest, key, &batch, round) {
                push(replay.batches.entry(key).or_default(), batch);
            }
        }
        end = Place { file: place.file, position: place.position + bytes.len() as u64 };
        round += 1;
        replay.next_round = round;
    }
    refuse_a_later_round(files, end, manifest, round)?;
    Ok(replay)
}

/// The round of this number, whole and undamaged, at one of the places where it may be.
fn find(files: &RingFiles, end: Place, id: RoundId) -> Result<Option<(Place, Bytes)>, LogDirError> {
    for place in files.candidates(end) {
        if let Some(bytes) = read_round(files, place, id)? {
            return Ok(Some((place, bytes)));
        }
    }
    Ok(None)
}

fn read_round(files: &RingFiles, place: Place, id: RoundId) -> Result<Option<Bytes>, LogDirError> {
    let Some(header) = read_header(files, place)? else { return Ok(None) };
    let length = usize::try_from(header.length).unwrap_or(usize::MAX);
    if header.id != id || length > ROUND_BYTES_MAX.max(BLOCK) || header.head_length() > length {
        return Ok(None);
    }
    let mut bytes = vec![0; length];
    if !read_at(files, place, &mut bytes)? || !header.matches(&bytes[..header.head_length()]) {
        return Ok(None);
    }
    let bytes = Bytes::from(bytes);
    let whole = entries(&bytes).count() == (header.head_length() - ROUND_HEADER) / ENTRY;
    Ok(whole.then_some(bytes))
}

fn read_header(files: &RingFiles, place: Place) -> Result<Option<RoundHeader>, LogDirError> {
    let mut block = [0; ROUND_HEADER];
    Ok(if read_at(files, place, &mut block)? { RoundHeader::decode(&block) } else { None })
}

/// False when the place is beyond the ring.
fn read_at(files: &RingFiles, place: Place, into: &mut [u8]) -> Result<bool, LogDirError> {
    let Some(file) = files.get(place.file) else { return Ok(false) };
    if place.position + into.len() as u64 > file.length {
        return Ok(false);
    }
    let read = file.file.read_exact_at(into, place.position);
    read.map_err(|source: io::Error| LogDirError::Io { act: "read", path: file.path.clone(), source })?;
    Ok(true)
}

/// The entries of a round whose head has been checked, up to the first that is damaged.
fn entries(round: &Bytes) -> impl Iterator<Item = (LogKey, ReplayBatch)> {
    let header = round.first_chunk().and_then(RoundHeader::decode);
    let head = header.map_or(ROUND_HEADER, |header| header.head_length());
    let mut batch_at = head;
    (ROUND_HEADER..head).step_by(ENTRY).map_while(move |row_at| {
        let row = EntryRow::decode(round.get(row_at..)?, |length| round.get(batch_at..batch_at + length))?;
        let length = usize::try_from(row.length).ok()?;
        let bytes = round.slice(batch_at..batch_at + length);
        batch_at += length;
        Some((LogKey { topic_id: row.topic_id, partition: row.partition }, row.into_replay(bytes)))
    })
}

fn is_wanted(manifest: &Manifest, key: LogKey, batch: &ReplayBatch, round: u64) -> bool {
    let Some(line) = manifest.logs.get(&key) else { return true };
    let Offset(durable) = line.checkpoint.recovery_point.max(line.checkpoint.log_start);
    round >= line.replay_from && batch.next_offset.0 > durable
}

/// A later entry replaces what starts at or above its own start: between the two the log was cut.
fn push(batches: &mut Vec<ReplayBatch>, batch: ReplayBatch) {
    let keep = batches.partition_point(|earlier| earlier.base_offset < batch.base_offset);
    batches.truncate(keep);
    batches.push(batch);
}

/// The round that is missing may be torn only if it was the last: no round is begun before the one before it is synced.
fn refuse_a_later_round(files: &RingFiles, end: Place, manifest: &Manifest, missing: u64) -> Result<(), LogDirError> {
    let blocks = (ROUND_BYTES_MAX / BLOCK) as u64;
    for start in files.candidates(end) {
        for block in 0..=blocks {
            let place = Place { file: start.file, position: start.position + block * BLOCK as u64 };
            let Some(header) = read_header(files, place)? else { continue };
            let ours = header.id.directory == manifest.directory && header.id.session == manifest.session;
            if ours && header.id.number > missing && read_round(files, place, header.id)?.is_some() {
                let file = files.get(place.file).map_or_else(PathBuf::new, |file| file.path.clone());
                return Err(damaged(&file, missing, header.id.number));
            }
        }
    }
    Ok(())
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
