//! Deleted topics come back by CreateTopics: a topic with the one setting `barnabas.undelete`, which is `true`, or the id
//! of one of several that had its name. No other API of Kafka's fits, and so every client can ask for it.

use std::time::Duration;

use barnabas_raft::{MetadataImage, TopicUndeletion};
use barnabas_storage::TopicId;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;

use super::create_topics::{Outcome, outcomes};
use crate::api::RequestContext;
use crate::api::refusal::Refusal;

/// The setting that asks for it.
const UNDELETE: &str = "barnabas.undelete";

/// What is asked for, when a topic is to come back.
///
/// # Errors
/// Why the request makes no sense.
pub(super) fn asked(topic: &CreatableTopic) -> Option<Result<TopicUndeletion, Refusal>> {
    let given = topic.configs.iter().find(|config| &*config.name == UNDELETE)?;
    if topic.configs.len() > 1 || !topic.assignments.is_empty() {
        let message =
            format!("A topic comes back as it was: {UNDELETE} stands alone, without settings or assignments.");
        return Some(Err(Refusal::new(ResponseError::InvalidRequest, message)));
    }
    let name = topic.name.to_string();
    let value = given.value.as_deref().unwrap_or_default().trim();
    let id = match TopicId::parse(value) {
        Some(id) => Some(id),
        None if value.eq_ignore_ascii_case("true") => None,
        None => {
            let message = format!("Invalid value {value} for configuration {UNDELETE}: true, or a topic's id.");
            return Some(Err(Refusal::new(ResponseError::InvalidConfig, message)));
        }
    };
    Some(Ok(TopicUndeletion { name, id }))
}

/// Partitions that come back with it, as far as is known before.
pub(super) fn partitions(image: &MetadataImage, topic: &TopicUndeletion) -> usize {
    let named = image.kept_topics_named(&topic.name).into_iter();
    let meant = named.filter(|kept| topic.id.is_none_or(|id| id == kept.topic.id));
    meant.map(|kept| kept.topic.partitions.len()).max().unwrap_or(0)
}

/// Brings them back.
pub(super) async fn undelete(
    context: &RequestContext,
    topics: Vec<TopicUndeletion>,
    validate_only: bool,
    timeout: Duration,
) -> Vec<Outcome> {
    let asked = topics.len();
    if asked == 0 {
        return Vec::new();
    }
    let undelete = context.broker.controller.undelete_topics(topics, validate_only);
    outcomes(asked, context.broker.tasks.within(timeout, undelete).await)
}
