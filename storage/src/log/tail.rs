//! The end of the log as readers see it, and where its last batches start: what most fetches ask for is answered without
//! a look at the file.

use std::collections::VecDeque;

use parking_lot::RwLock;

use crate::ids::Offset;
use crate::segment::Segment;

/// Batches remembered: of 16 KiB each this is the last mebibyte.
const RECENT_MAX: usize = 64;

/// The end of the log: moved by the appender after the bytes are in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    /// The offset that the next record gets.
    pub(super) log_end: Offset,
    /// Base of the segment that is appended to; the log end when there is none yet.
    pub(super) segment_base: Offset,
    /// Where the next batch goes in it.
    pub(super) position: u64,
}

/// The tail, and the starts of the last batches of its segment, in order.
pub(super) struct LogEnd {
    state: RwLock<(Tail, VecDeque<Start>)>,
}

/// Where a batch starts, or the log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) offset: Offset,
    pub(super) position: u64,
}

/// Whole batches of the tail's segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) segment_base: Offset,
    pub(super) from: Start,
    /// Equal to `from` when nothing fits.
    pub(super) to: Start,
}

impl LogEnd {
    pub(super) fn new() -> Self {
        let tail = Tail { log_end: Offset::ZERO, segment_base: Offset::ZERO, position: 0 };
        Self { state: RwLock::new((tail, VecDeque::new())) }
    }

    pub(super) fn tail(&self) -> Tail {
        self.state.read().0
    }

    /// A batch of `size` bytes was written at the tail; the log ends at `next_offset` now.
    pub(super) fn advance(&self, next_offset: Offset, size: u64) {
        let (tail, recent) = &mut *self.state.write();
        if recent.len() == RECENT_MAX {
            recent.pop_front();
        }
        recent.push_back(Start { offset: tail.log_end, position: tail.position });
        tail.log_end = next_offset;
        tail.position += size;
    }

    /// Another end, or another segment: nothing is known of batches before it.
    pub(super) fn set(&self, tail: Tail) {
        let (old, recent) = &mut *self.state.write();
        *old = tail;
        recent.clear();
    }

    /// The batches from the one that covers `from`, below `up_to` and at most `max_bytes` long. `None` when `from` is
    /// not among the last batches.
    pub(super) fn span(&self, from: Offset, max_bytes: u64, up_to: Offset, at_least_one: bool) -> Option<Span> {
        let (tail, recent) = &*self.state.read();
        let first = recent.partition_point(|start| start.offset <= from).checked_sub(1)?;
        let end = Start { offset: tail.log_end, position: tail.position };
        let boundary = |index: usize| recent.get(index).copied().unwrap_or(end);
        let from = boundary(first);
        let limit = from.position.saturating_add(max_bytes);
        let fits = |start: &Start| start.offset <= up_to && start.position <= limit;
        let last = if fits(&end) { recent.len() } else { recent.partition_point(fits).saturating_sub(1).max(first) };
        let one = first + 1;
        let last = if last == first && at_least_one && boundary(one).offset <= up_to { one } else { last };
        Some(Span { segment_base: tail.segment_base, from, to: boundary(last) })
    }

    /// Where the batch starts that covers `offset`, when it is among the last ones of its segment.
    pub(super) fn position_of(&self, offset: Offset, segment: &Segment) -> Option<u64> {
        let (tail, recent) = &*self.state.read();
        if segment.base != tail.segment_base {
            return None;
        }
        if offset >= tail.log_end {
            return Some(tail.position);
        }
        let index = recent.partition_point(|start| start.offset <= offset).checked_sub(1)?;
        recent.get(index).map(|start| start.position)
    }
}

impl Tail {
    /// Where the batches of a segment end that this tail covers.
    pub(super) fn end_of(&self, segment: &Segment) -> u64 {
        if segment.base == self.segment_base { self.position } else { segment.len() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn end_of(sizes: &[u64]) -> LogEnd {
        let end = LogEnd::new();
        for (offset, size) in (1i64..).zip(sizes) {
            end.advance(Offset(offset * 2), *size);
        }
        end
    }

    proptest! {
        #[test]
        fn a_span_is_the_longest_that_fits(
            sizes in prop::collection::vec(1u64..50, 1..100), from in 0i64..220, max in 0u64..300, up_to in 0i64..220,
            at_least_one: bool,
        ) {
            let end = end_of(&sizes);
            let count = i64::try_from(sizes.len()).unwrap();
            let oldest = (count - i64::try_from(RECENT_MAX).unwrap()).max(0);
            let starts: Vec<u64> = sizes.iter().scan(0, |at, size| { let start = *at; *at += size; Some(start) })
                .chain([sizes.iter().sum()]).collect();
            let (from, up_to) = (from.min(count * 2 - 1), up_to.min(count * 2));
            let span = end.span(Offset(from), max, Offset(up_to), at_least_one);
            let first = from / 2;
            prop_assert_eq!(span.is_some(), first >= oldest);
            if let Some(span) = span {
                let at = |batch: i64| starts[usize::try_from(batch).unwrap()];
                let mut last = first;
                while last < count && (last + 1) * 2 <= up_to && at(last + 1) - at(first) <= max {
                    last += 1;
                }
                if last == first && at_least_one && (first + 1) * 2 <= up_to {
                    last += 1;
                }
                prop_assert_eq!(span.from, Start { offset: Offset(first * 2), position: at(first) });
                prop_assert_eq!(span.to, Start { offset: Offset(last * 2), position: at(last) });
            }
        }
    }
}
