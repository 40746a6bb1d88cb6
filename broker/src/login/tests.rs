//! How long an answer takes tells nothing of who exists.

use std::time::{Duration, Instant};

use barnabas_auth::{ScramCredential, ScramMechanism};
use barnabas_raft::metadata::scram::UserScramCredentialRecord;
use barnabas_raft::metadata::{Entry, Touched};
use barnabas_storage::Timestamp;

use super::*;

const MECHANISM: ScramMechanism = ScramMechanism::Sha256;
const USERS: usize = 1000;
/// Exchanges of each kind that a median is taken of.
const EXCHANGES: usize = 4001;
/// By how much the medians may differ.
const DIFFERENCE_MAX: f64 = 0.05;
/// A machine at other work may disturb a measurement, but hardly all of them.
const MEASUREMENTS_MAX: usize = 10;

fn image() -> MetadataImage {
    let credential = |number: usize| ScramCredential {
        salt: base36::of_130_bits(&number.to_be_bytes().repeat(3)).into_bytes(),
        stored_key: vec![1; 32],
        server_key: vec![2; 32],
        iterations: 4096,
    };
    let records = (0..USERS).map(|number| {
        let user = format!("user-{number:05}");
        UserScramCredentialRecord { user, mechanism: MECHANISM, credential: credential(number) }.into()
    });
    let mut image = MetadataImage::default();
    image.apply(1, &Entry { timestamp: Timestamp(0), records: records.collect() }, &mut Touched::default());
    image
}

/// A whole exchange with a wrong proof.
fn exchange(image: &MetadataImage, decoys: &Decoys, user: &str) -> Duration {
    const PROOF: &str = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    let first = format!("n,,n={user},r=c1ient");
    let last = format!("c=biws,r=c1ients3rver,p={PROOF}");
    let begun = Instant::now();
    let mut server = ScramServer::new(MECHANISM, "s3rver".to_owned(), false);
    let challenge = server.challenge(first.as_bytes(), |first| find(image, decoys, MECHANISM, first));
    let refused = server.finish(last.as_bytes());
    let took = begun.elapsed();
    assert!(challenge.is_ok() && refused.is_err());
    took
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

#[test]
fn unknown_and_known_users_take_the_same_time() {
    let (image, decoys) = (image(), Decoys::new(vec![7; 32], 4096));
    let measure = || {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for number in 0..EXCHANGES {
            known.push(exchange(&image, &decoys, &format!("user-{:05}", number % USERS)));
            unknown.push(exchange(&image, &decoys, &format!("nope-{:05}", number % USERS)));
        }
        median(unknown) / median(known) - 1.0
    };
    let mut differences = Vec::new();
    while differences.len() < MEASUREMENTS_MAX {
        let difference: f64 = measure();
        if difference.abs() < DIFFERENCE_MAX {
            return;
        }
        differences.push(difference);
    }
    panic!("{differences:?}");
}
