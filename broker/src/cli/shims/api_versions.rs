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

/// kafka-broker-api-versions, as of Apache Kafka 4.3.
#[derive(Debug, Parser)]
#[command(name = "kafka-broker-api-versions", version, infer_long_args = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    server: Server,
}

/// What the client of Apache Kafka 4.3 speaks: key, name, least and last version.
const SPOKEN: [(i16, &str, i16, i16); 77] = [
    (0, "Produce", 3, 13),
    (1, "Fetch", 4, 18),
    (2, "ListOffsets", 1, 11),
    (3, "Metadata", 0, 13),
    (8, "OffsetCommit", 2, 10),
    (9, "OffsetFetch", 1, 10),
    (10, "FindCoordinator", 0, 6),
    (11, "JoinGroup", 0, 9),
    (12, "Heartbeat", 0, 4),
    (13, "LeaveGroup", 0, 5),
    (14, "SyncGroup", 0, 5),
    (15, "DescribeGroups", 0, 6),
    (16, "ListGroups", 0, 5),
    (17, "SaslHandshake", 0, 1),
    (18, "ApiVersions", 0, 4),
    (19, "CreateTopics", 2, 7),
    (20, "DeleteTopics", 1, 6),
    (21, "DeleteRecords", 0, 2),
    (22, "InitProducerId", 0, 5),
    (23, "OffsetForLeaderEpoch", 2, 4),
    (24, "AddPartitionsToTxn", 0, 5),
    (25, "AddOffsetsToTxn", 0, 4),
    (26, "EndTxn", 0, 5),
    (27, "WriteTxnMarkers", 1, 2),
    (28, "TxnOffsetCommit", 0, 5),
    (29, "DescribeAcls", 1, 3),
    (30, "CreateAcls", 1, 3),
    (31, "DeleteAcls", 1, 3),
    (32, "DescribeConfigs", 1, 4),
    (33, "AlterConfigs", 0, 2),
    (34, "AlterReplicaLogDirs", 1, 2),
    (35, "DescribeLogDirs", 1, 5),
    (36, "SaslAuthenticate", 0, 2),
    (37, "CreatePartitions", 0, 3),
    (38, "CreateDelegationToken", 1, 3),
    (39, "RenewDelegationToken", 1, 2),
    (40, "ExpireDelegationToken", 1, 2),
    (41, "DescribeDelegationToken", 1, 3),
    (42, "DeleteGroups", 0, 2),
    (43, "ElectLeaders", 0, 2),
    (44, "IncrementalAlterConfigs", 0, 1),
    (45, "AlterPartitionReassignments", 0, 1),
    (46, "ListPartitionReassignments", 0, 0),
    (47, "OffsetDelete", 0, 0),
    (48, "DescribeClientQuotas", 0, 1),
    (49, "AlterClientQuotas", 0, 1),
    (50, "DescribeUserScramCredentials", 0, 0),
    (51, "AlterUserScramCredentials", 0, 0),
    (55, "DescribeQuorum", 0, 2),
    (57, "UpdateFeatures", 0, 2),
    (60, "DescribeCluster", 0, 2),
    (61, "DescribeProducers", 0, 0),
    (64, "UnregisterBroker", 0, 0),
    (65, "DescribeTransactions", 0, 0),
    (66, "ListTransactions", 0, 2),
    (68, "ConsumerGroupHeartbeat", 0, 1),
    (69, "ConsumerGroupDescribe", 0, 1),
    (71, "GetTelemetrySubscriptions", 0, 0),
    (72, "PushTelemetry", 0, 0),
    (74, "ListConfigResources", 0, 1),
    (75, "DescribeTopicPartitions", 0, 0),
    (76, "ShareGroupHeartbeat", 1, 1),
    (77, "ShareGroupDescribe", 1, 1),
    (78, "ShareFetch", 1, 2),
    (79, "ShareAcknowledge", 1, 2),
    (80, "AddRaftVoter", 0, 1),
    (81, "RemoveRaftVoter", 0, 0),
    (83, "InitializeShareGroupState", 0, 0),
    (84, "ReadShareGroupState", 0, 0),
    (85, "WriteShareGroupState", 0, 1),
    (86, "DeleteShareGroupState", 0, 0),
    (87, "ReadShareGroupStateSummary", 0, 1),
    (88, "StreamsGroupHeartbeat", 0, 0),
    (89, "StreamsGroupDescribe", 0, 0),
    (90, "DescribeShareGroupOffsets", 0, 1),
    (91, "AlterShareGroupOffsets", 0, 0),
    (92, "DeleteShareGroupOffsets", 0, 0),
];

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

    #[test]
    fn the_table_is_ordered() {
        assert!(SPOKEN.is_sorted_by_key(|(key, ..)| *key));
    }
}
