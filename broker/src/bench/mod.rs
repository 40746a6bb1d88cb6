//! The load client of `barnabas bench` and of `benches/side-by-side`: it measures a broker, not itself.
//!
//! Batches are built once, frames go out raw over blocking sockets, one thread a connection, pipelined. It speaks
//! Produce v7, Fetch v11, CreateTopics v5, Metadata v4, ListOffsets v2 and ApiVersions v0, which every broker since Apache
//! Kafka 2.3 serves.
//!
//! Must not know: the broker of this crate. Whatever it learns comes over the wire.
//!
//! Invariants:
//! 1. Every run ends: it has a limit, and a socket that stands still for [`STALLED`] is an error.
//! 2. Memory does not grow with the length of a run: times go into a histogram.
//! 3. With a rate, a request's time counts from the moment it was due, whether or not it could leave then.
//!
//! It stands outside of the seams: a simulated clock or network has nothing to measure, and threads that block leave no
//! runtime of our own between the socket and the clock.
#![allow(clippy::disallowed_methods, reason = "a load client measures the machine's own clock, sockets and threads")]

pub mod batch;
pub mod bootstrap;
pub mod connection;
pub mod connections;
pub mod consume;
pub mod e2e;
mod error;
mod frame;
pub mod histogram;
mod login;
pub mod produce;
pub mod schedule;
mod stream;
pub mod tally;
pub mod topic;
mod workers;

use std::time::Duration;

pub use bootstrap::Bootstrap;
pub use error::BenchError;
pub use histogram::Histogram;
pub use schedule::{Limit, stop};
pub use tally::{Done, so_far};

/// A socket that neither takes nor gives a byte for so long ends the run.
pub const STALLED: Duration = Duration::from_secs(60);
/// Most connections of one run.
pub const CONNECTIONS_MAX: usize = 10_000;
