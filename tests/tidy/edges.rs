//! Who may depend on whom. A new edge is an architecture decision: write it down in ARCHITECTURE.md, then here.

use std::process::Command;

use serde_json::Value;

use crate::source::{nothing_in, root};

struct Member {
    name: &'static str,
    /// What the crate is built from.
    builds_on: &'static [&'static str],
    /// What only its tests use.
    tests_with: &'static [&'static str],
}

const MEMBERS: [Member; 8] = [
    Member { name: "base2histogram", builds_on: &[], tests_with: &[] },
    Member { name: "barnabas-config", builds_on: &["thiserror"], tests_with: &["proptest", "tempfile"] },
    Member {
        name: "barnabas-storage",
        builds_on: &[
            "base64",
            "bytes",
            "crc32c",
            "flate2",
            "libc",
            "lz4_flex",
            "memmap2",
            "parking_lot",
            "rand",
            "rustix",
            "serde_json",
            "snap",
            "thiserror",
            "tracing",
            "uuid",
            "zstd",
        ],
        tests_with: &["proptest", "tempfile"],
    },
    Member {
        name: "barnabas-auth",
        builds_on: &[
            "arc-swap",
            "base64",
            "hmac",
            "jsonwebtoken",
            "pbkdf2",
            "regex",
            "serde_json",
            "sha2",
            "subtle",
            "thiserror",
        ],
        tests_with: &["aws-lc-rs", "proptest"],
    },
    Member {
        name: "barnabas-raft",
        builds_on: &[
            "barnabas-auth",
            "barnabas-storage",
            "arc-swap",
            "base64",
            "bytes",
            "crc32c",
            "openraft",
            "futures-util",
            "parking_lot",
            "rpds",
            "serde",
            "thiserror",
            "tokio",
            "tracing",
            "uuid",
        ],
        tests_with: &["proptest", "tempfile"],
    },
    Member {
        name: "barnabas-broker",
        builds_on: &[
            "barnabas-auth",
            "barnabas-config",
            "barnabas-raft",
            "barnabas-storage",
            "arc-swap",
            "base64",
            "bytes",
            "clap",
            "clap_complete",
            "clap_mangen",
            "crc32c",
            "futures-util",
            "http-body-util",
            "hyper",
            "hyper-util",
            "indicatif",
            "kafka-protocol",
            "libc",
            "libgssapi",
            "p12-keystore",
            "parking_lot",
            "pkcs8",
            "prost",
            "regex-automata",
            "rustix",
            "rustls",
            "sd-notify",
            "serde-saphyr",
            "serde_json",
            "smallvec",
            "socket2",
            "thiserror",
            "tokio",
            "tokio-rustls",
            "tracing",
            "tracing-subscriber",
            "uuid",
        ],
        tests_with: &["proptest", "tempfile"],
    },
    Member {
        name: "barnabas-tests",
        builds_on: &["rustix", "serde_json", "tempfile"],
        tests_with: &[
            "barnabas-auth",
            "barnabas-broker",
            "barnabas-config",
            "barnabas-raft",
            "barnabas-storage",
            "base64",
            "bytes",
            "crc32c",
            "kafka-protocol",
            "proptest",
            "rand",
            "socket2",
            "tokio",
            "uuid",
        ],
    },
    Member {
        name: "barnabas-benches",
        builds_on: &[
            "barnabas-auth",
            "barnabas-broker",
            "barnabas-config",
            "barnabas-storage",
            "bytes",
            "clap",
            "clap_complete",
            "clap_mangen",
            "crc32c",
            "kafka-protocol",
            "serde_json",
            "tempfile",
            "rustix",
        ],
        tests_with: &[],
    },
];

/// What cargo knows of the workspace.
pub(crate) fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_crate_depends_only_on_what_it_may() {
    let metadata = metadata();
    let mut findings = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let Some(member) = MEMBERS.iter().find(|member| member.name == name) else {
            findings.push(format!("{name} is a crate that the house does not have"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let on = dependency["name"].as_str().unwrap();
            let only_in_tests = dependency["kind"] == "dev";
            let may = member.builds_on.contains(&on) || only_in_tests && member.tests_with.contains(&on);
            if !may {
                findings.push(format!("{name} may not depend on {on}"));
            }
        }
    }
    nothing_in(&findings);
}

#[test]
fn the_house_has_every_crate_of_the_table() {
    let metadata = metadata();
    let names: Vec<_> = metadata["packages"].as_array().unwrap().iter().map(|package| &package["name"]).collect();
    for member in &MEMBERS {
        assert!(names.iter().any(|name| *name == member.name), "{} is gone", member.name);
    }
}
