//! Producer ids, handed out from blocks that the controller reserves.
//!
//! Must not know: who asks.
//!
//! Invariants:
//! 1. No id is handed out twice, in this process or after a restart: a block is durable before its first id leaves.
//! 2. One reservation is under way at a time; who comes meanwhile waits for it.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;

use barnabas_raft::{Controller, ProposeError};
use barnabas_storage::ProducerId;
use tokio::sync::Mutex;

type Reservation = Pin<Box<dyn Future<Output = Result<Range<i64>, ProposeError>> + Send>>;

/// Hands out producer ids.
pub struct ProducerIds {
    reserve: Box<dyn Fn() -> Reservation + Send + Sync>,
    block: Mutex<Range<i64>>,
}

impl ProducerIds {
    /// Takes its blocks from the controller, the first when the first id is asked for.
    #[must_use]
    pub fn new(controller: &Controller) -> Self {
        let controller = controller.clone();
        Self::from_source(move || {
            let controller = controller.clone();
            Box::pin(async move { controller.allocate_producer_ids().await })
        })
    }

    fn from_source(reserve: impl Fn() -> Reservation + Send + Sync + 'static) -> Self {
        Self { reserve: Box::new(reserve), block: Mutex::new(0..0) }
    }

    /// An id that nobody had before. Cancellation-safe: at worst a block is lost.
    ///
    /// # Errors
    /// When the next block could not be reserved; see [`ProposeError`].
    pub async fn next(&self) -> Result<ProducerId, ProposeError> {
        let mut block = self.block.lock().await;
        loop {
            if let Some(id) = block.next() {
                return Ok(ProducerId(id));
            }
            *block = (self.reserve)().await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn ids_are_unique_and_blocks_are_reserved_one_at_a_time() {
        let blocks = Arc::new(AtomicI64::new(0));
        let source = Arc::clone(&blocks);
        let ids = ProducerIds::from_source(move || {
            let block = source.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                tokio::task::yield_now().await;
                Ok(block * 10..(block + 1) * 10)
            })
        });
        let handed_out: BTreeSet<i64> =
            join_all((0..95).map(|_| ids.next())).await.into_iter().map(|id| id.unwrap().0).collect();
        assert_eq!(handed_out, (0..95).collect());
        assert_eq!(blocks.load(Ordering::Relaxed), 10);
    }

    #[tokio::test]
    async fn a_failed_reservation_is_tried_again_by_the_next_request() {
        let calls = Arc::new(AtomicI64::new(0));
        let source = Arc::clone(&calls);
        let ids = ProducerIds::from_source(move || {
            let call = source.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move { if call == 0 { Err(ProposeError::NotController) } else { Ok(7..9) } })
        });
        assert!(ids.next().await.is_err());
        assert_eq!(ids.next().await.unwrap(), ProducerId(7));
    }
}
