//! The wire: a broker as a child process, and raw bytes. `HOSTILE_FRAMES=1000000 cargo test -p barnabas-tests --test wire`
//! runs the full number of hostile frames.

mod client;
mod fixture;
mod hostile;
mod memory;
mod pipeline;
mod versions;
