//! GSSAPI against a real KDC: Kafka's console tools and kcat log in with tickets; who has none, or one for somebody else, is refused.
//! Green against Apache Kafka too.
//!
//! By name only: it takes a broker that is built for it. `--broker PATH` takes one that was built with `--features gssapi`.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::Duration;

use barnabas_tests::harness::broker::{Broker, Server, java};
use barnabas_tests::harness::port;
use barnabas_tests::harness::wait;

use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

mod realm;

use realm::{REALM, Realm};

const MODULE: &str = "com.sun.security.auth.module.Krb5LoginModule";
/// Longest wait for an answer to a token, and for a line of the audit.
const ANSWER: Duration = Duration::from_secs(10);

/// Names, and what becomes of them by the rules: `alice` may do everything, `bob` nothing.
const RULES: &str = "RULE:[2:$1@$0](.*@GATE.TEST)s/@.*//L,DEFAULT";
const ALICE: &str = "Alice/app";
const BOB: &str = "bob";

/// A broker that takes tickets, and everybody at its door.
pub(crate) fn gssapi(room: &Room<'_>) -> Result<String, Outcome> {
    let realm = Realm::start(room)?;
    realm.principal(room, "kafka/localhost", "broker")?;
    realm.principal(room, "other/localhost", "other")?;
    realm.principal(room, ALICE, "alice")?;
    realm.principal(room, BOB, "bob")?;
    let port = port::free()?;
    let mut broker = start(room, &realm, port)?;
    let outcome = Door { room, realm: &realm, port }.everybody();
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

fn start(room: &Room<'_>, realm: &Realm, port: u16) -> Result<Broker, Outcome> {
    let door = format!("KERBEROS://localhost:{port}");
    let listeners = format!("PLAINTEXT://127.0.0.1:{{port}},{door},CONTROLLER://127.0.0.1:{{controller}}");
    let advertised = format!("PLAINTEXT://127.0.0.1:{{port}},{door}");
    let jaas = login(&realm.keytab("broker"), &format!("kafka/localhost@{REALM}"));
    let audit = room.path("audit.json").display().to_string();
    let settings = [
        ("listeners", listeners.as_str()),
        ("advertised.listeners", &advertised),
        ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,KERBEROS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT"),
        ("listener.name.kerberos.sasl.enabled.mechanisms", "GSSAPI"),
        ("listener.name.kerberos.gssapi.sasl.jaas.config", &jaas),
        ("sasl.kerberos.service.name", "kafka"),
        ("sasl.kerberos.principal.to.local.rules", RULES),
        ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
        ("super.users", "User:ANONYMOUS;User:alice"),
        ("barnabas.audit.file", &audit),
        ("barnabas.audit.logins", "all"),
    ];
    let mut broker = if room.is_built() {
        let program = Need::GssapiRelease.place(room.workshop).join("barnabas");
        Broker::prepare(&Server::Barnabas(program), &room.path("broker"), &settings)?
    } else {
        room.prepared("broker", &settings)?
    };
    broker.tell("KRB5_CONFIG", &realm.config());
    broker.tell("KRB5RCACHEDIR", &realm.file(""));
    broker.tell("JAVA_TOOL_OPTIONS", &format!("-Djava.security.krb5.conf={}", realm.config()));
    broker.restart()?;
    Ok(broker)
}

fn login(keytab: &str, principal: &str) -> String {
    format!("{MODULE} required useKeyTab=true storeKey=true keyTab=\"{keytab}\" principal=\"{principal}\";")
}

/// The listener, as clients come to it.
struct Door<'a> {
    room: &'a Room<'a>,
    realm: &'a Realm,
    port: u16,
}

