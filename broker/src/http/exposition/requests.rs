//! Requests by API: how many, how long they take, what went wrong; and how busy the broker is with them.

use kafka_protocol::messages::ApiKey;

use super::{Exposition, Look};
use crate::api::dispatch::find;
use crate::broker::Broker;
use crate::client::code;
use crate::metrics::{Stage, Times};

/// The quantiles of Kafka's histograms that the JMX exporter shows.
const QUANTILES: [(&str, f64); 6] =
    [("0.50", 0.5), ("0.75", 0.75), ("0.95", 0.95), ("0.98", 0.98), ("0.99", 0.99), ("0.999", 0.999)];

pub(super) fn put(broker: &Broker, look: &Look, text: &mut Exposition) {
    text.counters("kafka_network_requestmetrics_requests_total", "Requests whose answers have left.");
    of_each(look, |request, times, _| {
        let count = times.get(Stage::Total as usize).map_or(0, Times::count);
        text.sample(&[("request", request)], count);
    });
    for stage in Stage::ALL {
        of_stage(stage, look, text);
    }
    of_errors(broker, text);
    of_load(broker, look, text);
}

/// Every API that was asked for, under each name that Kafka has for its requests, its times, and those of the earlier look.
fn of_each(look: &Look, mut put: impl FnMut(&str, &[Times], Option<&[Times]>)) {
    for (key, times) in &look.now.request_times {
        let before = look.before.request_times.get(key).map(<[_; 6]>::as_slice);
        for name in names(*key) {
            put(name, times, before);
        }
    }
}

/// Kafka counts fetches of clients and of replicas apart, and together: here they are all of clients.
fn names(key: i16) -> impl Iterator<Item = &'static str> {
    let of_clients = (key == ApiKey::Fetch as i16).then_some("FetchConsumer");
    find(key).map(|row| row.name).into_iter().chain(of_clients)
}

fn of_stage(stage: Stage, look: &Look, text: &mut Exposition) {
    let (name, help) = match stage {
        Stage::RequestQueue => ("requestqueuetimems", "From a request's last byte to the beginning of its work."),
        Stage::Local => ("localtimems", "Work on requests, until it is done or waits for others."),
        Stage::Remote => ("remotetimems", "Waiting for others: a sync, records, members, the metadata."),
        Stage::ResponseQueue => ("responsequeuetimems", "From the finished answer to its turn."),
        Stage::ResponseSend => ("responsesendtimems", "Until the socket has taken the answer."),
        Stage::Total => ("totaltimems", "From a request's last byte to the last of its answer."),
    };
    let help = format!("{help} Milliseconds; quantiles of the last minutes.");
    text.summaries(&format!("kafka_network_requestmetrics_{name}"), &help);
    of_each(look, |request, times, before| {
        let Some(times) = times.get(stage as usize) else { return };
        let earlier = before.and_then(|before| before.get(stage as usize));
        let recent = earlier.map_or_else(|| times.clone(), |earlier| times.after(earlier));
        for (quantile, part) in QUANTILES {
            let millis = recent.quantile(part).unwrap_or(f64::NAN);
            text.sample(&[("request", request), ("quantile", quantile)], Millis(millis));
        }
        text.part("_sum", &[("request", request)], Millis(times.millis()));
        text.part("_count", &[("request", request)], times.count());
    });
}

/// To a microsecond; `NaN` where there is none.
struct Millis(f64);

impl std::fmt::Display for Millis {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_nan() { formatter.write_str("NaN") } else { write!(formatter, "{:.3}", self.0) }
    }
}

fn of_errors(broker: &Broker, text: &mut Exposition) {
    text.counters("kafka_network_requestmetrics_errors_total", "Errors that answers told of.");
    for (key, error, count) in broker.metrics.request_errors.all() {
        let error = code::name(error);
        for request in names(key) {
            text.sample(&[("request", request), ("error", &error)], count);
        }
    }
}

/// One set of workers does what Kafka's network and request handler threads do.
fn of_load(broker: &Broker, look: &Look, text: &mut Exposition) {
    let busy = look.now.busy.saturating_sub(look.before.busy).as_secs_f64() / broker.tasks.workers() as f64;
    let idle = Millis((1.0 - look.per_second(busy)).clamp(0.0, 1.0));
    let help = "The part of the last minutes in which the workers had nothing to do, from 0 to 1.";
    text.single("kafka_network_socketserver_networkprocessoravgidle_percent", help, &idle);
    text.single("kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent", help, &idle);
    let queued = broker.metrics.requests_queued.value();
    text.single("kafka_network_requestchannel_requestqueuesize", "Requests that are here and not begun.", queued);
    text.family("kafka_server_socket_server_metrics_connection_count", "Connections that are open.");
    for (listener, count) in broker.metrics.connections_by_listener.all() {
        text.sample(&[("listener", &listener)], count);
    }
}
