//! `barnabas doctor`: whether a client on this machine can use a cluster. The commonest trap is a bootstrap address that
//! works and an advertised one that does not: every address is tested, step by step.

use std::collections::BTreeMap;

use kafka_protocol::messages::MetadataResponse;

use super::Failure;
use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::output::{Cell, Column, Output, Table, column};
use crate::client::Cluster;

mod examine;
mod round_trip;

use examine::{Check, examine};

/// What `doctor` is told.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Steps: dns, tcp, tls and sasl where the client's settings ask for them, api-versions, metadata;\n\
    round-trip only if asked for.\n\n\
    Examples:\n  barnabas doctor -b kafka.example.com:9092\n  \
    barnabas doctor --command-config client.properties --round-trip health-check"
)]
pub(super) struct Arguments {
    /// Also writes a record to this topic, which must be there, and reads it back.
    #[arg(long, value_name = "TOPIC")]
    round_trip: Option<String>,
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(flatten)]
    output: Output,
}

const COLUMNS: &[Column] = &[
    column("WHO", "who"),
    column("ADDRESS", "address"),
    column("STEP", "step"),
    column("RESULT", "result"),
    column("WHAT", "what"),
    column("TRY", "try"),
];

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let settings = arguments.connection.settings()?;
    let mut checks = Vec::new();
    let mut metadata: Option<MetadataResponse> = None;
    for address in &settings.bootstrap {
        let answered = examine("bootstrap", address, &settings, &mut checks).await;
        metadata = metadata.or(answered);
    }
    if let Some(metadata) = &metadata {
        checks.extend(oddities(&settings.bootstrap, metadata));
        for broker in &metadata.brokers {
            let who = format!("broker {}", broker.node_id.0);
            let answered = examine(&who, &advertised(&broker.host, broker.port), &settings, &mut checks).await;
            if answered.is_some_and(|answer| answer.cluster_id != metadata.cluster_id) {
                let next = "the address leads to another cluster: correct advertised.listeners, or the name's record";
                checks.push(Check::finding(
                    &who,
                    &advertised(&broker.host, broker.port),
                    "metadata",
                    "it belongs to another cluster",
                    next,
                ));
            }
        }
    }
    let is_well = |checks: &[Check]| checks.iter().all(|check| check.trouble.is_none());
    if let Some(topic) = arguments.round_trip.as_ref().filter(|_| is_well(&checks)) {
        let mut cluster = Cluster::connect(settings.clone()).await?;
        checks.push(round_trip::check(topic, &mut cluster).await);
    }
    show(&checks, arguments.output)?;
    Ok(if is_well(&checks) { Exit::Done } else { Exit::Findings })
}

fn show(checks: &[Check], output: Output) -> Result<(), Failure> {
    let mut table = Table::new(COLUMNS);
    for check in checks {
        let result = if check.trouble.is_some() { "FINDING" } else { "ok" };
        table.row(vec![
            Cell::text(check.who.as_str()),
            Cell::text(check.address.as_str()),
            Cell::text(check.step),
            Cell::text(result),
            Cell::text(check.trouble.as_ref().map_or(&check.what, |trouble| &trouble.cause).as_str()),
            Cell::optional(check.trouble.as_ref().map(|trouble| trouble.next.as_str())),
        ]);
    }
    output.show(&table)
}

/// host:port, with brackets around an IPv6 host.
fn advertised(host: &str, port: i32) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn is_this_machine(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What looks wrong in the addresses alone.
fn oddities(bootstrap: &[String], metadata: &MetadataResponse) -> Vec<Check> {
    let mut found = Vec::new();
    let next = "advertised.listeners=NAME://host-that-clients-can-reach:port in the broker's settings, then a restart";
    let host_of = |address: &String| address.rsplit_once(':').map_or("", |(host, _)| host).to_owned();
    let from_afar = !bootstrap.iter().map(host_of).all(|host| is_this_machine(&host));
    let mut owners: BTreeMap<String, i32> = BTreeMap::new();
    for broker in &metadata.brokers {
        let (who, address) = (format!("broker {}", broker.node_id.0), advertised(&broker.host, broker.port));
        if from_afar && is_this_machine(&broker.host) {
            let cause = "advertises an address that on every client's machine is that machine itself";
            found.push(Check::finding(&who, &address, "metadata", cause, next));
        }
        if let Some(other) = owners.insert(address.clone(), broker.node_id.0) {
            let cause = format!("advertises the same address as broker {other}: clients reach only one of them");
            found.push(Check::finding(&who, &address, "metadata", cause, next));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::BrokerId;
    use kafka_protocol::messages::metadata_response::MetadataResponseBroker;
    use kafka_protocol::protocol::StrBytes;

    use super::*;

    fn found(bootstrap: &str, brokers: &[(i32, &str)]) -> Vec<String> {
        let broker = |(id, host): &(i32, &str)| {
            MetadataResponseBroker::default()
                .with_node_id(BrokerId(*id))
                .with_host(StrBytes::from_string((*host).to_owned()))
                .with_port(9092)
        };
        let metadata = MetadataResponse::default().with_brokers(brokers.iter().map(broker).collect());
        let checks = oddities(&[bootstrap.to_owned()], &metadata);
        checks.into_iter().map(|check| format!("{}: {}", check.who, check.trouble.unwrap().cause)).collect()
    }

    #[test]
    fn addresses_that_only_the_broker_can_use_are_told_from_afar_only() {
        assert!(found("127.0.0.1:9092", &[(1, "localhost")]).is_empty());
        assert!(found("[::1]:9092", &[(1, "127.0.0.1")]).is_empty());
        assert!(found("kafka:9092", &[(1, "localhost")])[0].starts_with("broker 1: advertises an address"));
        assert!(found("kafka:9092", &[(1, "a"), (2, "b")]).is_empty());
    }

    #[test]
    fn two_brokers_with_one_address_are_told() {
        assert!(found("a:9092", &[(1, "a"), (2, "a")])[0].contains("same address as broker 1"));
    }
}
