use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const HOST: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

fn user(name: &str) -> Principal {
    Principal { kind: "User".into(), name: name.into() }
}

/// `allow|deny principal operation pattern:name from host`, on topics.
fn acl(text: &str) -> Arc<Acl> {
    let words: Vec<&str> = text.split(' ').collect();
    let (pattern, name) = words[3].split_once(':').unwrap();
    Arc::new(Acl {
        resource_type: ResourceType::Topic,
        resource_name: name.to_owned(),
        pattern_type: PatternType::of_name(pattern).unwrap(),
        principal: words[1].to_owned(),
        host: words.get(5).unwrap_or(&WILDCARD).to_string(),
        operation: Operation::of_name(words[2]).unwrap(),
        permission: Permission::of_name(words[0]).unwrap(),
    })
}

fn authorizer(acls: &[&str]) -> StandardAuthorizer {
    let authorizer = StandardAuthorizer::new("User:root", false).unwrap();
    authorizer.replace(acls.iter().map(|text| acl(text)));
    authorizer
}

fn asks(authorizer: &StandardAuthorizer, name: &str, operation: Operation, topic: &str) -> Verdict {
    let principal = user(name);
    let resource_type = ResourceType::Topic;
    authorizer.decide(&Question { principal: &principal, host: HOST, operation, resource_type, resource_name: topic })
}

#[test]
fn a_rule_that_denies_wins_and_the_verdict_names_it() {
    let deny = "deny User:a write prefixed:orders.secret";
    let authorizer = authorizer(&["allow User:a write prefixed:orders.", deny, "allow User:* read literal:*"]);
    assert_eq!(asks(&authorizer, "a", Operation::Write, "orders.secret.1").reason, Reason::Rule(acl(deny)));
    assert!(asks(&authorizer, "a", Operation::Write, "orders.1").is_allowed());
    assert!(
        asks(&authorizer, "a", Operation::Describe, "orders.secret.1").is_allowed(),
        "write denied is no describe denied"
    );
    assert!(asks(&authorizer, "b", Operation::Read, "anything").is_allowed());
    assert_eq!(asks(&authorizer, "b", Operation::Write, "orders.1"), Verdict::denied(Reason::NoRule));
}

#[test]
fn a_prefix_does_not_reach_beyond_names_and_a_prefixed_star_is_a_star() {
    let authorizer = authorizer(&["allow User:a read literal:foo", "allow User:a read prefixed:*"]);
    assert!(asks(&authorizer, "a", Operation::Read, "foo").is_allowed());
    assert_eq!(asks(&authorizer, "a", Operation::Read, "foobar"), Verdict::denied(Reason::NoAcl));
    assert!(asks(&authorizer, "a", Operation::Read, "*foo").is_allowed());
}

#[test]
fn a_name_that_is_a_star_empty_or_looks_like_another_is_no_other() {
    let authorizer = authorizer(&[
        "allow User:a read literal:orders",
        "deny User:b read literal:*",
        "allow User:b read literal:orders",
    ]);
    // The Cyrillic letter, a zero byte, a blank: other names.
    for name in ["*", "", "\u{43e}rders", "orders\0", "orders ", "Orders"] {
        assert!(!asks(&authorizer, "a", Operation::Read, name).is_allowed(), "{name:?}");
    }
    for user in ["*", "", "\u{430}", "A", "a "] {
        assert!(!asks(&authorizer, user, Operation::Read, "orders").is_allowed(), "{user:?}");
    }
    assert!(!asks(&authorizer, "b", Operation::Read, "orders").is_allowed(), "the wildcard denies");
}

#[test]
fn one_rule_about_a_resource_ends_the_default_for_it() {
    let authorizer = StandardAuthorizer::new("", true).unwrap();
    assert!(asks(&authorizer, "a", Operation::Read, "foo").is_allowed());
    authorizer.replace([acl("allow User:b write literal:foo")]);
    assert_eq!(asks(&authorizer, "a", Operation::Read, "foo"), Verdict::denied(Reason::NoRule));
    assert!(asks(&authorizer, "a", Operation::Read, "bar").is_allowed());
}

#[test]
fn super_users_are_exact_and_stand_between_semicolons() {
    let authorizer = StandardAuthorizer::new("User:CN=a,O=b; User:root;", false).unwrap();
    authorizer.replace([acl("deny User:* all literal:*")]);
    for (name, expected) in [("CN=a,O=b", true), ("root", true), ("Root", false), ("CN=a", false)] {
        assert_eq!(asks(&authorizer, name, Operation::Alter, "foo").is_allowed(), expected, "{name}");
    }
    assert!(StandardAuthorizer::new("root", false).is_err());
}

