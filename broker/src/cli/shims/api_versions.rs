//! kafka-broker-api-versions.
//!
//! Where it differs: "usable" is what Apache Kafka 4.3's client could use, as the tool of 4.3 says, not this client.

use clap::Parser;

use super::Server;
use crate::api::Versions;
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, with_causes};
use crate::cli::output::print;
use crate::client::Client;
use crate::client::kafka_apis::SPOKEN;

/// kafka-broker-api-versions, as of Apache Kafka 4.3.
#[derive(Debug, Parser)]
#[command(name = "kafka-broker-api-versions", version, infer_long_args = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    server: Server,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let mut cluster = arguments.server.connection().connect().await?;
    let answer = cluster.metadata(Some(&[])).await?;
    let mut text = String::new();
    let mut brokers = answer.brokers;
    brokers.sort_by_key(|broker| broker.node_id);
    for broker in &brokers {
        let rack = broker.rack.as_ref().map_or("null", |rack| rack.as_str());
        let node = format!("{}:{} (id: {} rack: {rack} isFenced: false)", broker.host, broker.port, broker.node_id.0);
        text += &match cluster.broker(broker.node_id.0).await {
            Ok(client) => format!("{node} -> {}\n", served(client)),
            Err(error) => format!("{node} -> ERROR: {}\n", with_causes(&error)),
        };
    }
    print(&text)?;
    Ok(Exit::Done)
}

fn served(client: &Client) -> String {
    let mut served: Vec<(i16, Versions)> = client
        .api_versions()
        .api_keys
        .iter()
        .map(|api| (api.api_key, Versions::new(api.min_version, api.max_version)))
        .collect();
    served.sort_by_key(|(key, _)| *key);
    shown(&served)
}

/// Every API that either side knows, ordered by its key.
fn shown(served: &[(i16, Versions)]) -> String {
    let of = |key: i16| served.iter().find(|(known, _)| *known == key).map(|(_, versions)| *versions);
    let spoken = SPOKEN.iter().map(|(key, name, least, last)| {
        let text = match of(*key) {
            None => "UNSUPPORTED".to_owned(),
            Some(versions) => {
                let usable = match () {
                    () if *last < versions.min => "unusable: node too new".to_owned(),
                    () if *least > versions.max => "unusable: node too old".to_owned(),
                    () => format!("usable: {}", versions.max.min(*last)),
                };
                format!("{} [{usable}]", range(versions))
            }
        };
        (*key, format!("\t{name}({key}): {text}"))
    });
    let is_spoken = |key: i16| SPOKEN.iter().any(|(known, ..)| *known == key);
    let unknown = served.iter().filter(|(key, _)| !is_spoken(*key));
    let unknown = unknown.map(|(key, versions)| (*key, format!("\tUNKNOWN({key}): {}", range(*versions))));
    let mut lines: Vec<(i16, String)> = spoken.chain(unknown).collect();
    lines.sort_by_key(|(key, _)| *key);
    let lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    format!("(\n{}\n)", lines.join(",\n"))
}

fn range(versions: Versions) -> String {
    if versions.min == versions.max {
        versions.min.to_string()
    } else {
        format!("{} to {}", versions.min, versions.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_api_is_told_as_kafkas_tool_does() {
        let text = shown(&[
            (0, Versions::new(0, 9)),
            (1, Versions::new(4, 4)),
            (3, Versions::new(40, 40)),
            (999, Versions::new(4, 7)),
        ]);
        for line in [
            "(\n\tProduce(0): 0 to 9 [usable: 9],\n",
            "\tFetch(1): 4 [usable: 4],\n",
            "\tMetadata(3): 40 [unusable: node too new],\n",
            "\tListOffsets(2): UNSUPPORTED,\n",
            "\tUNKNOWN(999): 4 to 7\n)",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
