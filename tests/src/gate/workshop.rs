//! Where the gate works, and what it has prepared: each need once, whoever asks first.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use barnabas_tests::harness::process::{Process, tail};

use super::lane::Outcome;
use super::need::Need;

/// How the preparation of one need went, once it is over.
type Prepared = Arc<OnceLock<Result<(), Outcome>>>;

/// The repository, the gate's directory in it, and the state of every need.
pub(crate) struct Workshop {
    root: PathBuf,
    needs: Mutex<HashMap<Need, Prepared>>,
}

impl Workshop {
    /// A workshop in the repository at `root`.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, needs: Mutex::default() }
    }

    /// The repository.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// `.gate` in the repository: everything the gate writes.
    pub(crate) fn place(&self) -> PathBuf {
        self.root.join(".gate")
    }

    /// The sources of one client lane.
    pub(crate) fn client(&self, name: &str) -> PathBuf {
        self.root.join("tests/clients").join(name)
    }

    /// Prepares `need`, or waits for the one who does, or says at once how it went.
    pub(crate) fn ready(&self, need: Need) -> Result<(), Outcome> {
        let cell = {
            let mut needs = self.needs.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(needs.entry(need).or_default())
        };
        cell.get_or_init(|| need.prepare(self)).clone()
    }

    /// Runs one program to its end with its output in `log`.
    pub(crate) fn run(&self, name: &str, command: Command, log: &Path, budget: Duration) -> Result<(), Outcome> {
        let status = Process::start(name, command, log, log)?.wait(budget);
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Outcome::Failed(format!("{name}: {status}\n{}", tail(log, 40)))),
            Err(timed_out) => Err(Outcome::Failed(format!("{timed_out}\n{}", tail(log, 40)))),
        }
    }
}
