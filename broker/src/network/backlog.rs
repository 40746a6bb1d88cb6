//! The backlog: large requests between their arrival and the disk. The journal writes what waits in the order in which it
//! came; if hundreds of connections put a large batch each into its queue, a small one would wait for them all. So those
//! who bring much wait here, first come first served, and the others pass.
//!
//! Invariants:
//! 1. Frames in the backlog are together at most [`BACKLOG_BYTES_MAX`]; one that is larger is there alone.
//! 2. A frame comes in when it is whole, so a slow sender takes no place.
//! 3. It leaves with the last use of its bytes: when its batches have left the journal's queue. What an answer waits for
//!    afterwards, or a peer that does not take it, holds nothing here.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{BACKLOG_BYTES_MAX, REQUEST_BYTES_FREE};
use crate::metrics::{Counted, Metrics};

/// The backlog of one broker.
pub struct Backlog {
    left: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

/// A frame that is in the backlog as long as anybody uses its bytes.
struct Frame {
    frame: Bytes,
    permit: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
}

impl Backlog {
    /// Nothing is there.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { left: Arc::new(Semaphore::new(BACKLOG_BYTES_MAX)), metrics }
    }

    /// Waits for the frame's place. One within [`REQUEST_BYTES_FREE`] needs none. Cancellation-safe.
    pub async fn take(&self, frame: Bytes) -> Bytes {
        if frame.len() <= REQUEST_BYTES_FREE {
            return frame;
        }
        let bytes = u32::try_from(frame.len().min(BACKLOG_BYTES_MAX)).unwrap_or(u32::MAX);
        let permit = match Arc::clone(&self.left).try_acquire_many_owned(bytes) {
            Ok(permit) => permit,
            Err(_) => {
                self.metrics.backlog_waits.increment();
                let _queued = Counted::of(&self.metrics.requests_queued);
                // On the heap: a connection that waits for nothing has no room for it.
                let waited = Box::pin(Arc::clone(&self.left).acquire_many_owned(bytes)).await;
                waited.expect("invariant: the semaphore is never closed")
            }
        };
        self.metrics.backlog_bytes.add(u64::from(bytes));
        Bytes::from_owner(Frame { frame, permit, metrics: Arc::clone(&self.metrics) })
    }
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        &self.frame
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.metrics.backlog_bytes.sub(self.permit.num_permits() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: usize) -> Bytes {
        Bytes::from(vec![7; bytes])
    }

    #[tokio::test]
    async fn a_large_frame_waits_until_the_bytes_of_others_are_used_no_more() {
        let metrics = Arc::new(Metrics::default());
        let backlog = Backlog::new(Arc::clone(&metrics));
        let half = BACKLOG_BYTES_MAX / 2;
        let (first, second) = (backlog.take(frame(half)).await, backlog.take(frame(half)).await);
        assert_eq!(metrics.backlog_bytes.value(), 2 * half as u64);
        let mut third = Box::pin(backlog.take(frame(REQUEST_BYTES_FREE + 1)));
        assert!(futures_util::poll!(&mut third).is_pending());
        let batch = first.slice(100..200);
        drop(first);
        assert!(futures_util::poll!(&mut third).is_pending(), "a batch of it still waits for the journal");
        assert_eq!(batch, frame(100));
        drop(batch);
        drop(third.await);
        drop(second);
        assert_eq!((metrics.backlog_bytes.value(), metrics.backlog_waits.value()), (0, 1));
    }

    #[tokio::test]
    async fn a_small_frame_passes_and_one_above_all_room_takes_all_of_it() {
        let metrics = Arc::new(Metrics::default());
        let backlog = Backlog::new(Arc::clone(&metrics));
        let all = backlog.take(frame(BACKLOG_BYTES_MAX + 1)).await;
        assert_eq!(all.len(), BACKLOG_BYTES_MAX + 1);
        assert_eq!(metrics.backlog_bytes.value(), BACKLOG_BYTES_MAX as u64);
        assert_eq!(backlog.take(frame(REQUEST_BYTES_FREE)).await.len(), REQUEST_BYTES_FREE);
    }
}
