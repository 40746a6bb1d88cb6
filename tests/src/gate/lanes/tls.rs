//! TLS with stock clients: half of them over SSL as they come, half with a certificate of their own; and a certificate that is
//! renewed again and again while clients work and others connect; and rules of access for the name in a certificate.
//!
//! Certificates are made on the spot by openssl.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::port;
use barnabas_tests::harness::wait;

use super::authority::Authority;
use super::clients::{facts, go, java_program, kafkajs_program, kcat_program, python};
use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

mod rules;

/// Times the certificate is renewed under load.
const RENEWALS: usize = 5;
/// Longest wait for a renewed certificate to be served.
const SERVED: Duration = Duration::from_secs(30);

/// Every client, then the renewal.
pub(crate) fn tls(room: &Room<'_>) -> Result<String, Outcome> {
    let authority = Authority::new(room)?;
    let clients: [(&str, Command, bool); 7] = [
        ("java-4", java_program(room, Need::JavaFour), true),
        ("java-2", java_program(room, Need::JavaTwo), false),
        ("kcat", kcat_program(room), true),
        ("confluent-kafka", python(room, "confluent.py"), false),
        ("kafka-python", python(room, "kafka_python.py"), true),
        ("kafkajs", kafkajs_program(room), false),
        ("franz-go", Command::new(go(room, Need::FranzGo)), true),
    ];
    let mut told = Vec::new();
    for (name, command, shows_certificate) in clients {
        client(room, &authority, name, command, shows_certificate)?;
        told.push(format!("{name} ({})", if shows_certificate { "mTLS" } else { "SSL" }));
    }
    rules::rules(room, &authority)?;
    told.push("console tools by rules for the name in their certificate".to_owned());
    let connected = renewal(room, &authority)?;
    Ok(format!("{}; {RENEWALS} renewals under load, {connected} new connections meanwhile, no error", told.join(", ")))
}

/// A broker with TLS beside the plain listener that the harness asks, and its two ports.
struct Secured {
    broker: Broker,
    ssl: u16,
    mutual: u16,
}

impl Secured {
    fn start(room: &Room<'_>, authority: &Authority, name: &str, more: &[(&str, &str)]) -> Result<Self, Outcome> {
        let (ssl, mutual) = (port::free()?, port::free()?);
        let listeners = format!(
            "PLAINTEXT://127.0.0.1:{{port}},SSL://localhost:{ssl},MUTUAL://localhost:{mutual},CONTROLLER://127.0.0.1:{{controller}}"
        );
        let advertised = format!("PLAINTEXT://127.0.0.1:{{port}},SSL://localhost:{ssl},MUTUAL://localhost:{mutual}");
        let (key, ca) = (authority.shown("broker.pem"), authority.shown("ca.pem"));
        let mut settings = vec![
            ("listeners", listeners.as_str()),
            ("advertised.listeners", &advertised),
            ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,SSL:SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT"),
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.location", &key),
            ("listener.name.mutual.ssl.truststore.type", "PEM"),
            ("listener.name.mutual.ssl.truststore.location", &ca),
            ("listener.name.mutual.ssl.client.auth", "required"),
            ("ssl.principal.mapping.rules", "RULE:^CN=(.*?),.*$/$1/L"),
        ];
        settings.extend(more);
        Ok(Self { broker: room.broker(name, &settings)?, ssl, mutual })
    }

    fn bootstrap(&self, shows_certificate: bool) -> String {
        format!("localhost:{}", if shows_certificate { self.mutual } else { self.ssl })
    }
}

/// Runs the program of a client on a fresh broker.
fn client(
    room: &Room<'_>,
    authority: &Authority,
    name: &str,
    mut command: Command,
    mutual: bool,
) -> Result<(), Outcome> {
    let mut secured = Secured::start(room, authority, &format!("{name}-broker"), &[])?;
    let place = room.path(&format!("{name}-place"));
    fs::create_dir(&place)?;
    command.env("BOOTSTRAP", secured.bootstrap(mutual)).current_dir(&place);
    settings(authority, &mut command, &place, mutual)?;
    let outcome = room.step(name, command).and_then(|()| facts(room, name));
    room.with_log_of(&mut secured.broker, outcome)?;
    secured.broker.stop()?;
    Ok(())
}

/// The same in the words of every client.
fn settings(authority: &Authority, command: &mut Command, place: &Path, mutual: bool) -> Result<(), Outcome> {
    let (ca, certificate, key) =
        (authority.shown("ca.pem"), authority.shown("client.crt"), authority.shown("client.key"));
    let java = format!("security.protocol=SSL\n{}", authority.java_properties(mutual));
    fs::write(place.join("client.properties"), java)?;
    command.env("CLIENT_PROPERTIES", place.join("client.properties"));
    authority.tell(command, mutual);
    let mut rdkafka = format!("security.protocol=SSL ssl.ca.location={ca}");
    let mut python = serde_json::json!({"security_protocol": "SSL", "ssl_cafile": ca});
    let mut javascript = serde_json::json!({"ssl": {"ca": ca}});
    if mutual {
        let _ = write!(rdkafka, " ssl.certificate.location={certificate} ssl.key.location={key}");
        python["ssl_certfile"] = certificate.clone().into();
        python["ssl_keyfile"] = key.clone().into();
        javascript["ssl"]["cert"] = certificate.clone().into();
        javascript["ssl"]["key"] = key.clone().into();
    }
    command.env("LIBRDKAFKA", rdkafka).env("KAFKA_PYTHON", python.to_string()).env("KAFKAJS", javascript.to_string());
    Ok(())
}

