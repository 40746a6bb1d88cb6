//! Every setting as one row of a static table: Kafka's name, type, default, range, dynamic or not, documentation.
//! server.properties, overlays, environment and value providers are read here.
//!
//! Must not know: anything else of the workspace. Files and the environment are handed in.
#![forbid(unsafe_code)]

mod checks;
pub mod client_metrics;
pub mod config;
pub mod described;
pub mod dynamic;
mod environment;
pub mod error;
pub mod group;
pub mod key;
pub mod listener;
pub mod load;
pub mod properties;
pub mod provider;
pub mod setting;
mod suggest;
pub mod table;
pub mod topic;

pub use config::{Config, Source};
pub use dynamic::{Dynamic, Values};
pub use error::{ConfigError, ConfigErrors, Warning};
pub use key::Key;
pub use listener::{Listener, SecurityProtocol};
pub use load::ConfigSources;
pub use topic::TopicConfig;
