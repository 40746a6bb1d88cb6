//! One broker as a child process on a free port with a directory of its own: Barnabas, or Apache Kafka as the oracle.
//!
//! Both read the same properties file. A broker counts as ready when it answers ApiVersions.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::port;
use super::process::{Process, tail};
use super::wait::{self, Stopwatch};

/// Longest wait for a start, recovery included.
const READY: Duration = Duration::from_secs(60);
/// Longest wait for a clean stop.
const STOPPED: Duration = Duration::from_secs(60);

/// Which program serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// Our own binary.
    Barnabas(PathBuf),
    /// Apache Kafka, from a directory of jars.
    Kafka(PathBuf),
}

/// A broker and its directory.
#[derive(Debug)]
pub struct Broker {
    server: Server,
    directory: PathBuf,
    port: u16,
    controller_port: u16,
    process: Option<Process>,
    launched: Stopwatch,
    environment: Vec<(String, String)>,
}

impl Broker {
    /// Writes the properties file into `directory`, formats where needed, starts the broker and waits until it answers.
    /// `settings` are added to the file: Kafka's names. In their values `{port}` and `{controller}` stand for the ports of the
    /// usual two listeners.
    pub fn start(server: &Server, directory: &Path, settings: &[(&str, &str)]) -> io::Result<Self> {
        let mut broker = Self::prepare(server, directory, settings)?;
        broker.restart()?;
        Ok(broker)
    }

    /// As [`Broker::start`], but does not start it.
    pub fn prepare(server: &Server, directory: &Path, settings: &[(&str, &str)]) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let (server, directory) = (server.clone(), directory.to_owned());
        let (port, controller_port) = (port::free()?, port::free()?);
        let (process, launched, environment) = (None, Stopwatch::start(), Vec::new());
        let broker = Self { server, directory, port, controller_port, process, launched, environment };
        std::fs::write(broker.properties_file(), broker.properties(settings))?;
        if let Server::Kafka(jars) = &broker.server {
            broker.format(jars)?;
        }
        Ok(broker)
    }

    /// Sets a variable of its environment, from the next start on.
    pub fn tell(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Where clients connect.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where the controller answers, if it has a listener of its own: Apache Kafka's has.
    pub fn controller(&self) -> String {
        format!("127.0.0.1:{}", self.controller_port)
    }

    /// The directory named by `log.dirs`.
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The running process.
    pub fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// What the broker wrote to its standard output and error.
    pub fn log(&self) -> PathBuf {
        self.directory.join("broker.log")
    }

    /// Starts the stopped or killed broker again, on the same port and directory; tells how long its first answer took.
    pub fn restart(&mut self) -> io::Result<Duration> {
        self.launch()?;
        self.answered()
    }

    /// Starts the stopped or killed broker again and does not wait.
    pub fn launch(&mut self) -> io::Result<()> {
        self.launched = Stopwatch::start();
        let mut command = self.command();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        self.process = Some(Process::start("the broker", command, &self.log(), &self.log())?);
        Ok(())
    }

    /// Waits for the first answer of a launched broker; tells how long it took.
    pub fn answered(&mut self) -> io::Result<Duration> {
        let (port, launched, mut process) = (self.port, self.launched, self.process.take());
        let outcome = wait::until("the broker to answer", READY, || {
            if port::answers(port) { Some(Ok(launched.elapsed())) } else { process.as_mut()?.ended().map(Err) }
        });
        match outcome {
            Ok(Ok(took)) => {
                self.process = process;
                Ok(took)
            }
            Ok(Err(status)) => Err(self.failure(&format!("the broker ended at its start: {status}"))),
            Err(timed_out) => Err(self.failure(&timed_out.to_string())),
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// A clean stop: SIGTERM, and the broker has to end by itself with success.
    pub fn stop(&mut self) -> io::Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let status = process.terminate(STOPPED).map_err(|error| self.failure(&error.to_string()))?;
        // The JVM exits with 128 + SIGTERM after a clean stop.
        let clean = status.success() || status.code() == Some(143);
        if clean { Ok(()) } else { Err(self.failure(&format!("the broker stopped with {status}"))) }
    }

    /// The exit status of a broker that was not asked to end: a crash.
    pub fn crashed(&mut self) -> Option<String> {
        self.process.as_mut()?.ended().map(|status| status.to_string())
    }

    fn command(&self) -> Command {
        match &self.server {
            Server::Barnabas(program) => {
                let mut command = Command::new(program);
                // A panic's message is what a failure shows; a backtrace would push it out of the tail.
                command.arg("serve").arg(self.properties_file()).env("RUST_BACKTRACE", "0");
                command
            }
            Server::Kafka(jars) => {
                let mut command = java(jars, "kafka.Kafka");
                command.arg(self.properties_file());
                command
            }
        }
    }

    fn format(&self, jars: &Path) -> io::Result<()> {
        let log = self.log();
        let mut command = java(jars, "kafka.tools.StorageTool");
        command.args(["format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c"]).arg(self.properties_file());
        let status = Process::start("the format tool", command, &log, &log)?
            .wait(READY)
            .map_err(|error| self.failure(&error.to_string()))?;
        if status.success() { Ok(()) } else { Err(self.failure("formatting failed")) }
    }

    fn properties_file(&self) -> PathBuf {
        self.directory.join("server.properties")
    }

    /// The settings of the server.properties that Apache Kafka ships, on ports and in a directory of our own.
    fn properties(&self, settings: &[(&str, &str)]) -> String {
        let mut text = format!(
            "process.roles=broker,controller\n\
             node.id=1\n\
             controller.quorum.voters=1@127.0.0.1:{controller_port}\n\
             controller.listener.names=CONTROLLER\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
             log.dirs={data}\n\
             offsets.topic.replication.factor=1\n\
             transaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n",
            port = self.port,
            controller_port = self.controller_port,
            data = self.data().display(),
        );
        for (name, value) in settings {
            // Writing to a String cannot fail.
            let value = value.replace("{port}", &self.port.to_string());
            let _ = writeln!(text, "{name}={}", value.replace("{controller}", &self.controller_port.to_string()));
        }
        text
    }

    fn failure(&self, what: &str) -> io::Error {
        io::Error::other(format!("{what}; the end of its log:\n{}", tail(&self.log(), 30)))
    }
}

/// A Java program from a directory of jars.
pub fn java(jars: &Path, class: &str) -> Command {
    let mut command = Command::new("java");
    command.arg("-Xmx512m").arg("-cp").arg(jars.join("*")).arg(class);
    command
}