/// Renews the broker's certificate while a producer works, and connects anew after each renewal and meanwhile.
fn renewal(room: &Room<'_>, authority: &Authority) -> Result<usize, Outcome> {
    let mut secured = Secured::start(room, authority, "renewal-broker", &[])?;
    let outcome = renew(room, authority, &secured);
    let connected = room.with_log_of(&mut secured.broker, outcome)?;
    secured.broker.stop()?;
    Ok(connected)
}

fn renew(room: &Room<'_>, authority: &Authority, secured: &Secured) -> Result<usize, Outcome> {
    let place = room.path("renewal-place");
    fs::create_dir(&place)?;
    let go = |arguments: &[&str]| -> Result<Command, Outcome> {
        let mut command = Command::new(go(room, Need::FranzGo));
        command.args(arguments).env("BOOTSTRAP", secured.bootstrap(true)).current_dir(&place);
        settings(authority, &mut command, &place, true)?;
        Ok(command)
    };
    room.step("create", go(&["create", "renewal", "3"])?)?;
    own_client(room, secured, &place)?;
    let mut load = room.start("load", go(&["load", "history", "renewal", "3", "p"])?)?;
    let history = place.join("history");
    wait::until("the producer's first acknowledgement", SERVED, || {
        fs::metadata(&history).ok().filter(|file| file.len() > 0)
    })
    .map_err(|timed_out| Outcome::Failed(timed_out.to_string()))?;
    let connected = renewals(room, authority, secured)?;
    if load.ended().is_some() {
        return failed("the producer ended before it was told to");
    }
    load.terminate(SERVED).map_err(|error| Outcome::Failed(error.to_string()))?;
    let history = fs::read_to_string(history)?;
    // When, outcome, partition, offset, record.
    let errors = history.lines().filter(|line| line.split(' ').nth(1) != Some("ok")).count();
    if errors > 0 || history.is_empty() {
        return failed(format!("{errors} records were not acknowledged of {} lines", history.lines().count()));
    }
    room.step("drain", go(&["drain", "renewal"])?)?;
    let drained = fs::read_to_string(room.output("drain"))?.lines().count();
    if drained == history.lines().count() {
        Ok(connected)
    } else {
        failed(format!("{} records were acknowledged, {drained} read", history.lines().count()))
    }
}

/// Our own command line takes the Java client's file.
fn own_client(room: &Room<'_>, secured: &Secured, place: &Path) -> Result<(), Outcome> {
    let mut command = Command::new(room.program());
    command.args(["topics", "list", "--bootstrap-server", &secured.bootstrap(true), "--command-config"]);
    command.arg(place.join("client.properties"));
    room.step("topics", command)?;
    let output = fs::read_to_string(room.output("topics"))?;
    if output.contains("renewal") { Ok(()) } else { failed(format!("no topic in what topics list printed: {output}")) }
}

/// Renews the certificate, and connects until the new one is shown; tells how many connections that took.
fn renewals(room: &Room<'_>, authority: &Authority, secured: &Secured) -> Result<usize, Outcome> {
    let mut connected = 0;
    let mut before = served(authority, room, secured)?;
    for _ in 0..RENEWALS {
        authority.issue(room, "broker", "/O=Barnabas/CN=broker", "subjectAltName=DNS:localhost,IP:127.0.0.1")?;
        let Some(process) = secured.broker.process() else { return failed("the broker has ended") };
        let mut hang_up = Command::new("kill");
        hang_up.args(["-HUP", &process.id().to_string()]);
        room.step("hang-up", hang_up)?;
        let renewed = wait::until("the renewed certificate", SERVED, || {
            connected += 1;
            // A connection of its own each time: one that is refused ends the wait.
            let now = match served(authority, room, secured) {
                Ok(now) => now,
                Err(error) => return Some(Err(error)),
            };
            (now != before).then_some(Ok(now))
        });
        before = renewed.map_err(|timed_out| Outcome::Failed(timed_out.to_string()))??;
    }
    Ok(connected)
}

/// The serial number of the certificate that a new connection is shown.
fn served(authority: &Authority, room: &Room<'_>, secured: &Secured) -> Result<String, Outcome> {
    let mut command = Command::new("bash");
    let script = format!(
        "openssl s_client -connect {} -CAfile {} -verify_return_error </dev/null 2>s_client.log | openssl x509 -noout -serial",
        secured.bootstrap(false),
        authority.shown("ca.pem"),
    );
    command.args(["-o", "pipefail", "-c", &script]).current_dir(room.path("renewal-place"));
    room.step("served", command)?;
    Ok(fs::read_to_string(room.output("served"))?)
}
