//! DeleteTopics (key 20): deletes topics by name or id.
//!
//! Where it differs from Apache Kafka: results stand in the order of the request; Kafka shuffles them, so that their
//! place tells nothing about topics that one may not see: here their place is the request's. A topic whose
//! `barnabas.delete.protection` is true is refused with POLICY_VIOLATION, whoever asks. A topic whose
//! `barnabas.delete.keep.ms` is above 0 is gone for every client, but CreateTopics brings it back within that time.
//!
//! Versions: 1-5 by name; 3 TOPIC_DELETION_DISABLED instead of INVALID_REQUEST; 4 flexible; 5 error messages; 6 by name
//! or id (KIP-516).

use std::collections::HashMap;
use std::time::Duration;

use barnabas_auth::{Operation, ResourceType};
use barnabas_config::key;
use barnabas_raft::{MetadataImage, TopicDeletion};
use barnabas_storage::TopicId;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::refusal::{QUOTA_EXCEEDED, Refusal};
use crate::api::shape::{Kind, array, int32, structs, text, uuid};
use crate::api::{Api, CloseReason, Need, OneStage, QuotaClass, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};
use crate::kept_topics;
use crate::quota::ThrottleTime;

/// DeleteTopics.
pub struct DeleteTopics;

const DISABLED_SINCE: i16 = 3;
const STRICT_QUOTA_SINCE: i16 = 5;

impl Api for DeleteTopics {
    type Request = DeleteTopicsRequest;
    const NAME: &'static str = "DeleteTopics";
    const VERSIONS: Versions = Versions::new(1, 6);
    const SHAPE: Shape = Shape {
        flexible: 4,
        fields: &[structs(&[text().nullable(6), uuid()]).since(6), array(&Kind::Text).until(5), int32()],
    };
    const NEEDS: &'static [Need] = &[
        Need { operation: Operation::Delete, resource: ResourceType::Cluster },
        Need { operation: Operation::Describe, resource: ResourceType::Topic },
        Need { operation: Operation::Delete, resource: ResourceType::Topic },
    ];
    const RUNS_ON: RunsOn = RunsOn::Controller;
    const QUOTA: QuotaClass = QuotaClass::ControllerMutation;
}

impl OneStage for DeleteTopics {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<DeleteTopicsResponse, CloseReason> {
        let targets = targets(&request);
        let mut outcomes: Vec<Outcome> = if context.broker.config.read(&key::DELETE_TOPIC_ENABLE) {
            let image = context.broker.controller.image();
            resolve(&targets, &image, |operation, name| allowed(&context, operation, name))
        } else {
            let refused = disabled(context.version);
            targets.iter().map(|_| Outcome { shown: None, found: Err(refused.clone()) }).collect()
        };
        let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
        let throttle = count_mutations(&context, &mut outcomes);
        delete(&context, &mut outcomes, timeout).await;
        outcomes.iter().zip(&targets).for_each(|(outcome, (target, _))| tell(&context, target, outcome));
        let results = targets.into_iter().zip(outcomes).map(|((target, _), outcome)| result(target, outcome));
        Ok(DeleteTopicsResponse::default().with_throttle_time_ms(throttle.millis()).with_responses(results.collect()))
    }

    fn error_codes(response: &DeleteTopicsResponse) -> impl IntoIterator<Item = i16> {
        response.responses.iter().map(|topic| topic.error_code)
    }
}

fn tell(context: &RequestContext, target: &Target, outcome: &Outcome) {
    let refused = outcome.found.as_ref().err().map(|refusal| refusal.code);
    context.tell(Activity::Delete, refused, || {
        let name = outcome.shown.as_ref().map_or("", |name| name.as_str());
        let id = outcome.found.as_ref().map_or(target.id, |id| *id);
        Subject::new(ResourceType::Topic.name(), name).with("topic_id", id.0)
    });
}

/// Counts the partitions of every topic against the client's quota; what is above it is refused (KIP-599).
fn count_mutations(context: &RequestContext, outcomes: &mut [Outcome]) -> ThrottleTime {
    let (mut mutations, image) = (context.mutations(STRICT_QUOTA_SINCE), context.broker.controller.image());
    for outcome in outcomes {
        let Some(topic) = outcome.found.as_ref().ok().and_then(|id| image.topic_by_id(*id)) else { continue };
        if !mutations.allow(topic.partitions.len()) {
            outcome.found = Err(Refusal::new(ResponseError::ThrottlingQuotaExceeded, QUOTA_EXCEEDED));
        }
    }
    context.throttle(mutations.throttle_time());
    mutations.throttle_time()
}

/// How a topic was named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Target {
    name: Option<TopicName>,
    id: TopicId,
}

/// What becomes of a target.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// The topic's name, when the client may see that the id is its.
    shown: Option<TopicName>,
    found: Result<TopicId, Refusal>,
}

