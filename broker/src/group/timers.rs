//! Deadlines of one shard. Pure: it is told the time.
//!
//! 1. A key has at most one deadline. Setting it again replaces it.
//! 2. The heap holds at most two entries per live key: moving a deadline later (every heartbeat does) only changes the
//!    map; the heap's entry is put back when it comes up early.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

/// Deadlines by key, in monotonic time.
#[derive(Debug)]
pub struct Timers<K> {
    deadlines: BTreeMap<K, Deadline>,
    heap: BinaryHeap<Reverse<(Duration, K)>>,
}

#[derive(Clone, Copy, Debug)]
struct Deadline {
    due: Duration,
    /// The earliest heap entry of this key.
    queued: Duration,
}

impl<K: Ord> Default for Timers<K> {
    fn default() -> Self {
        Self { deadlines: BTreeMap::new(), heap: BinaryHeap::new() }
    }
}

impl<K: Ord + Clone> Timers<K> {
    /// Sets or replaces the deadline of `key`.
    pub fn set(&mut self, key: K, due: Duration) {
        let queued = match self.deadlines.get(&key) {
            Some(deadline) if deadline.queued <= due => deadline.queued,
            Some(_) | None => {
                self.heap.push(Reverse((due, key.clone())));
                due
            }
        };
        self.deadlines.insert(key, Deadline { due, queued });
        self.shrink();
    }

    /// Forgets the deadline of `key`.
    pub fn cancel(&mut self, key: &K) {
        self.deadlines.remove(key);
        self.shrink();
    }

    /// The next moment at which [`Timers::pop_due`] may have something; it may come up early, never late.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        self.heap.peek().map(|Reverse((due, _))| *due)
    }

    /// Takes one key whose deadline has come.
    pub fn pop_due(&mut self, now: Duration) -> Option<K> {
        while self.next_due().is_some_and(|due| due <= now) {
            let Reverse((queued, key)) = self.heap.pop()?;
            let Some(deadline) = self.deadlines.get_mut(&key).filter(|deadline| deadline.queued == queued) else {
                continue;
            };
            if deadline.due <= now {
                self.deadlines.remove(&key);
                return Some(key);
            }
            deadline.queued = deadline.due;
            self.heap.push(Reverse((deadline.due, key)));
        }
        None
    }

    /// Rebuilds the heap when cancelled entries outnumber the live ones.
    fn shrink(&mut self) {
        if self.heap.len() > 2 * self.deadlines.len() + 16 {
            self.heap.clear();
            for (key, deadline) in &mut self.deadlines {
                deadline.queued = deadline.due;
                self.heap.push(Reverse((deadline.due, key.clone())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_deadline_moved_later_fires_once_and_late() {
        let mut timers = Timers::default();
        timers.set("a", at(10));
        timers.set("a", at(30));
        assert_eq!(timers.pop_due(at(29)), None);
        assert_eq!(timers.pop_due(at(30)), Some("a"));
        assert_eq!(timers.pop_due(at(99)), None);
    }

    #[test]
    fn a_deadline_moved_earlier_fires_once_and_early() {
        let mut timers = Timers::default();
        timers.set("a", at(30));
        timers.set("a", at(10));
        assert_eq!(timers.pop_due(at(10)), Some("a"));
        assert_eq!(timers.pop_due(at(99)), None);
    }

    #[test]
    fn a_cancelled_deadline_does_not_fire() {
        let mut timers = Timers::default();
        timers.set("a", at(10));
        timers.set("b", at(11));
        timers.cancel(&"a");
        assert_eq!(timers.pop_due(at(12)), Some("b"));
        assert_eq!(timers.pop_due(at(12)), None);
    }

    #[test]
    fn heartbeats_do_not_grow_the_heap() {
        let mut timers = Timers::default();
        for second in 0..10_000 {
            timers.set("a", at(second + 45));
            assert!(timers.heap.len() <= 2, "{}", timers.heap.len());
            assert_eq!(timers.pop_due(at(second)), None);
        }
        for key in 0..10_000 {
            let text = key.to_string();
            let mut one = Timers::default();
            one.set(text.clone(), at(1));
            one.cancel(&text);
            assert!(one.heap.len() <= 16);
        }
    }
}