impl Door<'_> {
    fn everybody(&self) -> Result<String, Outcome> {
        let room = self.room;
        let lines: String = (0..100).map(|n| format!("line {n}\n")).collect();
        fs::write(room.path("lines"), &lines)?;
        let producer = self.tool("org.apache.kafka.tools.ConsoleProducer", "alice", ALICE, "kafka")?;
        room.step_reading("producer", Self::on_topic(producer), &room.path("lines"))?;
        self.consume("consumer", "alice", ALICE)?;
        if fs::read_to_string(room.output("consumer"))? != lines {
            return failed("the console's consumer read other lines than its producer sent");
        }
        // The tool says so and ends as if nothing was wrong.
        self.consume("of-bob", "bob", BOB)?;
        if !fs::read_to_string(room.log("of-bob"))?.contains("Not authorized to access") {
            return failed("bob's ticket made him somebody who may read");
        }
        let versions = |step: &str, service: &str| {
            room.step(step, self.tool("org.apache.kafka.tools.BrokerApiVersionsCommand", "bob", BOB, service)?)
        };
        versions("versions", "kafka")?;
        refused("a ticket for another service", versions("of-other", "other"), "Authentication failed")?;
        self.without_ticket()?;
        self.kcat(&lines)?;
        self.audited()?;
        Ok("Kafka's console tools and kcat by tickets of a KDC, as the principals of the rules; without a ticket, or with one for \
            another service, refused"
            .to_owned())
    }

    fn consume(&self, step: &str, keytab: &str, principal: &str) -> Result<(), Outcome> {
        let consumer = self.tool("org.apache.kafka.tools.consumer.ConsoleConsumer", keytab, principal, "kafka")?;
        let mut consumer = Self::on_topic(consumer);
        consumer.args(["--from-beginning", "--max-messages", "100", "--timeout-ms", "60000"]);
        self.room.step(step, consumer)
    }

    /// One of Kafka's tools with a key of its own.
    fn tool(&self, class: &str, keytab: &str, principal: &str, service: &str) -> Result<Command, Outcome> {
        let config = self.room.path(&format!("{keytab}-{service}.properties"));
        let jaas = login(&self.realm.keytab(keytab), &format!("{principal}@{REALM}"));
        let properties = format!(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=GSSAPI\nsasl.kerberos.service.name={service}\n\
             sasl.jaas.config={jaas}\n"
        );
        fs::write(&config, properties)?;
        let jars = Need::JavaFour.place(self.room.workshop).join("jars");
        let mut command = java(&jars, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
        command.arg(format!("-Djava.security.krb5.conf={}", self.realm.config())).arg(class);
        command.args(["--bootstrap-server", &format!("localhost:{}", self.port), "--command-config"]).arg(config);
        Ok(command)
    }

    fn on_topic(mut command: Command) -> Command {
        command.args(["--topic", "tickets"]);
        command
    }

    /// Bytes that are no ticket.
    fn without_ticket(&self) -> Result<(), Outcome> {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        socket.set_read_timeout(Some(ANSWER))?;
        // SaslHandshake 1 and SaslAuthenticate 0, both without a client id.
        let handshake =
            ask(&mut socket, &[&[0, 17, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 6], b"GSSAPI".as_slice()].concat())?;
        let answer =
            ask(&mut socket, &[&[0, 36, 0, 0, 0, 0, 0, 2, 0xff, 0xff, 0, 0, 0, 9], b"no ticket".as_slice()].concat())?;
        // Behind the correlation id: 0 and SASL_AUTHENTICATION_FAILED.
        match (handshake.get(4..6), answer.get(4..6)) {
            (Some([0, 0]), Some([0, 58])) => Ok(()),
            codes => failed(format!("who has no ticket was answered {codes:?}")),
        }
    }

    /// With Cyrus' library, and kinit.
    fn kcat(&self, lines: &str) -> Result<(), Outcome> {
        let mut kcat = Command::new("kcat");
        kcat.args([
            "-C",
            "-b",
            &format!("localhost:{}", self.port),
            "-t",
            "tickets",
            "-o",
            "beginning",
            "-e",
            "-q",
            "-m",
            "30",
        ]);
        for setting in [
            "security.protocol=SASL_PLAINTEXT".to_owned(),
            "sasl.mechanism=GSSAPI".to_owned(),
            "sasl.kerberos.service.name=kafka".to_owned(),
            format!("sasl.kerberos.principal={ALICE}@{REALM}"),
            format!("sasl.kerberos.keytab={}", self.realm.keytab("alice")),
        ] {
            kcat.args(["-X", &setting]);
        }
        kcat.env("KRB5_CONFIG", self.realm.config());
        kcat.env("KRB5CCNAME", format!("FILE:{}", self.realm.file("tickets")));
        self.room.step("kcat", kcat)?;
        let read = fs::read_to_string(self.room.output("kcat"))?;
        if read == lines { Ok(()) } else { failed(format!("kcat read {} bytes of {}", read.len(), lines.len())) }
    }

    /// The audit names both, by their short names.
    fn audited(&self) -> Result<(), Outcome> {
        if self.room.is_kafka() {
            return Ok(());
        }
        let audit = self.room.path("audit.json");
        wait::until("alice and bob in the audit", ANSWER, || {
            let told = fs::read_to_string(&audit).ok()?;
            ["\"User:alice\"", "\"User:bob\""].iter().all(|name| told.contains(name)).then_some(())
        })?;
        Ok(())
    }
}

/// Sends a frame and returns the answer's.
fn ask(socket: &mut TcpStream, frame: &[u8]) -> Result<Vec<u8>, Outcome> {
    let length = u32::try_from(frame.len()).map_err(|error| Outcome::Failed(error.to_string()))?;
    socket.write_all(&[&length.to_be_bytes(), frame].concat())?;
    let mut length = [0; 4];
    socket.read_exact(&mut length)?;
    let mut answer = vec![0; usize::try_from(u32::from_be_bytes(length).min(1 << 16)).unwrap_or(0)];
    socket.read_exact(&mut answer)?;
    Ok(answer)
}

fn refused<T>(what: &str, outcome: Result<T, Outcome>, because: &str) -> Result<(), Outcome> {
    match outcome {
        Ok(_) => failed(format!("{what} was served")),
        Err(Outcome::Failed(why)) if why.contains(because) => Ok(()),
        Err(other) => Err(other),
    }
}
