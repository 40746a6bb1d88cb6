//! A running broker and its directory; killed and removed when dropped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use barnabas_broker::bench::Bootstrap;
use kafka_protocol::messages::MetadataRequest;

use crate::peer::{Peer, Programs, data, free_port};
use crate::process::Usage;
use crate::{Outcome, process, say};

/// How long a start may take.
const READY_DEADLINE: Duration = Duration::from_secs(300);
/// Pause between two looks.
const READY_PAUSE: Duration = Duration::from_millis(1);
/// Where a directory keeps the id of its broker.
const PID_FILE: &str = "broker.pid";
/// How the directories of runs are called; the process id follows.
const DIRECTORY_PREFIX: &str = "side-by-side-";

/// A running broker.
pub(crate) struct Running {
    pub(crate) peer: Peer,
    pub(crate) bootstrap: Bootstrap,
    /// From exec to the first answered Metadata.
    pub(crate) ready: Duration,
    /// When it was started.
    pub(crate) started: Instant,
    child: Child,
    directory: PathBuf,
    port: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Running {
    /// Starts `peer` on an empty directory and waits for its first Metadata.
    pub(crate) fn start(peer: Peer, programs: &Programs) -> Outcome<Self> {
        let scratch = std::path::absolute(&programs.scratch)?;
        remove_what_was_left(&scratch);
        let directory = scratch.join(format!("{DIRECTORY_PREFIX}{}", std::process::id()));
        fs::create_dir_all(&directory)?;
        let port = free_port()?;
        let begin = || {
            // Its certificate before the broker that reads it.
            let bootstrap = programs.bootstrap(&directory, port)?;
            let (child, started) = spawn(programs.command(peer, &directory, port)?, &directory)?;
            Ok((bootstrap, child, started))
        };
        let begun: Outcome<_> = begin();
        let (bootstrap, child, started) = begun.inspect_err(|_| drop(fs::remove_dir_all(&directory)))?;
        let mut running = Self { peer, bootstrap, ready: Duration::ZERO, started, child, directory, port };
        running.wait_until_ready()?;
        Ok(running)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts the killed broker again on its directory and waits for its first Metadata.
    pub(crate) fn start_again(&mut self, programs: &Programs) -> Outcome<()> {
        let command = programs.command(self.peer, &self.directory, self.port)?;
        (self.child, self.started) = spawn(command, &self.directory)?;
        self.wait_until_ready()
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> Outcome<Usage> {
        process::usage(self.pid())
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where its logs are.
    pub(crate) fn data(&self) -> PathBuf {
        data(&self.directory)
    }

    fn wait_until_ready(&mut self) -> Outcome<()> {
        while self.started.elapsed() < READY_DEADLINE {
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(self.directory.join("log.txt")).unwrap_or_default();
                return Err(format!("{} ended with {status}:\n{log}", self.peer.name()).into());
            }
            let request = MetadataRequest::default().with_topics(None);
            let answer =
                self.bootstrap.open().and_then(|mut connection| connection.call(&request, 4, "ask for metadata"));
            if answer.is_ok_and(|answer| !answer.brokers.is_empty()) {
                self.ready = self.started.elapsed();
                return Ok(());
            }
            std::thread::sleep(READY_PAUSE);
        }
        Err(format!("{} was not ready within {READY_DEADLINE:?}", self.peer.name()).into())
    }
}

fn spawn(mut command: Command, directory: &Path) -> Outcome<(Child, Instant)> {
    let log = fs::File::create(directory.join("log.txt"))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let started = Instant::now();
    let child = command.spawn()?;
    fs::write(directory.join(PID_FILE), child.id().to_string())?;
    Ok((child, started))
}

/// A run that was killed could not end its broker and remove its directory: the next one does.
fn remove_what_was_left(scratch: &Path) {
    for entry in fs::read_dir(scratch).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(DIRECTORY_PREFIX)) else { continue };
        if pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists() {
            say(&format!("removing {}, left by a run that was killed", path.display()));
            kill_broker_of(&path);
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// Kills the process whose id the directory keeps, if it is still the broker: its command line names the directory.
fn kill_broker_of(directory: &Path) {
    let pid = fs::read_to_string(directory.join(PID_FILE)).ok().and_then(|pid| pid.parse().ok());
    let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) else { return };
    let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    if String::from_utf8_lossy(&line).contains(&*directory.to_string_lossy()) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}
