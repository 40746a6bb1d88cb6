//! The brokers to compare: what each is called, and the command that starts it as it ships.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use barnabas_broker::bench::Bootstrap;
use barnabas_broker::client::ClientSettings;
use clap::{Args, ValueEnum};

use crate::Outcome;

/// Which broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// Apache Kafka, unsynced, as it ships.
    Kafka,
    /// Barnabas, synced before the answer.
    Group,
    /// Barnabas, unsynced, as Kafka.
    Os,
}

impl Peer {
    pub(crate) const ALL: [Self; 3] = [Self::Kafka, Self::Group, Self::Os];

    /// Its name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kafka => "Apache Kafka 4.3.1, unsynced",
            Self::Group => "Barnabas, `group` (synced)",
            Self::Os => "Barnabas, `os` (unsynced)",
        }
    }

    /// Its name in data.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Group => "group",
            Self::Os => "os",
        }
    }
}

/// Where the programs are, and which of them to leave out.
#[derive(Args, Clone, Debug)]
pub(crate) struct Programs {
    /// Directory with the jars of Apache Kafka 4.3.1 (`cargo gate` puts them there).
    #[arg(long, default_value = ".gate/java-4/jars")]
    pub(crate) kafka_jars: PathBuf,
    /// The release build of Barnabas.
    #[arg(long, default_value = "target/release/barnabas")]
    pub(crate) barnabas: PathBuf,
    /// Where the brokers keep their data: use the disk that you want to measure.
    #[arg(long, default_value = "target")]
    pub(crate) scratch: PathBuf,
    /// Brokers that are left out.
    #[arg(long, value_delimiter = ',')]
    skip: Vec<Peer>,
    /// Clients come over TLS, with a certificate that is made on the spot by openssl.
    #[arg(long)]
    pub(crate) tls: bool,
    /// Further settings of Barnabas, `name=value`; `{port}` is where it listens.
    #[arg(skip)]
    pub(crate) settings: Vec<String>,
}

impl Programs {
    /// The brokers of this run.
    pub(crate) fn peers(&self) -> impl Iterator<Item = Peer> {
        Peer::ALL.into_iter().filter(|peer| !self.skip.contains(peer))
    }

    /// Says what is missing before minutes are spent.
    pub(crate) fn check(&self) -> Outcome<()> {
        let barnabas = self.peers().any(|peer| peer != Peer::Kafka);
        if barnabas && !self.barnabas.is_file() {
            return Err(format!(
                "{} is not there: `cargo build --release`, or name it with --barnabas",
                self.barnabas.display()
            )
            .into());
        }
        if !self.skip.contains(&Peer::Kafka) && !self.kafka_jars.is_dir() {
            return Err(format!(
                "{} is not there: `cargo gate java-4` gets the jars; or pass --kafka-jars or --skip kafka",
                self.kafka_jars.display()
            )
            .into());
        }
        Ok(())
    }

    /// The command that serves `directory` on `port`; the first time the directory is made ready for it.
    pub(crate) fn command(&self, peer: Peer, directory: &Path, port: u16) -> Outcome<Command> {
        match peer {
            Peer::Kafka => self.kafka(directory, port),
            Peer::Group => Ok(self.barnabas(directory, port, "group")),
            Peer::Os => Ok(self.barnabas(directory, port, "os")),
        }
    }

