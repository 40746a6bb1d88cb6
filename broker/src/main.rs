//! The one binary: a broker and its command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    barnabas_broker::cli::run()
}
