//! Every setting as one row of a static table: Kafka's name, type, default, range, dynamic or not, documentation.
//! server.properties, overlays, environment and value providers are read here.
//!
//! Must not know: anything else of the workspace.

pub mod config;
pub mod key;
pub mod topic;

pub use config::Config;
pub use key::Key;
pub use topic::TopicConfig;
