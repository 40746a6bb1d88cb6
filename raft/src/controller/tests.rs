//! The controller on a real disk: what it decides, and what a restart finds.

mod crash;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use barnabas_storage::TopicId;
use barnabas_storage::seam::{Clock, ManualClock, Seams};
use parking_lot::Mutex;

use super::*;
use crate::metadata::kept_topics::KeepTopicRecord;
use crate::metadata::topics::TopicRecord;
use crate::metadata::{MetadataDelta, Record};

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

fn undelete(name: &str, id: Option<TopicId>) -> Vec<TopicUndeletion> {
    vec![TopicUndeletion { name: name.to_owned(), id }]
}

/// A controller by a clock that stands still, and everything written anew in a snapshot each time.
async fn timed(directory: &Path, clock: &Arc<ManualClock>) -> Controller {
    let seams = Seams { clock: Arc::clone(clock) as Arc<dyn Clock>, ..Seams::system() };
    let options = ControllerOptions { snapshot_bytes: 1, ..options(directory) };
    let controller = Controller::open(seams, options).await.expect("opens");
    controller.register_broker(Vec::new(), None).await.expect("registers");
    controller
}

async fn delete(controller: &Controller, id: TopicId, keep_ms: i64) {
    let deletion = vec![TopicDeletion { id, keep_ms }];
    controller.delete_topics(deletion).await.expect("proposed").remove(0).expect("deleted");
}

#[tokio::test]
async fn a_deleted_topic_that_is_kept_comes_back_after_a_restart_under_higher_epochs() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), Arc::new(ManualClock::at(Timestamp(1000))));
    let controller = timed(directory.path(), &clock).await;
    let made = create(&controller, "t", 3).await;
    delete(&controller, made.id, 500).await;
    assert!(controller.image().topic("t").is_none());
    let gone = controller.delete_topics(vec![made.id]).await.expect("proposed");
    assert_eq!(gone, [Err(DeleteTopicError::UnknownId(made.id))]);
    controller.close().await;

    let controller = timed(directory.path(), &clock).await;
    clock.set_wall(Timestamp(1499));
    assert_eq!(controller.remove_kept_topics(Timestamp(1499)).await.expect("proposed"), 0);
    let index = controller.image().applied_index();
    let tried = controller.undelete_topics(undelete("t", None), true).await.expect("evaluated");
    assert_eq!(tried[0].as_ref().expect("would come back").id, made.id);
    assert_eq!(controller.image().applied_index(), index, "nothing was changed");
    let back = controller.undelete_topics(undelete("t", None), false).await.expect("proposed").remove(0);
    let back = back.expect("it is kept");
    assert_eq!((back.id, &back.configs, back.partitions.len()), (made.id, &made.configs, 3));
    assert!(back.partitions.iter().all(|partition| partition.leader_epoch.0 == 1), "{back:?}");
    assert_eq!(controller.image().topic("t"), Some(&back));
    let again = controller.undelete_topics(undelete("t", None), false).await.expect("proposed");
    assert_eq!(again, [Err(CreateTopicError::Exists("t".to_owned()))]);
    controller.close().await;
}

#[tokio::test]
async fn a_deleted_topic_goes_when_its_time_is_over_also_while_nobody_ran() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), Arc::new(ManualClock::at(Timestamp(1000))));
    let controller = timed(directory.path(), &clock).await;
    let (short, long) = (create(&controller, "short", 1).await.id, create(&controller, "long", 1).await.id);
    delete(&controller, short, 500).await;
    delete(&controller, long, i64::MAX).await;
    controller.close().await;

    clock.set_wall(Timestamp(1500));
    let controller = timed(directory.path(), &clock).await;
    let late = controller.undelete_topics(undelete("short", None), false).await.expect("proposed");
    assert_eq!(late, [Err(CreateTopicError::NotKept("short".to_owned()))], "though it was not removed yet");
    assert_eq!(controller.remove_kept_topics(Timestamp(1500)).await.expect("proposed"), 1);
    let image = controller.image();
    assert_eq!(image.kept_topics().map(|kept| kept.topic.id).collect::<Vec<_>>(), [long]);
    controller.close().await;
}

#[tokio::test]
async fn of_several_deleted_topics_of_a_name_the_one_that_is_named_comes_back() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), Arc::new(ManualClock::at(Timestamp(1000))));
    let controller = timed(directory.path(), &clock).await;
    let first = create(&controller, "t", 2).await.id;
    delete(&controller, first, 90_000).await;
    let second = create(&controller, "t", 1).await.id;
    let taken = controller.undelete_topics(undelete("t", Some(first)), false).await.expect("proposed");
    assert_eq!(taken, [Err(CreateTopicError::Exists("t".to_owned()))]);
    clock.set_wall(Timestamp(6000));
    delete(&controller, second, 90_000).await;
    let refused = controller.undelete_topics(undelete("t", None), false).await.expect("proposed").remove(0);
    let told = refused.expect_err("which one?").to_string();
    let expected = format!("{second} with 1 partitions, deleted 0 s ago; {first} with 2 partitions, deleted 5 s ago");
    assert!(told.ends_with(&expected), "{told}");
    let back = controller.undelete_topics(undelete("t", Some(first)), false).await.expect("proposed").remove(0);
    assert_eq!(back.expect("it is kept").partitions.len(), 2);
    create(&controller, "a.b", 1).await;
    let kept = controller.image().topic("a.b").expect("made").id;
    delete(&controller, kept, 90_000).await;
    create(&controller, "a_b", 1).await;
    let refused = controller.undelete_topics(undelete("a.b", None), false).await.expect("proposed").remove(0);
    assert!(matches!(refused, Err(CreateTopicError::Collides { .. })));
    controller.close().await;
}

#[test]
fn so_many_deleted_topics_are_kept_and_no_more() {
    let record = |number: u128| {
        let id = TopicId(uuid::Uuid::from_u128(number));
        let keep = KeepTopicRecord { id, deleted: Timestamp(0), until: Timestamp(1) };
        [TopicRecord { name: format!("t{number}"), id }.into(), Record::from(keep)]
    };
    let mut records: Vec<Record> = (1..=10_000).flat_map(record).collect();
    let id = TopicId(uuid::Uuid::from_u128(77_777));
    records.push(TopicRecord { name: "one".to_owned(), id }.into());
    let image = MetadataImage::from_records(1, &records);
    let decided = |keep_ms| delete_topics::decide(&image, &[TopicDeletion { id, keep_ms }], Timestamp(5)).1;
    assert_eq!(decided(1), [Err(DeleteTopicError::TooManyKept("one".to_owned()))]);
    assert_eq!(decided(0), [Ok(())], "for good it can be deleted");
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
