//! The one thread that writes the ring: a round takes all that waits, is written in one piece and synced once.
//!
//! Between rounds nothing sleeps: while a round is synced the next one gathers (group commit without a timer).

use std::collections::HashSet;
use std::io::{self, IoSlice};
use std::iter;
use std::sync::Arc;

use super::Journal;
use super::format::{BLOCK, ROUND_HEADER, RoundId, finish_round, round_length};
use super::queue::Queued;
use super::ring::Place;
use super::sink::LogKey;

/// A round is at most this long, so that a sync stays short. One batch is at most a quarter of it.
pub(crate) const ROUND_BYTES_MAX: usize = 4 << 20;

static PADDING: [u8; BLOCK] = [0; BLOCK];

/// A round of so many pieces is written without a list on the heap: those of a few batches, which are most.
const PIECES_ON_STACK: usize = 34;

/// The writer's buffers, kept from round to round.
pub(super) struct Writer {
    round: Vec<Queued>,
    head: Vec<u8>,
    last_of_log: Vec<usize>,
    /// Logs that were met in [`Writer::mark`].
    met: HashSet<LogKey>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { round: Vec::new(), head: Vec::new(), last_of_log: Vec::new(), met: HashSet::new() }
    }

    /// Writes rounds until the queue is closed and empty, or the directory is offline.
    pub(super) fn run(&mut self, journal: &Journal) {
        while journal.queue.take(&mut self.round, journal.round_bytes_max()) {
            let synced = self.write_round(journal);
            if synced {
                self.mark(journal);
            }
            let entries = self.round.len();
            self.round.clear();
            journal.queue.finish(entries);
            if !synced {
                journal.queue.abandon();
                return;
            }
        }
    }

    /// True when the round is durable. A failure has taken the directory offline.
    #[inline(never)] // the gate counts its instructions
    fn write_round(&mut self, journal: &Journal) -> bool {
        let batches = self.round.iter().map(|entry| entry.header.len() + entry.tail.len()).sum();
        let length = round_length(self.round.len(), batches);
        let Some(place) = journal.wait_for_place(length as u64) else { return false };
        let (number, file) = {
            let ring = journal.ring.lock();
            (ring.next_round(), ring.file(place).map(|file| Arc::clone(&file.file)))
        };
        let Some(file) = file else { return false };
        let failed = |act, error| {
            let path = journal.ring.lock().file(place).map(|file| file.path.clone()).unwrap_or_default();
            journal.take_offline(act, &path, &error);
            false
        };
        let id = RoundId { directory: journal.directory, session: journal.session, number };
        self.encode_head(id, batches);
        if let Err(error) = self.write_at(&*file, place, length) {
            return failed("write", error);
        }
        if let Err(error) = file.sync_data() {
            return failed("sync", error);
        }
        journal.round_written(place, length as u64);
        !journal.members.is_offline()
    }

    fn encode_head(&mut self, id: RoundId, batches: usize) {
        self.head.clear();
        self.head.resize(ROUND_HEADER, 0);
        for entry in &self.round {
            entry.row.encode(&mut self.head, [&entry.header, &entry.tail]);
        }
        finish_round(&mut self.head, id, batches);
    }

    fn write_at(&self, file: &dyn crate::seam::DiskFile, place: Place, length: usize) -> io::Result<()> {
        let batches = self.round.iter().flat_map(|entry| [&entry.header[..], &entry.tail[..]]);
        let written = self.head.len() + batches.clone().map(<[u8]>::len).sum::<usize>();
        let pieces = iter::once(&self.head[..]).chain(batches).chain([&PADDING[..length - written]]);
        let count = self.round.len() * 2 + 2;
        if count > PIECES_ON_STACK {
            let pieces: Vec<_> = pieces.map(IoSlice::new).collect();
            return file.write_all_at(&pieces, place.position);
        }
        let mut few = [IoSlice::new(&[]); PIECES_ON_STACK];
        few.iter_mut().zip(pieces).for_each(|(slot, piece)| *slot = IoSlice::new(piece));
        file.write_all_at(&few[..count], place.position)
    }

    /// Tells each log once, up to its last batch in the round, in the order of these.
    #[inline(never)] // it wakes others: kept out of what the gate counts
    fn mark(&mut self, journal: &Journal) {
        self.last_of_log.clear();
        self.met.clear();
        for (index, entry) in self.round.iter().enumerate().rev() {
            if self.met.insert(LogKey::of(&*entry.log)) {
                self.last_of_log.push(index);
            }
        }
        for index in self.last_of_log.iter().rev() {
            let entry = &self.round[*index];
            if journal.file_syncs.may_mark(&*entry.log, entry.row.next_offset) {
                entry.log.mark_synced(entry.row.next_offset);
            }
        }
    }
}
