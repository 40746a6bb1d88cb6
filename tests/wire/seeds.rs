//! What the fuzz targets run, on their seeds and on every beginning of them: so that the targets keep up with the code, and what they
//! once found stays mended, without the machinery of a fuzzer.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[path = "../fuzz/bodies/frame.rs"]
mod frame;
#[path = "../fuzz/bodies/gate.rs"]
mod gate;
#[path = "../fuzz/bodies/jwt.rs"]
mod jwt;
#[path = "../fuzz/bodies/login.rs"]
mod login;
#[path = "../fuzz/bodies/mapping_rules.rs"]
mod mapping_rules;
#[path = "../fuzz/bodies/names.rs"]
mod names;
#[path = "../fuzz/bodies/oauthbearer.rs"]
mod oauthbearer;
#[path = "../fuzz/bodies/pem.rs"]
mod pem;
#[path = "../fuzz/bodies/record_batch.rs"]
mod record_batch;
#[path = "../fuzz/bodies/request.rs"]
mod request;
#[path = "../fuzz/bodies/rights.rs"]
mod rights;
#[path = "../fuzz/bodies/scram.rs"]
mod scram;
#[path = "../fuzz/bodies/short_names.rs"]
mod short_names;

/// Beginnings of a seed that are run, at most.
const BEGINNINGS: usize = 64;

/// Runs one input.
type Run = fn(&[u8]);

/// Every target by the name of its directory of seeds.
const TARGETS: [(&str, Run); 13] = [
    ("frame", frame::run),
    ("gate", gate::run),
    ("jwt", jwt::run),
    ("login", login::run),
    ("mapping_rules", mapping_rules::run),
    ("names", names::run),
    ("oauthbearer", oauthbearer::run),
    ("pem", pem::run),
    ("record_batch", record_batch::run),
    ("request", request::run),
    ("rights", rights::run),
    ("scram", scram::run),
    ("short_names", short_names::run),
];

#[test]
fn every_seed_of_the_fuzz_targets_and_its_beginnings_keep_what_the_target_asserts() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let count = fs::read_dir(fuzz.join("targets")).unwrap().count();
    assert_eq!(count, TARGETS.len(), "every target is in this file");
    for (name, run) in TARGETS {
        let mut seeds = 0;
        for seed in fs::read_dir(fuzz.join("seeds").join(name)).unwrap() {
            let path = seed.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let step = bytes.len() / BEGINNINGS + 1;
            for end in (0..bytes.len()).step_by(step).chain([bytes.len()]) {
                let ran = catch_unwind(AssertUnwindSafe(|| run(&bytes[..end])));
                assert!(ran.is_ok(), "{} up to byte {end}", path.display());
            }
            seeds += 1;
        }
        assert!(seeds > 0, "{name} has no seeds");
    }
}
