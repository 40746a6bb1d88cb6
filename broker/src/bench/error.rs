//! Why a run of the load client ended early: what was tried, and what to do next.

use std::io;

use kafka_protocol::error::ResponseError;

use crate::client::code;

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Nobody listens.
    #[error(
        "connect to {address}: is a broker there? Start one with `barnabas serve`, or name it with --bootstrap-server"
    )]
    Connect {
        /// What was tried.
        address: String,
        /// Why it failed.
        source: io::Error,
    },
    /// No TLS with the broker.
    #[error("TLS with {address}: {reason}")]
    Tls {
        /// The broker.
        address: String,
        /// Why not.
        reason: String,
    },
    /// The broker does not let us in, or we do not trust it.
    #[error("log in at {address}: {reason}")]
    Login {
        /// The broker.
        address: String,
        /// Why not.
        reason: String,
    },
    /// The process may not open so many files.
    #[error("{needed} connections need as many open files, the limit is {limit}: raise it with `ulimit -n {needed}`")]
    Files {
        /// How many are needed.
        needed: u64,
        /// How many are allowed.
        limit: u64,
    },
    /// A connection broke.
    #[error("{act}: the connection to {address} broke; the broker's log says why")]
    Broken {
        /// What was under way.
        act: &'static str,
        /// The broker.
        address: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A connection stood still.
    #[error(
        "{act}: {address} did nothing for {waited:?}; see whether the broker is overloaded or its disk stands still"
    )]
    Stalled {
        /// What was under way.
        act: &'static str,
        /// The broker.
        address: String,
        /// For how long.
        waited: std::time::Duration,
    },
    /// The broker answered with an error.
    #[error("{act} {what}: {} ({code}). {}", code::name(*.code), next_step(*.code))]
    Refused {
        /// What was asked.
        act: &'static str,
        /// Of which topic or partition.
        what: String,
        /// Kafka's code.
        code: i16,
    },
    /// The topic has fewer partitions than asked for.
    #[error("topic {topic} has {has} partitions, {wanted} were asked for: pass --partitions {has}, or another --topic")]
    Partitions {
        /// The topic.
        topic: String,
        /// How many it has.
        has: i32,
        /// How many were asked for.
        wanted: i32,
    },
    /// No such topic.
    #[error("there is no topic {0}: write to it first with `barnabas bench produce --topic {0}`")]
    NoTopic(String),
    /// There is nothing to read.
    #[error("topic {0} is empty: write to it first with `barnabas bench produce --topic {0}`")]
    Empty(String),
    /// The topic has partitions without leaders.
    #[error(
        "topic {0} has partitions without a leader after 3 minutes: see that all brokers run, or take another --topic"
    )]
    NoLeaders(String),
    /// Records were acknowledged and did not come out.
    #[error("{missing} of {sent} requests were acknowledged, but a consumer did not get them within {waited:?}")]
    NotDelivered {
        /// How many did not come.
        missing: u64,
        /// How many were sent.
        sent: u64,
        /// How long the consumer went on.
        waited: std::time::Duration,
    },
    /// An answer is not of the protocol's form.
    #[error("{act}: {address} sent {reason}: is it a broker that speaks the Kafka protocol?")]
    Malformed {
        /// What was asked.
        act: &'static str,
        /// The broker.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// The machine gave no thread.
    #[error("start a thread for a connection: lower --connections, or raise `ulimit -u`")]
    Thread(#[source] io::Error),
    /// A load thread panicked.
    #[error("a load thread died: this is a bug of the load client")]
    Died,
}

fn next_step(code: i16) -> &'static str {
    match ResponseError::try_from_code(code) {
        Some(ResponseError::MessageTooLarge | ResponseError::RecordListTooLarge) => {
            "Lower --batch-size, or raise the topic's max.message.bytes"
        }
        Some(ResponseError::NotEnoughReplicas | ResponseError::NotEnoughReplicasAfterAppend) => {
            "Start the missing brokers, or lower the topic's min.insync.replicas"
        }
        Some(ResponseError::OffsetOutOfRange) => {
            "Its beginning was deleted meanwhile: raise retention, or run it again"
        }
        Some(ResponseError::InvalidReplicationFactor) => "Lower --replication-factor, or start more brokers",
        Some(ResponseError::InvalidTopicException | ResponseError::InvalidPartitions) => {
            "Choose another --topic or --partitions"
        }
        Some(ResponseError::NotLeaderOrFollower) => "Its leader moved meanwhile: run it again",
        _ => "The broker's log says why",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_error_and_the_next_step() {
        let error = BenchError::Refused { act: "produce to", what: "t-0".to_owned(), code: 10 };
        let text = error.to_string();
        assert!(
            text.starts_with("produce to t-0: ")
                && text.contains("MESSAGE_TOO_LARGE (10)")
                && text.contains("--batch-size"),
            "{text}"
        );
    }
}
