//! What a voter remembers: the fold of every change in the log. Recovery and the running store use the same fold, so
//! that what is read back is what was there.
//!
//! Invariants:
//! 1. Entries are consecutive; the first one follows `before_first`, if there is one.
//! 2. Once recovered, nothing is missing between `purged` (which a snapshot has) and the first entry.

use std::collections::VecDeque;
use std::ops::{Bound, RangeBounds};

use openraft::entry::RaftEntry as _;

use super::change::{Change, Head};
use crate::consensus::type_config::{LogId, RaftEntry, Vote};

/// What a voter remembers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LogState {
    node: u64,
    vote: Option<Vote>,
    committed: Option<LogId>,
    purged: Option<LogId>,
    before_first: Option<LogId>,
    entries: VecDeque<RaftEntry>,
}

impl LogState {
    /// As a segment's first frame says it.
    pub(crate) fn new(head: Head) -> Self {
        Self {
            node: head.node,
            vote: head.vote,
            committed: head.committed,
            purged: head.purged,
            before_first: head.last,
            entries: VecDeque::new(),
        }
    }

    pub(crate) fn node(&self) -> u64 {
        self.node
    }

    pub(crate) fn vote(&self) -> Option<Vote> {
        self.vote
    }

    pub(crate) fn committed(&self) -> Option<LogId> {
        self.committed
    }

    pub(crate) fn purged(&self) -> Option<LogId> {
        self.purged
    }

    /// The last entry, or what comes before the first one to come.
    pub(crate) fn last(&self) -> Option<LogId> {
        self.entries.back().map(RaftEntry::log_id).or(self.before_first)
    }

    /// The entry before the first one that is here.
    #[cfg(test)]
    pub(super) fn head_before_entries(&self) -> Option<LogId> {
        self.before_first
    }

    /// What the first frame of a segment that begins now says.
    pub(crate) fn head(&self) -> Head {
        Head { node: self.node, vote: self.vote, committed: self.committed, purged: self.purged, last: self.last() }
    }

    /// The entries of these indexes that are here.
    pub(crate) fn range(&self, range: &impl RangeBounds<u64>) -> Vec<RaftEntry> {
        let first = self.entries.front().map_or(0, |entry| entry.log_id().index);
        let start = match range.start_bound() {
            Bound::Included(index) => *index,
            Bound::Excluded(index) => index.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let skip = usize::try_from(start.saturating_sub(first)).unwrap_or(usize::MAX);
        let entries = self.entries.iter().skip(skip);
        entries.take_while(|entry| range.contains(&entry.log_id().index)).cloned().collect()
    }

    /// True when the log reaches back to what a snapshot has.
    pub(crate) fn is_whole(&self) -> bool {
        let first_needed = self.purged.map_or(0, |purged| purged.index + 1);
        match self.entries.front() {
            Some(first) => first.log_id().index <= first_needed,
            None => self.before_first <= self.purged,
        }
    }

    /// Applies a change.
    ///
    /// # Errors
    /// What is wrong with it, when it cannot follow what is there.
    pub(crate) fn apply(&mut self, change: Change) -> Result<(), &'static str> {
        match change {
            Change::Head(head) if head != self.head() => Err("a segment does not follow the one before it"),
            Change::Head(_) => Ok(()),
            Change::Vote(vote) => {
                self.vote = Some(vote);
                Ok(())
            }
            Change::Append(entry) => self.append(entry),
            Change::TruncateAfter(last) => {
                self.truncate_after(last);
                Ok(())
            }
            Change::Commit(committed) => {
                self.committed = committed;
                Ok(())
            }
            Change::Purge(upto) => {
                self.purge(upto);
                Ok(())
            }
        }
    }

    fn append(&mut self, entry: RaftEntry) -> Result<(), &'static str> {
        if self.last().is_some_and(|last| entry.log_id().index != last.index + 1) {
            return Err("entries are missing");
        }
        self.entries.push_back(entry);
        Ok(())
    }

    fn truncate_after(&mut self, last: Option<LogId>) {
        let keep = last.map_or(0, |last| last.index + 1);
        while self.entries.back().is_some_and(|entry| entry.log_id().index >= keep) {
            self.entries.pop_back();
        }
        if self.before_first.map_or(0, |id| id.index + 1) > keep {
            self.before_first = last;
        }
    }

    fn purge(&mut self, upto: LogId) {
        while self.entries.front().is_some_and(|entry| entry.log_id().index <= upto.index) {
            self.entries.pop_front();
        }
        self.purged = self.purged.max(Some(upto));
        if self.before_first.is_none_or(|id| id.index < upto.index) {
            self.before_first = Some(upto);
        }
    }
}
