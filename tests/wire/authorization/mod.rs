//! Who may do what, API by API: every answer under {no rule, each right alone, all rights by name, prefix and wildcard, all
//! rights with each one denied} is what Apache Kafka 4.3.1 answered, recorded in `kafka-4.3.1.txt`.
//!
//! Record anew, from a directory of Kafka's jars (the gate's, which `cargo gate --kafka acls` prepares):
//! `JARS=.gate/java-4/jars cargo test -p barnabas-tests --test wire authorization`.
//!
//! The peer is `User:ANONYMOUS` of a plain listener on both sides. Of an answer, codes, rights, and what has a name of ours
//! are compared, in no order; never messages.

mod admin_cases;
mod cases;
mod kafka;
mod ours;
mod peer;
mod tree;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use barnabas_auth::{Acl, Operation, PatternType, Permission, ResourceType};
use barnabas_broker::api::{Need, table};

use crate::client::Client;
use cases::{Case, every};
use peer::Peer;

/// Answers of ours that are not Kafka's on purpose: case, scenario, and the answer.
const DIFFERENT: &[(&str, &str, &str)] = &[
    // Transactions are not served, so that no id has a coordinator, where Kafka has one when its topic is there.
    ("FindCoordinator of-a-transaction", "exact", NO_COORDINATOR),
    ("FindCoordinator of-a-transaction", "prefixed", NO_COORDINATOR),
    ("FindCoordinator of-a-transaction", "wildcard", NO_COORDINATOR),
    // Who may make a topic gets it in the very answer; Kafka makes it, and says that it is not there yet.
    ("Metadata creating", "exact", MADE),
    ("Metadata creating", "prefixed", MADE),
    ("Metadata creating", "wildcard", MADE),
    ("Metadata creating", "exact, deny CREATE CLUSTER", MADE),
    ("Metadata creating", "exact, deny CREATE TOPIC", MADE_BY_CLUSTER),
];

const NO_COORDINATOR: &str = "{error_code: 0, coordinators: [{key: golden.name, error_code: 15}]}";
const MADE: &str = "{topics: [{error_code: 0, name: golden.made, partitions: [{error_code: 0}], \
                    topic_authorized_operations: 288}], cluster_authorized_operations: -2147483648, error_code: 0}";
const MADE_BY_CLUSTER: &str = "{topics: [{error_code: 0, name: golden.made, partitions: [{error_code: 0}], \
                               topic_authorized_operations: 256}], cluster_authorized_operations: -2147483648, \
                               error_code: 0}";

/// Refused to whoever has not logged in, before any right is asked for: tests/wire/tokens.rs has their rights.
const AFTER_A_LOGIN: &[&str] = &["CreateDelegationToken", "DescribeDelegationToken"];

const PRINCIPAL: &str = "User:ANONYMOUS";

/// A broker whose rules can be set.
trait Target {
    /// Where the plain listener is.
    fn address(&self) -> SocketAddr;
    /// From now on these rules, on every API.
    fn set(&mut self, acls: Vec<Acl>);
}

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("wire/authorization/kafka-4.3.1.txt")
}

fn acl(need: &Need, name: &str, pattern_type: PatternType, permission: Permission) -> Acl {
    Acl {
        resource_type: need.resource,
        resource_name: name.to_owned(),
        pattern_type,
        principal: PRINCIPAL.to_owned(),
        host: "*".to_owned(),
        operation: need.operation,
        permission,
    }
}

/// Names that requests use, by the type of resource.
fn names(resource: ResourceType) -> &'static [&'static str] {
    match resource {
        ResourceType::Topic => &["golden.known", "golden.absent", "golden.made", "golden.doomed"],
        ResourceType::Cluster => &["kafka-cluster"],
        ResourceType::Group => &[cases::GROUP, cases::STRANGER],
        _ => &["golden.name"],
    }
}

fn allow(need: &Need, form: &str) -> Vec<Acl> {
    let one = |name, pattern| vec![acl(need, name, pattern, Permission::Allow)];
    match (form, need.resource) {
        ("prefixed", ResourceType::Cluster) => one("kafka-cluster", PatternType::Prefixed),
        ("prefixed", _) => one("golden.", PatternType::Prefixed),
        // The cluster has one name, and Kafka takes no other.
        ("wildcard", resource) if resource != ResourceType::Cluster => one("*", PatternType::Literal),
        _ => names(need.resource).iter().flat_map(|name| one(name, PatternType::Literal)).collect(),
    }
}

fn deny(need: &Need) -> Vec<Acl> {
    let one = |name: &&str| acl(need, name, PatternType::Literal, Permission::Deny);
    names(need.resource).iter().map(one).collect()
}

/// The rules of every scenario of a case, by its name.
fn scenarios(needs: &[Need]) -> Vec<(String, Vec<Acl>)> {
    let all = |form| needs.iter().flat_map(|need| allow(need, form)).collect::<Vec<_>>();
    let called = |need: &Need| format!("{} {}", need.operation.name(), need.resource.name());
    let mut scenarios = vec![("none".to_owned(), Vec::new())];
    if needs.len() > 1 {
        scenarios.extend(needs.iter().map(|need| (format!("only {}", called(need)), allow(need, "exact"))));
    }
    scenarios.extend(["exact", "prefixed", "wildcard"].map(|form| (form.to_owned(), all(form))));
    let denied = |need: &Need| {
        let acls = all("exact").into_iter().chain(deny(need)).collect();
        (format!("exact, deny {}", called(need)), acls)
    };
    scenarios.extend(needs.iter().map(denied));
    scenarios
}

