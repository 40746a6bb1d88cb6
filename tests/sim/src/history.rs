//! What clients asked and were told, in the order in which it happened. One number orders everything: the run is one thread.

use crate::client::payload::Value;
use crate::trace::trace;

/// A moment of the run.
pub(crate) type Moment = u64;

/// Not yet, or never.
pub(crate) const NEVER: Moment = u64::MAX;

/// What became of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Acknowledged at this base offset; `None` when the broker only said that it has it already.
    Ok(Option<i64>),
    /// The broker says that nothing was appended.
    Fail,
    /// Nobody knows.
    Info,
}

/// One batch, over all its attempts.
#[derive(Clone, Debug)]
pub(crate) struct Send {
    pub(crate) topic: usize,
    pub(crate) partition: i32,
    pub(crate) first: Value,
    pub(crate) count: u64,
    pub(crate) idempotent: bool,
    pub(crate) acks: i16,
    pub(crate) attempts: u32,
    pub(crate) invoked: Moment,
    pub(crate) done: Moment,
    pub(crate) outcome: Outcome,
}

/// A partition in one answer to a fetch.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    pub(crate) consumer: usize,
    pub(crate) topic: usize,
    pub(crate) partition: i32,
    pub(crate) invoked: Moment,
    pub(crate) done: Moment,
    /// Where it was to begin.
    pub(crate) from: i64,
    pub(crate) high_watermark: i64,
    pub(crate) log_start: i64,
    /// Length of the batches that it gave.
    pub(crate) bytes: u64,
    pub(crate) records: Vec<(i64, Value)>,
}

/// A commit of an offset, or the look at it.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) group: usize,
    pub(crate) topic: usize,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) invoked: Moment,
    pub(crate) done: Moment,
    /// For a commit: it was acknowledged.
    pub(crate) ok: bool,
}

/// Everything.
#[derive(Default)]
pub(crate) struct History {
    clock: Moment,
    pub(crate) sends: Vec<Send>,
    pub(crate) polls: Vec<Poll>,
    pub(crate) commits: Vec<Commit>,
    pub(crate) committed: Vec<Commit>,
    /// When unsynced bytes were lost: power cuts and failed syncs.
    pub(crate) losses: Vec<Moment>,
    /// What a client saw that may never be, whatever happened before.
    pub(crate) outrages: Vec<String>,
    /// Answers to fetches that were errors, by code.
    pub(crate) fetch_errors: u64,
}

impl History {
    /// The next moment.
    pub(crate) fn tick(&mut self) -> Moment {
        self.clock += 1;
        self.clock
    }

    /// A batch is about to be sent for the first time.
    pub(crate) fn invoke(&mut self, mut send: Send) -> usize {
        send.invoked = self.tick();
        self.sends.push(send);
        self.sends.len() - 1
    }

    /// Its fate is known, or given up.
    pub(crate) fn resolve(&mut self, index: usize, outcome: Outcome) {
        let now = self.tick();
        let send = &mut self.sends[index];
        (send.done, send.outcome) = (now, outcome);
        trace!("send {} x{} t{} p{} {outcome:?}", send.first, send.count, send.topic, send.partition);
    }

    /// Something was lost that had not been synced.
    pub(crate) fn lost_unsynced(&mut self) {
        let now = self.tick();
        self.losses.push(now);
    }

    /// Something that may never be.
    pub(crate) fn outrage(&mut self, what: String) {
        trace!("outrage: {what}");
        self.outrages.push(what);
    }
}
