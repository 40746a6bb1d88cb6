//! The group coordinator: classic groups and committed offsets.

pub mod classic;
pub mod coordinator;
pub mod error;
#[cfg(test)]
mod fake;
pub mod ids;
pub mod log;
pub mod offsets;
pub mod placement;
pub mod schema;
pub mod settings;
pub mod shard;
pub mod slot;
pub mod timers;

pub use coordinator::Groups;
