use kafka_protocol::messages::delete_topics_request::DeleteTopicState;

use super::super::fixture::{id, image};
use super::*;

fn name(name: &'static str) -> TopicName {
    TopicName(StrBytes::from_static_str(name))
}

fn by_name(topic: &'static str) -> DeleteTopicState {
    DeleteTopicState::default().with_name(Some(name(topic)))
}

fn by_id(number: u128) -> DeleteTopicState {
    DeleteTopicState::default().with_name(None).with_topic_id(id(number).0)
}

fn resolved(
    topics: Vec<DeleteTopicState>,
    allowed: impl Fn(Operation, &str) -> bool,
) -> Vec<Result<TopicId, ResponseError>> {
    let request = DeleteTopicsRequest::default().with_topics(topics);
    let outcomes = resolve(&targets(&request), &image(&[("a", 1), ("b", 1)]), allowed);
    outcomes.into_iter().map(|outcome| outcome.found.map_err(|refusal| refusal.code)).collect()
}

#[test]
fn topics_are_found_by_name_and_by_id() {
    let found = resolved(vec![by_name("a"), by_id(2), by_name("c"), by_id(9)], |_, _| true);
    let (unknown_name, unknown_id) = (ResponseError::UnknownTopicOrPartition, ResponseError::UnknownTopicId);
    assert_eq!(found, [Ok(id(1)), Ok(id(2)), Err(unknown_name), Err(unknown_id)]);
}

#[test]
fn a_topic_named_twice_is_deleted_by_neither() {
    let refused = Err(ResponseError::InvalidRequest);
    assert_eq!(resolved(vec![by_name("a"), by_name("a")], |_, _| true), [refused]);
    assert_eq!(resolved(vec![by_name("a"), by_id(1)], |_, _| true), [refused, refused]);
}

#[test]
fn a_target_has_a_name_or_an_id_but_not_both() {
    let both = by_name("a").with_topic_id(id(1).0);
    let neither = DeleteTopicState::default().with_name(None);
    assert_eq!(resolved(vec![both, neither], |_, _| true), [Err(ResponseError::InvalidRequest); 2]);
}

#[test]
fn whoever_may_not_see_a_topic_does_not_learn_its_name_from_its_id() {
    let request = DeleteTopicsRequest::default().with_topics(vec![by_id(1), by_name("b")]);
    let outcomes = resolve(&targets(&request), &image(&[("a", 1), ("b", 1)]), |_, _| false);
    let codes = outcomes.iter().map(|outcome| outcome.found.as_ref().map_err(|refusal| refusal.code));
    assert!(codes.into_iter().all(|code| code == Err(ResponseError::TopicAuthorizationFailed)));
    assert_eq!(outcomes[0].shown, None);
    let seen = resolve(&targets(&request), &image(&[("a", 1)]), |operation, _| operation == Operation::Describe);
    assert_eq!(seen[0].shown, Some(name("a")));
}

#[test]
fn disabled_deletion_has_a_code_of_its_own_since_version_3() {
    assert_eq!(disabled(2).code, ResponseError::InvalidRequest);
    assert_eq!(disabled(3).code, ResponseError::TopicDeletionDisabled);
}
