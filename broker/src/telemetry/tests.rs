//! When clients may ask and push, and what is kept of them; on a clock that stands still.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use barnabas_storage::Timestamp;
use barnabas_storage::seam::ManualClock;

use super::*;

struct Bench {
    clock: Arc<ManualClock>,
    metrics: Arc<Metrics>,
    telemetry: ClientTelemetry,
}

fn subscriptions(version: u64, all: &[&[(&str, &str)]]) -> Subscriptions {
    let values = |pairs: &&[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let all: Vec<_> = all.iter().map(values).collect();
    Subscriptions::of_each(all.iter(), version)
}

fn bench(all: &[&[(&str, &str)]]) -> Bench {
    let (clock, metrics) = (Arc::new(ManualClock::at(Timestamp(0))), Arc::new(Metrics::default()));
    let (of_telemetry, counted) = (Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&metrics));
    let telemetry = ClientTelemetry::with_subscriptions(of_telemetry, counted, subscriptions(1, all));
    Bench { clock, metrics, telemetry }
}

fn client(instance: u128, software: Option<&Software>) -> Identity<'_> {
    let peer = SocketAddr::from(([10, 0, 0, 7], 40_000));
    Identity { instance: Uuid::from_u128(instance), client_id: "app \"one\"", software, peer, principal: "alice" }
}

const EVERY_SECOND: &[(&str, &str)] = &[("metrics", "*"), ("interval.ms", "1000")];
const SECOND: Duration = Duration::from_secs(1);

/// MetricsData with one gauge, encoded by hand: name, an attribute, a double.
fn gauge(name: &str, value: f64) -> Bytes {
    fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
        let mut field = vec![tag << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        field.extend_from_slice(bytes);
        field
    }
    let attribute = [field(1, b"topic"), field(2, &field(1, b"t\"1"))].concat();
    let mut point = vec![4 << 3 | 1];
    point.extend_from_slice(&value.to_le_bytes());
    point.extend_from_slice(&field(7, &attribute));
    let metric = [field(1, name.as_bytes()), field(5, &field(1, &point))].concat();
    Bytes::from(field(1, &field(2, &field(2, &metric))))
}

#[test]
fn a_client_asks_and_pushes_once_in_an_interval() {
    let bench = bench(&[EVERY_SECOND]);
    let client = client(1000, None);
    let terms = bench.telemetry.ask(&client).unwrap();
    assert_eq!((&*terms.metrics, terms.interval), (&["*".to_owned()][..], SECOND));
    let push = |last: bool| bench.telemetry.admit(&client, terms.subscription_id, last, None);
    assert_eq!(bench.telemetry.ask(&client), Err(Refusal::TooEarly));
    assert_eq!(push(false), Ok(()), "the first push may come at once");
    assert_eq!(push(false), Err(Refusal::TooEarly));
    bench.clock.advance(SECOND);
    assert_eq!(push(false), Ok(()));
    assert_eq!(bench.telemetry.ask(&client), Err(Refusal::TooEarly), "a push counts as a question does");
    assert_eq!(push(true), Ok(()), "the last push may come at any time");
    bench.clock.advance(SECOND);
    assert_eq!(push(false), Err(Refusal::Ended));
    assert_eq!(bench.metrics.client_pushes_refused.value(), 4);
}

#[test]
fn a_push_is_refused_by_time_then_subscription_then_content() {
    let bench = bench(&[EVERY_SECOND]);
    let client = client(1000, None);
    let terms = bench.telemetry.ask(&client).unwrap();
    let other = terms.subscription_id.wrapping_add(1);
    let push = |id, wrong| bench.telemetry.admit(&client, id, false, wrong);
    assert_eq!(push(other, Some(Refusal::TooLarge)), Err(Refusal::UnknownSubscription));
    assert_eq!(push(other, None), Err(Refusal::TooEarly), "a refused push has used its time up");
    bench.clock.advance(SECOND);
    assert_eq!(push(terms.subscription_id, Some(Refusal::UnknownCodec)), Err(Refusal::UnknownCodec));
}

#[test]
fn a_changed_subscription_is_asked_for_at_once_and_the_old_values_are_gone() {
    let bench = bench(&[EVERY_SECOND]);
    let client = client(1000, None);
    let before = bench.telemetry.ask(&client).unwrap();
    bench.telemetry.admit(&client, before.subscription_id, false, None).unwrap();
    bench.telemetry.take(client.instance, Codec::None, &gauge("x", 1.0)).unwrap();
    bench.telemetry.subscriptions.store(Arc::new(subscriptions(2, &[&[("metrics", "a.,b."), ("interval.ms", "100")]])));
    let late = bench.telemetry.admit(&client, before.subscription_id, false, None);
    assert_eq!(late, Err(Refusal::UnknownSubscription));
    bench.clock.advance(Duration::from_millis(100));
    let after = bench.telemetry.ask(&client).unwrap();
    assert_eq!(after.metrics, ["a.", "b."]);
    assert_ne!(before.subscription_id, after.subscription_id);
    assert!(bench.telemetry.shown()[0].series.is_empty());
    assert_eq!(bench.metrics.client_series_bytes.value(), 0);
}

