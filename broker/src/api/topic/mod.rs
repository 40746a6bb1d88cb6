//! The topic family of APIs.

pub mod create_topics;
pub mod delete_topics;
pub mod describe_topic_partitions;
#[cfg(test)]
mod fixture;
pub mod metadata;
mod partition_state;
mod refusal;
#[cfg(test)]
mod tests;
