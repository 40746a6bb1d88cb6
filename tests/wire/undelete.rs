//! Deleted topics that a broker keeps: gone for everybody, and brought back with everything in them.

use std::time::Duration;

use barnabas_storage::batch::BatchBuilder;
use barnabas_storage::{ProducerEpoch, ProducerId, Timestamp, TopicId};
use barnabas_tests::harness::{port, wait};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{CreateTopicsRequest, ProduceRequest, TopicName};
use serde_json::{Value, json as value};

use crate::client::Client;
use crate::commands::{done, failed, json, run};
use crate::fixture::Fixture;
use crate::login::text;

const KEPT: (&str, &str) = ("barnabas.delete.keep.ms", "604800000");
const NO_TOPICS_ON_DEMAND: (&str, &str) = ("auto.create.topics.enable", "false");

/// Asks by CreateTopics for a topic to come back.
fn undelete(client: &mut Client, value: &str, version: i16) -> CreatableTopicResult {
    let config = CreatableTopicConfig::default().with_name(text("barnabas.undelete")).with_value(Some(text(value)));
    let topic = CreatableTopic::default().with_name(TopicName(text("orders"))).with_configs(vec![config]);
    let topic = topic.with_num_partitions(-1).with_replication_factor(-1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
    client.ask(&request, version).topics.remove(0)
}

/// A record of an idempotent producer.
fn produce(client: &mut Client, sequence: i32) -> PartitionProduceResponse {
    let batch = BatchBuilder::new().producer(ProducerId(4711), ProducerEpoch(0), sequence);
    let batch = batch.record(Timestamp(1000), None, Some(format!("v{sequence}").as_bytes())).build();
    let partition = PartitionProduceData::default().with_index(0).with_records(Some(batch));
    let topic = TopicProduceData::default().with_name(TopicName(text("orders"))).with_partition_data(vec![partition]);
    let request = ProduceRequest::default().with_acks(-1).with_timeout_ms(30_000).with_topic_data(vec![topic]);
    client.ask(&request, 9).responses.remove(0).partition_responses.remove(0)
}

/// Every record, ordered by partition and offset.
fn records(fixture: &Fixture) -> Vec<String> {
    let read = done(fixture, "consume orders --from earliest --exit --format %p:%o:%v\\n", "");
    let mut lines: Vec<String> = read.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn id(fixture: &Fixture) -> String {
    json(fixture, "topics describe orders")["topics"][0]["id"].as_str().unwrap().to_owned()
}

/// The directories of partitions that are not served.
fn aside(fixture: &Fixture) -> Vec<String> {
    let names = std::fs::read_dir(fixture.broker.data()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with("-stray") || name.ends_with("-delete")).collect()
}

#[test]
fn a_deleted_topic_comes_back_with_its_records_settings_and_producers() {
    let mut fixture = Fixture::start(&[KEPT, NO_TOPICS_ON_DEMAND]);
    done(&fixture, "topics create orders --partitions 3 --config retention.ms=-1", "");
    let mut client = Client::connect(fixture.address());
    for sequence in 0..3 {
        assert_eq!(produce(&mut client, sequence).error_code, 0);
    }
    done(&fixture, "produce orders --partition 2", "one\ntwo\n");
    let (before, made) = (records(&fixture), id(&fixture));
    let told = run(&fixture, "topics delete orders --yes", "");
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(told.contains("for 7 days, `barnabas topics undelete orders` brings it back"), "{told}");
    assert_eq!(failed(&fixture, "topics describe orders").0, 3);
    assert_eq!(produce(&mut client, 3).error_code, ResponseError::UnknownTopicOrPartition.code());
    assert_eq!(json(&fixture, "topics list"), value!([]));

    fixture.broker.stop().unwrap();
    fixture.broker.restart().unwrap();
    let plan = json(&fixture, "topics undelete orders --dry-run");
    assert_eq!((&plan[0]["id"], &plan[0]["partitions"]), (&Value::from(made.as_str()), &Value::from(3)), "{plan}");
    assert_eq!(failed(&fixture, "topics describe orders").0, 3, "a plan changes nothing");
    assert_eq!(failed(&fixture, "topics undelete orders").0, 2, "nobody is there to say yes");
    fixture.broker.kill();
    fixture.broker.restart().unwrap();
    done(&fixture, "topics undelete orders --yes", "");
    assert_eq!((records(&fixture), id(&fixture)), (before, made));
    assert_eq!(json(&fixture, "configs get topic/orders retention.ms")[0]["value"], "-1");
    let mut client = Client::connect(fixture.address());
    let again = produce(&mut client, 2);
    assert_eq!((again.error_code, again.base_offset), (0, 2), "the producer's state is back: a duplicate");
    assert_eq!(produce(&mut client, 3).base_offset, 3);
    assert_eq!(produce(&mut client, 9).error_code, ResponseError::OutOfOrderSequenceNumber.code());
    assert_eq!(aside(&fixture), [""; 0]);

    fixture.broker.kill();
    fixture.broker.restart().unwrap();
    assert!(records(&fixture).contains(&"0:3:v3".to_owned()));
}

#[test]
fn what_cannot_come_back_is_told_with_what_to_do() {
    let fixture = Fixture::start(&[KEPT, NO_TOPICS_ON_DEMAND]);
    done(&fixture, "topics create orders", "");
    let (code, told) = failed(&fixture, "topics undelete orders --yes");
    assert!(code == 4 && told.contains("TOPIC_ALREADY_EXISTS"), "{told}");
    let (code, told) = failed(&fixture, "topics undelete bills --yes");
    assert!(code == 3 && told.contains("barnabas.delete.keep.ms"), "{told}");
}

#[test]
fn of_two_deleted_topics_of_one_name_the_one_of_the_id_comes_back() {
    let port = port::free().unwrap();
    let fixture = Fixture::start(&[KEPT, NO_TOPICS_ON_DEMAND, ("barnabas.http.listener", &port.to_string())]);
    let mut client = Client::connect(fixture.address());
    done(&fixture, "topics create orders", "");
    done(&fixture, "produce orders", "old\n");
    let old = id(&fixture);
    done(&fixture, "topics delete orders --yes", "");
    done(&fixture, "topics create orders", "");
    done(&fixture, "produce orders", "new\n");
    assert_eq!(undelete(&mut client, "true", 7).error_code, ResponseError::TopicAlreadyExists.code());
    assert_eq!(records(&fixture), ["0:0:new"]);
    done(&fixture, "topics delete orders --yes", "");
    let metrics = crate::commands::get(([127, 0, 0, 1], port).into(), "/metrics");
    assert!(metrics.contains("barnabas_kept_topics 2\n") && metrics.contains("barnabas_kept_bytes{"), "{metrics}");
    let (_, told) = failed(&fixture, "topics undelete orders --yes");
    assert!(told.contains(&old) && told.contains("--id ID"), "{told}");
    for version in [2, 7] {
        let several = undelete(&mut client, "true", version);
        assert_eq!(several.error_code, ResponseError::InvalidRequest.code());
    }
    assert_eq!(undelete(&mut client, "perhaps", 7).error_code, ResponseError::InvalidConfig.code());
    done(&fixture, &format!("topics undelete orders --yes --id={old}"), "");
    assert_eq!((records(&fixture), id(&fixture)), (vec!["0:0:old".to_owned()], old));
}

#[test]
fn a_deleted_topic_is_gone_from_the_disk_when_its_time_is_over_also_while_the_broker_was_down() {
    let mut fixture = Fixture::start(&[("barnabas.delete.keep.ms", "1"), NO_TOPICS_ON_DEMAND]);
    let mut client = Client::connect(fixture.address());
    for is_killed in [false, true] {
        done(&fixture, "topics create orders --partitions 2", "");
        done(&fixture, "produce orders", "one\n");
        done(&fixture, "topics delete orders --yes", "");
        assert_eq!(undelete(&mut client, "true", 7).error_code, ResponseError::UnknownTopicOrPartition.code());
        if is_killed {
            fixture.broker.kill();
            fixture.broker.restart().unwrap();
        }
        let gone = || aside(&fixture).is_empty().then_some(());
        wait::until("the files to go", Duration::from_secs(60), gone).unwrap();
        client = Client::connect(fixture.address());
    }
    // A topic says for itself that it is not kept.
    done(&fixture, "configs set cluster barnabas.delete.keep.ms=60000", "");
    done(&fixture, "topics create orders --config barnabas.delete.keep.ms=0", "");
    let told = run(&fixture, "topics delete orders --yes", "");
    assert!(!String::from_utf8(told.stderr).unwrap().contains("undelete"));
    assert_eq!(undelete(&mut client, "true", 7).error_code, ResponseError::UnknownTopicOrPartition.code());
}

#[test]
fn whoever_may_not_make_a_topic_does_not_bring_it_back_and_does_not_learn_of_it() {
    let settings = [KEPT, NO_TOPICS_ON_DEMAND, ("authorizer.class.name", "standard")];
    let fixture = Fixture::start(&[&settings[..], &[("allow.everyone.if.no.acl.found", "true")]].concat());
    done(&fixture, "topics create orders", "");
    done(&fixture, "topics delete orders --yes", "");
    let mut client = Client::connect(fixture.address());
    assert_eq!(undelete(&mut client, "true", 7).error_code, 0);
    done(&fixture, "topics delete orders --yes", "");
    // From here on there are rules, and none is for this client.
    done(&fixture, "acls grant alice create topic:orders", "");
    done(&fixture, "acls grant alice create cluster", "");
    for value in ["true", "perhaps", &TopicId(uuid::Uuid::from_u128(7)).to_string()] {
        let refused = undelete(&mut client, value, 7);
        assert_eq!(refused.error_code, ResponseError::TopicAuthorizationFailed.code(), "{value}");
    }
}
