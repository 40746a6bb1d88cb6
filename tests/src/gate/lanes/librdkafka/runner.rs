//! librdkafka's test-runner beside three brokers: one that creates topics on demand, as most tests expect, one that does not, and
//! one with TLS and logins.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use barnabas_tests::harness::broker::{Broker, java};
use serde_json::Value;

use super::log::{Told, told};
use super::secured::{Errand, Secured};
use super::table::{Row, State};
use crate::gate::lane::Outcome;
use crate::gate::need::Need;
use crate::gate::room::Room;

/// What the tests expect of a broker, as upstream sets it up: among it Kafka's own delay of a first rebalance, by which they
/// reckon how often a member is assigned anew.
const SETTINGS: [(&str, &str); 4] = [
    ("num.partitions", "4"),
    ("group.initial.rebalance.delay.ms", "3000"),
    ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
    ("allow.everyone.if.no.acl.found", "true"),
];
/// The tests' own deadlines are for a machine with nothing else to do.
pub(super) const PATIENCE: &str = "test.timeout.multiplier=2";
/// The runner's word for a way a cluster is set up, and what that means.
const SCENARIOS: [(&str, &str); 2] = [("default", "true"), ("noautocreate", "false")];
/// Tests that are not run: upstream they idle, or wait for somebody to look, or one has an identity provider for them.
const LEFT_OUT: [(&str, &str); 4] = [
    ("0126", "wants a library built with libcurl and an identity provider; the lane sasl has tokens of one"),
    ("0190", "run by hand upstream: it wants a broker with a metrics plug-in"),
    ("8000", "run by hand upstream: it idles for ever"),
    ("8001", "run by hand upstream: of the client alone, on its mock cluster"),
];

/// Tests of share groups, by a word of their names, and the API that a broker announces when it serves those. Each of
/// their numbers would need minutes to give up.
const SHARE_GROUPS: (&str, &str) = ("share_consumer", "ShareFetch(78)");

/// A number and the names of its tests.
pub(super) struct Number {
    digits: String,
    names: Vec<String>,
}

impl Number {
    /// Four digits.
    pub(super) fn digits(&self) -> &str {
        &self.digits
    }

    fn row(&self, name: &str, state: State, seconds: u64, reason: &str) -> Row {
        let name = name.strip_prefix(&self.digits).unwrap_or(name).trim_start_matches('_').to_owned();
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        Row { number: self.digits.clone(), name, state, seconds, reason }
    }
}

/// The program and its brokers.
pub(super) struct Runner<'a> {
    room: &'a Room<'a>,
    tests: PathBuf,
    brokers: Vec<Broker>,
    secured: Secured,
    share_groups: bool,
    runs: u32,
}

impl<'a> Runner<'a> {
    /// Starts the brokers and lays Kafka's scripts, which some tests call.
    pub(super) fn start(room: &'a Room<'a>) -> Result<Self, Outcome> {
        scripts(room)?;
        let mut brokers = Vec::new();
        for (scenario, creates) in SCENARIOS {
            let mut settings = SETTINGS.to_vec();
            settings.push(("auto.create.topics.enable", creates));
            let broker = room.broker(scenario, &settings)?;
            let client = format!("bootstrap.servers={}\n{PATIENCE}\n", broker.bootstrap());
            fs::write(room.path(&format!("{scenario}.conf")), client)?;
            brokers.push(broker);
        }
        let share_groups = serves_share_groups(room, &brokers[0])?;
        let (broker, secured) = Secured::start(room, &SETTINGS)?;
        brokers.push(broker);
        let tests = Need::LibrdkafkaTests.place(room.workshop).join(TESTS);
        Ok(Self { room, tests, brokers, secured, share_groups, runs: 0 })
    }

    /// Every number with the names of its tests, as the program knows them.
    pub(super) fn numbers(&self) -> Result<Vec<Number>, Outcome> {
        let report = self.room.path("names.json");
        let mut command = self.program(SCENARIOS[0].0, &self.brokers[0]);
        command.env("TESTS", "none").env("TEST_REPORT", &report);
        self.room.step("names", command)?;
        let report: Value = serde_json::from_str(&fs::read_to_string(report)?)?;
        let mut numbers: Vec<Number> = Vec::new();
        let mut names: Vec<&String> =
            report["tests"].as_object().map(|tests| tests.keys().collect()).unwrap_or_default();
        names.sort();
        for name in names {
            let Some((digits, _)) = name.split_once('_').filter(|(digits, _)| digits.parse::<u16>().is_ok()) else {
                continue;
            };
            match numbers.last_mut().filter(|last| last.digits == digits) {
                Some(last) => last.names.push(name.clone()),
                None => numbers.push(Number { digits: digits.to_owned(), names: vec![name.clone()] }),
            }
        }
        Ok(numbers)
    }

    /// Runs the tests of a number.
    pub(super) fn run(&mut self, number: &Number) -> Result<Vec<Row>, Outcome> {
        if let Some(why) = self.left_out(number) {
            return Ok(number.names.iter().map(|name| number.row(name, State::Skip, 0, why)).collect());
        }
        let mut told = match Errand::of(&number.digits) {
            Some(errand) => self.errand(errand)?,
            None => HashMap::new(),
        };
        for at in 0..SCENARIOS.len() {
            let untold = number.names.iter().filter(|name| !told.contains_key(*name)).count();
            if untold > 0 {
                told.extend(self.scenario(number, at)?);
            }
        }
        let row = |name: &String| match told.get(name) {
            Some(Told { state, seconds, reason }) => number.row(name, *state, *seconds, reason),
            None => number.row(name, State::Skip, 0, "wants a scenario that no broker is started for"),
        };
        Ok(number.names.iter().map(row).collect())
    }

