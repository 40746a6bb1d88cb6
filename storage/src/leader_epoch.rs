//! Which leader epoch began at which offset, and `leader-epoch-checkpoint` (FORMAT.md 6).
//!
//! Must not know: why epochs change. Invariant LOG-6: epochs and offsets both rise.

use std::io;
use std::path::Path;

use crate::ids::{LeaderEpoch, Offset};
use crate::seam::Disk;
use crate::whole_file;

/// The file's name.
pub(crate) const NAME: &str = "leader-epoch-checkpoint";

/// The epochs of a log, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeaderEpochs {
    entries: Vec<(LeaderEpoch, Offset)>,
}

impl LeaderEpochs {
    /// Reads the file. `Ok(None)` when it is absent or not of this form: then it is rebuilt from the batches.
    pub(crate) fn read(disk: &dyn Disk, directory: &Path) -> io::Result<Option<Self>> {
        let Some(bytes) = whole_file::read(disk, &directory.join(NAME))? else { return Ok(None) };
        Ok(std::str::from_utf8(&bytes).ok().and_then(Self::parse))
    }

    /// Replaces the file, durably.
    pub(crate) fn write(&self, disk: &dyn Disk, directory: &Path) -> io::Result<()> {
        whole_file::replace(disk, &directory.join(NAME), self.to_string().as_bytes())
    }

    fn parse(text: &str) -> Option<Self> {
        // Without the end of its last line that line may be short of digits.
        let mut lines = text.strip_suffix('\n')?.lines();
        if lines.next()? != "0" {
            return None;
        }
        let count: usize = lines.next()?.parse().ok()?;
        let mut epochs = Self::default();
        for line in lines {
            let (epoch, offset) = line.split_once(' ')?;
            let (epoch, offset) = (LeaderEpoch(epoch.parse().ok()?), Offset(offset.parse().ok()?));
            if epoch.0 < 0 || offset.0 < 0 || epochs.entries.last().is_some_and(|last| *last >= (epoch, offset)) {
                return None;
            }
            epochs.entries.push((epoch, offset));
        }
        (epochs.entries.len() == count).then_some(epochs)
    }

    /// A batch of `epoch` begins at `offset`. True when that is news.
    pub(crate) fn assign(&mut self, epoch: LeaderEpoch, offset: Offset) -> bool {
        if epoch.0 < 0 || self.latest().is_some_and(|latest| latest >= epoch) {
            return false;
        }
        self.entries.push((epoch, offset));
        true
    }

    /// The newest epoch.
    pub(crate) fn latest(&self) -> Option<LeaderEpoch> {
        self.entries.last().map(|(epoch, _)| *epoch)
    }

    /// Where the newest epoch began.
    pub(crate) fn latest_start(&self) -> Option<Offset> {
        self.entries.last().map(|(_, start)| *start)
    }

    /// The largest epoch at or below `epoch` and where it ended; the newest one ends at `log_end`.
    pub(crate) fn end_offset(&self, epoch: LeaderEpoch, log_end: Offset) -> Option<(LeaderEpoch, Offset)> {
        let after = self.entries.partition_point(|(known, _)| *known <= epoch);
        let (found, _) = self.entries.get(after.checked_sub(1)?)?;
        Some((*found, self.entries.get(after).map_or(log_end, |(_, start)| *start)))
    }

    /// The epoch of a record.
    pub(crate) fn epoch_of(&self, offset: Offset) -> Option<LeaderEpoch> {
        let after = self.entries.partition_point(|(_, start)| *start <= offset);
        self.entries.get(after.checked_sub(1)?).map(|(epoch, _)| *epoch)
    }

    /// The log ends at `end` now. True when something went.
    pub(crate) fn truncate_end(&mut self, end: Offset) -> bool {
        let before = self.entries.len();
        self.entries.retain(|(_, start)| *start < end);
        before != self.entries.len()
    }

    /// The log starts at `start` now: the epoch that covers it begins there. True when something changed.
    pub(crate) fn truncate_start(&mut self, start: Offset) -> bool {
        let below = self.entries.partition_point(|(_, first)| *first <= start);
        let Some(last) = below.checked_sub(1) else { return false };
        let changed = last > 0 || self.entries[0].1 < start;
        self.entries.drain(..last);
        if let Some(first) = self.entries.first_mut() {
            first.1 = start;
        }
        changed
    }
}

impl std::fmt::Display for LeaderEpochs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "0\n{}", self.entries.len())?;
        self.entries.iter().try_for_each(|(epoch, offset)| writeln!(f, "{epoch} {offset}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs() -> LeaderEpochs {
        let mut epochs = LeaderEpochs::default();
        for (epoch, offset) in [(0, 0), (2, 10), (5, 30)] {
            assert!(epochs.assign(LeaderEpoch(epoch), Offset(offset)));
        }
        epochs
    }

    #[test]
    fn the_file_has_kafkas_form_and_reads_back() {
        assert_eq!(epochs().to_string(), "0\n3\n0 0\n2 10\n5 30\n");
        assert_eq!(LeaderEpochs::parse(&epochs().to_string()), Some(epochs()));
        for bad in ["", "1\n0\n", "0\n2\n0 0\n", "0\n2\n1 5\n0 9\n", "0\n1\n0 x\n", "0\n1\n-1 0\n", "0\n1\n3 1", "0\n0"]
        {
            assert_eq!(LeaderEpochs::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_end_of_an_epoch_is_the_start_of_the_next() {
        let end = |epoch| epochs().end_offset(LeaderEpoch(epoch), Offset(44)).map(|(e, o)| (e.0, o.0));
        assert_eq!(
            [end(0), end(1), end(3), end(5), end(9)].map(Option::unwrap),
            [(0, 10), (0, 10), (2, 30), (5, 44), (5, 44)]
        );
        assert_eq!(end(-1), None);
        assert_eq!(epochs().epoch_of(Offset(29)), Some(LeaderEpoch(2)));
    }

    #[test]
    fn an_older_epoch_is_not_assigned() {
        assert!(!epochs().assign(LeaderEpoch(5), Offset(50)));
        assert!(!epochs().assign(LeaderEpoch(-1), Offset(50)));
    }

    #[test]
    fn truncation_keeps_the_epoch_that_covers_the_edge() {
        let mut cut = epochs();
        assert!(cut.truncate_end(Offset(30)));
        assert_eq!(cut.latest(), Some(LeaderEpoch(2)));
        assert!(!cut.truncate_end(Offset(30)));
        let mut cut = epochs();
        assert!(cut.truncate_start(Offset(12)));
        assert_eq!(cut.to_string(), "0\n2\n2 12\n5 30\n");
        assert!(!cut.truncate_start(Offset(12)));
    }
}
