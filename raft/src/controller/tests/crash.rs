//! Power fails at every disk operation of a life of the controller: what was acknowledged is there afterwards, whole.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use barnabas_storage::seam::lossy::{Fault, OpKind};
use barnabas_storage::seam::{Disk as _, LossyDisk, ManualClock, Seams, SeededRng, SystemSpawn};
use barnabas_storage::{Timestamp, TopicId};

use super::super::*;
use super::topic;

/// Small, so that a snapshot and a purge happen in the middle.
const SNAPSHOT_BYTES: u64 = 600;

/// What the controller said it had done.
#[derive(Default)]
struct Acknowledged {
    topics: BTreeMap<String, Arc<TopicImage>>,
    deleted: Vec<TopicId>,
    /// Asked for, and not known to be done or refused.
    unknown: Vec<String>,
    blocks: Vec<i64>,
}

async fn open(disk: &LossyDisk, seed: u64) -> Result<Controller, OpenError> {
    let seams = Seams {
        disk: Arc::new(disk.clone()),
        clock: Arc::new(ManualClock::at(Timestamp(0))),
        rng: Arc::new(SeededRng::new(seed)),
        spawn: Arc::new(SystemSpawn),
    };
    let options = ControllerOptions {
        directory: Path::new("/").to_owned(),
        cluster_id: "c".to_owned(),
        node_id: BrokerId(1),
        snapshot_bytes: SNAPSHOT_BYTES,
        first_users: Vec::new(),
    };
    Controller::open(seams, options).await
}

/// Registers, makes, deletes and reserves until something fails.
async fn live(controller: &Controller, done: &mut Acknowledged) -> Result<(), ProposeError> {
    controller.register_broker(Vec::new(), None).await?;
    for round in 0..6 {
        let name = format!("t{round}");
        done.unknown.push(name.clone());
        let made = controller.create_topics(vec![topic(&name, 2)], false).await?.remove(0).expect("a new name");
        done.unknown.pop();
        done.topics.insert(name, made);
        if round % 3 == 2
            && let Some((name, topic)) = done.topics.pop_first()
        {
            done.unknown.push(name);
            controller.delete_topics(vec![topic.id]).await?.remove(0).expect("it is there");
            done.unknown.pop();
            done.deleted.push(topic.id);
        }
        done.blocks.push(controller.allocate_producer_ids().await?.start);
    }
    Ok(())
}

fn check(image: &MetadataImage, done: &Acknowledged) {
    for (name, topic) in &done.topics {
        assert_eq!(image.topic(name), Some(topic), "{name} was acknowledged");
    }
    for id in &done.deleted {
        assert_eq!(image.topic_by_id(*id), None, "its deletion was acknowledged");
    }
    for topic in image.topics() {
        let known = done.topics.contains_key(&*topic.name) || done.unknown.iter().any(|name| **name == *topic.name);
        assert!(known, "{} was never asked for", topic.name);
        assert_eq!((topic.partitions.len(), topic.configs.len()), (2, 1), "a topic is there whole or not at all");
    }
}

#[tokio::test]
async fn a_crash_at_any_operation_keeps_what_was_acknowledged() {
    let clock = || Arc::new(ManualClock::at(Timestamp(0)));
    let whole = LossyDisk::new(clock());
    let controller = open(&whole, 1).await.expect("opens");
    live(&controller, &mut Acknowledged::default()).await.expect("nothing fails");
    controller.close().await;
    assert!(whole.exists(Path::new("/barnabas-metadata.snapshot")), "the life has a snapshot in it");

    for operation in 1..=whole.operations() {
        let disk = LossyDisk::new(clock());
        disk.crash_at(operation);
        let mut done = Acknowledged::default();
        if let Ok(controller) = open(&disk, operation).await {
            let _ = live(&controller, &mut done).await;
            controller.close().await;
        }
        let controller = open(&disk.crash(operation), operation + 1000).await.expect("a crash leaves no hole");
        check(&controller.image(), &done);
        let next = controller.allocate_producer_ids().await.expect("the disk works").start;
        assert!(done.blocks.iter().all(|block| *block < next), "a block was handed out twice");
        controller.close().await;
    }
}

#[tokio::test]
async fn a_failed_sync_ends_the_controller_and_says_why() {
    let disk = LossyDisk::new(Arc::new(ManualClock::at(Timestamp(0))));
    let controller = open(&disk, 1).await.expect("opens");
    controller.register_broker(Vec::new(), None).await.expect("registers");
    disk.fail_nth(OpKind::SyncData, 1, Fault::Io);
    assert!(controller.create_topics(vec![topic("t", 1)], false).await.is_err());
    assert!(!controller.failed().await.is_empty());
    assert!(matches!(controller.allocate_producer_ids().await, Err(ProposeError::Fatal(_))));
    controller.close().await;
}
