//! The controller on a real disk: what it decides, and what a restart finds.

mod crash;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use barnabas_storage::TopicId;
use barnabas_storage::seam::Seams;
use parking_lot::Mutex;

use super::*;
use crate::metadata::MetadataDelta;

fn options(directory: &Path) -> ControllerOptions {
    ControllerOptions {
        directory: directory.to_owned(),
        cluster_id: "test-cluster".to_owned(),
        node_id: BrokerId(1),
        snapshot_bytes: 20 << 20,
        first_users: Vec::new(),
    }
}

async fn open(directory: &Path) -> Controller {
    Controller::open(Seams::system(), options(directory)).await.expect("opens")
}

async fn registered(directory: &Path) -> Controller {
    let controller = open(directory).await;
    let endpoint = BrokerEndpoint { listener: "PLAINTEXT".to_owned(), host: "localhost".to_owned(), port: 9092 };
    controller.register_broker(vec![endpoint], None).await.expect("registers");
    controller
}

fn topic(name: &str, partitions: i32) -> NewTopic {
    NewTopic {
        name: name.to_owned(),
        partitions,
        replication_factor: 1,
        assignment: Vec::new(),
        configs: BTreeMap::from([("retention.ms".to_owned(), "7".to_owned())]),
    }
}

async fn create(controller: &Controller, name: &str, partitions: i32) -> Arc<TopicImage> {
    let mut outcomes = controller.create_topics(vec![topic(name, partitions)], false).await.expect("proposed");
    outcomes.remove(0).expect("created")
}

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl MetadataListener for Heard {
    fn publish(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>) {
        let mut heard = self.0.lock();
        for (mark, topics) in [("-", &delta.topics_deleted), ("+", &delta.topics_created), ("*", &delta.topics_changed)]
        {
            heard.extend(topics.iter().map(|topic| format!("{mark}{}", topic.name)));
        }
        assert!(delta.topics_created.iter().all(|topic| image.topic_by_id(topic.id).is_some()));
    }
}

#[tokio::test]
async fn a_created_topic_is_led_by_this_broker_and_survives_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let controller = registered(directory.path()).await;
    let made = create(&controller, "t", 3).await;
    assert_eq!(controller.image().topic("t"), Some(&made));
    assert!(made.partitions.iter().all(|partition| partition.leader == Some(BrokerId(1))));
    controller.close().await;

    let controller = open(directory.path()).await;
    assert_eq!(controller.image().topic("t"), Some(&made));
    assert_eq!(controller.image().cluster_id(), "test-cluster");
    assert_eq!(controller.image().features().collect::<Vec<_>>(), [("metadata.version", 30)]);
    controller.close().await;
}

#[tokio::test]
async fn listeners_have_returned_before_the_answer() {
    let directory = tempfile::tempdir().expect("a directory");
    let controller = registered(directory.path()).await;
    create(&controller, "before", 1).await;
    let heard = Arc::new(Heard::default());
    controller.subscribe(heard.clone()).await;
    assert_eq!(*heard.0.lock(), ["+before"]);
    let made = create(&controller, "t", 1).await;
    assert_eq!(*heard.0.lock(), ["+before", "+t"]);
    controller.delete_topics(vec![made.id]).await.expect("proposed").remove(0).expect("deleted");
    assert_eq!(*heard.0.lock(), ["+before", "+t", "-t"]);
    controller.close().await;
}

#[tokio::test]
async fn a_restarted_broker_leads_under_a_higher_epoch() {
    let directory = tempfile::tempdir().expect("a directory");
    let controller = registered(directory.path()).await;
    create(&controller, "t", 2).await;
    let broker_epoch = controller.image().broker(BrokerId(1)).expect("registered").epoch;
    controller.close().await;

    let controller = registered(directory.path()).await;
    let image = controller.image();
    let topic = image.topic("t").expect("survives");
    assert!(topic.partitions.iter().all(|partition| partition.leader_epoch.0 == 1), "{topic:?}");
    assert!(image.broker(BrokerId(1)).expect("registered").epoch > broker_epoch);
    controller.close().await;
}

#[tokio::test]
async fn topics_of_one_request_are_decided_each_on_its_own_merits() {
    let directory = tempfile::tempdir().expect("a directory");
    let controller = registered(directory.path()).await;
    create(&controller, "taken", 1).await;
    let many = NewTopic { replication_factor: 2, ..topic("many", 1) };
    let unknown = NewTopic { assignment: vec![vec![BrokerId(9)]], ..topic("unknown", -1) };
    let twice = NewTopic { assignment: vec![vec![BrokerId(1), BrokerId(1)]], ..topic("twice", -1) };
    let huge = topic("huge", i32::MAX);
    let asked = vec![topic("a.b", 1), topic("taken", 1), topic("a_b", 1), many, unknown, twice, huge, topic("zero", 0)];
    let outcomes = controller.create_topics(asked, false).await.expect("proposed");
    let outcomes: Vec<String> = outcomes
        .into_iter()
        .map(|outcome| outcome.map_or_else(|error| error.to_string(), |topic| topic.name.to_string()))
        .collect();
    let expected = [
        "a.b",
        "Topic 'taken' already exists.",
        "Topic 'a_b' collides with existing topic: a.b",
        "Unable to replicate the partition 2 time(s): The target replication factor of 2 cannot be reached because \
         only 1 broker(s) are registered or some brokers have all their log directories cordoned.",
        "The manual partition assignment includes broker 9, but no such broker is registered.",
        "The manual partition assignment includes the broker 1 more than once.",
        "Unable to perform excessively large batch operation.",
        "Number of partitions was set to an invalid non-positive value.",
    ];
    assert_eq!(outcomes, expected);
    let names: Vec<String> = controller.image().topics().map(|topic| topic.name.to_string()).collect();
    assert_eq!(names, ["a.b", "taken"]);
    controller.close().await;
}

