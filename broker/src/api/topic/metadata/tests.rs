use super::super::fixture::{LISTENER, id, image, partition};
use super::*;

fn named(name: &str) -> MetadataRequestTopic {
    let name = Some(TopicName(StrBytes::from_string(name.to_owned())));
    MetadataRequestTopic::default().with_name(name)
}

fn with_id(number: u128) -> MetadataRequestTopic {
    MetadataRequestTopic::default().with_name(None).with_topic_id(id(number).0)
}

fn state(replicas: &[i32], leader: Option<i32>) -> PartitionState {
    PartitionState::new(&image(&[]), LISTENER, &partition(replicas, leader))
}

#[test]
fn an_empty_list_is_everything_in_version_0_only() {
    assert_eq!(asked(0, Some(&[])), Asked::Everything);
    assert_eq!(asked(1, Some(&[])), Asked::Topics(Vec::new()));
    assert_eq!(asked(1, None), Asked::Everything);
}

#[test]
fn a_topic_named_twice_is_answered_once_in_the_place_of_the_first() {
    let Asked::Topics(topics) = asked(4, Some(&[named("b"), named("a"), named("b")])) else {
        panic!("topics were asked for")
    };
    let names: Vec<String> = topics.iter().map(|topic| format!("{topic:?}")).collect();
    assert_eq!(names.len(), 2);
    assert!(names[0].contains("\"b\""), "{names:?}");
}

#[test]
fn ids_count_from_version_12_and_win_over_names() {
    let topics = [with_id(1), named("a")];
    assert_eq!(asked(12, Some(&topics)), Asked::Topics(vec![Named::Id(id(1))]));
    let both = [named("a").with_topic_id(id(1).0)];
    let Asked::Invalid(refused) = asked(11, Some(&both)) else { panic!("refused as a whole") };
    assert_eq!(refused[0].error_code, ResponseError::InvalidRequest.code());
    let Asked::Invalid(refused) = asked(11, Some(&[with_id(1)])) else { panic!("refused as a whole") };
    assert_eq!(refused[0].name.as_ref().map(|name| name.to_string()), Some(String::new()));
}

#[test]
fn a_leader_on_another_listener_is_not_found_and_offline() {
    let shown = shape_partition(6, 0, state(&[2], Some(2)));
    assert_eq!(shown.error_code, ResponseError::ListenerNotFound.code());
    assert_eq!((shown.leader_id, shown.leader_epoch), (BrokerId(-1), 4));
    assert_eq!(shown.offline_replicas, [BrokerId(2)]);
    let older = shape_partition(5, 0, state(&[2], Some(2)));
    assert_eq!(older.error_code, ResponseError::LeaderNotAvailable.code());
}

#[test]
fn no_leader_is_leader_not_available() {
    for state in [state(&[1], None), state(&[9], Some(9))] {
        let shown = shape_partition(13, 0, state);
        assert_eq!(shown.error_code, ResponseError::LeaderNotAvailable.code());
        assert_eq!(shown.leader_id, BrokerId(-1));
    }
}

#[test]
fn version_0_leaves_unreachable_replicas_out_and_says_so() {
    let shown = shape_partition(0, 0, state(&[1, 2], Some(1)));
    assert_eq!(shown.error_code, ResponseError::ReplicaNotAvailable.code());
    assert_eq!(shown.replica_nodes, [BrokerId(1)]);
    let newer = shape_partition(1, 0, state(&[1, 2], Some(1)));
    assert_eq!((newer.error_code, newer.replica_nodes), (0, vec![BrokerId(1), BrokerId(2)]));
}

#[test]
fn the_listener_of_the_request_decides_which_brokers_are_shown() {
    let hosts =
        |listener| nodes(&image(&[]), listener).into_iter().map(|node| node.host.to_string()).collect::<Vec<_>>();
    assert_eq!(hosts(LISTENER), ["h1"]);
    assert_eq!(hosts("INTERNAL"), ["h2"]);
    assert!(hosts("NONE").is_empty());
}
