//! Looking at something again and again: until Ctrl-C, or until all is well.

use std::io::{self, IsTerminal};
use std::time::Duration;

use super::Failure;
use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::remark::say;
use crate::client::Cluster;

/// Between two looks when nobody says.
const EVERY: Duration = Duration::from_secs(2);

/// Whether to show it again and again.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct Watch {
    /// Shows it again every so many seconds, until Ctrl-C. A look that failed is told of on stderr, and the next one tried.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "2", value_parser = super::duration)]
    watch: Option<Duration>,
}

/// Whether to look again and again, or only until all is well.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct HealthWatch {
    #[command(flatten)]
    watch: Watch,
    /// Looks again, every 2 seconds unless --watch says otherwise, until all is well, and ends with 0 then. Brokers need not run yet.
    #[arg(long)]
    exit_when_healthy: bool,
    /// For how long; then it ends as the last look did: with 8 when something was wrong, 6 when nobody was there.
    #[arg(long, value_name = "SECONDS", requires = "exit_when_healthy", value_parser = super::duration)]
    within: Option<Duration>,
}

impl Watch {
    /// Connects and looks, and again for as long as it is watched.
    ///
    /// # Errors
    /// Those of one look; where it is watched, only those that no further look can mend.
    pub(super) async fn run(
        self,
        connection: &ConnectionArguments,
        mut look: impl AsyncFnMut(&mut Cluster) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        let Some(every) = self.watch else { return look(&mut connection.connect().await?).await };
        watch(every, connection, look, |_| false).await
    }
}

impl HealthWatch {
    /// As [`Watch::run`], and ends when a look found nothing where that is wanted.
    ///
    /// # Errors
    /// Those of one look; where it is watched, only those that no further look can mend, and the last one when the time is over.
    pub(super) async fn run(
        self,
        connection: &ConnectionArguments,
        look: impl AsyncFnMut(&mut Cluster) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        if !self.exit_when_healthy {
            return self.watch.run(connection, look).await;
        }
        let mut last = Err(Failure::new(Exit::Unreachable, "no look came to its end"));
        let is_well = |seen: &Result<Exit, Failure>| {
            last = seen.clone();
            matches!(seen, Ok(Exit::Done))
        };
        let watched = watch(self.watch.watch.unwrap_or(EVERY), connection, look, is_well);
        let Some(within) = self.within else { return watched.await };
        match tokio::time::timeout(within, watched).await {
            Ok(ended) => ended,
            Err(_) => {
                say(format_args!("barnabas: not healthy within {} s", within.as_secs_f64()));
                last
            }
        }
    }
}

/// Looks until `is_enough` says so of what a look came to. A look that failed is told of; the next one connects anew.
async fn watch(
    every: Duration,
    connection: &ConnectionArguments,
    mut look: impl AsyncFnMut(&mut Cluster) -> Result<Exit, Failure>,
    mut is_enough: impl FnMut(&Result<Exit, Failure>) -> bool,
) -> Result<Exit, Failure> {
    let mut connected = None;
    loop {
        if io::stdout().is_terminal() {
            print!("\x1b[H\x1b[2J");
        }
        let seen = once(&mut connected, connection, &mut look).await;
        if is_enough(&seen) {
            return seen;
        }
        if let Err(failure) = seen {
            if !may_pass(&failure) {
                return Err(failure);
            }
            connected = None;
            say(format_args!("barnabas: {}; looks again in {} s", failure.message(), every.as_secs_f64()));
        }
        tokio::time::sleep(every).await;
    }
}

async fn once(
    connected: &mut Option<Cluster>,
    connection: &ConnectionArguments,
    look: &mut impl AsyncFnMut(&mut Cluster) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let cluster = match connected {
        Some(cluster) => cluster,
        None => connected.insert(connection.connect().await?),
    };
    look(cluster).await
}

/// A wrong command line stays wrong, and a login that is refused again and again looks like an attack.
fn may_pass(failure: &Failure) -> bool {
    !matches!(failure.exit(), Exit::Usage | Exit::Denied)
}
