//! `/metrics/clients`: what clients push of their metrics (KIP-714), each value with who the client is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::broker::Broker;

/// All of it.
pub(super) fn text(broker: &Broker) -> String {
    let clients = broker.telemetry.shown();
    let mut families: BTreeMap<&str, Vec<(&str, &str, f64)>> = BTreeMap::new();
    for client in &clients {
        for (name, labels, value) in &client.series {
            families.entry(name).or_default().push((&client.labels, labels, *value));
        }
    }
    let mut text = String::new();
    for (name, samples) in families {
        // Writing to a string cannot fail. What is a sum and what is not the client knows: both may fall, at its restart.
        let _ = write!(text, "# HELP {name} Pushed by clients.\n# TYPE {name} gauge\n");
        for (client, labels, value) in samples {
            let separator = if labels.is_empty() { "" } else { "," };
            let _ = writeln!(text, "{name}{{{client}{separator}{labels}}} {}", number(value));
        }
    }
    text
}

fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}
