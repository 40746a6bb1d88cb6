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

/// A way to spread rules: the name, type of pattern and principal of each.
struct Spread {
    name: &'static str,
    pattern: PatternType,
    resource: fn(usize) -> String,
    principal: fn(usize) -> String,
}

const SPREADS: [Spread; 5] = [
    Spread {
        name: "a topic and a principal each",
        pattern: PatternType::Literal,
        resource: |at| format!("topic-{at}"),
        principal: |at| format!("user-{at}"),
    },
    Spread {
        name: "all on one topic",
        pattern: PatternType::Literal,
        resource: |_| "topic-0".to_owned(),
        principal: |at| format!("user-{at}"),
    },
    Spread {
        name: "all on every topic",
        pattern: PatternType::Literal,
        resource: |_| "*".to_owned(),
        principal: |at| format!("user-{at}"),
    },
    Spread {
        name: "all of one principal",
        pattern: PatternType::Literal,
        resource: |at| format!("topic-{at}"),
        principal: |_| "user-0".to_owned(),
    },
    Spread {
        name: "a prefix each, three deep",
        pattern: PatternType::Prefixed,
        resource: |at| format!("topic-{}", &format!("{:06}", at / 3)[..4 + at % 3]),
        principal: |at| format!("user-{at}"),
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
            host: "*".to_owned(),
            operation: Operation::Read,
            permission: Permission::Allow,
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
