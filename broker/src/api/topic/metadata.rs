//! Metadata (key 3): brokers, topics, partitions and their leaders, on the listener that the request came over.
//!
//! Where it differs from Apache Kafka: a topic that is created on demand is in the very answer that asked for it, ready
//! to be used; Kafka answers UNKNOWN_TOPIC_OR_PARTITION and lets the client come again, as we do when the creation
//! takes longer than [`CREATION_WAIT`] or is refused. `controller_id` is this broker, which is alive and forwards,
//! where Kafka picks a random one.
//!
//! Versions: 0 an empty list means every topic, and an unreachable replica gets REPLICA_NOT_AVAILABLE; 1 null means
//! every topic, rack, controller_id, is_internal; 2 cluster_id; 3 throttle_time_ms; 4 allow_auto_topic_creation
//! (KIP-204); 5 offline_replicas; 6 LISTENER_NOT_FOUND instead of LEADER_NOT_AVAILABLE; 7 leader_epoch (KIP-320); 8
//! authorized operations (KIP-430), those of the cluster only up to 10; 9 flexible; 10 topic ids in the answer
//! (KIP-516); 12 topics asked for by id; 13 error_code for the whole request.

use std::collections::HashSet;
use std::time::Duration;

use barnabas_auth::{Operation, ResourceType};
use barnabas_config::key;
use barnabas_raft::{MetadataImage, TopicImage};
use barnabas_storage::TopicId;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{BrokerId, MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::partition_state::PartitionState;
use crate::api::shape::{boolean, structs, text, uuid};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::api::{authorized_operations, brokers};
use crate::audit::event::{Activity, Subject};
use crate::partition::is_internal_topic;
use crate::topics::check_name;

/// Metadata.
pub struct Metadata;

/// How long an answer waits for topics that are created on demand.
const CREATION_WAIT: Duration = Duration::from_secs(1);

const IDS_SINCE: i16 = 12;
const AUTHORIZED_OPERATIONS_SINCE: i16 = 8;
const CLUSTER_OPERATIONS_UNTIL: i16 = 10;
const LISTENER_NOT_FOUND_SINCE: i16 = 6;

impl Api for Metadata {
    type Request = MetadataRequest;
    const NAME: &'static str = "Metadata";
    const VERSIONS: Versions = Versions::new(0, 13);
    const SHAPE: Shape = Shape {
        flexible: 9,
        fields: &[
            structs(&[uuid().since(10), text().nullable(10)]).nullable(1),
            boolean().since(4),
            boolean().since(AUTHORIZED_OPERATIONS_SINCE).until(CLUSTER_OPERATIONS_UNTIL),
            boolean().since(AUTHORIZED_OPERATIONS_SINCE),
        ],
    };
    const NEEDS: &'static [Need] = &[
        Need { operation: Operation::Describe, resource: ResourceType::Topic },
        Need { operation: Operation::Create, resource: ResourceType::Topic },
        Need { operation: Operation::Create, resource: ResourceType::Cluster },
        Need { operation: Operation::Describe, resource: ResourceType::Cluster },
    ];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
}

impl OneStage for Metadata {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<MetadataResponse, CloseReason> {
        let asked = asked(context.version, request.topics.as_deref());
        let creates = request.allow_auto_topic_creation && context.broker.config.read(&key::AUTO_CREATE_TOPICS_ENABLE);
        if let (Asked::Topics(topics), true) = (&asked, creates) {
            create_missing(&context, topics).await;
        }
        let image = context.broker.controller.image();
        let mut topics = match asked {
            Asked::Everything => every_topic(&context, &image),
            Asked::Topics(topics) => topics.iter().map(|topic| answer(&context, &image, topic, creates)).collect(),
            Asked::Invalid(topics) => topics,
        };
        if request.include_topic_authorized_operations {
            show_operations(&context, &mut topics);
        }
        let shows_cluster = request.include_cluster_authorized_operations
            && context.version >= AUTHORIZED_OPERATIONS_SINCE
            && context.version <= CLUSTER_OPERATIONS_UNTIL;
        let operations =
            if shows_cluster { authorized_operations::on_cluster(&context) } else { authorized_operations::NOT_ASKED };
        let listener = &*context.connection.listener;
        Ok(MetadataResponse::default()
            .with_brokers(nodes(&image, listener))
            .with_cluster_id(Some(StrBytes::from_string(image.cluster_id().to_owned())))
            .with_controller_id(BrokerId(brokers::controller(&image, listener, context.broker.id)))
            .with_topics(topics)
            .with_cluster_authorized_operations(operations))
    }

