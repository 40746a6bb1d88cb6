//! What clients push: MetricsData of OpenTelemetry's protocol, as far as KIP-714 uses it: gauges and sums of numbers.
//!
//! Lists of messages are declared as bytes, so that one message is taken apart at a time: what is in memory beside the push
//! is small, whatever the push claims.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::{DecodeError, Message};

use crate::limits::{CLIENT_LABELS_MAX, CLIENT_TEXT_BYTES_MAX};

/// Labels that tell who a client is: no value may have one of these names.
const OF_THE_CLIENT: [&str; 6] = [
    "client_instance_id",
    "client_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "principal",
];
/// What the names of Kafka's own metrics begin with.
const KAFKAS: &str = "org.apache.kafka.";
/// `AGGREGATION_TEMPORALITY_DELTA`.
const DELTA: i32 = 1;

/// One value that a client has pushed.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// A name that Prometheus takes.
    pub name: String,
    /// `name="value"`, separated by commas.
    pub labels: String,
    /// The number.
    pub value: f64,
    /// Whether it is to be added to what was pushed before. We ask for sums since the start.
    pub is_delta: bool,
}

#[derive(Clone, PartialEq, Message)]
struct MetricsData {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    resource_metrics: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceMetrics {
    #[prost(bytes = "bytes", optional, tag = "1")]
    resource: Option<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    scope_metrics: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    attributes: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeMetrics {
    #[prost(bytes = "bytes", repeated, tag = "2")]
    metrics: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "bytes", optional, tag = "5")]
    gauge: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "7")]
    sum: Option<Bytes>,
}

/// A Gauge, or a Sum.
#[derive(Clone, PartialEq, Message)]
struct Points {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    data_points: Vec<Bytes>,
    #[prost(int32, tag = "2")]
    temporality: i32,
}

#[derive(Clone, PartialEq, Message)]
struct NumberDataPoint {
    #[prost(bytes = "bytes", repeated, tag = "7")]
    attributes: Vec<Bytes>,
    #[prost(double, optional, tag = "4")]
    as_double: Option<f64>,
    #[prost(sfixed64, optional, tag = "6")]
    as_int: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
    #[prost(bool, optional, tag = "2")]
    truth: Option<bool>,
    #[prost(int64, optional, tag = "3")]
    number: Option<i64>,
}

/// Gives every value to `take`.
///
/// # Errors
/// When the bytes are no MetricsData.
pub(super) fn read(pushed: Bytes, take: &mut impl FnMut(Sample)) -> Result<(), DecodeError> {
    for resource in MetricsData::decode(pushed)?.resource_metrics {
        let resource = ResourceMetrics::decode(resource)?;
        let attributes = match resource.resource {
            Some(bytes) => Resource::decode(bytes)?.attributes,
            None => Vec::new(),
        };
        for scope in resource.scope_metrics {
            for metric in ScopeMetrics::decode(scope)?.metrics {
                read_metric(Metric::decode(metric)?, &attributes, take)?;
            }
        }
    }
    Ok(())
}

fn read_metric(metric: Metric, of_resource: &[Bytes], take: &mut impl FnMut(Sample)) -> Result<(), DecodeError> {
    let name = metric_name(&metric.name);
    let is_sum = metric.gauge.is_none();
    let Some(points) = metric.gauge.or(metric.sum) else { return Ok(()) };
    let points = Points::decode(points)?;
    let is_delta = is_sum && points.temporality == DELTA;
    for point in points.data_points {
        let point = NumberDataPoint::decode(point)?;
        let Some(value) = point.as_double.or(point.as_int.map(|value| value as f64)) else { continue };
        let labels = labels(of_resource.iter().chain(&point.attributes))?;
        take(Sample { name: name.clone(), labels, value, is_delta });
    }
    Ok(())
}

/// At most [`CLIENT_LABELS_MAX`], each once, in order.
fn labels<'a>(attributes: impl Iterator<Item = &'a Bytes>) -> Result<String, DecodeError> {
    let mut labels = BTreeMap::new();
    for attribute in attributes.take(CLIENT_LABELS_MAX) {
        let KeyValue { key, value } = KeyValue::decode(attribute.clone())?;
        let value = value.unwrap_or_default();
        let text = value.text.or(value.number.map(|number| number.to_string()));
        let Some(text) = text.or(value.truth.map(|truth| truth.to_string())) else { continue };
        let name = word(&key);
        // Names that begin so are Prometheus' own.
        if !name.is_empty() && !name.starts_with("__") && !OF_THE_CLIENT.contains(&&*name) {
            labels.insert(name, escape(&text, CLIENT_TEXT_BYTES_MAX));
        }
    }
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    Ok(labels.join(","))
}

fn metric_name(name: &str) -> String {
    format!("kafka_client_{}", word(name.strip_prefix(KAFKAS).unwrap_or(name)))
}

/// With `_` for every byte that Prometheus does not take in a name.
fn word(text: &str) -> String {
    let text = &text.as_bytes()[..text.len().min(CLIENT_TEXT_BYTES_MAX)];
    let word: String =
        text.iter().map(|byte| if byte.is_ascii_alphanumeric() { char::from(*byte) } else { '_' }).collect();
    if word.starts_with(|first: char| first.is_ascii_digit()) { format!("_{word}") } else { word }
}

/// A label's value between its quotes, cut to `most` bytes before that.
pub(super) fn escape(value: &str, most: usize) -> String {
    let end = (0..=value.len().min(most)).rev().find(|end| value.is_char_boundary(*end)).unwrap_or(0);
    value[..end].replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests;
