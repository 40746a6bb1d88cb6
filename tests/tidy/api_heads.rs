//! Every API's file begins with what it does, where it differs from Apache Kafka, and its versions.

use crate::source::{nothing_in, rust};

#[test]
fn every_api_file_says_what_it_does_where_it_differs_and_its_versions() {
    let mut findings = Vec::new();
    let mut seen = 0;
    for source in rust().iter().filter(|source| source.path.starts_with("broker/src/api/")) {
        if !source.bare().contains("impl Api for ") {
            continue;
        }
        seen += 1;
        let head: String = source.text.lines().take_while(|line| line.starts_with("//!")).collect();
        for part in ["(key ", "Where it differs from Apache Kafka", "Versions:"] {
            if !head.contains(part) {
                findings.push(format!("{}: the head has no \"{part}\"", source.path));
            }
        }
    }
    assert!(seen > 0, "no API was found");
    nothing_in(&findings);
}
