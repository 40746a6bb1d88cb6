//! APIs about the cluster and the broker itself.

pub mod api_versions;
pub mod describe_cluster;