#[test]
fn clients_are_chosen_by_what_they_are() {
    let java = Software { name: "apache-kafka-java".to_owned(), version: "4.3.1".to_owned() };
    let asked = |matching: &str, software| {
        let bench = bench(&[&[("metrics", "m."), ("match", matching)]]);
        bench.telemetry.ask(&client(1000, software)).unwrap().metrics
    };
    for chosen in [
        "",
        "client_software_name=apache-kafka-java,client_software_version=4\\..*",
        "client_id=app.*",
        "client_source_address=10\\.0\\.0\\.7,client_source_port=40000",
        "client_instance_id=A+D6A",
    ] {
        assert_eq!(asked(chosen, Some(&java)), ["m."], "{chosen}");
    }
    assert!(asked("client_id=app", Some(&java)).is_empty(), "a pattern is of the whole value");
    assert!(asked("client_software_name=.*", None).is_empty(), "what is not told does not match");
}

#[test]
fn the_shortest_interval_holds_and_none_is_longer_than_five_minutes() {
    let hour: &[(&str, &str)] = &[("metrics", "a."), ("interval.ms", "3600000")];
    assert_eq!(bench(&[hour]).telemetry.ask(&client(1000, None)).unwrap().interval, SECOND * 300);
    let terms = bench(&[hour, EVERY_SECOND]).telemetry.ask(&client(1000, None)).unwrap();
    assert_eq!((&*terms.metrics, terms.interval), (&["*".to_owned()][..], SECOND));
}

#[test]
fn pushed_values_are_shown_until_a_client_is_silent_for_long() {
    let bench = bench(&[EVERY_SECOND]);
    let client = client(1000, None);
    let terms = bench.telemetry.ask(&client).unwrap();
    bench.telemetry.admit(&client, terms.subscription_id, false, None).unwrap();
    bench.telemetry.take(client.instance, Codec::None, &gauge("org.apache.kafka.producer.x", 1.5)).unwrap();
    let shown = bench.telemetry.shown();
    let series = ("kafka_client_producer_x".to_owned(), "topic=\"t\\\"1\"".to_owned(), 1.5);
    assert_eq!(shown[0].series, [series]);
    assert!(
        shown[0].labels.contains("client_id=\"app \\\"one\\\"\",") && shown[0].labels.ends_with("principal=\"alice\"")
    );
    bench.clock.advance(SECOND * 60);
    assert_eq!(bench.telemetry.shown().len(), 1);
    bench.clock.advance(SECOND);
    assert!(bench.telemetry.shown().is_empty());
    assert_eq!((bench.metrics.client_instances.value(), bench.metrics.client_series_bytes.value()), (0, 0));
}

#[test]
fn damaged_and_huge_pushes_are_refused() {
    let bench = bench(&[EVERY_SECOND]);
    let take = |codec, bytes: &[u8]| bench.telemetry.take(Uuid::from_u128(1), codec, &Bytes::copy_from_slice(bytes));
    assert_eq!(take(Codec::None, &[0xff; 100]), Err(PushError::Unreadable));
    assert_eq!(take(Codec::Zstd, b"no zstd"), Err(PushError::Unreadable));
    let bomb = vec![0; CLIENT_PUSH_BYTES_MAX + 1];
    assert_eq!(take(Codec::None, &bomb), Err(PushError::Unreadable));
}

#[test]
fn neither_clients_nor_their_values_grow_without_bound() {
    let bench = bench(&[EVERY_SECOND]);
    for instance in 0..CLIENT_INSTANCES_MAX as u128 + 10 {
        bench.telemetry.ask(&client(1000 + instance, None)).unwrap();
        bench.clock.advance(Duration::from_millis(1));
    }
    assert_eq!(bench.metrics.client_instances.value(), CLIENT_INSTANCES_MAX as u64);
    let longest = Bytes::from(gauge("x", 1.0).repeat(CLIENT_SERIES_MAX + 5));
    let last = Uuid::from_u128(1000 + CLIENT_INSTANCES_MAX as u128);
    bench.telemetry.take(last, Codec::None, &longest).unwrap();
    assert_eq!(bench.metrics.client_series.value(), 1, "the same value again and again");
    assert_eq!(bench.metrics.client_series_left_out.value(), 5);
}
