//! ElectLeaders (key 43): partitions get their preferred, or any, leader (KIP-183, KIP-460).
//!
//! Where it differs from Apache Kafka: one node leads all it has, so that an election is never needed; only a
//! partition without a leader has none that could be elected.
//!
//! Versions: 0 preferred only; 1 a type of election; 2 flexible.

use barnabas_auth::{Operation, ResourceType};
use barnabas_raft::{MetadataImage, PartitionImage};
use barnabas_storage::PartitionIndex;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use kafka_protocol::messages::{ElectLeadersRequest, ElectLeadersResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::refusal::Refusal;
use crate::api::shape::{Kind, array, int8, int32, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, QuotaClass, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};

/// ElectLeaders.
pub struct ElectLeaders;

/// From this version on there is an error for the whole.
const ERROR_SINCE: i16 = 1;
/// The preferred replica is to lead; the other type is any replica.
const PREFERRED: i8 = 0;

impl Api for ElectLeaders {
    type Request = ElectLeadersRequest;
    const NAME: &'static str = "ElectLeaders";
    const VERSIONS: Versions = Versions::new(0, 2);
    const SHAPE: Shape = Shape {
        flexible: 2,
        fields: &[int8().since(1), structs(&[text(), array(&Kind::Fixed(4))]).nullable(0), int32()],
    };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Alter, resource: ResourceType::Cluster }];
    const RUNS_ON: RunsOn = RunsOn::Controller;
    const QUOTA: QuotaClass = QuotaClass::ControllerMutation;
}

impl OneStage for ElectLeaders {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<ElectLeadersResponse, CloseReason> {
        let image = context.broker.controller.image();
        let named = request.topic_partitions.is_some();
        let topics = match request.topic_partitions {
            Some(topics) => topics.into_iter().map(|topic| (topic.topic, topic.partitions)).collect(),
            None => every_partition(&image),
        };
        let denied = !context.allowed(Operation::Alter, ResourceType::Cluster, CLUSTER_NAME);
        let results = topics.into_iter().map(|(topic, indexes)| {
            let outcomes = indexes.into_iter().map(|index| match denied {
                true => {
                    (index, Refusal::new(ResponseError::ClusterAuthorizationFailed, "Cluster authorization failed."))
                }
                false => (index, elect(&image, &topic, index, request.election_type)),
            });
            // Whoever asks about all partitions is told of those that have an outcome.
            let told = outcomes.filter(|(_, refusal)| named || refusal.code != ResponseError::ElectionNotNeeded);
            let told: Vec<(i32, Refusal)> = told.collect();
            tell(&context, &topic, &told, request.election_type);
            let partitions: Vec<PartitionResult> = told.into_iter().map(result).collect();
            ReplicaElectionResult::default().with_topic(topic.clone()).with_partition_result(partitions)
        });
        let results = results.filter(|result| named || !result.partition_result.is_empty());
        let error =
            if denied && context.version >= ERROR_SINCE { ResponseError::ClusterAuthorizationFailed.code() } else { 0 };
        Ok(ElectLeadersResponse::default().with_error_code(error).with_replica_election_results(results.collect()))
    }

    fn error_codes(response: &ElectLeadersResponse) -> impl IntoIterator<Item = i16> {
        let parts = response
            .replica_election_results
            .iter()
            .flat_map(|topic| &topic.partition_result)
            .map(|partition| partition.error_code);
        std::iter::once(response.error_code).chain(parts)
    }
}

/// One event for each topic that has an outcome.
fn tell(context: &RequestContext, topic: &TopicName, told: &[(i32, Refusal)], election_type: i8) {
    if let Some((_, first)) = told.first() {
        context.tell(Activity::Update, Some(first.code), || {
            let partitions: Vec<String> = told.iter().map(|(index, _)| index.to_string()).collect();
            let election = if election_type == PREFERRED { "preferred" } else { "unclean" };
            let subject = Subject::new(ResourceType::Topic.name(), topic);
            subject.with("partitions", partitions.join(",")).with("election", election)
        });
    }
}

fn every_partition(image: &MetadataImage) -> Vec<(TopicName, Vec<i32>)> {
    let topic = |topic: &std::sync::Arc<barnabas_raft::TopicImage>| {
        let indexes = (0..).zip(&topic.partitions).map(|(index, _)| index).collect();
        (TopicName(StrBytes::from_string(topic.name.to_string())), indexes)
    };
    image.topics().map(topic).collect()
}

/// Why no leader is elected.
fn elect(image: &MetadataImage, topic: &str, index: i32, election_type: i8) -> Refusal {
    let unknown = |message| Refusal::new(ResponseError::UnknownTopicOrPartition, message);
    let Some(found) = image.topic(topic) else { return unknown(format!("No such topic as {topic}")) };
    let Some(partition) = found.partition(PartitionIndex(index)) else {
        return unknown(format!("No such partition as {topic}-{index}"));
    };
    if is_led(partition, election_type) {
        Refusal::new(ResponseError::ElectionNotNeeded, "Leader election not needed for topic partition.")
    } else if election_type == PREFERRED {
        Refusal::new(ResponseError::PreferredLeaderNotAvailable, "The preferred leader was not available.")
    } else {
        let message = "Eligible topic partition leaders are not available.";
        Refusal::new(ResponseError::EligibleLeadersNotAvailable, message)
    }
}

fn is_led(partition: &PartitionImage, election_type: i8) -> bool {
    match partition.leader {
        Some(leader) => election_type != PREFERRED || partition.replicas.first() == Some(&leader),
        None => false,
    }
}

fn result((index, refusal): (i32, Refusal)) -> PartitionResult {
    PartitionResult::default()
        .with_partition_id(index)
        .with_error_code(refusal.code.code())
        .with_error_message(refusal.wire_message())
}