    fn error_codes(response: &MetadataResponse) -> impl IntoIterator<Item = i16> {
        let parts = response.topics.iter().map(|topic| topic.error_code);
        std::iter::once(response.error_code).chain(parts)
    }
}

/// How a topic was named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Named {
    Name(TopicName),
    Id(TopicId),
}

/// What was asked for.
#[derive(Debug, PartialEq)]
enum Asked {
    Everything,
    /// Each once, in the order of the request.
    Topics(Vec<Named>),
    /// A request that Kafka refuses as a whole: every topic gets INVALID_REQUEST.
    Invalid(Vec<MetadataResponseTopic>),
}

fn asked(version: i16, topics: Option<&[MetadataRequestTopic]>) -> Asked {
    let Some(topics) = topics else { return Asked::Everything };
    if version == 0 && topics.is_empty() {
        return Asked::Everything;
    }
    let with_id = |topic: &MetadataRequestTopic| !topic.topic_id.is_nil();
    if version < IDS_SINCE && topics.iter().any(|topic| topic.name.is_none() || with_id(topic)) {
        // A null name cannot be said in these versions.
        let refused = |topic: &MetadataRequestTopic| {
            MetadataResponseTopic::default()
                .with_error_code(ResponseError::InvalidRequest.code())
                .with_name(Some(topic.name.clone().unwrap_or_default()))
                .with_topic_id(topic.topic_id)
        };
        return Asked::Invalid(topics.iter().map(refused).collect());
    }
    // One id makes it a request by ids; names beside them are not looked at.
    let by_id = topics.iter().any(with_id);
    let mut seen = HashSet::new();
    let named = topics.iter().filter_map(|topic| match &topic.name {
        _ if by_id => with_id(topic).then(|| Named::Id(TopicId(topic.topic_id))),
        Some(name) => Some(Named::Name(name.clone())),
        None => None,
    });
    Asked::Topics(named.filter(|topic| seen.insert(topic.clone())).collect())
}

fn may_describe(context: &RequestContext, name: &str) -> bool {
    context.allowed(Operation::Describe, ResourceType::Topic, name)
}

fn may_create(context: &RequestContext, name: &str) -> bool {
    context.would_allow(Operation::Create, ResourceType::Cluster, authorized_operations::CLUSTER_NAME)
        || context.allowed(Operation::Create, ResourceType::Topic, name)
}

/// Makes the topics that are not there, as far as the client may.
async fn create_missing(context: &RequestContext, topics: &[Named]) {
    let image = context.broker.controller.image();
    let missing = topics.iter().filter_map(|topic| match topic {
        Named::Name(name) if image.topic(name).is_none() => Some(name),
        Named::Name(_) | Named::Id(_) => None,
    });
    let creatable =
        missing.filter(|name| check_name(name).is_ok() && may_describe(context, name) && may_create(context, name));
    let names: Vec<String> = creatable.map(|name| name.to_string()).collect();
    if names.is_empty() {
        return;
    }
    // In the background, so that the creation goes on when the answer no longer waits for it.
    let (made, waiting) = tokio::sync::oneshot::channel();
    let asked = context.clone();
    context.broker.tasks.spawn("auto-create-topics", async move {
        for name in &names {
            match asked.broker.topics.ensure(name).await {
                Ok(topic) => asked.tell(Activity::Create, None, || {
                    Subject::new(ResourceType::Topic.name(), name).with("topic_id", topic.id.0)
                }),
                Err(error) => tracing::warn!(
                    topic = %name, %error, "a topic could not be created on demand; make it with `barnabas topics create`"
                ),
            }
        }
        // Whoever asked may no longer wait.
        let _ = made.send(());
    });
    context.broker.tasks.within(CREATION_WAIT, waiting).await;
}

fn every_topic(context: &RequestContext, image: &MetadataImage) -> Vec<MetadataResponseTopic> {
    let may_see = |name: &str| context.would_allow(Operation::Describe, ResourceType::Topic, name);
    let visible = image.topics().filter(|topic| may_see(&topic.name));
    visible.map(|topic| describe(context, image, topic)).collect()
}

