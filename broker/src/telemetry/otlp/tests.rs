//! What comes out of MetricsData, built with the same declarations.

use super::*;

fn attribute(key: &str, value: AnyValue) -> Bytes {
    Bytes::from(KeyValue { key: key.to_owned(), value: Some(value) }.encode_to_vec())
}

fn text(text: &str) -> AnyValue {
    AnyValue { text: Some(text.to_owned()), ..AnyValue::default() }
}

fn pushed(metric: Metric, of_resource: Vec<Bytes>) -> Bytes {
    let scope = ScopeMetrics { metrics: vec![Bytes::from(metric.encode_to_vec())] };
    let resource = Resource { attributes: of_resource };
    let resource = ResourceMetrics {
        resource: Some(Bytes::from(resource.encode_to_vec())),
        scope_metrics: vec![Bytes::from(scope.encode_to_vec())],
    };
    Bytes::from(MetricsData { resource_metrics: vec![Bytes::from(resource.encode_to_vec())] }.encode_to_vec())
}

fn samples(bytes: Bytes) -> Vec<Sample> {
    let mut samples = Vec::new();
    read(bytes, &mut |sample| samples.push(sample)).unwrap();
    samples
}

fn sum(name: &str, attributes: Vec<Bytes>, temporality: i32) -> Metric {
    let point = NumberDataPoint { attributes, as_double: None, as_int: Some(-3) };
    let points = Points { data_points: vec![Bytes::from(point.encode_to_vec())], temporality };
    Metric { name: name.to_owned(), gauge: None, sum: Some(Bytes::from(points.encode_to_vec())) }
}

#[test]
fn a_sum_has_the_labels_of_its_resource_and_its_own() {
    let number = AnyValue { number: Some(7), ..AnyValue::default() };
    let metric = sum("org.apache.kafka.consumer.fetch-total", vec![attribute("partition", number)], 2);
    let found = samples(pushed(metric, vec![attribute("group.id", text("g"))]));
    let wanted = Sample {
        name: "kafka_client_consumer_fetch_total".to_owned(),
        labels: "group_id=\"g\",partition=\"7\"".to_owned(),
        value: -3.0,
        is_delta: false,
    };
    assert_eq!(found, [wanted]);
    assert!(samples(pushed(sum("x", vec![], DELTA), vec![]))[0].is_delta);
}

#[test]
fn no_label_is_there_twice_or_says_who_the_client_is() {
    let attributes = ["a", "a", "client.id", "principal", "__name__", "1b", ""].map(|key| attribute(key, text(key)));
    let found = samples(pushed(sum("1 x{}", attributes.to_vec(), 2), vec![]));
    assert_eq!((&*found[0].name, &*found[0].labels), ("kafka_client__1_x__", "_1b=\"1b\",a=\"a\""));
}

#[test]
fn labels_and_texts_are_bounded() {
    let many = (0..100).map(|n| attribute(&format!("l{n}"), text(&"é".repeat(CLIENT_TEXT_BYTES_MAX)))).collect();
    let labels = &samples(pushed(sum("x", many, 2), vec![]))[0].labels;
    assert_eq!(labels.matches('=').count(), CLIENT_LABELS_MAX);
    assert!(labels.len() < CLIENT_LABELS_MAX * (CLIENT_TEXT_BYTES_MAX + 10));
}