#[test]
fn everybody_is_every_type_of_principal() {
    let authorizer = authorizer(&["allow User:* read literal:foo", "allow Group:x write literal:foo"]);
    let principal = Principal { kind: "Group".into(), name: "x".into() };
    for operation in [Operation::Read, Operation::Write] {
        let resource_type = ResourceType::Topic;
        let question = Question { principal: &principal, host: HOST, operation, resource_type, resource_name: "foo" };
        assert!(authorizer.decide(&question).is_allowed());
    }
    assert!(!asks(&authorizer, "x", Operation::Write, "foo").is_allowed());
}

#[test]
fn a_rule_without_a_colon_speaks_of_nobody() {
    let authorizer = authorizer(&["allow a read literal:foo"]);
    assert_eq!(asks(&authorizer, "a", Operation::Read, "foo"), Verdict::denied(Reason::NoRule));
}

#[test]
fn a_host_is_compared_as_an_address() {
    let authorizer = authorizer(&[
        "allow User:a read literal:foo from ::ffff:10.0.0.1",
        "allow User:b read literal:foo from 10.0.0.2",
    ]);
    assert!(asks(&authorizer, "a", Operation::Read, "foo").is_allowed());
    assert!(!asks(&authorizer, "b", Operation::Read, "foo").is_allowed());
}

#[test]
fn some_topic_is_enough_for_a_producer_unless_it_is_denied() {
    let any = |acls: &[&str]| {
        authorizer(acls).decide_on_any(&user("a"), HOST, Operation::Write, ResourceType::Topic) == Decision::Allowed
    };
    assert!(!any(&[]));
    assert!(any(&["allow User:a write literal:foo"]));
    assert!(any(&["allow User:* all prefixed:foo"]));
    assert!(!any(&["allow User:a read literal:foo"]));
    assert!(!any(&["allow User:a write literal:foo", "deny User:a write literal:*"]));
    assert!(!any(&["allow User:a write literal:foo", "deny User:a all prefixed:fo"]));
    assert!(!any(&["allow User:a write literal:foo", "deny User:* write literal:foo"]));
    assert!(any(&["allow User:a write prefixed:foo", "deny User:* write literal:foo"]));
    assert!(any(&["allow User:a write literal:*", "deny User:* write prefixed:f"]));
    assert!(!any(&["allow User:a write literal:foo from 10.0.0.9"]));
    let root = authorizer(&["deny User:* all literal:*"]);
    assert_eq!(root.decide_on_any(&user("root"), HOST, Operation::Write, ResourceType::Topic), Decision::Allowed);
}

/// Hosts of rules, and the peers that each means.
const RULE_HOSTS: &[(&str, &[&str])] = &[
    ("*", PEERS),
    ("10.0.0.1", &["10.0.0.1", "::ffff:10.0.0.1"]),
    ("::ffff:10.0.0.1", &["10.0.0.1", "::ffff:10.0.0.1"]),
    ("10.0.0.0/30", &["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2"]),
    ("0:0:0:0:0:0:0:1", &["::1"]),
    ("localhost", &[]),
];
const PEERS: &[&str] = &["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2", "10.0.0.9", "::1"];
const SUPER_USERS: &[&str] = &["User:root", "Group:a"];

/// Kafka's evaluation, rule by rule, with nothing of the index or of what a rule knows of itself.
struct Naive<'a> {
    acls: &'a [Acl],
    principal: &'a str,
    peer: &'a str,
    everyone: bool,
}

