//! Delegation tokens (KIP-48) by Kafka's tool: made, shown, renewed, removed; and console tools that log in with one; the same over TLS,
//! where franz-go logs in with one too. What our own `barnabas tokens` makes of the same. Green against Apache Kafka too: users are those
//! of a file, which both know.
//!
//! A login with a token is SCRAM with an extension that says so, `tokenauth`. librdkafka, kafka-python, aiokafka and kafkajs do not know
//! it: no broker takes a token from them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use barnabas_tests::harness::broker::{Broker, java};
use barnabas_tests::harness::{port, wait};

use super::authority::Authority;
use super::clients::go;
use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

const PLAIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule";
const SCRAM: &str = "org.apache.kafka.common.security.scram.ScramLoginModule";
/// Seven days.
const MAX_LIFE_MS: &str = "604800000";

pub(crate) fn tokens(room: &Room<'_>) -> Result<String, Outcome> {
    let users = format!(
        "{PLAIN} required username=\"admin\" password=\"of admin\" user_admin=\"of admin\" user_alice=\"of alice\" \
         user_bob=\"of bob\";"
    );
    let scram = format!("{SCRAM} required;");
    let (authority, tls) = (Authority::new(room)?, port::free()?);
    let listeners = format!("PLAINTEXT://127.0.0.1:{{port}},TLS://localhost:{tls}");
    let (all, key) = (format!("{listeners},CONTROLLER://127.0.0.1:{{controller}}"), authority.shown("broker.pem"));
    let mut broker = room.broker(
        "broker",
        &[
            ("listeners", &all),
            ("advertised.listeners", &listeners),
            ("listener.security.protocol.map", "PLAINTEXT:SASL_PLAINTEXT,TLS:SASL_SSL,CONTROLLER:PLAINTEXT"),
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.location", &key),
            ("sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"),
            ("sasl.mechanism.inter.broker.protocol", "PLAIN"),
            ("listener.name.plaintext.plain.sasl.jaas.config", &users),
            ("listener.name.plaintext.scram-sha-256.sasl.jaas.config", &scram),
            ("listener.name.plaintext.scram-sha-512.sasl.jaas.config", &scram),
            ("listener.name.tls.plain.sasl.jaas.config", &users),
            ("listener.name.tls.scram-sha-256.sasl.jaas.config", &scram),
            ("listener.name.tls.scram-sha-512.sasl.jaas.config", &scram),
            ("delegation.token.secret.key", "the secret of the gate"),
        ],
    )?;
    let plain = "security.protocol=SASL_PLAINTEXT\n".to_owned();
    let plain = Tools { room, bootstrap: broker.bootstrap(), security: plain, prefix: "" };
    let security = format!("security.protocol=SASL_SSL\n{}", authority.java_properties(false));
    let tls = Tools { room, bootstrap: format!("localhost:{tls}"), security, prefix: "tls-" };
    let outcome = at_work(&plain, &tls, &authority, &broker);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

fn at_work(plain: &Tools<'_>, tls: &Tools<'_>, authority: &Authority, broker: &Broker) -> Result<String, Outcome> {
    for tools in [plain, tls] {
        for user in ["admin", "alice", "bob"] {
            let login = format!("username=\"{user}\" password=\"of {user}\"");
            fs::write(tools.file(user), tools.properties("PLAIN", PLAIN, &login))?;
        }
    }
    let by_tool = by_tool(plain)?;
    over_tls(tls, authority)?;
    Ok(format!("{by_tool}, over TLS too, and franz-go there; {}", by_command(plain.room, broker)?))
}

/// Made, used, shown and removed over TLS.
fn over_tls(tools: &Tools<'_>, authority: &Authority) -> Result<(), Outcome> {
    let create = ["--create", "--max-life-time-period", MAX_LIFE_MS];
    let (id, hmac) = made(&tools.tokens("create", "alice", &create)?)?;
    let shown = tools.tokens("describe", "alice", &["--describe", "--owner-principal", "User:alice"])?;
    holds(&shown, &[&id, &hmac])?;
    console(tools, "SCRAM-SHA-512", &id, &hmac)?;
    let mut login = Command::new(go(tools.room, Need::FranzGo));
    authority.tell(&mut login, false);
    login.arg("login").env("BOOTSTRAP", &tools.bootstrap).env("SASL_MECHANISMS", "SCRAM-SHA-256,SCRAM-SHA-512");
    login.env("SASL_USER", &id).env("SASL_PASSWORD", &hmac).env("SASL_IS_TOKEN", "yes");
    tools.room.step("tls-franz-go", login)?;
    let expire = ["--expire", "--expiry-time-period", "-1", "--hmac", &hmac];
    holds(&tools.tokens("expire", "alice", &expire)?, &["Completed expire operation"])
}

/// Runs one of Kafka's tools as a user, by one listener; what it printed.
struct Tools<'a> {
    room: &'a Room<'a>,
    bootstrap: String,
    security: String,
    /// In front of the names of topics and files.
    prefix: &'static str,
}

