//! CreateTopics (key 19): creates topics, each on its own merits. The answer comes when every partition can be used.
//!
//! Where it differs from Apache Kafka: a request of more than 10,000 records refuses the topics that no longer fit
//! with POLICY_VIOLATION, and creates the others; the answer's settings include `durability.mode` and
//! `durability.interval.ms`. A topic whose only setting is `barnabas.undelete`, `true` or a topic's id, is not made but
//! brought back from its deletion, while `barnabas.delete.keep.ms` keeps it.
//!
//! Versions: 2 throttle_time_ms; 4 -1 means the broker's `num.partitions` and `default.replication.factor` (KIP-464);
//! 5 flexible, and the answer tells partitions, replication factor and settings (KIP-525); 6 (KIP-599, quotas); 7 topic
//! ids in the answer (KIP-516).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use barnabas_auth::{Operation, ResourceType};
use barnabas_config::described::Described;
use barnabas_config::{Config, TopicConfig, key};
use barnabas_raft::controller::CreatedTopics;
use barnabas_raft::{BrokerId, CreateTopicError, MetadataImage, NewTopic, ProposeError, TopicImage, TopicUndeletion};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::{CreateTopicsRequest, CreateTopicsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::undelete;
use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::refusal::{QUOTA_EXCEEDED, Refusal};
use crate::api::shape::Kind;
use crate::api::shape::{array, boolean, int16, int32, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, QuotaClass, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};
use crate::quota::ThrottleTime;
use crate::settings::Settings;
use crate::topics::{CLUSTER_METADATA, check_name, count, replicas};

/// CreateTopics.
pub struct CreateTopics;

const RESULT_SINCE: i16 = 5;
const STRICT_QUOTA_SINCE: i16 = 6;

impl Api for CreateTopics {
    type Request = CreateTopicsRequest;
    const NAME: &'static str = "CreateTopics";
    const VERSIONS: Versions = Versions::new(2, 7);
    const SHAPE: Shape = Shape {
        flexible: 5,
        fields: &[
            structs(&[
                text(),
                int32(),
                int16(),
                structs(&[int32(), array(&Kind::Fixed(4))]),
                structs(&[text(), text().nullable(0)]),
            ]),
            int32(),
            boolean(),
        ],
    };
    const NEEDS: &'static [Need] = &[
        Need { operation: Operation::Create, resource: ResourceType::Cluster },
        Need { operation: Operation::Create, resource: ResourceType::Topic },
        Need { operation: Operation::DescribeConfigs, resource: ResourceType::Topic },
    ];
    const RUNS_ON: RunsOn = RunsOn::Controller;
    const QUOTA: QuotaClass = QuotaClass::ControllerMutation;
}

/// What becomes of a topic, by its name.
pub(super) type Outcome = Result<Arc<TopicImage>, Refusal>;

/// What a request asks for.
#[derive(Default)]
struct Asked {
    /// Every name once, in order.
    names: Vec<TopicName>,
    /// Why a topic is refused before the controller is asked.
    refused: HashMap<TopicName, Option<Refusal>>,
    /// Topics to be made.
    new: Vec<NewTopic>,
    /// Deleted topics to be brought back.
    back: Vec<TopicUndeletion>,
}

impl OneStage for CreateTopics {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<CreateTopicsResponse, CloseReason> {
        let image = context.broker.controller.image();
        let mut asked = judge(&context, &image, &request);
        let throttle = count_mutations(&context, &image, &mut asked);
        let Asked { names, mut refused, new, back } = asked;
        let come_back: HashSet<String> = back.iter().map(|topic| topic.name.clone()).collect();
        let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
        let mut made = create(&context, new, request.validate_only, timeout).await.into_iter();
        let mut brought = undelete::undelete(&context, back, request.validate_only, timeout).await.into_iter();
        let results = names.into_iter().map(|name| {
            let comes_back = come_back.contains(name.as_str());
            let outcome = match refused.remove(&name).flatten() {
                Some(refusal) => Some(Err(refusal)),
                None if comes_back => brought.next(),
                None => made.next(),
            };
            let outcome = outcome.unwrap_or_else(|| Err(Refusal::bare(ResponseError::UnknownServerError)));
            if !request.validate_only {
                tell(&context, &name, comes_back, &outcome);
            }
            result(&context, name, outcome)
        });
        Ok(CreateTopicsResponse::default().with_throttle_time_ms(throttle.millis()).with_topics(results.collect()))
    }

    fn error_codes(response: &CreateTopicsResponse) -> impl IntoIterator<Item = i16> {
        response.topics.iter().map(|topic| topic.error_code)
    }
}