fn everything() -> Vec<Acl> {
    let types = [ResourceType::Topic, ResourceType::Group, ResourceType::Cluster, ResourceType::TransactionalId];
    let need = |resource| Need { operation: Operation::All, resource };
    types.iter().flat_map(|resource| allow(&need(*resource), "wildcard")).collect()
}

/// Every answer, by case and scenario.
fn answers(target: &mut dyn Target, cases: &[&Case]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    target.set(everything());
    let mut peer = Peer::prepared(Client::connect(target.address()));
    for case in cases {
        for (scenario, acls) in scenarios(case.needs) {
            if case.changes {
                target.set(everything());
                peer.restore();
            }
            target.set(acls);
            let answer = tree::reduced(&(case.ask)(&mut peer));
            found.insert(format!("{} | {scenario}", case.name), answer);
        }
    }
    found
}

/// The API of a case: the words after it say what is special.
fn api(case: &Case) -> &str {
    case.name.split(' ').next().unwrap_or_default()
}

/// The first line of the file.
const HEAD: &str =
    "# Apache Kafka 4.3.1, by JARS=.gate/java-4/jars cargo test -p barnabas-tests --test wire authorization\n";

fn text(answers: &BTreeMap<String, String>) -> String {
    let lines = answers.iter().map(|(case, answer)| format!("{case} | {answer}\n"));
    std::iter::once(HEAD.to_owned()).chain(lines).collect()
}

#[test]
fn answers_are_those_that_kafka_gave() {
    if let Some(jars) = std::env::var_os("JARS") {
        let mut kafka = kafka::Kafka::start(Path::new(&jars));
        let cases: Vec<&Case> = every().collect();
        std::fs::write(recorded(), text(&answers(&mut kafka, &cases))).unwrap();
    }
    let served: Vec<&Case> = every().filter(|case| table().iter().any(|row| row.name == api(case))).collect();
    let mut ours = ours::Ours::start();
    let found = answers(&mut ours, &served);
    let golden = std::fs::read_to_string(recorded()).unwrap();
    let golden: BTreeMap<&str, &str> = golden.lines().filter_map(|line| line.rsplit_once(" | ")).collect();
    let mut differences = Vec::new();
    for (case, answer) in &found {
        let kafka = golden.get(case.as_str()).copied().unwrap_or("nothing was recorded");
        let is_meant = DIFFERENT.iter().any(|(name, of, meant)| *case == format!("{name} | {of}") && answer == meant);
        if answer != kafka && !is_meant {
            differences.push(format!("{case}\n  Kafka {kafka}\n  ours  {answer}"));
        }
    }
    assert!(differences.is_empty(), "{} answers differ:\n{}", differences.len(), differences.join("\n"));
}

/// Each of the two names in the place of the other.
fn swapped(answer: &str, left: &str, right: &str) -> String {
    answer.replace(left, "\0").replace(right, left).replace('\0', right)
}

#[test]
fn without_rights_nothing_tells_what_is_there_and_no_name_is_told() {
    let mut ours = ours::Ours::start();
    ours.set(everything());
    let mut peer = Peer::prepared(Client::connect(ours.address()));
    ours.set(Vec::new());
    for case in every().filter(|case| table().iter().any(|row| row.name == api(case))) {
        let answer = (case.ask)(&mut peer);
        for (there, absent) in
            [(cases::KNOWN, cases::ABSENT), (cases::DOOMED, cases::ABSENT), (cases::GROUP, cases::STRANGER)]
        {
            if answer.contains(there) && answer.contains(absent) {
                let other = swapped(&answer, there, absent);
                assert_eq!(tree::whole(&other), tree::whole(&answer), "{}: {there} and {absent}", case.name);
            }
        }
        let names_none = case.name.ends_with(" all-topics") || case.name.ends_with(" by-id");
        let told = answer.replace(cases::GROUP, "").replace(cases::STRANGER, "").contains("golden");
        assert!(!(names_none && told), "{}: {answer}", case.name);
    }
}

#[test]
fn every_api_that_asks_for_rights_has_a_case_with_all_of_them() {
    let mut findings = Vec::new();
    for row in table().iter().filter(|row| !row.needs.is_empty() && !AFTER_A_LOGIN.contains(&row.name)) {
        let needs = every().filter(|case| api(case) == row.name).flat_map(|case| case.needs);
        let needs: Vec<&Need> = needs.collect();
        for need in row.needs.iter().filter(|need| !needs.contains(need)) {
            findings.push(format!("{} asks for {:?} on {:?}", row.name, need.operation, need.resource));
        }
    }
    assert!(findings.is_empty(), "add these to tests/wire/authorization/cases.rs:\n{}", findings.join("\n"));
}
