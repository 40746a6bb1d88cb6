//! Whether the time that a refusal takes tells who exists: users that are there and users that are not, in turn, with wrong passwords.
//!
//! The broker is told not to delay refusals, as it does otherwise: what is measured is its work.

use std::time::{Duration, Instant};

use barnabas_auth::ScramMechanism;
use barnabas_broker::bench::connection::Connection;
use bytes::Bytes;
use clap::Args;
use kafka_protocol::messages::alter_user_scram_credentials_request::ScramCredentialUpsertion;
use kafka_protocol::messages::{AlterUserScramCredentialsRequest, SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;

use crate::peer::{Peer, Programs, free_port};
use crate::running::Running;
use crate::{Outcome, process, report};

/// Users that exist; as many are asked for that do not, with names as long.
const USERS: usize = 64;
/// A proof of 32 bytes, or of 64.
const WRONG_PROOFS: [&str; 2] = [
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
];
const PASSWORD: &str = "of-the-users";

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    programs: Programs,
    /// Logins of each kind that a median is taken of.
    #[arg(long, default_value_t = 2001, value_parser = clap::value_parser!(u16).range(1..))]
    logins: u16,
    /// Milliseconds by which the broker delays a refusal; it ships with 100.
    #[arg(long, default_value_t = 0)]
    delay: u32,
}

/// A row of the table.
struct Kind {
    name: &'static str,
    mechanism: &'static str,
    /// How the names of users begin that exist.
    known: &'static str,
}

const KINDS: [Kind; 4] = [
    Kind { name: "SCRAM-SHA-256", mechanism: "SCRAM-SHA-256", known: "both" },
    Kind { name: "SCRAM-SHA-512", mechanism: "SCRAM-SHA-512", known: "both" },
    Kind { name: "PLAIN", mechanism: "PLAIN", known: "both" },
    Kind { name: "PLAIN, users with SCRAM-SHA-512 only", mechanism: "PLAIN", known: "only" },
];

/// Times of one kind: to the challenge, and to the refusal.
#[derive(Default)]
struct Times {
    challenge: Vec<Duration>,
    refusal: Vec<Duration>,
}

/// Runs it and prints the table.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let sasl = free_port()?;
    let mut programs = options.programs.clone();
    let ours = ["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"].join(",");
    programs.settings = vec![
        format!("listeners=PLAINTEXT://127.0.0.1:{{port}},SASL_PLAINTEXT://127.0.0.1:{sasl}"),
        format!("sasl.enabled.mechanisms={ours}"),
        format!("connection.failed.authentication.delay.ms={}", options.delay),
    ];
    let running = Running::start(Peer::Os, &programs)?;
    create_users(&running.bootstrap.addresses)?;
    let address = format!("127.0.0.1:{sasl}");
    report(&format!("machine's load {}, {} logins of each kind", process::machine_load(), options.logins));
    report("| mechanism | step | user exists, µs | does not, µs | difference |\n|---|---|---|---|---|");
    for kind in &KINDS {
        let (known, unknown) = kind.measure(&address, options.logins)?;
        row(kind.name, "challenge", known.challenge, unknown.challenge);
        row(kind.name, "refusal", known.refusal, unknown.refusal);
    }
    Ok(())
}

impl Kind {
    /// In turn, so that the machine's moods hit both alike; the first few do not count.
    fn measure(&self, address: &str, logins: u16) -> Outcome<(Times, Times)> {
        let (mut known, mut unknown) = (Times::default(), Times::default());
        for number in 0..usize::from(logins) + USERS {
            let user = |kind: &str| format!("{kind}-{:03}", number % USERS);
            // Now this one first, now that one.
            let (exists, does_not) = if number % 2 == 0 {
                let exists = self.login(address, &user(self.known))?;
                (exists, self.login(address, &user("nope"))?)
            } else {
                let does_not = self.login(address, &user("nope"))?;
                (self.login(address, &user(self.known))?, does_not)
            };
            if number >= USERS {
                known.add(exists);
                unknown.add(does_not);
            }
        }
        Ok((known, unknown))
    }

    /// One login with a wrong password: the time to the challenge, if there is one, and to the refusal.
    fn login(&self, address: &str, user: &str) -> Outcome<(Option<Duration>, Duration)> {
        let mut connection = Connection::open(address)?;
        let handshake = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(self.mechanism));
        connection.call(&handshake, 1, "begin a login")?;
        let mut step = |token: String| -> Outcome<_> {
            let request = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from(token));
            let begun = Instant::now();
            let answer = connection.call(&request, 2, "log in")?;
            Ok((begun.elapsed(), answer))
        };
        let (challenge, last) = if self.mechanism == "PLAIN" {
            (None, format!("\0{user}\0wrong"))
        } else {
            let (took, answer) = step(format!("n,,n={user},r=c1ient"))?;
            let challenge = String::from_utf8_lossy(&answer.auth_bytes).into_owned();
            let nonce = challenge.split(',').next().ok_or("no nonce")?.to_owned();
            let proof = WRONG_PROOFS[usize::from(self.mechanism.ends_with("512"))];
            (Some(took), format!("c=biws,{nonce},p={proof}"))
        };
        let (refusal, answer) = step(last)?;
        if answer.error_code == 0 {
            return Err(format!("{user} is let in with a wrong password").into());
        }
        Ok((challenge, refusal))
    }
}

impl Times {
    fn add(&mut self, (challenge, refusal): (Option<Duration>, Duration)) {
        self.challenge.extend(challenge);
        self.refusal.push(refusal);
    }
}

/// Users with both mechanisms, and others with one.
fn create_users(bootstrap: &str) -> Outcome<()> {
    let mut connection = Connection::open(bootstrap)?;
    let salt = b"0123456789abcdefghijklmno".to_vec();
    let upsertion = |user: String, mechanism: ScramMechanism| {
        ScramCredentialUpsertion::default()
            .with_name(StrBytes::from_string(user))
            .with_mechanism(mechanism.number())
            .with_iterations(4096)
            .with_salted_password(Bytes::from(mechanism.salted_password(PASSWORD, &salt, 4096)))
            .with_salt(Bytes::from(salt.clone()))
    };
    let mut all = Vec::new();
    for number in 0..USERS {
        all.extend(ScramMechanism::ALL.map(|mechanism| upsertion(format!("both-{number:03}"), mechanism)));
        all.push(upsertion(format!("only-{number:03}"), ScramMechanism::Sha512));
    }
    let request = AlterUserScramCredentialsRequest::default().with_upsertions(all);
    let answer = connection.call(&request, 0, "create users")?;
    match answer.results.iter().find(|result| result.error_code != 0) {
        Some(refused) => Err(format!("{refused:?}").into()),
        None => Ok(()),
    }
}

fn row(kind: &str, step: &str, known: Vec<Duration>, unknown: Vec<Duration>) {
    if let (Some(known), Some(unknown)) = (median(known), median(unknown)) {
        let difference = (unknown / known - 1.0) * 100.0;
        report(&format!("| {kind} | {step} | {known:.1} | {unknown:.1} | {difference:+.1} % |"));
    }
}

/// In microseconds.
fn median(mut times: Vec<Duration>) -> Option<f64> {
    times.sort_unstable();
    times.get(times.len() / 2).map(|time| time.as_secs_f64() * 1e6)
}
