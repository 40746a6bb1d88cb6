//! openraft, and everything of ours that has its traits: log store, state machine, snapshots, network. Nothing
//! outside this directory and `wal/` names an openraft type, so that its version can move.
//!
//! openraft starts its own tasks on the tokio runtime it is opened in (its `AsyncRuntime`): that is the seam for a
//! simulated runtime.

pub(crate) mod encoding;
pub(crate) mod log_store;
pub(crate) mod network;
pub(crate) mod quorum;
pub(crate) mod snapshot;
pub(crate) mod state_machine;
#[cfg(test)]
mod tests;
pub(crate) mod type_config;
