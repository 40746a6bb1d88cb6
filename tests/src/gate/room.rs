//! A lane's room: a fresh directory, its brokers, and the programs it runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use barnabas_tests::harness::broker::{Broker, Server};
use barnabas_tests::harness::loop_device::unmount_below;
use barnabas_tests::harness::process::{Process, tail};

use super::Against;
use super::lane::{Lane, Outcome};
use super::need::Need;
use super::workshop::Workshop;

/// Lines of a log shown with a failure.
const SHOWN: usize = 25;

/// What a lane has at hand while it runs.
pub(crate) struct Room<'a> {
    /// The repository and what is prepared.
    pub(crate) workshop: &'a Workshop,
    lane: &'a Lane,
    directory: PathBuf,
    against: Against,
}

impl<'a> Room<'a> {
    /// An empty directory for the lane.
    pub(crate) fn new(workshop: &'a Workshop, lane: &'a Lane, against: Against) -> Result<Self, Outcome> {
        let directory = workshop.place().join("run").join(lane.name);
        if directory.exists() {
            unmount_below(&directory);
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        Ok(Self { workshop, lane, directory, against })
    }

    /// Waits for what the lane needs and runs it. In CI nothing may be missing.
    pub(crate) fn run(&self) -> Result<String, Outcome> {
        let outcome = self.ready().and_then(|()| (self.lane.run)(self));
        match outcome {
            Err(Outcome::Skipped(why)) if std::env::var("CI").is_ok_and(|ci| ci == "true") => {
                Err(Outcome::Failed(format!("{why}, and CI must not skip")))
            }
            other => other,
        }
    }

    fn ready(&self) -> Result<(), Outcome> {
        let mut needs = self.lane.needs.iter().filter(|need| self.against.wants(**need));
        needs.try_for_each(|need| self.workshop.ready(*need))
    }

    /// Whether brokers of this run are Apache Kafka's.
    pub(crate) fn is_kafka(&self) -> bool {
        matches!(self.against, Against::Kafka(_))
    }

    /// Whether brokers of this run are built from the repository.
    pub(crate) fn is_built(&self) -> bool {
        matches!(self.against, Against::Built)
    }

    /// A path in the lane's directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Longest time for one program of this lane.
    pub(crate) fn budget(&self) -> Duration {
        self.lane.budget
    }

    /// Starts a broker with `settings` beside Kafka's defaults, in a directory called `name`.
    pub(crate) fn broker(&self, name: &str, settings: &[(&str, &str)]) -> Result<Broker, Outcome> {
        let mut broker = self.prepared(name, settings)?;
        broker.restart()?;
        Ok(broker)
    }

    /// As [`Room::broker`], but does not start it.
    pub(crate) fn prepared(&self, name: &str, settings: &[(&str, &str)]) -> Result<Broker, Outcome> {
        let server = match &self.against {
            Against::Kafka(_) => {
                self.workshop.ready(Need::JavaFour)?;
                Server::Kafka(Need::JavaFour.place(self.workshop).join("jars"))
            }
            Against::Program(_) | Against::Built => Server::Barnabas(self.program()),
        };
        Ok(Broker::prepare(&server, &self.path(name), settings)?)
    }

    /// Our own program: the broker, and the load client of `barnabas bench`.
    pub(crate) fn program(&self) -> PathBuf {
        match &self.against {
            Against::Program(program) | Against::Kafka(Some(program)) => program.clone(),
            Against::Built | Against::Kafka(None) => self.workshop.root().join("target/release/barnabas"),
        }
    }

    /// Starts a program; its standard output goes to `NAME.out`, its standard error to `NAME.log`.
    pub(crate) fn start(&self, name: &str, command: Command) -> Result<Process, Outcome> {
        Ok(Process::start(name, command, &self.output(name), &self.log(name))?)
    }

    /// Runs a program to its end; a failure shows the last lines of both its outputs.
    pub(crate) fn step(&self, name: &str, command: Command) -> Result<(), Outcome> {
        let mut process = self.start(name, command)?;
        self.finish(name, &mut process)
    }

    /// Runs a program to its end with a file as its standard input.
    pub(crate) fn step_reading(&self, name: &str, command: Command, input: &Path) -> Result<(), Outcome> {
        let input = fs::File::open(input)?.into();
        let mut process = Process::start_reading(name, command, input, &self.output(name), &self.log(name))?;
        self.finish(name, &mut process)
    }

    /// Waits for a started program to end well.
    pub(crate) fn finish(&self, name: &str, process: &mut Process) -> Result<(), Outcome> {
        let why = match process.wait(self.budget()) {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => format!("{name}: {status}"),
            Err(timed_out) => timed_out.to_string(),
        };
        Err(Outcome::Failed(format!("{why}{}{}", self.shown(&self.output(name)), self.shown(&self.log(name)))))
    }

    /// Where a program's standard output goes.
    pub(crate) fn output(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.out"))
    }

    /// Where a program's standard error goes.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.log"))
    }

    /// Adds the end of the broker's log to a failure.
    pub(crate) fn with_log_of<T>(&self, broker: &mut Broker, outcome: Result<T, Outcome>) -> Result<T, Outcome> {
        let crash = broker.crashed();
        match (outcome, crash) {
            (Err(Outcome::Failed(why)), crash) => {
                let crash = crash.map(|status| format!("\nthe broker had ended: {status}")).unwrap_or_default();
                Err(Outcome::Failed(format!("{why}{crash}{}", self.shown(&broker.log()))))
            }
            (Ok(_), Some(status)) => {
                Err(Outcome::Failed(format!("the broker ended: {status}{}", self.shown(&broker.log()))))
            }
            (outcome, _) => outcome,
        }
    }

    fn shown(&self, path: &Path) -> String {
        let end = tail(path, SHOWN);
        if end.is_empty() { String::new() } else { format!("\n--- the end of {}\n{end}", path.display()) }
    }
}
