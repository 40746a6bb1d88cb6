//! The brokers to compare, each started fresh on an empty directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kafka_protocol::messages::MetadataRequest;

use crate::Outcome;
use crate::connection::Connection;

/// How long a start may take.
const READY_DEADLINE: Duration = Duration::from_secs(60);

/// Which broker.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Apache Kafka, unsynced, as it ships.
    Kafka,
    /// Barnabas, synced before the answer.
    BarnabasGroup,
    /// Barnabas, unsynced, as Kafka.
    BarnabasOs,
}

impl Peer {
    pub(crate) const ALL: [Self; 3] = [Self::Kafka, Self::BarnabasGroup, Self::BarnabasOs];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kafka => "Apache Kafka 4.3.1, unsynced",
            Self::BarnabasGroup => "Barnabas, `group` (synced)",
            Self::BarnabasOs => "Barnabas, `os` (unsynced)",
        }
    }
}

/// Where the programs are.
pub(crate) struct Programs {
    pub(crate) kafka_jars: PathBuf,
    pub(crate) barnabas: PathBuf,
    pub(crate) scratch: PathBuf,
}

/// A running broker; killed and its directory removed when dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) bootstrap: String,
    /// From exec to the first answered Metadata.
    pub(crate) ready: Duration,
    directory: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Starts `peer` on an empty directory and waits for its first Metadata.
pub(crate) fn start(peer: Peer, programs: &Programs) -> Outcome<Running> {
    let directory = programs.scratch.join(format!("side-by-side-{}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory)?;
    let port = free_port()?;
    let mut command = match peer {
        Peer::Kafka => kafka(programs, &directory, port)?,
        Peer::BarnabasGroup => barnabas(programs, &directory, port, "group"),
        Peer::BarnabasOs => barnabas(programs, &directory, port, "os"),
    };
    let log = fs::File::create(directory.join("log.txt"))?;
    let started = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
    let mut running = Running { child, bootstrap: format!("127.0.0.1:{port}"), ready: Duration::ZERO, directory };
    wait_until_ready(&mut running, started)?;
    Ok(running)
}

fn wait_until_ready(running: &mut Running, started: Instant) -> Outcome<()> {
    while started.elapsed() < READY_DEADLINE {
        if let Some(status) = running.child.try_wait()? {
            let log = fs::read_to_string(running.directory.join("log.txt")).unwrap_or_default();
            return Err(format!("the broker ended with {status}:\n{log}").into());
        }
        let answer = Connection::open(&running.bootstrap)
            .and_then(|mut connection| connection.call(&MetadataRequest::default().with_topics(None), 4));
        if answer.is_ok_and(|answer| !answer.brokers.is_empty()) {
            running.ready = started.elapsed();
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err("the broker was not ready in time".into())
}

fn free_port() -> Outcome<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn barnabas(programs: &Programs, directory: &Path, port: u16, mode: &str) -> Command {
    let mut command = Command::new(&programs.barnabas);
    command.arg("serve");
    for setting in [
        format!("listeners=PLAINTEXT://127.0.0.1:{port}"),
        format!("log.dirs={}", directory.join("data").display()),
        format!("log.durability.mode={mode}"),
    ] {
        command.arg("-c").arg(setting);
    }
    command
}

/// The settings of the server.properties that Kafka ships, with free ports and a directory of its own.
fn kafka(programs: &Programs, directory: &Path, port: u16) -> Outcome<Command> {
    let (properties, controller) = (directory.join("server.properties"), free_port()?);
    fs::write(
        &properties,
        format!(
            "process.roles=broker,controller\nnode.id=1\n\
             controller.quorum.bootstrap.servers=127.0.0.1:{controller}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
             inter.broker.listener.name=PLAINTEXT\nadvertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
             controller.listener.names=CONTROLLER\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
             num.network.threads=3\nnum.io.threads=8\nsocket.send.buffer.bytes=102400\n\
             socket.receive.buffer.bytes=102400\nsocket.request.max.bytes=104857600\nlog.dirs={}\nnum.partitions=1\n\
             num.recovery.threads.per.data.dir=1\noffsets.topic.replication.factor=1\n\
             share.coordinator.state.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n\
             transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\nlog.retention.hours=168\n\
             log.segment.bytes=1073741824\nlog.retention.check.interval.ms=300000\n",
            directory.join("data").display()
        ),
    )?;
    let class_path = format!("{}/*", programs.kafka_jars.display());
    let formatted = Command::new("java")
        .args(["-cp", &class_path, "kafka.tools.StorageTool", "format", "--standalone", "-t"])
        .args(["MkU3OEVBNTcwNTJENDM2Qk", "-c"])
        .arg(&properties)
        .output()?;
    if !formatted.status.success() {
        return Err(format!("format Kafka's directory: {}", String::from_utf8_lossy(&formatted.stderr)).into());
    }
    let mut command = Command::new("java");
    command.args(["-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-cp", &class_path, "kafka.Kafka"]);
    command.arg(properties);
    Ok(command)
}
