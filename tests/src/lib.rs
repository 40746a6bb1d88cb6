//! What the suites of this crate share: brokers as child processes, Apache Kafka as the oracle among them.
//!
//! It knows a broker only by its command line, its properties file and its socket. Nothing of the broker's own crates is
//! linked here, so that the gate starts before they are built.
#![forbid(unsafe_code)]

pub mod harness;
