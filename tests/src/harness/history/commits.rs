//! Offsets committed by one client, ever higher: they never go back, and nobody makes them up.
//!
//! Events: `committing NUMBER` (for all partitions), `commit-ok NUMBER`, `fetched SMALLEST LARGEST` over the partitions.

use std::path::Path;

use super::{Anomalies, whole_lines};

/// Checks a history file; tells how many commits were acknowledged.
pub fn check_commits(path: &Path) -> std::io::Result<Result<usize, Anomalies>> {
    let text = std::fs::read_to_string(path)?;
    let lines = whole_lines(&text).filter_map(|line| line.split_once(' ')).map(|(_, event)| event);
    Ok(check(lines))
}

fn check<'a>(events: impl Iterator<Item = &'a str>) -> Result<usize, Anomalies> {
    let (mut acknowledged, mut attempted, mut commits) = (0, 0, 0);
    let mut anomalies = Anomalies::default();
    for event in events {
        let mut fields = event.split(' ');
        let word = fields.next();
        let numbers: Vec<i64> = fields.filter_map(|number| number.parse().ok()).collect();
        match (word, numbers.as_slice()) {
            (Some("committing"), [number]) => attempted = attempted.max(*number),
            (Some("commit-ok"), [number]) => {
                commits += 1;
                acknowledged = acknowledged.max(*number);
            }
            (Some("fetched"), [smallest, largest]) => {
                if *smallest < acknowledged {
                    anomalies
                        .note(format!("committed offset went back: {acknowledged} was acknowledged, {smallest} is"));
                }
                if *largest > attempted {
                    anomalies.note(format!("committed offset {largest} out of nothing: {attempted} was the last"));
                }
                // What was seen once must stay.
                acknowledged = acknowledged.max(*smallest);
            }
            _ => {}
        }
    }
    anomalies.into_result().map(|()| commits)
}

#[cfg(test)]
mod tests {
    use super::check;

    fn fault(events: &[&str]) -> String {
        check(events.iter().copied()).expect_err("an anomaly").to_string()
    }

    #[test]
    fn good_history_passes() {
        let events = ["committing 1", "commit-ok 1", "committing 2", "fetched 1 2", "committing 3", "fetched 3 3"];
        assert_eq!(check(events.into_iter()), Ok(1));
    }

    #[test]
    fn offsets_that_went_back_or_came_from_nowhere_are_found() {
        assert!(fault(&["committing 2", "commit-ok 2", "fetched 1 2"]).contains("went back: 2 was acknowledged, 1 is"));
        assert!(fault(&["committing 2", "fetched 2 2", "fetched 1 2"]).contains("went back"));
        assert!(fault(&["committing 2", "fetched 0 3"]).contains("out of nothing"));
    }
}