/// Looks at every topic of a request by itself.
fn judge(context: &RequestContext, image: &MetadataImage, request: &CreateTopicsRequest) -> Asked {
    let times = occurrences(&request.topics);
    let may_create_all = context.would_allow(Operation::Create, ResourceType::Cluster, CLUSTER_NAME);
    let mut asked = Asked::default();
    for topic in &request.topics {
        if asked.refused.contains_key(&topic.name) {
            continue;
        }
        asked.names.push(topic.name.clone());
        let may_create = may_create_all || context.allowed(Operation::Create, ResourceType::Topic, &topic.name);
        let named = check_named(&topic.name, times[&topic.name], may_create);
        let checked = match undelete::asked(topic) {
            Some(back) => named.and(back).map(|back| asked.back.push(back)),
            None => named.and_then(|()| new_topic(&context.broker.config, image, topic)).map(|new| asked.new.push(new)),
        };
        asked.refused.insert(topic.name.clone(), checked.err());
    }
    asked
}

fn tell(context: &RequestContext, name: &TopicName, comes_back: bool, outcome: &Outcome) {
    let refused = outcome.as_ref().err().map(|refusal| refusal.code);
    context.tell(Activity::Create, refused, || {
        let subject = Subject::new(ResourceType::Topic.name(), name);
        let subject = if comes_back { subject.with("undeleted", true) } else { subject };
        match outcome {
            Ok(topic) => subject.with("topic_id", topic.id.0).with("partitions", topic.partitions.len()),
            Err(_) => subject,
        }
    });
}

/// Counts the partitions of every topic against the client's quota; what is above it is refused (KIP-599).
fn count_mutations(context: &RequestContext, image: &MetadataImage, asked: &mut Asked) -> ThrottleTime {
    let mut mutations = context.mutations(STRICT_QUOTA_SINCE);
    let Asked { refused, new, back, .. } = asked;
    let mut is_allowed = |name: &str, partitions| {
        let allowed = mutations.allow(partitions);
        if !allowed {
            let refusal = Refusal::new(ResponseError::ThrottlingQuotaExceeded, QUOTA_EXCEEDED);
            refused.insert(TopicName(StrBytes::from_string(name.to_owned())), Some(refusal));
        }
        allowed
    };
    new.retain(|topic| {
        let partitions = usize::try_from(topic.partitions).unwrap_or(0).max(topic.assignment.len());
        is_allowed(&topic.name, partitions)
    });
    back.retain(|topic| is_allowed(&topic.name, undelete::partitions(image, topic)));
    context.throttle(mutations.throttle_time());
    mutations.throttle_time()
}

fn occurrences(topics: &[CreatableTopic]) -> HashMap<TopicName, usize> {
    let mut times = HashMap::new();
    for topic in topics {
        *times.entry(topic.name.clone()).or_insert(0) += 1;
    }
    times
}

fn check_named(name: &str, times: usize, may_create: bool) -> Result<(), Refusal> {
    if times > 1 {
        Err(Refusal::new(ResponseError::InvalidRequest, "Duplicate topic name."))
    } else if name == CLUSTER_METADATA {
        let message = format!("Creation of internal topic {CLUSTER_METADATA} is prohibited.");
        Err(Refusal::new(ResponseError::InvalidRequest, message))
    } else if !may_create {
        Err(Refusal::new(ResponseError::TopicAuthorizationFailed, "Authorization failed."))
    } else {
        Ok(())
    }
}

/// What the controller is asked, or why it need not be. In Kafka's order of checks.
fn new_topic(config: &Config, image: &MetadataImage, topic: &CreatableTopic) -> Result<NewTopic, Refusal> {
    let name = topic.name.to_string();
    check_name(&name).map_err(|error| Refusal::of(&error))?;
    if image.topic(&name).is_some() {
        return Err(Refusal::of(&CreateTopicError::Exists(name)));
    }
    let configs = configs(topic)?;
    TopicConfig::validate(&configs).map_err(|error| Refusal::of(&error))?;
    let assignment = if topic.assignments.is_empty() { Vec::new() } else { assignment(topic)? };
    let or_default = |asked: i32, default: i32| if asked == -1 { default } else { asked };
    let replication_factor = match topic.replication_factor {
        -1 => replicas(config, &key::DEFAULT_REPLICATION_FACTOR),
        asked => asked,
    };
    let partitions = or_default(topic.num_partitions, count(config, &key::NUM_PARTITIONS));
    Ok(NewTopic { name, partitions, replication_factor, assignment, configs })
}

