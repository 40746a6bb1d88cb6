//! Showing something again and again.

use std::io::{self, IsTerminal};
use std::time::Duration;

use super::Failure;
use super::exit::Exit;

/// Whether to show it again and again.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct Watch {
    /// Shows it again every so many seconds, until Ctrl-C.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "2", value_parser = super::duration)]
    watch: Option<Duration>,
}

impl Watch {
    /// Runs `once`, and again for as long as it is watched.
    ///
    /// # Errors
    /// Those of `once`: they end it.
    pub(super) async fn run(self, mut once: impl AsyncFnMut() -> Result<Exit, Failure>) -> Result<Exit, Failure> {
        let Some(every) = self.watch else { return once().await };
        loop {
            if io::stdout().is_terminal() {
                print!("\x1b[H\x1b[2J");
            }
            once().await?;
            tokio::time::sleep(every).await;
        }
    }
}
