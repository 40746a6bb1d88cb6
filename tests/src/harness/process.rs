//! A child process in a group of its own, its output in files, that never outlives its owner.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::wait::{self, TimedOut};

/// What is shown of one line of a log.
const LONGEST_LINE: usize = 300;

/// A running program. Dropping it kills it and everything it started.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts `command` without standard input, its standard output and standard error appended to the given files.
    pub fn start(name: &str, command: Command, stdout: &Path, stderr: &Path) -> io::Result<Self> {
        Self::start_reading(name, command, Stdio::null(), stdout, stderr)
    }

    /// Starts `command` with this standard input.
    pub fn start_reading(
        name: &str,
        mut command: Command,
        stdin: Stdio,
        stdout: &Path,
        stderr: &Path,
    ) -> io::Result<Self> {
        let child = command
            .stdin(stdin)
            .stdout(append(stdout)?)
            .stderr(append(stderr)?)
            .process_group(0)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("start {name}: {error}")))?;
        Ok(Self { child, name: name.to_owned() })
    }

    /// Its exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end; past the budget it is killed.
    pub fn wait(&mut self, budget: Duration) -> Result<ExitStatus, TimedOut> {
        let name = format!("the end of {}", self.name);
        let outcome = wait::until(&name, budget, || self.ended());
        if outcome.is_err() {
            self.kill();
        }
        outcome
    }

    /// `kill -9` to the program and everything it started, and waits until it is gone.
    pub fn kill(&mut self) {
        // The group may be gone already: the program's own end is what counts, and wait sees it.
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }

    /// Asks the program to stop (SIGTERM) and waits for its end.
    pub fn terminate(&mut self, budget: Duration) -> Result<ExitStatus, TimedOut> {
        // An error says that it has ended by itself.
        let _ = kill_process(self.pid(), Signal::TERM);
        self.wait(budget)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last lines of a file, for a failure message.
pub fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let mut last: Vec<String> =
        text.lines().rev().take(lines).map(|line| line.chars().take(LONGEST_LINE).collect()).collect();
    last.reverse();
    last.join("\n")
}

fn append(path: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| io::Error::new(error.kind(), format!("open {}: {error}", PathBuf::from(path).display())))
}
