//! Settings against a real broker on a real directory, handlers called without a socket.

use barnabas_storage::PartitionIndex;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::alter_configs_request::{
    AlterConfigsResource as ReplacedResource, AlterableConfig as ReplacedConfig,
};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResult;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{
    AlterConfigsRequest, DescribeConfigsRequest, IncrementalAlterConfigsRequest, ListConfigResourcesRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::alter_configs::AlterConfigs;
use super::describe_configs::DescribeConfigs;
use super::incremental_alter_configs::IncrementalAlterConfigs;
use super::list_config_resources::ListConfigResources;
use crate::api::OneStage;
use crate::api::data::tests::bench::Bench;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Alters one setting; the code and the message.
async fn alter(bench: &Bench, kind: i8, name: &str, op: i8, setting: &str, value: &str) -> (i16, Option<String>) {
    let config = AlterableConfig::default()
        .with_name(text(setting))
        .with_config_operation(op)
        .with_value(Some(text(value)).filter(|_| op != DELETE));
    let resource = AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let context = bench.context::<IncrementalAlterConfigs>(1);
    let answer = IncrementalAlterConfigs::handle(context, request).await.unwrap().responses.remove(0);
    (answer.error_code, answer.error_message.map(|message| message.to_string()))
}

async fn describe(bench: &Bench, kind: i8, name: &str, settings: &[&str]) -> DescribeConfigsResult {
    let names = settings.iter().map(|name| text(name)).collect();
    let resource = DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configuration_keys(Some(names));
    let request = DescribeConfigsRequest::default()
        .with_resources(vec![resource])
        .with_include_synonyms(true)
        .with_include_documentation(true);
    DescribeConfigs::handle(bench.context::<DescribeConfigs>(4), request).await.unwrap().results.remove(0)
}

async fn value(bench: &Bench, kind: i8, name: &str, setting: &str) -> (Option<String>, i8) {
    let described = describe(bench, kind, name, &[setting]).await;
    let entry = described.configs.first().expect("described");
    (entry.value.as_ref().map(ToString::to_string), entry.config_source)
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topics_setting_takes_effect_in_its_open_logs() {
    let bench = Bench::start().await;
    bench.broker().topics.ensure("t").await.expect("made");
    let log = bench.broker().partitions.by_name("t", PartitionIndex(0)).expect("led").log().clone();
    assert_eq!(alter(&bench, TOPIC, "t", SET, "retention.ms", "5000").await, (0, None));
    assert_eq!(log.options().retention_ms, Some(5000));
    assert_eq!(value(&bench, TOPIC, "t", "retention.ms").await, (some("5000"), 1));
    assert_eq!(alter(&bench, TOPIC, "t", APPEND, "cleanup.policy", "compact").await, (0, None));
    assert!(log.options().cleanup_policy.compact && log.options().cleanup_policy.delete);
    assert_eq!(alter(&bench, TOPIC, "t", DELETE, "retention.ms", "").await, (0, None));
    assert_eq!(log.options().retention_ms, Some(604_800_000));
    let (code, message) = alter(&bench, TOPIC, "absent", SET, "retention.ms", "1").await;
    assert_eq!(code, ResponseError::UnknownTopicOrPartition.code());
    assert_eq!(message, some("The topic 'absent' does not exist."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brokers_setting_takes_effect_in_every_open_log_that_has_no_own_one() {
    let bench = Bench::with(&["node.id=1"]).await;
    for topic in ["own", "t"] {
        bench.broker().topics.ensure(topic).await.expect("made");
    }
    alter(&bench, TOPIC, "own", SET, "segment.bytes", "2097152").await;
    assert_eq!(alter(&bench, BROKER, "", SET, "log.segment.bytes", "4194304").await, (0, None));
    let bytes = |topic| {
        let partition = bench.broker().partitions.by_name(topic, PartitionIndex(0)).expect("led");
        partition.log().options().segment_bytes
    };
    assert_eq!((bytes("own"), bytes("t")), (2_097_152, 4_194_304));
    assert_eq!(value(&bench, TOPIC, "t", "segment.bytes").await, (some("4194304"), 3));
    assert_eq!(alter(&bench, BROKER, "1", SET, "log.segment.bytes", "8388608").await, (0, None));
    assert_eq!(bytes("t"), 8_388_608);
    assert_eq!(value(&bench, BROKER, "1", "log.segment.bytes").await, (some("8388608"), 2));
    bench.broker().topics.ensure("later").await.expect("made");
    assert_eq!(bytes("later"), 8_388_608);
    alter(&bench, BROKER, "1", DELETE, "log.segment.bytes", "").await;
    assert_eq!(bytes("t"), 4_194_304);
    let (code, message) = alter(&bench, BROKER, "", SET, "num.partitions", "3").await;
    assert_eq!(code, ResponseError::InvalidRequest.code());
    assert_eq!(message, some("Cannot update these configs dynamically: [num.partitions]"));
    let (code, _) = alter(&bench, BROKER, "7", SET, "log.segment.bytes", "8388608").await;
    assert_eq!(code, ResponseError::InvalidRequest.code());
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_and_subscriptions_keep_settings_and_are_listed() {
    let bench = Bench::start().await;
    assert_eq!(alter(&bench, GROUP, "g", SET, "consumer.session.timeout.ms", "50000").await, (0, None));
    assert_eq!(value(&bench, GROUP, "g", "consumer.session.timeout.ms").await, (some("50000"), 8));
    assert_eq!(alter(&bench, CLIENT_METRICS, "m", SET, "interval.ms", "1000").await, (0, None));
    assert_eq!(value(&bench, CLIENT_METRICS, "m", "interval.ms").await, (some("1000"), 7));
    let (code, _) = alter(&bench, CLIENT_METRICS, "m", SET, "match", "client_id=[").await;
    assert_eq!(code, ResponseError::InvalidConfig.code());
    let list = |version, types: Vec<i8>| {
        let request = ListConfigResourcesRequest::default().with_resource_types(types);
        ListConfigResources::handle(bench.context::<ListConfigResources>(version), request)
    };
    let all = list(1, vec![]).await.unwrap().config_resources;
    let names: Vec<(i8, String)> = all.iter().map(|one| (one.resource_type, one.resource_name.to_string())).collect();
    let id = bench.broker().id.0.to_string();
    let expected = [(BROKER, &*id), (LOGGER, &*id), (CLIENT_METRICS, "m"), (GROUP, "g")];
    assert_eq!(names, expected.map(|(kind, name)| (kind, name.to_owned())));
    assert_eq!(list(0, vec![]).await.unwrap().config_resources.len(), 1, "subscriptions only");
    let unknown = list(1, vec![0]).await.unwrap();
    assert_eq!(unknown.error_code, ResponseError::UnsupportedVersion.code());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_api_replaces_what_it_does_not_name() {
    let bench = Bench::start().await;
    bench.broker().topics.ensure("t").await.expect("made");
    alter(&bench, TOPIC, "t", SET, "retention.ms", "5").await;
    for version in 0..=2 {
        let config = ReplacedConfig::default().with_name(text("segment.ms")).with_value(Some(text("7")));
        let resource = ReplacedResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(text("t"))
            .with_configs(vec![config]);
        let request = AlterConfigsRequest::default().with_resources(vec![resource.clone()]);
        let answer = AlterConfigs::handle(bench.context::<AlterConfigs>(version), request).await.unwrap();
        assert_eq!(answer.responses[0].error_code, 0, "version {version}");
        let configs = bench.broker().controller.image().topic("t").expect("there").configs.clone();
        assert_eq!(configs.into_iter().collect::<Vec<_>>(), [("segment.ms".to_owned(), "7".to_owned())]);
        let twice = AlterConfigsRequest::default().with_resources(vec![resource.clone(), resource]);
        let answer = AlterConfigs::handle(bench.context::<AlterConfigs>(version), twice).await.unwrap();
        assert_eq!(answer.responses[1].error_code, ResponseError::InvalidRequest.code());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_one_resource_at_the_same_time_is_never_lost() {
    let bench = Bench::start().await;
    bench.broker().topics.ensure("t").await.expect("made");
    let names = ["retention.ms", "segment.ms", "flush.ms", "file.delete.delay.ms", "segment.jitter.ms"];
    let changes = names.map(|name| alter(&bench, TOPIC, "t", SET, name, "77"));
    for outcome in futures_util::future::join_all(changes).await {
        assert_eq!(outcome, (0, None));
    }
    let image = bench.broker().controller.image();
    assert_eq!(image.topic("t").expect("there").configs.len(), names.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_of_the_log_are_set_and_described() {
    let bench = Bench::start().await;
    let id = bench.broker().id.0.to_string();
    assert_eq!(alter(&bench, LOGGER, &id, SET, "barnabas_raft", "DEBUG").await, (0, None));
    assert_eq!(value(&bench, LOGGER, &id, "barnabas_raft").await, (some("DEBUG"), 6));
    let (code, message) = alter(&bench, LOGGER, &id, DELETE, "root", "").await;
    assert_eq!(code, ResponseError::InvalidRequest.code());
    assert_eq!(message, some("Removing the log level of the root logger is not allowed"));
    let (code, _) = alter(&bench, LOGGER, &id, SET, "no.such.logger", "DEBUG").await;
    assert_eq!(code, ResponseError::InvalidConfig.code());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_is_not_told_of_more_settings_than_fit() {
    let bench = Bench::start().await;
    let id = bench.broker().id.0.to_string();
    let resource = || {
        DescribeConfigsResource::default()
            .with_resource_type(BROKER)
            .with_resource_name(text(&id))
            .with_configuration_keys(None)
    };
    let one = describe(&bench, BROKER, &id, &[]).await.configs.len();
    assert!(one > 300, "{one}");
    let fit = crate::limits::DESCRIBED_SETTINGS_MAX.div_ceil(one);
    let request = DescribeConfigsRequest::default().with_resources((0..fit + 2).map(|_| resource()).collect());
    let results = DescribeConfigs::handle(bench.context::<DescribeConfigs>(4), request).await.unwrap().results;
    let refused = results.iter().filter(|result| result.error_code == ResponseError::InvalidRequest.code()).count();
    assert_eq!(refused, 2);
}