impl Tools<'_> {
    fn properties(&self, mechanism: &str, module: &str, login: &str) -> String {
        let security = &self.security;
        format!("{security}sasl.mechanism={mechanism}\nsasl.jaas.config={module} required {login};\n")
    }

    fn file(&self, user: &str) -> PathBuf {
        self.room.path(&format!("{}{user}.properties", self.prefix))
    }

    fn command(&self, class: &str, user: &str, arguments: &[&str]) -> Command {
        let jars = Need::JavaFour.place(self.room.workshop).join("jars");
        let mut command = java(&jars, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
        command.args([class, "--bootstrap-server", &self.bootstrap, "--command-config"]);
        command.arg(self.file(user)).args(arguments);
        command
    }

    fn tokens(&self, step: &str, user: &str, arguments: &[&str]) -> Result<String, Outcome> {
        let command = self.command("org.apache.kafka.tools.DelegationTokenCommand", user, arguments);
        let step = &format!("{}{step}", self.prefix);
        self.room.step(step, command)?;
        Ok(fs::read_to_string(self.room.output(step))?)
    }

    /// As [`Tools::tokens`], for what is to be refused with this error.
    fn refused(&self, step: &str, user: &str, arguments: &[&str], error: &str) -> Result<(), Outcome> {
        match self.tokens(step, user, arguments) {
            Ok(told) if !told.contains(error) => failed(format!("{step} was not refused: {told}")),
            Ok(_) => Ok(()),
            Err(Outcome::Failed(why)) if why.contains(error) => Ok(()),
            Err(other) => Err(other),
        }
    }
}

/// Kafka's own tool, and a producer and a consumer that log in with what it made.
fn by_tool(tools: &Tools<'_>) -> Result<String, Outcome> {
    let create = ["--create", "--max-life-time-period", MAX_LIFE_MS, "--renewer-principal", "User:bob"];
    let (id, hmac) = made(&tools.tokens("create", "alice", &create)?)?;
    // Without an owner Kafka's tool asks for the tokens of nobody.
    let of_alice = ["--describe", "--owner-principal", "User:alice"];
    let shown = tools.tokens("describe", "alice", &of_alice)?;
    holds(&shown, &[&id, &hmac, "User:alice", "User:bob"])?;
    let shown = tools.tokens("describe-of-owner", "bob", &of_alice)?;
    holds(&shown, &[&id])?;
    let renew = |period| ["--renew", "--renew-time-period", period, "--hmac", &hmac];
    holds(&tools.tokens("renew", "bob", &renew("-1"))?, &["Completed renew operation"])?;
    tools.refused("renew-of-another", "admin", &renew("-1"), "not valid Owner/Renewer")?;
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        console(tools, mechanism, &id, &hmac)?;
    }
    tools.refused("token-of-a-token", "SCRAM-SHA-256", &create, "not allowed")?;
    let expire = ["--expire", "--expiry-time-period", "-1", "--hmac", &hmac];
    holds(&tools.tokens("expire", "alice", &expire)?, &["Completed expire operation"])?;
    tools.refused("expire-again", "alice", &expire, "not found")?;
    if tools.tokens("describe-none", "alice", &of_alice)?.contains(&id) {
        return failed("a removed token is described".to_owned());
    }
    for_another(tools)?;
    Ok("kafka-delegation-tokens creates, describes, renews and expires; console tools log in".to_owned())
}

