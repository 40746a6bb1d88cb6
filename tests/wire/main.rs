//! The wire: a broker as a child process, and raw bytes. `HOSTILE_FRAMES=1000000 cargo test -p barnabas-tests --test wire`
//! runs the full number of hostile frames.
#![allow(clippy::unwrap_used, reason = "a test, also where it is not inside a test function")]

mod acls;
mod audit;
mod authorization;
mod bench;
mod client;
mod commands;
mod completions;
mod controller;
mod dev;
mod fixture;
mod generated;
mod groups;
mod health;
mod hostile;
mod late;
mod logging;
mod login;
mod memory;
mod metadata_dump;
mod metrics;
mod mutations;
mod oauth;
mod pipeline;
mod progress;
mod protection;
mod sasl;
mod security;
mod seeds;
mod suggest;
mod tokens;
mod topic_ids;
mod undelete;
mod versions;
mod watch;
