//! APIs about settings: of topics, brokers, groups, subscriptions to clients' metrics, and levels of the log.

pub mod alter_configs;
mod change;
pub mod describe_configs;
pub mod incremental_alter_configs;
pub mod list_config_resources;
mod owner;

#[cfg(test)]
mod tests;
