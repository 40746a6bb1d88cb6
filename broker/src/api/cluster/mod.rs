//! APIs about the cluster and the broker itself.

pub mod alter_replica_log_dirs;
pub mod api_versions;
pub mod describe_cluster;
pub mod describe_log_dirs;
pub mod describe_quorum;
#[cfg(test)]
mod tests;
pub mod unregister_broker;
pub mod update_features;
