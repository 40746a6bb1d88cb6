//! Network, the table of APIs, partitions, group coordination, and the command line. The only crate that sees Kafka
//! messages.
#![forbid(unsafe_code)]

pub mod api;
pub mod audit;
pub mod bench;
pub mod broker;
pub mod cli;
pub mod client;
pub mod delegation_tokens;
pub mod group;
pub mod http;
pub mod kept_topics;
pub mod limits;
pub mod loggers;
pub mod login;
pub mod metrics;
pub mod network;
mod one_line;
pub mod partition;
pub mod quota;
pub mod seam;
pub mod server;
pub mod session;
pub mod settings;
pub mod telemetry;
pub mod tls;
pub mod topics;
pub mod unsent;
mod unsigned_varint;
mod unwell;