    /// How a broker that serves `directory` on `port` is reached; makes its certificate.
    pub(crate) fn bootstrap(&self, directory: &Path, port: u16) -> Outcome<Bootstrap> {
        let plain = Bootstrap::from(format!("127.0.0.1:{port}").as_str());
        if !self.tls {
            return Ok(plain);
        }
        certify(directory)?;
        let trust = directory.join(CERTIFICATE).display().to_string();
        let properties = [("ssl.truststore.type", "PEM"), ("ssl.truststore.location", trust.as_str())];
        let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Bootstrap { tls: Some(ClientSettings::read(properties.into())?.tls()?), ..plain })
    }

    /// The listener's name, which is its protocol's.
    fn protocol(&self) -> &'static str {
        if self.tls { "SSL" } else { "PLAINTEXT" }
    }

    fn tls_settings(&self, directory: &Path) -> Vec<String> {
        let store = |name: &str, file: &str| {
            [format!("ssl.{name}.type=PEM"), format!("ssl.{name}.location={}", directory.join(file).display())]
        };
        if self.tls { [store("keystore", KEY), store("truststore", CERTIFICATE)].concat() } else { Vec::new() }
    }

    fn barnabas(&self, directory: &Path, port: u16, mode: &str) -> Command {
        let mut command = Command::new(&self.barnabas);
        command.arg("serve");
        for setting in self.tls_settings(directory) {
            command.arg("-c").arg(setting);
        }
        for setting in [
            format!("listeners={}://127.0.0.1:{port}", self.protocol()),
            format!("log.dirs={}", data(directory).display()),
            format!("log.durability.mode={mode}"),
        ] {
            command.arg("-c").arg(setting);
        }
        for setting in &self.settings {
            command.arg("-c").arg(setting.replace("{port}", &port.to_string()));
        }
        command
    }

    fn kafka(&self, directory: &Path, port: u16) -> Outcome<Command> {
        let properties = directory.join("server.properties");
        let class_path = format!("{}/*", self.kafka_jars.display());
        if !properties.exists() {
            let mut text = server_properties(self.protocol(), directory, port, free_port()?);
            for setting in self.tls_settings(directory) {
                text += &format!("{setting}\n");
            }
            fs::write(&properties, text)?;
            format_for_kafka(&class_path, &properties)?;
        }
        let mut command = Command::new("java");
        // What its start script gives a broker.
        command.args(["-Xms1g", "-Xmx1g", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"]);
        command.args(["-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent"]);
        command.args(["-Djava.awt.headless=true", "-cp", &class_path, "kafka.Kafka"]).arg(properties);
        Ok(command)
    }
}

/// A key with its certificate, and the certificate alone.
const KEY: &str = "broker.pem";
const CERTIFICATE: &str = "certificate.pem";

fn certify(directory: &Path) -> Outcome<()> {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
    openssl.args(["-subj", "/CN=side-by-side", "-addext", "subjectAltName=IP:127.0.0.1"]);
    openssl.args(["-keyout", KEY, "-out", CERTIFICATE]).current_dir(directory);
    let made = openssl.output()?;
    if !made.status.success() {
        return Err(format!("openssl: {}", String::from_utf8_lossy(&made.stderr)).into());
    }
    let both = fs::read_to_string(directory.join(KEY))? + &fs::read_to_string(directory.join(CERTIFICATE))?;
    Ok(fs::write(directory.join(KEY), both)?)
}

/// Where a broker keeps its logs, below its directory.
pub(crate) fn data(directory: &Path) -> PathBuf {
    directory.join("data")
}

/// A port that nobody uses now.
pub(crate) fn free_port() -> Outcome<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The settings of the server.properties that Kafka ships, with free ports and a directory of its own.
fn server_properties(protocol: &str, directory: &Path, port: u16, controller: u16) -> String {
    format!(
        "process.roles=broker,controller\nnode.id=1\n\
         controller.quorum.bootstrap.servers=127.0.0.1:{controller}\n\
         listeners={protocol}://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         inter.broker.listener.name={protocol}\nadvertised.listeners={protocol}://127.0.0.1:{port}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,{protocol}:{protocol}\n\
         num.network.threads=3\nnum.io.threads=8\nsocket.send.buffer.bytes=102400\n\
         socket.receive.buffer.bytes=102400\nsocket.request.max.bytes=104857600\nlog.dirs={}\nnum.partitions=1\n\
         num.recovery.threads.per.data.dir=1\noffsets.topic.replication.factor=1\n\
         share.coordinator.state.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n\
         transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\nlog.retention.hours=168\n\
         log.segment.bytes=1073741824\nlog.retention.check.interval.ms=300000\n",
        data(directory).display()
    )
}

fn format_for_kafka(class_path: &str, properties: &Path) -> Outcome<()> {
    let formatted = Command::new("java")
        .args(["-cp", class_path, "kafka.tools.StorageTool", "format", "--standalone", "-t"])
        .args(["MkU3OEVBNTcwNTJENDM2Qk", "-c"])
        .arg(properties)
        .output()?;
    if !formatted.status.success() {
        return Err(format!("format Kafka's directory: {}", String::from_utf8_lossy(&formatted.stderr)).into());
    }
    Ok(())
}