/// Every target once, and how often it was named.
fn targets(request: &DeleteTopicsRequest) -> Vec<(Target, usize)> {
    let by_name = request.topic_names.iter().map(|name| Target { name: Some(name.clone()), id: TopicId::ZERO });
    let by_either = request.topics.iter().map(|at| Target { name: at.name.clone(), id: TopicId(at.topic_id) });
    let mut places = HashMap::new();
    let mut targets: Vec<(Target, usize)> = Vec::new();
    for target in by_name.chain(by_either) {
        let place = *places.entry(target.clone()).or_insert(targets.len());
        match targets.get_mut(place) {
            Some((_, times)) => *times += 1,
            None => targets.push((target, 1)),
        }
    }
    targets
}

fn disabled(version: i16) -> Refusal {
    if version < DISABLED_SINCE {
        Refusal::new(ResponseError::InvalidRequest, "Topic deletion is disabled.")
    } else {
        Refusal::new(ResponseError::TopicDeletionDisabled, "Topic deletion is disabled.")
    }
}

fn allowed(context: &RequestContext, operation: Operation, name: &str) -> bool {
    context.would_allow(Operation::Delete, ResourceType::Cluster, CLUSTER_NAME)
        || context.allowed(operation, ResourceType::Topic, name)
}

/// The id of each target that may be deleted, in the order of the targets.
fn resolve(
    targets: &[(Target, usize)],
    image: &MetadataImage,
    allowed: impl Fn(Operation, &str) -> bool,
) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> =
        targets.iter().map(|(target, times)| find(target, *times, image, &allowed)).collect();
    let mut named: HashMap<TopicId, usize> = HashMap::new();
    for id in outcomes.iter().filter_map(|outcome| outcome.found.as_ref().ok()) {
        *named.entry(*id).or_insert(0) += 1;
    }
    for outcome in &mut outcomes {
        if outcome.found.as_ref().is_ok_and(|id| named.get(id).is_some_and(|times| *times > 1)) {
            outcome.found = invalid("The provided topic name maps to an ID that was already supplied.");
        }
    }
    outcomes
}

fn invalid(message: &str) -> Result<TopicId, Refusal> {
    Err(Refusal::new(ResponseError::InvalidRequest, message))
}

fn find(target: &Target, times: usize, image: &MetadataImage, allowed: &impl Fn(Operation, &str) -> bool) -> Outcome {
    let refused = |error| Err(Refusal::bare(error));
    let mut shown = target.name.clone();
    let found = match &target.name {
        None if target.id == TopicId::ZERO => invalid("Neither topic name nor id were specified."),
        Some(_) if target.id != TopicId::ZERO => invalid("You may not specify both topic name and topic id."),
        None if times > 1 => invalid("Duplicate topic id."),
        Some(_) if times > 1 => invalid("Duplicate topic name."),
        None => match image.topic_by_id(target.id) {
            None => refused(ResponseError::UnknownTopicId),
            Some(topic) => {
                let (see, delete) =
                    (allowed(Operation::Describe, &topic.name), allowed(Operation::Delete, &topic.name));
                let name = || TopicName(StrBytes::from_string(topic.name.to_string()));
                shown = (see || delete).then(name);
                if delete { Ok(target.id) } else { refused(ResponseError::TopicAuthorizationFailed) }
            }
        },
        Some(name) if !allowed(Operation::Describe, name) => refused(ResponseError::TopicAuthorizationFailed),
        Some(name) => match image.topic(name) {
            None => refused(ResponseError::UnknownTopicOrPartition),
            Some(_) if !allowed(Operation::Delete, name) => refused(ResponseError::TopicAuthorizationFailed),
            Some(topic) => Ok(topic.id),
        },
    };
    Outcome { shown, found }
}

/// Deletes what was found; what could not be deleted becomes a refusal.
async fn delete(context: &RequestContext, outcomes: &mut [Outcome], timeout: Duration) {
    let image = context.broker.controller.image();
    let ids = outcomes.iter().filter_map(|outcome| outcome.found.as_ref().ok().copied());
    let deletion =
        |id| image.topic_by_id(id).map_or_else(|| id.into(), |topic| kept_topics::deletion(&context.broker, topic));
    let deletions: Vec<TopicDeletion> = ids.map(deletion).collect();
    if deletions.is_empty() {
        return;
    }
    let asked = deletions.len();
    let delete = context.broker.controller.delete_topics(deletions);
    let deleted: Vec<Result<(), Refusal>> = match context.broker.tasks.within(timeout, delete).await {
        Some(Ok(deleted)) => deleted.into_iter().map(|outcome| outcome.map_err(|error| Refusal::of(&error))).collect(),
        Some(Err(error)) => vec![Err(Refusal::of(&error)); asked],
        None => vec![Err(Refusal::bare(ResponseError::RequestTimedOut)); asked],
    };
    let found = outcomes.iter_mut().filter(|outcome| outcome.found.is_ok());
    for (outcome, deleted) in found.zip(deleted) {
        if let Err(refusal) = deleted {
            outcome.found = Err(refusal);
        }
    }
}

fn result(target: Target, outcome: Outcome) -> DeletableTopicResult {
    let result = DeletableTopicResult::default().with_name(outcome.shown);
    match outcome.found {
        Ok(id) => result.with_topic_id(id.0).with_error_message(None),
        Err(refusal) => result
            .with_topic_id(target.id.0)
            .with_error_code(refusal.code.code())
            .with_error_message(refusal.wire_message()),
    }
}

#[cfg(test)]
mod tests;