#[tokio::test]
async fn validate_only_changes_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let controller = registered(directory.path()).await;
    let index = controller.image().applied_index();
    let outcomes = controller.create_topics(vec![topic("t", 5)], true).await.expect("evaluated");
    assert_eq!(outcomes[0].as_ref().expect("would be made").partitions.len(), 5);
    assert_eq!(controller.image().applied_index(), index);
    controller.close().await;
}

#[tokio::test]
async fn a_topic_made_again_has_another_id() {
    let directory = tempfile::tempdir().expect("a directory");
    let controller = registered(directory.path()).await;
    let first = create(&controller, "t", 1).await.id;
    controller.delete_topics(vec![first]).await.expect("proposed").remove(0).expect("deleted");
    let outcomes = controller.delete_topics(vec![first, TopicId::ZERO]).await.expect("proposed");
    assert_eq!(outcomes, [Err(DeleteTopicError::UnknownId(first)), Err(DeleteTopicError::UnknownId(TopicId::ZERO))]);
    assert_ne!(create(&controller, "t", 1).await.id, first);
    controller.close().await;
}

#[tokio::test]
async fn a_protected_topic_is_not_deleted_and_the_others_are() {
    let directory = tempfile::tempdir().expect("a directory");
    let controller = registered(directory.path()).await;
    let other = create(&controller, "other", 1).await.id;
    let configs = [("barnabas.delete.protection".to_owned(), "TRUE".to_owned())].into();
    let kept = controller.create_topics(vec![NewTopic { configs, ..topic("kept", 1) }], false).await.expect("proposed");
    let kept = kept[0].as_ref().expect("made").id;
    let outcomes = controller.delete_topics(vec![kept, other]).await.expect("proposed");
    assert_eq!(outcomes, [Err(DeleteTopicError::Protected("kept".to_owned())), Ok(())]);
    assert!(controller.image().topic("kept").is_some() && controller.image().topic("other").is_none());
    controller.close().await;
}

#[tokio::test]
async fn concurrent_requests_never_share_a_name_or_a_block() {
    let directory = tempfile::tempdir().expect("a directory");
    let controller = registered(directory.path()).await;
    let creations = (0..20).map(|_| controller.create_topics(vec![topic("t", 1)], false));
    let blocks = (0..20).map(|_| controller.allocate_producer_ids());
    let (creations, blocks) =
        tokio::join!(futures_util::future::join_all(creations), futures_util::future::join_all(blocks));
    let made = creations.into_iter().filter(|outcome| outcome.as_ref().expect("proposed")[0].is_ok()).count();
    assert_eq!(made, 1);
    let mut firsts: Vec<i64> = blocks.into_iter().map(|block| block.expect("reserved").start).collect();
    firsts.sort_unstable();
    assert_eq!(firsts, (0..20).map(|block| block * 1000).collect::<Vec<_>>());
    controller.close().await;

    let controller = open(directory.path()).await;
    assert_eq!(controller.allocate_producer_ids().await.expect("reserved"), 20_000..21_000);
    controller.close().await;
}

#[tokio::test]
async fn a_restart_from_a_snapshot_finds_everything_and_an_empty_log() {
    let directory = tempfile::tempdir().expect("a directory");
    let snapshots = || ControllerOptions { snapshot_bytes: 1, ..options(directory.path()) };
    let controller = Controller::open(Seams::system(), snapshots()).await.expect("opens");
    controller.register_broker(Vec::new(), None).await.expect("registers");
    for round in 0..10 {
        create(&controller, &format!("t{round}"), 2).await;
    }
    let before = controller.image();
    controller.close().await;
    assert!(directory.path().join("barnabas-metadata.snapshot").exists());

    let controller = Controller::open(Seams::system(), snapshots()).await.expect("opens");
    let names = |image: &MetadataImage| image.topics().cloned().collect::<Vec<_>>();
    assert_eq!(names(&controller.image()), names(&before));
    controller.close().await;
}

#[tokio::test]
async fn a_log_of_another_cluster_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    open(directory.path()).await.close().await;
    let other = ControllerOptions { cluster_id: "other".to_owned(), ..options(directory.path()) };
    let outcome = Controller::open(Seams::system(), other).await;
    assert!(matches!(outcome, Err(OpenError::OtherCluster { .. })));
}

#[tokio::test]
async fn a_closed_controller_refuses() {
    let directory = tempfile::tempdir().expect("a directory");
    let controller = registered(directory.path()).await;
    controller.close().await;
    assert!(controller.create_topics(vec![topic("t", 1)], false).await.is_err());
}
