//! The scan at the end: everything that a consumer can read, of every topic.

use std::rc::Rc;
use std::time::Duration;

use super::consumer::Reader;
use super::{Phase, Shared, count_down, pause};
use crate::plan::ConsumerPlan;

/// Consumers of this number and above are scans, of the topic of the rest.
pub(crate) const SCANS_FROM: usize = 1000;

/// Reads every topic from its beginning to its end.
pub(crate) async fn run(shared: Rc<Shared>) -> turmoil::Result {
    shared.readers.set(shared.readers.get() + 1);
    shared.reached(Phase::Scan).await;
    for topic in 0..shared.plan.topics.len() {
        let plan = ConsumerPlan { topic, partition_bytes: 1 << 20, slowness: Duration::ZERO, by_id: false };
        let mut reader = Reader::new(Rc::clone(&shared), SCANS_FROM + topic, plan);
        while !(matches!(reader.poll(Duration::ZERO).await, Ok(0)) && reader.is_at_end()) {
            pause(Duration::from_millis(5)).await;
        }
    }
    count_down(&shared.readers);
    Ok(())
}