/// One that the administrator makes for another (KIP-373): it is the owner's to remove.
fn for_another(tools: &Tools<'_>) -> Result<(), Outcome> {
    let create = ["--create", "--max-life-time-period", MAX_LIFE_MS, "--owner-principal", "User:alice"];
    let (id, hmac) = made(&tools.tokens("create-for-another", "admin", &create)?)?;
    let shown = tools.tokens("describe-for-another", "alice", &["--describe", "--owner-principal", "User:alice"])?;
    holds(&shown, &[&id, "User:admin"])?;
    let expire = ["--expire", "--expiry-time-period", "-1", "--hmac", &hmac];
    holds(&tools.tokens("expire-for-another", "alice", &expire)?, &["Completed expire operation"])
}

/// Id and HMAC of the table that the tool prints.
fn made(table: &str) -> Result<(String, String), Outcome> {
    let row = table.lines().find(|line| line.contains("User:alice")).unwrap_or_default();
    let mut words = row.split_whitespace();
    match (words.next(), words.next()) {
        (Some(id), Some(hmac)) => Ok((id.to_owned(), hmac.to_owned())),
        _ => failed(format!("no token was made: {table}")),
    }
}

fn holds(told: &str, words: &[&str]) -> Result<(), Outcome> {
    match words.iter().find(|word| !told.contains(**word)) {
        None => Ok(()),
        Some(missing) => failed(format!("{missing} is not in: {told}")),
    }
}

fn console(tools: &Tools<'_>, mechanism: &str, id: &str, hmac: &str) -> Result<(), Outcome> {
    let room = tools.room;
    let login = format!("username=\"{id}\" password=\"{hmac}\" tokenauth=\"true\"");
    fs::write(tools.file(mechanism), tools.properties(mechanism, SCRAM, &login))?;
    let lines: String = (0..100).map(|n| format!("line {n}\n")).collect();
    fs::write(room.path("lines"), &lines)?;
    let topic = format!("{}{mechanism}", tools.prefix);
    let topic = ["--topic", topic.as_str()];
    let producer = tools.command("org.apache.kafka.tools.ConsoleProducer", mechanism, &topic);
    room.step_reading(&format!("{}producer-{mechanism}", tools.prefix), producer, &room.path("lines"))?;
    let mut consumer = tools.command("org.apache.kafka.tools.consumer.ConsoleConsumer", mechanism, &topic);
    consumer.args(["--from-beginning", "--max-messages", "100", "--timeout-ms", "60000"]);
    let step = format!("{}consumer-{mechanism}", tools.prefix);
    room.step(&step, consumer)?;
    let read = fs::read_to_string(room.output(&step))?;
    if read == lines {
        Ok(())
    } else {
        failed(format!("{} bytes sent by {mechanism}, {} read", lines.len(), read.len()))
    }
}

/// Our own command, against whatever broker it is. Beside Apache Kafka it need not be built.
fn by_command(room: &Room<'_>, broker: &Broker) -> Result<String, Outcome> {
    if !room.program().exists() {
        return Ok("barnabas tokens is not built".to_owned());
    }
    let run = |step: &str, config: &str, arguments: &[&str]| {
        let mut command = Command::new(room.program());
        command.args(arguments).args(["-b", &broker.bootstrap(), "--command-config"]);
        command.arg(room.path(config)).args(["--command-property", "security.protocol=SASL_PLAINTEXT"]);
        room.step(step, command)?;
        Ok::<_, Outcome>(fs::read_to_string(room.output(step))?)
    };
    let settings =
        run("own-create", "alice.properties", &["tokens", "create", "--renewer", "bob", "--max-life", "2d"])?;
    fs::write(room.path("own.properties"), settings)?;
    let login = || run("own-login", "own.properties", &["topics", "list"]);
    // Apache Kafka's broker hears of a token a moment after its controller has made it.
    let listed = if room.is_kafka() { wait::until("a login", room.budget(), || login().ok())? } else { login()? };
    holds(&listed, &["SCRAM-SHA-256"])?;
    let list = run("own-list", "bob.properties", &["tokens", "list", "-o", "name"])?;
    let id = list.trim();
    holds(
        &run("own-show", "bob.properties", &["tokens", "list", "--owner", "alice"])?,
        &[id, "User:alice", "User:bob"],
    )?;
    run("own-renew", "bob.properties", &["tokens", "renew", id, "--life", "1h"])?;
    run("own-expire", "alice.properties", &["tokens", "expire", id, "--yes"])?;
    let left = run("own-left", "alice.properties", &["tokens", "list", "-o", "name"])?;
    if left.trim().is_empty() {
        Ok("barnabas tokens does the same".to_owned())
    } else {
        failed(format!("left: {left}"))
    }
}
