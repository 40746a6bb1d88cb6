//! What Kafka's dashboards and rules for alerts ask of `/metrics`.

use barnabas_tests::harness::port;

use crate::commands::{done, get, run};
use crate::fixture::Fixture;

#[test]
fn what_goes_in_and_out_of_a_topic_is_counted_under_kafkas_names() {
    let port = port::free().unwrap();
    let fixture = Fixture::start(&[("barnabas.http.listener", &port.to_string())]);
    done(&fixture, "topics create orders --partitions 2", "");
    done(&fixture, "topics create keyed --config cleanup.policy=compact", "");
    done(&fixture, "produce orders --partition 1", "one\ntwo\nthree\n");
    done(&fixture, "consume orders --from earliest --exit", "");
    // A record without a key has no place in a compacted topic.
    assert!(!run(&fixture, "produce keyed", "no key\n").status.success());
    done(&fixture, "groups seek billing --topic orders --to earliest --execute", "");

    let metrics = get(([127, 0, 0, 1], port).into(), "/metrics");
    let value = |name: &str, labels: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name}{labels} ")));
        line.unwrap_or_else(|| panic!("{name}{labels}: {metrics}")).parse::<u64>().unwrap()
    };
    let of = |name: &str, topic: &str| {
        value(&format!("kafka_server_brokertopicmetrics_{name}_total"), &format!("{{topic=\"{topic}\"}}"))
    };
    assert_eq!(of("messagesin", "orders"), 3);
    assert!(of("bytesin", "orders") > 61 && of("bytesin", "orders") == of("bytesout", "orders"), "{metrics}");
    assert!(of("totalproducerequests", "orders") >= 1 && of("totalfetchrequests", "orders") >= 1, "{metrics}");
    assert_eq!((of("failedproducerequests", "orders"), of("failedfetchrequests", "orders")), (0, 0));
    assert_eq!((of("messagesin", "keyed"), of("bytesin", "keyed")), (0, 0));
    assert!(of("failedproducerequests", "keyed") >= 1, "{metrics}");
    assert!(of("messagesin", "__consumer_offsets") >= 1, "what the group wrote: {metrics}");
    // It would fall when a topic is deleted.
    assert!(
        !metrics.contains("\nkafka_server_brokertopicmetrics_messagesin_total "),
        "a sum without a topic: {metrics}"
    );
    assert!(metrics.contains("# TYPE kafka_server_brokertopicmetrics_messagesin_total counter\n"), "{metrics}");

    assert!(value("kafka_network_requestmetrics_requests_total", "{request=\"Produce\"}") >= 2, "{metrics}");
    assert!(!metrics.contains("request=\"DescribeAcls\""), "nobody asked");
    let at = "{topic=\"orders\",partition=\"1\"}";
    for (name, wanted) in [
        ("leader", 1),
        ("leader_is_preferred", 1),
        ("replicas", 1),
        ("in_sync_replica", 1),
        ("under_replicated_partition", 0),
    ] {
        assert_eq!(value(&format!("kafka_topic_partition_{name}"), at), wanted, "{name}");
    }
    assert_eq!(value("kafka_controller_kafkacontroller_preferredreplicaimbalancecount", ""), 0);
    assert_eq!(value("kafka_consumergroup_lag_sum", "{consumergroup=\"billing\",topic=\"orders\"}"), 3);
}
