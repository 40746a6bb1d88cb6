//! A lane: one named check of the gate, as a row.

use std::time::Duration;

use super::need::Need;
use super::room::Room;

/// Runs a lane; the text is what the report says of a lane that passed.
pub(crate) type Run = fn(&Room<'_>) -> Result<String, Outcome>;

/// One check.
pub(crate) struct Lane {
    /// The word on the command line and in the report.
    pub(crate) name: &'static str,
    /// One line for `--list`.
    pub(crate) about: &'static str,
    /// What must be prepared before it runs.
    pub(crate) needs: &'static [Need],
    /// Whether `cargo gate fast` runs it.
    pub(crate) fast: bool,
    /// Whether it runs only where it is named: not in the default run.
    pub(crate) by_name: bool,
    /// Longest time for any one program it runs.
    pub(crate) budget: Duration,
    /// Runs it.
    pub(crate) run: Run,
}

/// Why a lane did not pass.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// The machine lacks what it needs.
    Skipped(String),
    /// The kernel does not allow what it needs: a skip even where nothing may be missing.
    Forbidden(String),
    /// It found something, or could not run.
    Failed(String),
}

impl From<std::io::Error> for Outcome {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<barnabas_tests::harness::wait::TimedOut> for Outcome {
    fn from(error: barnabas_tests::harness::wait::TimedOut) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<serde_json::Error> for Outcome {
    fn from(error: serde_json::Error) -> Self {
        Self::Failed(format!("an answer that is not JSON: {error}"))
    }
}

/// A failure with this message.
pub(crate) fn failed<T>(why: impl Into<String>) -> Result<T, Outcome> {
    Err(Outcome::Failed(why.into()))
}
