//! CreateTopics (key 19): creates topics, each on its own merits. The answer comes when every partition can be used.
//!
//! Where it differs from Apache Kafka: a request of more than 10,000 records refuses the topics that no longer fit
//! with POLICY_VIOLATION, and creates the others; the answer's settings include `durability.mode` and
//! `durability.interval.ms`.
//!
//! Versions: 2 throttle_time_ms; 4 -1 means the broker's `num.partitions` and `default.replication.factor` (KIP-464);
//! 5 flexible, and the answer tells partitions, replication factor and settings (KIP-525); 6 (KIP-599, quotas); 7 topic
//! ids in the answer (KIP-516).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use barnabas_auth::{Operation, ResourceType};
use barnabas_config::described::Described;
use barnabas_config::{Config, TopicConfig, key};
use barnabas_raft::{BrokerId, CreateTopicError, MetadataImage, NewTopic, TopicImage};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::{CreateTopicsRequest, CreateTopicsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

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
type Outcome = Result<Arc<TopicImage>, Refusal>;

impl OneStage for CreateTopics {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<CreateTopicsResponse, CloseReason> {
        let image = context.broker.controller.image();
        let times = occurrences(&request.topics);
        let may_create_all = context.would_allow(Operation::Create, ResourceType::Cluster, CLUSTER_NAME);
        let (mut names, mut outcomes, mut accepted) = (Vec::new(), HashMap::new(), Vec::new());
        for topic in &request.topics {
            if outcomes.contains_key(&topic.name) {
                continue;
            }
            names.push(topic.name.clone());
            let may_create = may_create_all || context.allowed(Operation::Create, ResourceType::Topic, &topic.name);
            let checked = check_named(&topic.name, times[&topic.name], may_create)
                .and_then(|()| new_topic(&context.broker.config, &image, topic));
            outcomes.insert(topic.name.clone(), checked.map(|new| accepted.push(new)).err());
        }
        let throttle = count_mutations(&context, &mut accepted, &mut outcomes);
        let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
        let mut made = create(&context, accepted, request.validate_only, timeout).await.into_iter();
        let results = names.into_iter().map(|name| {
            let refused = outcomes.remove(&name).flatten();
            let nothing = || Err(Refusal::bare(ResponseError::UnknownServerError));
            let outcome = refused.map_or_else(|| made.next().unwrap_or_else(nothing), Err);
            if !request.validate_only {
                tell(&context, &name, &outcome);
            }
            result(&context, name, outcome)
        });
        Ok(CreateTopicsResponse::default().with_throttle_time_ms(throttle.millis()).with_topics(results.collect()))
    }
}

fn tell(context: &RequestContext, name: &TopicName, outcome: &Outcome) {
    let refused = outcome.as_ref().err().map(|refusal| refusal.code);
    context.tell(Activity::Create, refused, || {
        let subject = Subject::new(ResourceType::Topic.name(), name);
        match outcome {
            Ok(topic) => subject.with("topic_id", topic.id.0).with("partitions", topic.partitions.len()),
            Err(_) => subject,
        }
    });
}

/// Counts the partitions of every topic against the client's quota; what is above it is refused (KIP-599).
fn count_mutations(
    context: &RequestContext,
    accepted: &mut Vec<NewTopic>,
    outcomes: &mut HashMap<TopicName, Option<Refusal>>,
) -> ThrottleTime {
    let mut mutations = context.mutations(STRICT_QUOTA_SINCE);
    accepted.retain(|topic| {
        let partitions = usize::try_from(topic.partitions).unwrap_or(0).max(topic.assignment.len());
        let allowed = mutations.allow(partitions);
        if !allowed {
            let refused = Refusal::new(ResponseError::ThrottlingQuotaExceeded, QUOTA_EXCEEDED);
            outcomes.insert(TopicName(StrBytes::from_string(topic.name.clone())), Some(refused));
        }
        allowed
    });
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
    match context.broker.tasks.within(timeout, create).await {
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
