//! Brokers and other programs, started, watched, killed and started again.

pub mod broker;
pub mod dice;
pub mod history;
pub mod http;
pub mod issuer;
pub mod loop_device;
pub mod port;
pub mod priority;
pub mod proc;
pub mod process;
pub mod reader;
pub mod relay;
pub mod slow;
pub mod wait;