impl Naive<'_> {
    fn speaks(&self, acl: &Acl) -> bool {
        let (_, peers) = RULE_HOSTS.iter().find(|(host, _)| *host == acl.host).unwrap();
        (acl.principal == "User:*" || acl.principal == self.principal) && peers.contains(&self.peer)
    }

    fn decide(&self, resource_type: ResourceType, name: &str, asked: Operation) -> bool {
        if SUPER_USERS.contains(&self.principal) {
            return true;
        }
        let is_about = |acl: &&Acl| {
            let is_named = match acl.pattern_type {
                PatternType::Literal => acl.resource_name == name || acl.resource_name == "*",
                PatternType::Prefixed => name.starts_with(&acl.resource_name),
            };
            acl.resource_type == resource_type && is_named
        };
        let about: Vec<&Acl> = self.acls.iter().filter(is_about).collect();
        if about.is_empty() {
            return self.everyone;
        }
        let named = |acl: &Acl| acl.operation == Operation::All || acl.operation == asked;
        let implied = |acl: &Acl| match asked {
            Operation::Describe => {
                matches!(acl.operation, Operation::Read | Operation::Write | Operation::Delete | Operation::Alter)
            }
            Operation::DescribeConfigs => acl.operation == Operation::AlterConfigs,
            _ => false,
        };
        let denies = |acl: &&Acl| acl.permission == Permission::Deny && self.speaks(acl) && named(acl);
        let allows =
            |acl: &&Acl| acl.permission == Permission::Allow && self.speaks(acl) && (named(acl) || implied(acl));
        !about.iter().any(denies) && about.iter().any(allows)
    }

    /// KIP-679, as its `authorizeByResourceType` has it.
    fn decide_on_any(&self, resource_type: ResourceType, asked: Operation) -> bool {
        if self.decide(resource_type, "hardcode", asked) {
            return true;
        }
        let named = |acl: &&Acl| {
            let is_operation = acl.operation == Operation::All || acl.operation == asked;
            acl.resource_type == resource_type && self.speaks(acl) && is_operation
        };
        let (denying, allowing): (Vec<&Acl>, Vec<&Acl>) =
            self.acls.iter().filter(named).partition(|acl| acl.permission == Permission::Deny);
        let is_everything = |acl: &Acl| acl.pattern_type == PatternType::Literal && acl.resource_name == "*";
        let is_denied = |allow: &Acl| {
            denying.iter().any(|deny| match deny.pattern_type {
                PatternType::Literal => {
                    allow.pattern_type == PatternType::Literal && allow.resource_name == deny.resource_name
                }
                // Kafka looks at beginnings of one letter and more.
                PatternType::Prefixed => {
                    !deny.resource_name.is_empty() && allow.resource_name.starts_with(&deny.resource_name)
                }
            })
        };
        !denying.iter().any(|deny| is_everything(deny))
            && allowing.iter().any(|allow| is_everything(allow) || !is_denied(allow))
    }
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[ab]{0,4}", 1 => Just(WILDCARD.to_owned()), 1 => "[*aé]{1,2}", 1 => Just("hardcode".to_owned())]
}

fn acls() -> impl Strategy<Value = Acl> {
    let principals = select(vec!["User:a", "User:b", "User:*", "Group:a", "User:", "Group:*", "a"]);
    let hosts = select(RULE_HOSTS).prop_map(|(host, _)| host);
    let types = select(vec![ResourceType::Topic, ResourceType::Group]);
    let patterns = select(PatternType::EVERY);
    let permissions = prop_oneof![3 => Just(Permission::Allow), 1 => Just(Permission::Deny)];
    (types, names(), patterns, principals, hosts, select(Operation::EVERY), permissions).prop_map(
        |(resource_type, resource_name, pattern_type, principal, host, operation, permission)| Acl {
            resource_type,
            resource_name,
            pattern_type,
            principal: principal.to_owned(),
            host: host.to_owned(),
            operation,
            permission,
        },
    )
}

/// `AUTHORIZER_CASES=1000000 cargo test --release -p barnabas-auth the_index_answers` tries more.
#[allow(clippy::disallowed_methods, reason = "how often a test is tried is no setting")]
fn cases() -> u32 {
    std::env::var("AUTHORIZER_CASES").map_or(2048, |cases| cases.parse().expect("AUTHORIZER_CASES is a number"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn the_index_answers_as_reading_every_rule_does(
        acls in prop::collection::vec(acls(), 0..24),
        name in names(),
        principal in select(vec!["User:a", "User:b", "User:c", "User:", "Group:b", "Group:a", "User:*", "User:root"]),
        peer in select(PEERS),
        operation in select(&Operation::EVERY[1..]),
        everyone: bool,
    ) {
        let (kind, of_kind) = principal.split_once(':').unwrap();
        let naive = Naive { acls: &acls, principal, peer, everyone };
        let principal = Principal { kind: kind.into(), name: of_kind.into() };
        let authorizer = StandardAuthorizer::new(&SUPER_USERS.join(";"), everyone).unwrap();
        authorizer.replace(acls.iter().cloned().map(Arc::new));
        let host: IpAddr = peer.parse().unwrap();
        for resource_type in [ResourceType::Topic, ResourceType::Group] {
            let question = Question { principal: &principal, host, operation, resource_type, resource_name: &name };
            let expected = naive.decide(resource_type, &name, operation);
            prop_assert_eq!(authorizer.decide(&question).is_allowed(), expected);
            let any = authorizer.decide_on_any(&principal, host, operation, resource_type);
            prop_assert_eq!(any == Decision::Allowed, naive.decide_on_any(resource_type, operation));
        }
    }
}
