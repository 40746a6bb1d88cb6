//! One piece of work for each of many items, on a few threads: syncs that run together share the file system's commits.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::seam::Spawn;

/// Threads that wait for syncs. They sleep in the kernel, so more of them than processors pay.
pub(crate) const SYNCING_THREADS: usize = 16;
/// For fewer items the caller's thread does.
const ITEMS_MIN: usize = 4;

/// Does `work` for each item and gives the results, in no order. The caller's thread takes part; without another one it
/// does everything.
///
/// # Panics
/// When the work does: an item without a result must not be taken for one that was done.
pub(crate) fn each<T, R, W>(spawn: &dyn Spawn, name: &str, threads: usize, items: Vec<T>, work: W) -> Vec<R>
where
    T: Send + 'static,
    R: Send + 'static,
    W: Fn(T) -> R + Send + Sync + 'static,
{
    if items.len() < ITEMS_MIN || threads < 2 {
        return items.into_iter().map(work).collect();
    }
    let others = threads.min(items.len() / 2) - 1;
    let (left, results) = (Arc::new(Mutex::new(items)), Arc::new(Mutex::new(Vec::new())));
    let work = Arc::new(work);
    let drain = {
        let (left, results) = (Arc::clone(&left), Arc::clone(&results));
        move || {
            while let Some(next) = { left.lock().pop() } {
                let result = work(next);
                results.lock().push(result);
            }
        }
    };
    let started: Vec<_> = (0..others).map_while(|_| spawn.thread(name, Box::new(drain.clone())).ok()).collect();
    drain();
    for thread in started {
        thread.join().expect("invariant: storage's work does not panic");
    }
    std::mem::take(&mut *results.lock())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seam::SystemSpawn;

    #[test]
    fn every_item_is_done_once() {
        for (threads, items) in [(1, 9), (2, 3), (4, 5), (16, 300)] {
            let mut done = each(&SystemSpawn, "test", threads, (0..items).collect(), |item| item);
            done.sort_unstable();
            assert_eq!(done, (0..items).collect::<Vec<_>>());
        }
    }
}
