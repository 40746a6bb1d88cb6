//! A listener of the controller (KIP-919): administrators come there, and nobody else.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::TopicName;
use kafka_protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use kafka_protocol::messages::{
    ApiVersionsRequest, DescribeClusterRequest, DescribeQuorumRequest, ListGroupsRequest, MetadataRequest,
};
use kafka_protocol::protocol::StrBytes;

use crate::client::{Client, frame};
use crate::fixture::Fixture;

fn connect(fixture: &Fixture) -> Client {
    Client::connect(fixture.broker.controller().parse().unwrap())
}

#[test]
fn it_tells_what_it_serves_and_closes_on_the_rest() {
    let fixture = Fixture::start(&[]);
    let shown = connect(&fixture).ask(&ApiVersionsRequest::default(), 0).api_keys;
    let shown: Vec<i16> = shown.iter().map(|key| key.api_key).collect();
    // Those of ControllerApis of Apache Kafka 4.3 that we have.
    let kafkas = [17, 18, 19, 20, 29, 30, 31, 32, 33, 36, 37, 38, 39, 40, 43, 44, 45, 46, 49, 51, 55, 57, 60, 64];
    assert_eq!(shown, kafkas);
    let metadata = MetadataRequest::default();
    for refused in [frame(&metadata, 12, 1), frame(&ListGroupsRequest::default(), 4, 1)] {
        let mut client = connect(&fixture);
        client.send(&refused).unwrap();
        assert!(client.answer().is_none());
    }
    let brokers = Client::connect(fixture.address()).ask(&metadata, 12).brokers;
    assert_eq!(brokers.len(), 1);
    assert_ne!(format!("127.0.0.1:{}", brokers[0].port), fixture.broker.controller());
}

#[test]
fn it_describes_controllers_and_a_brokers_listener_brokers() {
    let fixture = Fixture::start(&[]);
    let ask = |address: String, endpoint_type: i8| {
        let request = DescribeClusterRequest::default().with_endpoint_type(endpoint_type);
        Client::connect(address.parse().unwrap()).ask(&request, 1)
    };
    for (address, own) in [(fixture.broker.bootstrap(), 1), (fixture.broker.controller(), 2)] {
        let told = ask(address.clone(), own);
        assert_eq!((told.error_code, told.endpoint_type, told.brokers.len()), (0, own, 1));
        let node = &told.brokers[0];
        assert_eq!(
            (format!("{}:{}", &*node.host, node.port), node.broker_id, told.controller_id.0),
            (address.clone(), 1.into(), 1)
        );
        assert_eq!(ask(address, 3 - own).error_code, ResponseError::MismatchedEndpointType.code());
    }
}

#[test]
fn the_quorum_is_described_there() {
    let fixture = Fixture::start(&[]);
    let topic = TopicData::default()
        .with_topic_name(TopicName(StrBytes::from_static_str("__cluster_metadata")))
        .with_partitions(vec![PartitionData::default()]);
    let told = connect(&fixture).ask(&DescribeQuorumRequest::default().with_topics(vec![topic]), 2);
    assert_eq!(told.error_code, 0);
    assert_eq!(told.topics[0].partitions[0].leader_id.0, 1);
}
