//! How long the authorizer takes to answer, and to take in its rules, by how the rules are spread.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use barnabas_auth::{
    Acl, Authorizer, Operation, PatternType, Permission, Principal, Question, ResourceType, StandardAuthorizer,
};
use clap::Args;

use crate::{Outcome, report};

/// Rounds, of which the median counts.
const ROUNDS: usize = 5;

/// The size of the run.
#[derive(Args)]
pub(crate) struct Options {
    /// Rules.
    #[arg(long, default_value_t = 100_000)]
    acls: usize,
    /// Questions in each round.
    #[arg(long, default_value_t = 1_000_000)]
    questions: usize,
}

/// A way to spread rules: the name, type of pattern, principal and host of each, and what they say.
struct Spread {
    name: &'static str,
    pattern: PatternType,
    resource: fn(usize) -> String,
    principal: fn(usize) -> String,
    host: fn(usize) -> String,
    permission: Permission,
}

/// Rules from everywhere that allow.
const ALLOWED: Spread = Spread {
    name: "",
    pattern: PatternType::Literal,
    resource: |_| String::new(),
    principal: |_| String::new(),
    host: |_| "*".to_owned(),
    permission: Permission::Allow,
};

const SPREADS: [Spread; 9] = [
    Spread {
        name: "a topic and a principal each",
        resource: |at| format!("topic-{at}"),
        principal: |at| format!("user-{at}"),
        ..ALLOWED
    },
    Spread {
        name: "all on one topic",
        resource: |_| "topic-0".to_owned(),
        principal: |at| format!("user-{at}"),
        ..ALLOWED
    },
    Spread {
        name: "all on every topic",
        resource: |_| "*".to_owned(),
        principal: |at| format!("user-{at}"),
        ..ALLOWED
    },
    Spread {
        name: "all of one principal",
        resource: |at| format!("topic-{at}"),
        principal: |_| "user-0".to_owned(),
        ..ALLOWED
    },
    Spread {
        name: "a prefix each, three deep",
        pattern: PatternType::Prefixed,
        resource: |at| format!("topic-{}", &format!("{:06}", at / 3)[..4 + at % 3]),
        principal: |at| format!("user-{at}"),
        ..ALLOWED
    },
    Spread {
        name: "prefixes of one principal, 200 deep",
        pattern: PatternType::Prefixed,
        resource: |at| format!("topic-{:06}{}", at / 200, "x".repeat(at % 200)),
        principal: |_| "user-0".to_owned(),
        ..ALLOWED
    },
    Spread {
        name: "prefixes of everybody, 200 deep, denied to other hosts",
        pattern: PatternType::Prefixed,
        resource: |at| format!("topic-{:06}{}", at / 200, "x".repeat(at % 200)),
        principal: |_| "*".to_owned(),
        host: |at| format!("10.{}.{}.{}", at >> 16, at >> 8 & 255, at & 255),
        permission: Permission::Deny,
    },
    Spread {
        name: "all of one principal on one topic, a host each",
        resource: |_| "topic-0".to_owned(),
        principal: |_| "user-0".to_owned(),
        host: |at| format!("10.{}.{}.{}", at >> 16, at >> 8 & 255, at & 255),
        ..ALLOWED
    },
    Spread {
        name: "a topic and a principal each, denied",
        resource: |at| format!("topic-{at}"),
        principal: |at| format!("user-{at}"),
        permission: Permission::Deny,
        ..ALLOWED
    },
];

/// Prints a table.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    report("| rules | ns a question | ms to take in |\n|---|---|---|");
    for spread in &SPREADS {
        let authorizer = StandardAuthorizer::new("User:root", false)?;
        let acls: Vec<Arc<Acl>> = (0..options.acls).map(|at| Arc::new(spread.acl(at))).collect();
        let begun = Instant::now();
        authorizer.replace(acls);
        let taken_in = begun.elapsed();
        let mut rounds: Vec<Duration> = (0..ROUNDS).map(|_| spread.ask(&authorizer, options)).collect();
        rounds.sort_unstable();
        let nanoseconds = rounds[ROUNDS / 2].as_nanos() as f64 / options.questions as f64;
        report(&format!("| {} | {nanoseconds:.0} | {} |", spread.name, taken_in.as_millis()));
    }
    Ok(())
}

impl Spread {
    fn acl(&self, at: usize) -> Acl {
        Acl {
            resource_type: ResourceType::Topic,
            resource_name: (self.resource)(at),
            pattern_type: self.pattern,
            principal: format!("User:{}", (self.principal)(at)),
            host: (self.host)(at),
            operation: Operation::Read,
            permission: self.permission,
        }
    }

    /// Questions of principals about what is theirs, far from each other.
    fn ask(&self, authorizer: &StandardAuthorizer, options: &Options) -> Duration {
        let asked: Vec<(Principal, String)> = (0..1024)
            .map(|nth| {
                let at = nth * 97 * options.acls / 100_000 % options.acls;
                let principal = Principal { kind: "User".to_owned(), name: (self.principal)(at) };
                (principal, format!("{}7", (self.resource)(at).trim_end_matches('*')))
            })
            .collect();
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (operation, resource_type) = (Operation::Read, ResourceType::Topic);
        let begun = Instant::now();
        for at in 0..options.questions {
            let (principal, name) = &asked[at % asked.len()];
            // By name and by prefix: the letter more is taken off again where names are whole.
            let resource_name = if self.pattern == PatternType::Literal { &name[..name.len() - 1] } else { name };
            let question = Question { principal, host, operation, resource_type, resource_name };
            std::hint::black_box(authorizer.decide(&question));
        }
        begun.elapsed()
    }
}