fn configs(topic: &CreatableTopic) -> Result<BTreeMap<String, String>, Refusal> {
    let null: Vec<&str> =
        topic.configs.iter().filter(|config| config.value.is_none()).map(|config| &*config.name).collect();
    if !null.is_empty() {
        let message = format!("Null value not supported for topic configs: {}", null.join(","));
        return Err(Refusal::new(ResponseError::InvalidConfig, message));
    }
    let given = topic.configs.iter().filter_map(|config| Some((config.name.to_string(), config.value.as_ref()?)));
    Ok(given.map(|(name, value)| (name, value.to_string())).collect())
}

/// The replicas of each partition, in the partitions' order.
fn assignment(topic: &CreatableTopic) -> Result<Vec<Vec<BrokerId>>, Refusal> {
    let not_default = |what: &str| {
        let message = format!("A manual partition assignment was specified, but {what} was not set to -1.");
        Err(Refusal::new(ResponseError::InvalidRequest, message))
    };
    if topic.replication_factor != -1 {
        return not_default("replication factor");
    }
    if topic.num_partitions != -1 {
        return not_default("numPartitions");
    }
    let mut by_index: BTreeMap<i32, &CreatableReplicaAssignment> = BTreeMap::new();
    for assigned in &topic.assignments {
        let index = assigned.partition_index;
        if by_index.insert(index, assigned).is_some() {
            let message = format!("Found multiple manual partition assignments for partition {index}");
            return Err(Refusal::new(ResponseError::InvalidReplicaAssignment, message));
        }
    }
    if (0..).zip(by_index.keys()).any(|(expected, index)| expected != *index) {
        let message = "partitions should be a consecutive 0-based integer sequence";
        return Err(Refusal::new(ResponseError::InvalidReplicaAssignment, message));
    }
    let brokers = |assigned: &CreatableReplicaAssignment| assigned.broker_ids.iter().map(|id| BrokerId(id.0)).collect();
    Ok(by_index.into_values().map(brokers).collect())
}

async fn create(
    context: &RequestContext,
    topics: Vec<NewTopic>,
    validate_only: bool,
    timeout: Duration,
) -> Vec<Outcome> {
    let asked = topics.len();
    if asked == 0 {
        return Vec::new();
    }
    let create = context.broker.controller.create_topics(topics, validate_only);
    outcomes(asked, context.broker.tasks.within(timeout, create).await)
}

/// What the controller said of each topic, as a client is told; `None` when it said nothing in time.
pub(super) fn outcomes(asked: usize, answer: Option<Result<CreatedTopics, ProposeError>>) -> Vec<Outcome> {
    match answer {
        Some(Ok(outcomes)) => {
            outcomes.into_iter().map(|outcome| outcome.map_err(|error| Refusal::of(&error))).collect()
        }
        Some(Err(error)) => vec![Err(Refusal::of(&error)); asked],
        None => vec![Err(Refusal::bare(ResponseError::RequestTimedOut)); asked],
    }
}

fn result(context: &RequestContext, name: TopicName, outcome: Outcome) -> CreatableTopicResult {
    let may_see = context.would_allow(Operation::DescribeConfigs, ResourceType::Topic, &name);
    let result = CreatableTopicResult::default().with_name(name);
    let topic = match outcome {
        Ok(topic) => topic,
        Err(refusal) => {
            let code = refusal.code.code();
            return result.with_error_code(code).with_error_message(refusal.wire_message());
        }
    };
    let result = result.with_topic_id(topic.id.0).with_error_message(None);
    if context.version < RESULT_SINCE {
        return result;
    }
    if !may_see {
        return result.with_topic_config_error_code(ResponseError::TopicAuthorizationFailed.code());
    }
    let replicas = topic.partitions.first().map_or(0, |partition| partition.replicas.len());
    result
        .with_num_partitions(i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX))
        .with_replication_factor(i16::try_from(replicas).unwrap_or(i16::MAX))
        .with_configs(Some(effective_configs(&context.broker.settings, &topic.configs)))
}

/// Every setting of the topic, ordered by name, and where its value comes from.
fn effective_configs(settings: &Settings, overrides: &BTreeMap<String, String>) -> Vec<CreatableTopicConfigs> {
    let present = settings.present();
    let resolved = TopicConfig::resolve(&present.config, overrides);
    let described = settings.layers(&present).topic(overrides, |name| resolved.text(name));
    let entry = |setting: Described| {
        let layer = setting.layer() as i8;
        CreatableTopicConfigs::default()
            .with_name(StrBytes::from_string(setting.name))
            .with_value(setting.value.map(StrBytes::from_string))
            .with_config_source(layer)
    };
    described.into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests;