fn answer(context: &RequestContext, image: &MetadataImage, topic: &Named, creates: bool) -> MetadataResponseTopic {
    match topic {
        Named::Name(name) => answer_name(context, image, name, creates),
        Named::Id(id) => answer_id(context, image, *id),
    }
}

/// `creates` when the request makes topics that are not there: who may not make this one is told so.
fn answer_name(
    context: &RequestContext,
    image: &MetadataImage,
    name: &TopicName,
    creates: bool,
) -> MetadataResponseTopic {
    let refused = |error: ResponseError| {
        MetadataResponseTopic::default()
            .with_error_code(error.code())
            .with_name(Some(name.clone()))
            .with_is_internal(is_internal_topic(name))
    };
    if !may_describe(context, name) {
        return refused(ResponseError::TopicAuthorizationFailed).with_is_internal(false);
    }
    match image.topic(name) {
        Some(topic) => describe(context, image, topic),
        None if creates && !may_create(context, name) => refused(ResponseError::TopicAuthorizationFailed),
        None if check_name(name).is_err() => refused(ResponseError::InvalidTopicException),
        None => refused(ResponseError::UnknownTopicOrPartition),
    }
}

fn answer_id(context: &RequestContext, image: &MetadataImage, id: TopicId) -> MetadataResponseTopic {
    let refused = |error: ResponseError| {
        MetadataResponseTopic::default().with_error_code(error.code()).with_name(None).with_topic_id(id.0)
    };
    match image.topic_by_id(id) {
        None => refused(ResponseError::UnknownTopicId),
        Some(topic) if !may_describe(context, &topic.name) => refused(ResponseError::TopicAuthorizationFailed),
        Some(topic) => describe(context, image, topic),
    }
}

fn describe(context: &RequestContext, image: &MetadataImage, topic: &TopicImage) -> MetadataResponseTopic {
    let (version, listener) = (context.version, &*context.connection.listener);
    let partitions = (0..)
        .zip(&topic.partitions)
        .map(|(index, partition)| shape_partition(version, index, PartitionState::new(image, listener, partition)));
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(StrBytes::from_string(topic.name.to_string()))))
        .with_topic_id(topic.id.0)
        .with_is_internal(is_internal_topic(&topic.name))
        .with_partitions(partitions.collect())
}

fn shape_partition(version: i16, index: i32, state: PartitionState) -> MetadataResponsePartition {
    let leader_id = state.leader_id();
    let (mut replicas, mut isr) = (state.replicas, state.isr);
    let mut error = state.error.map(|error| match error {
        ResponseError::ListenerNotFound if version < LISTENER_NOT_FOUND_SINCE => ResponseError::LeaderNotAvailable,
        error => error,
    });
    if version == 0 {
        let all = replicas.len() + isr.len();
        replicas.retain(|id| !state.offline.contains(id));
        isr.retain(|id| !state.offline.contains(id));
        if replicas.len() + isr.len() < all {
            error = error.or(Some(ResponseError::ReplicaNotAvailable));
        }
    }
    MetadataResponsePartition::default()
        .with_error_code(error.map_or(0, |error| error.code()))
        .with_partition_index(index)
        .with_leader_id(leader_id)
        .with_leader_epoch(state.leader_epoch)
        .with_replica_nodes(replicas)
        .with_isr_nodes(isr)
        .with_offline_replicas(state.offline)
}

fn show_operations(context: &RequestContext, topics: &mut [MetadataResponseTopic]) {
    for topic in topics {
        let hidden = topic.error_code == ResponseError::TopicAuthorizationFailed.code();
        if let (false, Some(name)) = (hidden, &topic.name) {
            topic.topic_authorized_operations = authorized_operations::on_topic(context, name);
        }
    }
}

fn nodes(image: &MetadataImage, listener: &str) -> Vec<MetadataResponseBroker> {
    let node = |(broker, endpoint): (&barnabas_raft::BrokerImage, &barnabas_raft::BrokerEndpoint)| {
        MetadataResponseBroker::default()
            .with_node_id(BrokerId(broker.id.0))
            .with_host(StrBytes::from_string(endpoint.host.clone()))
            .with_port(i32::from(endpoint.port))
            .with_rack(broker.rack.clone().map(StrBytes::from_string))
    };
    brokers::alive(image, listener).map(node).collect()
}

#[cfg(test)]
mod tests;
