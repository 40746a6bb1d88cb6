//! `cargo gate`: every check that must hold before a change lands, one line per lane, counted at the end.
//!
//! - `cargo gate` runs all lanes; `cargo gate fast` those of the inner loop; `cargo gate NAME...` the named ones.
//! - `cargo gate --kafka NAME...` runs lanes against Apache Kafka 4.3.1 in place of Barnabas: a client lane that fails there
//!   is wrong itself.
//! - `cargo gate --broker PATH NAME...` runs them against a binary that is there already.
//! - `cargo gate --list` names the lanes.
//!
//! Everything it prepares or writes is in `.gate/` below the repository.
#![forbid(unsafe_code)]

mod gate;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match gate::run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(usage) => {
            eprintln!("gate: {usage}");
            ExitCode::from(2)
        }
    }
}
