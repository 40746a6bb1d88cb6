//! What Kafka's dashboards and rules for alerts ask of `/metrics`.

use std::net::SocketAddr;

use barnabas_tests::harness::port;

use crate::commands::{done, get, run};
use crate::fixture::Fixture;

#[test]
fn what_goes_in_and_out_of_a_topic_is_counted_under_kafkas_names() {
    let (_fixture, at) = watched();
    let metrics = get(at, "/metrics");
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

/// What Strimzi's dashboards and rules for alerts, and those for kafka_exporter, ask for: each name, and a label that they
/// tell apart by.
const ASKED_FOR: &[(&str, &str)] = &[
    ("kafka_server_brokertopicmetrics_messagesin_total", "topic"),
    ("kafka_server_brokertopicmetrics_bytesin_total", "topic"),
    ("kafka_server_brokertopicmetrics_bytesout_total", "topic"),
    ("kafka_server_brokertopicmetrics_totalproducerequests_total", "topic"),
    ("kafka_server_brokertopicmetrics_totalfetchrequests_total", "topic"),
    ("kafka_server_brokertopicmetrics_failedproducerequests_total", "topic"),
    ("kafka_server_brokertopicmetrics_failedfetchrequests_total", "topic"),
    ("kafka_server_replicamanager_partitioncount", ""),
    ("kafka_server_replicamanager_leadercount", ""),
    ("kafka_server_replicamanager_underreplicatedpartitions", ""),
    ("kafka_server_replicamanager_underminisrpartitioncount", ""),
    ("kafka_server_replicamanager_atminisrpartitioncount", ""),
    ("kafka_server_replicamanager_offlinereplicacount", ""),
    ("kafka_server_replicamanager_isrshrinks_total", ""),
    ("kafka_server_replicamanager_isrexpands_total", ""),
    ("kafka_controller_kafkacontroller_activecontrollercount", ""),
    ("kafka_controller_kafkacontroller_offlinepartitionscount", ""),
    ("kafka_controller_kafkacontroller_globaltopiccount", ""),
    ("kafka_controller_kafkacontroller_globalpartitioncount", ""),
    ("kafka_controller_kafkacontroller_activebrokercount", ""),
    ("kafka_controller_kafkacontroller_fencedbrokercount", ""),
    ("kafka_controller_kafkacontroller_preferredreplicaimbalancecount", ""),
    ("kafka_controller_controllerstats_uncleanleaderelections_total", ""),
    ("kafka_cluster_partition_replicascount", "partition"),
    ("kafka_cluster_partition_underminisr", "partition"),
    ("kafka_cluster_partition_atminisr", "partition"),
    ("kafka_log_log_size", "partition"),
    ("kafka_log_logmanager_offlinelogdirectorycount", ""),
    ("kafka_network_requestmetrics_requests_total", "request"),
    ("kafka_network_requestmetrics_totaltimems", "request"),
    ("kafka_network_requestmetrics_totaltimems_count", "request"),
    ("kafka_network_requestmetrics_requestqueuetimems", "quantile"),
    ("kafka_network_requestmetrics_localtimems", "quantile"),
    ("kafka_network_requestmetrics_remotetimems", "quantile"),
    ("kafka_network_requestmetrics_responsequeuetimems", "quantile"),
    ("kafka_network_requestmetrics_responsesendtimems", "quantile"),
    ("kafka_network_requestmetrics_errors_total", "error"),
    ("kafka_network_requestchannel_requestqueuesize", ""),
    ("kafka_network_socketserver_networkprocessoravgidle_percent", ""),
    ("kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent", ""),
    ("kafka_server_socket_server_metrics_connection_count", "listener"),
    ("kafka_server_delayedoperationpurgatory_purgatorysize", "delayedOperation"),
    ("kafka_server_replicafetchermanager_maxlag", ""),
    ("kafka_server_raftmetrics_current_state", "current_state"),
    ("kafka_server_raftmetrics_current_leader", ""),
    ("kafka_server_raftmetrics_current_epoch", ""),
    ("kafka_server_raftmetrics_high_watermark", ""),
    ("kafka_server_raftmetrics_log_end_offset", ""),
    ("kafka_server_raftmetrics_commit_latency_avg", ""),
    ("kafka_server_raftmetrics_append_records_rate", ""),
    ("kafka_server_raftmetrics_fetch_records_rate", ""),
    ("kafka_server_raft_metrics_current_epoch", ""),
    ("process_open_fds", ""),
    ("kafka_consumergroup_current_offset", "consumergroup"),
    ("kafka_consumergroup_lag", "consumergroup"),
    ("kafka_consumergroup_lag_sum", "consumergroup"),
    ("kafka_consumergroup_lag_seconds", "consumergroup"),
    ("kafka_consumergroup_members", "consumergroup"),
    ("kafka_topic_partitions", "topic"),
    ("kafka_topic_partition_current_offset", "partition"),
    ("kafka_topic_partition_oldest_offset", "partition"),
    ("kafka_topic_partition_leader", "partition"),
    ("kafka_topic_partition_leader_is_preferred", "partition"),
    ("kafka_topic_partition_in_sync_replica", "partition"),
    ("kafka_topic_partition_replicas", "partition"),
    ("kafka_topic_partition_under_replicated_partition", "partition"),
    ("kafka_brokers", ""),
    ("kafka_broker_info", "address"),
];

#[test]
fn every_name_that_kafkas_dashboards_ask_for_is_told_and_is_a_number() {
    let (_fixture, at) = watched();
    let page = Page(get(at, "/metrics"));
    for (name, label) in ASKED_FOR {
        let has = |line: &&str| label.is_empty() || line.contains(&format!("{label}=\""));
        let sample = page.samples(name).find(has).unwrap_or_else(|| panic!("{name} by {label}: {}", page.0));
        let value = sample.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
        assert!(value.is_some(), "{sample}");
    }
    let lines = page.0.lines().filter(|line| !line.starts_with('#'));
    let mut series: Vec<_> = lines.filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series).collect();
    series.sort_unstable();
    let twice: Vec<_> = series.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn the_time_of_requests_is_told_by_stage_and_the_stages_are_the_whole() {
    let (_fixture, at) = watched();
    let page = Page(get(at, "/metrics"));
    let times = |stage: &str, request: &str| {
        let labels = format!("{{request=\"{request}\"}}");
        let of = |part| page.value(&format!("kafka_network_requestmetrics_{stage}timems_{part}"), &labels);
        (of("count"), of("sum"))
    };
    let (count, total) = times("total", "Produce");
    let stages = ["requestqueue", "local", "remote", "responsequeue", "responsesend"];
    let (counts, sums): (Vec<_>, Vec<_>) = stages.iter().map(|stage| times(stage, "Produce")).unzip();
    assert!(count >= 2.0 && counts.iter().all(|each| *each == count), "{count} {counts:?}");
    let sum: f64 = sums.iter().sum();
    assert!(total > 0.0 && (sum - total).abs() < 0.01, "{sums:?} are {total} together");
    assert_eq!(times("total", "Fetch"), times("total", "FetchConsumer"), "no replica fetches");
    let quantile = "{request=\"Produce\",quantile=\"0.99\"}";
    assert!(page.value("kafka_network_requestmetrics_totaltimems", quantile) > 0.0);
    let refused = "{request=\"Produce\",error=\"INVALID_RECORD\"}";
    assert!(page.value("kafka_network_requestmetrics_errors_total", refused) >= 1.0);
    let idle = page.value("kafka_network_socketserver_networkprocessoravgidle_percent", "");
    assert!((0.0..=1.0).contains(&idle), "{idle}");
}

#[test]
fn sums_of_all_topics_keep_what_a_deleted_topic_had() {
    let (fixture, at) = watched();
    let before = Page(get(at, "/metrics"));
    done(&fixture, "topics delete orders --yes", "");
    let after = Page(get(at, "/metrics"));
    for name in ["messagesin", "bytesin", "bytesout"] {
        let name = format!("kafka_server_brokertopicmetrics_{name}_total");
        assert!(after.samples(&name).all(|line| !line.contains("orders")), "{name}");
        assert!(before.value(&name, "") > 0.0 && after.value(&name, "") >= before.value(&name, ""), "{name}");
    }
    let committed = |page: &Page| page.value("kafka_server_raftmetrics_high_watermark", "");
    assert!(committed(&after) > committed(&before));
}

/// A broker that was produced to, consumed from and refused something, and where its `/metrics` are.
fn watched() -> (Fixture, SocketAddr) {
    let port = port::free().unwrap();
    let fixture = Fixture::start(&[("barnabas.http.listener", &port.to_string())]);
    done(&fixture, "topics create orders --partitions 2", "");
    done(&fixture, "topics create keyed --config cleanup.policy=compact", "");
    done(&fixture, "produce orders --partition 1", "one\ntwo\nthree\n");
    done(&fixture, "consume orders --from earliest --exit", "");
    // A record without a key has no place in a compacted topic.
    assert!(!run(&fixture, "produce keyed", "no key\n").status.success());
    done(&fixture, "groups seek billing --topic orders --to earliest --execute", "");
    (fixture, ([127, 0, 0, 1], port).into())
}

/// What `/metrics` answered.
struct Page(String);

impl Page {
    fn samples<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let starts = move |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
        self.0.lines().filter(starts)
    }

    fn value(&self, name: &str, labels: &str) -> f64 {
        let line = self.0.lines().find_map(|line| line.strip_prefix(&format!("{name}{labels} ")));
        line.unwrap_or_else(|| panic!("{name}{labels}: {}", self.0)).parse().unwrap()
    }
}
