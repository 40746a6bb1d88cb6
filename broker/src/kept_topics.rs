//! Deleted topics that are kept: for how long, and that they go when their time is over.

use std::sync::Arc;
use std::time::Duration;

use barnabas_config::TopicConfig;
use barnabas_raft::{TopicDeletion, TopicImage};
use barnabas_storage::Timestamp;

use crate::broker::Broker;
use crate::limits::{HOUSEKEEPING_INTERVAL, KEPT_TOPICS_IDLE_INTERVAL};

/// The topic's setting that says for how long it is kept.
const KEEP_MS: &str = "barnabas.delete.keep.ms";

/// The deletion of a topic as its settings want it. Without room nothing is kept.
#[must_use]
pub fn deletion(broker: &Broker, topic: &TopicImage) -> TopicDeletion {
    let keep_ms = TopicConfig::resolve(&broker.settings.config(), &topic.configs).number(KEEP_MS);
    TopicDeletion { id: topic.id, keep_ms: if has_room(broker) { keep_ms } else { 0 } }
}

fn has_room(broker: &Broker) -> bool {
    broker.partitions.log_dirs().all(|dir| dir.has_room())
}

/// The end of the window that is over now; of every window, while a log directory has no room.
fn over(broker: &Broker) -> Timestamp {
    if has_room(broker) { broker.seams.clock.now() } else { Timestamp(i64::MAX) }
}

/// Lets kept topics go when their time is over, until the broker stops.
pub fn expire(broker: &Arc<Broker>) {
    let (broker, mut stopping) = (Arc::clone(broker), broker.tasks.stopping());
    let tasks = broker.tasks.clone();
    tasks.spawn("kept-topics", async move {
        loop {
            let pause = pause(&broker);
            tokio::select! {
                biased;
                () = stopping.wait() => return,
                () = broker.tasks.sleep(pause) => {}
            }
            let until = over(&broker);
            while broker.controller.image().kept_topics().any(|kept| kept.until <= until) {
                match broker.controller.remove_kept_topics(until).await {
                    Ok(removed) => tracing::info!(removed, "deleted topics are kept no longer"),
                    Err(_) => break,
                }
            }
        }
    });
}

/// Who keeps nothing is not woken for it.
fn pause(broker: &Broker) -> Duration {
    let keeps = broker.controller.image().kept_topic_count() > 0;
    if keeps { HOUSEKEEPING_INTERVAL } else { KEPT_TOPICS_IDLE_INTERVAL }
}
