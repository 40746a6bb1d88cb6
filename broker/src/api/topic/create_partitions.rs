//! CreatePartitions (key 37): topics get more partitions, each topic on its own merits. The answer comes when every new
//! partition can be used.
//!
//! Where it differs from Apache Kafka: a number that would make more than 10,000 records is refused with
//! POLICY_VIOLATION before anything is made; Kafka answers UNKNOWN_SERVER_ERROR and may have made some.
//!
//! Versions: 2 flexible; 3 (KIP-599, quotas).

use std::collections::HashMap;
use std::time::Duration;

use barnabas_auth::{Operation, ResourceType};
use barnabas_raft::{BrokerId, MorePartitions};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::api::refusal::{QUOTA_EXCEEDED, Refusal, UNKNOWN_PARTITION};
use crate::api::shape::{Kind, array, boolean, int32, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, QuotaClass, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};
use crate::quota::ThrottleTime;

/// CreatePartitions.
pub struct CreatePartitions;

const STRICT_QUOTA_SINCE: i16 = 3;

impl Api for CreatePartitions {
    type Request = CreatePartitionsRequest;
    const NAME: &'static str = "CreatePartitions";
    const VERSIONS: Versions = Versions::new(0, 3);
    const SHAPE: Shape = Shape {
        flexible: 2,
        fields: &[structs(&[text(), int32(), structs(&[array(&Kind::Fixed(4))]).nullable(0)]), int32(), boolean()],
    };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Alter, resource: ResourceType::Topic }];
    const RUNS_ON: RunsOn = RunsOn::Controller;
    const QUOTA: QuotaClass = QuotaClass::ControllerMutation;
}

impl OneStage for CreatePartitions {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<CreatePartitionsResponse, CloseReason> {
        let mut times: HashMap<TopicName, usize> = HashMap::new();
        for topic in &request.topics {
            *times.entry(topic.name.clone()).or_default() += 1;
        }
        let (mut names, mut outcomes, mut accepted) = (Vec::new(), HashMap::new(), Vec::new());
        for topic in &request.topics {
            if outcomes.contains_key(&topic.name) {
                continue;
            }
            names.push((topic.name.clone(), topic.count));
            let checked = check(&context, topic, times[&topic.name]);
            outcomes.insert(topic.name.clone(), checked.map(|more| accepted.push(more)).err());
        }
        let throttle = count_mutations(&context, &mut accepted, &mut outcomes);
        let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
        let mut made = create(&context, accepted, request.validate_only, timeout).await.into_iter();
        let results = names.into_iter().map(|(name, wanted)| {
            let refused = outcomes.remove(&name).flatten();
            let refusal = refused.or_else(|| made.next().and_then(Result::err));
            if !request.validate_only {
                tell(&context, &name, wanted, refusal.as_ref());
            }
            CreatePartitionsTopicResult::default()
                .with_name(name)
                .with_error_code(refusal.as_ref().map_or(0, |refusal| refusal.code.code()))
                .with_error_message(refusal.and_then(Refusal::wire_message))
        });
        let answer = CreatePartitionsResponse::default().with_throttle_time_ms(throttle.millis());
        Ok(answer.with_results(results.collect()))
    }

    fn error_codes(response: &CreatePartitionsResponse) -> impl IntoIterator<Item = i16> {
        response.results.iter().map(|result| result.error_code)
    }
}

/// Counts the partitions that are new against the client's quota; what is above it is refused (KIP-599).
fn count_mutations(
    context: &RequestContext,
    accepted: &mut Vec<MorePartitions>,
    outcomes: &mut HashMap<TopicName, Option<Refusal>>,
) -> ThrottleTime {
    let (mut mutations, image) = (context.mutations(STRICT_QUOTA_SINCE), context.broker.controller.image());
    accepted.retain(|more| {
        let Some(topic) = image.topic_by_id(more.topic) else { return true };
        let present = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
        // A number that is refused makes none.
        let new = usize::try_from(more.count.saturating_sub(present)).unwrap_or(0);
        let allowed = new == 0 || mutations.allow(new);
        if !allowed {
            let refused = Refusal::new(ResponseError::ThrottlingQuotaExceeded, QUOTA_EXCEEDED);
            outcomes.insert(TopicName(StrBytes::from_string(topic.name.to_string())), Some(refused));
        }
        allowed
    });
    context.throttle(mutations.throttle_time());
    mutations.throttle_time()
}

fn tell(context: &RequestContext, name: &TopicName, wanted: i32, refusal: Option<&Refusal>) {
    context.tell(Activity::Update, refusal.map(|refusal| refusal.code), || {
        Subject::new(ResourceType::Topic.name(), name).with("partitions", wanted)
    });
}

fn check(context: &RequestContext, topic: &CreatePartitionsTopic, times: usize) -> Result<MorePartitions, Refusal> {
    if times > 1 {
        return Err(Refusal::new(ResponseError::InvalidRequest, "Duplicate topic name."));
    }
    if !context.allowed(Operation::Alter, ResourceType::Topic, &topic.name) {
        return Err(Refusal::bare(ResponseError::TopicAuthorizationFailed));
    }
    let image = context.broker.controller.image();
    let unknown = || Refusal::new(ResponseError::UnknownTopicOrPartition, UNKNOWN_PARTITION);
    let present = image.topic(&topic.name).ok_or_else(unknown)?;
    let assignment = topic.assignments.as_ref().map(|assignments| {
        let brokers = assignments.iter().map(|one| one.broker_ids.iter().map(|id| BrokerId(id.0)).collect());
        brokers.collect()
    });
    Ok(MorePartitions { topic: present.id, count: topic.count, assignment })
}

async fn create(
    context: &RequestContext,
    topics: Vec<MorePartitions>,
    validate_only: bool,
    timeout: Duration,
) -> Vec<Result<(), Refusal>> {
    let asked = topics.len();
    if asked == 0 {
        return Vec::new();
    }
    let create = context.broker.controller.create_partitions(topics, validate_only);
    match context.broker.tasks.within(timeout, create).await {
        Some(Ok(made)) => made.into_iter().map(|outcome| outcome.map_err(|error| Refusal::of(&error))).collect(),
        Some(Err(error)) => vec![Err(Refusal::of(&error)); asked],
        None => vec![Err(Refusal::bare(ResponseError::RequestTimedOut)); asked],
    }
}
