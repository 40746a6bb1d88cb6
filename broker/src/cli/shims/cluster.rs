//! kafka-cluster.

use std::path::PathBuf;

use clap::Parser;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::{BrokerId, DescribeClusterResponse, UnregisterBrokerRequest};

use super::{connect, java_exception};
use crate::cli::connection::ConnectionArguments;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::client::{CallError, Cluster, Endpoint};

/// kafka-cluster, as of Apache Kafka 4.3.
#[derive(Debug, Parser)]
#[command(name = "kafka-cluster", version, infer_long_args = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Get information about the ID of a cluster.
    ClusterId(Server),
    /// Unregister a broker.
    Unregister {
        #[command(flatten)]
        server: Server,
        /// The ID of the broker to unregister.
        #[arg(short, long)]
        id: i32,
    },
    /// List endpoints.
    ListEndpoints {
        #[command(flatten)]
        server: Server,
        /// Whether to include fenced brokers.
        #[arg(long)]
        include_fenced_brokers: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Server {
    /// The servers to connect to.
    #[arg(short, long, value_name = "HOST:PORT,...", required_unless_present = "bootstrap_controller")]
    bootstrap_server: Option<String>,
    /// The controllers to connect to, where they have a listener of their own.
    #[arg(short = 'C', long, value_name = "HOST:PORT,...", conflicts_with = "bootstrap_server")]
    bootstrap_controller: Option<String>,
    /// A properties file for the client.
    #[arg(short, long, visible_alias = "command-config", value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Server {
    async fn connect(&self) -> Result<Cluster, Failure> {
        let connection = ConnectionArguments::of_tool(self.bootstrap_server.clone(), self.config.clone());
        connect(connection, self.bootstrap_controller.clone()).await
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.command {
        Command::ClusterId(server) => {
            let answer = describe(&mut server.connect().await?, false).await?;
            print(&format!("Cluster ID: {}\n", answer.cluster_id))?;
        }
        Command::Unregister { server, id } => unregister(&mut server.connect().await?, id).await?,
        Command::ListEndpoints { server, include_fenced_brokers } => {
            if include_fenced_brokers && server.bootstrap_controller.is_some() {
                let text = "The option --include-fenced-brokers is only supported with --bootstrap-server option";
                return Err(Failure::usage(text));
            }
            let mut cluster = server.connect().await?;
            let answer = describe(&mut cluster, include_fenced_brokers).await?;
            print(&endpoints(&answer.brokers, cluster.settings().endpoint))?;
        }
    }
    Ok(Exit::Done)
}

async fn describe(cluster: &mut Cluster, with_fenced: bool) -> Result<DescribeClusterResponse, Failure> {
    let answer = cluster.describe(with_fenced).await?;
    if answer.error_code != 0 {
        return Err(java_exception(answer.error_code, answer.error_message.as_deref()).into());
    }
    Ok(answer)
}

async fn unregister(cluster: &mut Cluster, id: i32) -> Result<(), Failure> {
    let request = |_| UnregisterBrokerRequest::default().with_broker_id(BrokerId(id));
    let answer = match cluster.ask_controller(0, request, |answer| answer.error_code).await {
        Err(CallError::Unsupported { .. }) => {
            return print("The target cluster does not support the broker unregistration API.\n");
        }
        answer => answer?,
    };
    match answer.error_code {
        0 => print(&format!("Broker {id} is no longer registered.\n")),
        code => Err(java_exception(code, answer.error_message.as_deref()).into()),
    }
}

/// The columns of Apache Kafka 4.3: host and rack as wide as the widest. Controllers have no state.
fn endpoints(nodes: &[DescribeClusterBroker], endpoint: Endpoint) -> String {
    let rack = |node: &DescribeClusterBroker| node.rack.as_ref().map_or("null", |rack| rack.as_str()).to_owned();
    let host = nodes.iter().map(|node| node.host.len()).max().unwrap_or(0);
    let racks = nodes.iter().map(|node| rack(node).len()).max().unwrap_or(0).max(10);
    let line = |cells: [&str; 6]| {
        let [id, name, port, rack, state, kind] = cells;
        let state = if endpoint == Endpoint::Brokers { format!("{state:<10} ") } else { String::new() };
        format!("{id:<10} {name:<host$} {port:<10} {rack:<racks$} {state}{kind:<15}\n")
    };
    let kind = if endpoint == Endpoint::Brokers { "broker" } else { "controller" };
    let mut text = line(["ID", "HOST", "PORT", "RACK", "STATE", "ENDPOINT_TYPE"]);
    for node in nodes {
        let state = if node.is_fenced { "fenced" } else { "unfenced" };
        let (id, port) = (node.broker_id.0.to_string(), node.port.to_string());
        text += &line([&id, &node.host, &port, &rack(node), state, kind]);
    }
    text
}

#[cfg(test)]
mod tests {
    use kafka_protocol::protocol::StrBytes;

    use super::*;

    #[test]
    fn endpoints_have_kafkas_columns() {
        let broker = DescribeClusterBroker::default()
            .with_broker_id(BrokerId(1))
            .with_host(StrBytes::from_static_str("127.0.0.1"))
            .with_port(9092);
        assert_eq!(
            endpoints(std::slice::from_ref(&broker), Endpoint::Brokers),
            "ID         HOST      PORT       RACK       STATE      ENDPOINT_TYPE  \n\
             1          127.0.0.1 9092       null       unfenced   broker         \n"
        );
        assert_eq!(
            endpoints(&[broker], Endpoint::Controllers),
            "ID         HOST      PORT       RACK       ENDPOINT_TYPE  \n\
             1          127.0.0.1 9092       null       controller     \n"
        );
    }

    #[test]
    fn a_server_is_named_after_the_command() {
        let line = ["kafka-cluster", "unregister", "-b", "h:1", "--id", "7"];
        assert!(matches!(Arguments::try_parse_from(line).unwrap().command, Command::Unregister { id: 7, .. }));
        assert!(Arguments::try_parse_from(["kafka-cluster", "cluster-id"]).is_err());
        assert!(Arguments::try_parse_from(["kafka-cluster", "cluster-id", "-C", "h:1"]).is_ok());
        assert!(Arguments::try_parse_from(["kafka-cluster", "cluster-id", "-C", "h:1", "-b", "h:2"]).is_err());
    }
}
