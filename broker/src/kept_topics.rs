//! Deleted topics that are kept: for how long, and that they go when their time is over.

use std::sync::Arc;

use barnabas_config::TopicConfig;
use barnabas_raft::{MetadataDelta, MetadataImage, MetadataListener, TopicDeletion, TopicImage};
use barnabas_storage::Timestamp;
use tokio::sync::watch;

use crate::broker::Broker;
use crate::limits::HOUSEKEEPING_INTERVAL;

/// The topic's setting that says for how long it is kept.
const KEEP_MS: &str = "barnabas.delete.keep.ms";

/// The deletion of a topic as its settings want it. Without room nothing is kept.
#[must_use]
pub fn deletion(broker: &Broker, topic: &TopicImage) -> TopicDeletion {
    let wanted = TopicConfig::resolve(&broker.settings.config(), &topic.configs).number(KEEP_MS);
    TopicDeletion { id: topic.id, keep_ms: if wanted > 0 && has_room(broker) { wanted } else { 0 } }
}

/// False while a log directory lacks room that deletions could free.
fn has_room(broker: &Broker) -> bool {
    broker.partitions.log_dirs().all(|dir| dir.is_offline() || dir.has_room())
}

/// The end of the window that is over now; of every window, while a log directory has no room.
fn over(broker: &Broker) -> Timestamp {
    if has_room(broker) { broker.seams.clock.now() } else { Timestamp(i64::MAX) }
}

/// Tells whether any topics are kept: who keeps none is not woken for them.
struct Keeps(watch::Sender<bool>);

impl MetadataListener for Keeps {
    fn publish(&self, _: &MetadataDelta, image: &Arc<MetadataImage>) {
        self.0.send_replace(image.kept_topic_count() > 0);
    }
}

/// Lets kept topics go when their time is over, until the broker stops.
pub async fn expire(broker: &Arc<Broker>) {
    let (keeps, mut kept) = watch::channel(false);
    broker.controller.subscribe(Arc::new(Keeps(keeps))).await;
    let (broker, mut stopping) = (Arc::clone(broker), broker.tasks.stopping());
    let tasks = broker.tasks.clone();
    tasks.spawn("kept-topics", async move {
        loop {
            let due = async {
                let some = kept.wait_for(|some| *some).await.is_ok();
                broker.tasks.sleep(HOUSEKEEPING_INTERVAL).await;
                some
            };
            let is_due = tokio::select! {
                biased;
                () = stopping.wait() => false,
                is_due = due => is_due,
            };
            if !is_due {
                return;
            }
            let_go(&broker).await;
        }
    });
}

async fn let_go(broker: &Broker) {
    let until = over(broker);
    while broker.controller.image().kept_topics().any(|kept| kept.until <= until) {
        match broker.controller.remove_kept_topics(until).await {
            Ok(removed) => tracing::info!(removed, "deleted topics are kept no longer"),
            Err(_) => return,
        }
    }
}