    /// Why a number is not run.
    fn left_out(&self, number: &Number) -> Option<&'static str> {
        let known = LEFT_OUT.iter().find(|(digits, _)| *digits == number.digits).map(|(_, why)| *why);
        let of_share_groups = number.names.iter().all(|name| name.contains(SHARE_GROUPS.0));
        known
            .or((of_share_groups && !self.share_groups)
                .then_some("needs share groups (KIP-932): ShareFetch is not served"))
    }

    /// One process, and what its log says of each test. Tests of other scenarios are not in it.
    fn scenario(&mut self, number: &Number, at: usize) -> Result<HashMap<String, Told>, Outcome> {
        let scenario = SCENARIOS[at].0;
        let mut command = self.program(scenario, &self.brokers[at]);
        command.env("TESTS", &number.digits);
        Ok(self.process(&format!("{}-{scenario}", number.digits), command)?.0)
    }

    /// A process for each part of a number on the broker with TLS and logins, and what their logs say of its tests together.
    fn errand(&mut self, errand: &Errand) -> Result<HashMap<String, Told>, Outcome> {
        let mut all = HashMap::<String, Told>::new();
        for part in if errand.parts.is_empty() { &[""] } else { errand.parts } {
            let (settings, bootstrap) = self.secured.settings(self.room, errand)?;
            let mut command = self.program(SCENARIOS[0].0, &self.brokers[0]);
            command.env("RDKAFKA_TEST_CONF", settings).env("BROKERS", bootstrap).env("TESTS", errand.digits());
            self.secured.tell(&mut command);
            if !part.is_empty() {
                command.env("SUBTESTS", part);
            }
            let (told, log) = self.process(&format!("{}-secured", errand.digits()), command)?;
            for (name, mut now) in told {
                if !log.contains(&format!("[ {part}")) {
                    now = Told { state: State::Fail, reason: format!("has no part {part}"), ..now };
                }
                let before = all.remove(&name);
                all.insert(name, before.map_or(now.clone(), |before| before.and(now)));
            }
        }
        for told in all.values_mut().filter(|told| told.state == State::Pass && told.reason.is_empty()) {
            errand.rest.clone_into(&mut told.reason);
        }
        Ok(all)
    }

    /// What the log of a process says of each test, and the log.
    fn process(&mut self, name: &str, command: Command) -> Result<(HashMap<String, Told>, String), Outcome> {
        self.runs += 1;
        let step = format!("{name}-{}", self.runs);
        let mut process = self.room.start(&step, command)?;
        let ended = process.wait(self.room.budget()).map_or_else(|late| late.to_string(), |status| status.to_string());
        let log = String::from_utf8_lossy(&fs::read(self.room.log(&step))?).into_owned();
        Ok((told(&log, &ended), log))
    }

    fn program(&self, scenario: &str, broker: &Broker) -> Command {
        let mut command = Command::new("./test-runner");
        command.args(["-p1", "-L", "-s", scenario]).current_dir(&self.tests);
        command.env("LD_LIBRARY_PATH", "../src:../src-cpp").env("TEST_KAFKA_VERSION", "4.2.0").env_remove("CI");
        command.env("RDKAFKA_TEST_CONF", self.room.path(&format!("{scenario}.conf")));
        command.env("BROKERS", broker.bootstrap()).env("KAFKA_PATH", self.room.path("kafka"));
        command
    }

    /// Adds the log of a broker that has ended.
    pub(super) fn checked<T>(&mut self, mut outcome: Result<T, Outcome>) -> Result<T, Outcome> {
        for broker in &mut self.brokers {
            outcome = self.room.with_log_of(broker, outcome);
        }
        outcome
    }

    /// A clean stop of the brokers.
    pub(super) fn stop(&mut self) -> Result<(), Outcome> {
        Ok(self.brokers.iter_mut().try_for_each(Broker::stop)?)
    }
}

/// Where the tests are in the package.
const TESTS: &str = "node_modules/@confluentinc/kafka-javascript/deps/librdkafka/tests";

fn serves_share_groups(room: &Room<'_>, broker: &Broker) -> Result<bool, Outcome> {
    let mut versions = Command::new(room.path("kafka/bin/kafka-broker-api-versions.sh"));
    versions.args(["--bootstrap-server", &broker.bootstrap()]);
    room.step("versions", versions)?;
    let versions = fs::read_to_string(room.output("versions"))?;
    Ok(versions.lines().any(|line| line.contains(SHARE_GROUPS.1) && !line.contains("UNSUPPORTED")))
}

/// A directory with the scripts of a Kafka distribution: our shims, and kafka-acls in Java.
fn scripts(room: &Room<'_>) -> Result<(), Outcome> {
    let bin = room.path("kafka").join("bin");
    fs::create_dir_all(&bin)?;
    let mut shims = Command::new(room.program());
    shims.args(["generate", "shims"]).arg(&bin);
    room.step("shims", shims)?;
    let acls = java(&Need::JavaFour.place(room.workshop).join("jars"), "org.apache.kafka.tools.AclCommand");
    let words: Vec<String> = acls.get_args().map(|word| format!("'{}'", word.to_string_lossy())).collect();
    let script = bin.join("kafka-acls.sh");
    fs::write(&script, format!("#!/bin/sh\nexec java {} \"$@\"\n", words.join(" ")))?;
    Ok(fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?)
}
