//! K11: a committed offset stays; what is looked up is what somebody committed, and not less than what was acknowledged.

use crate::history::{Commit, History};

pub(super) fn check(history: &History, found: &mut Vec<String>) {
    for look in &history.committed {
        let same = |commit: &&Commit| {
            (commit.group, commit.topic, commit.partition) == (look.group, look.topic, look.partition)
        };
        let commits: Vec<&Commit> = history.commits.iter().filter(same).collect();
        let known = commits.iter().filter(|commit| commit.ok && commit.done < look.invoked).map(|commit| commit.offset);
        let known = known.max().unwrap_or(-1);
        let place = format!("g{} t{} p{}", look.group, look.topic, look.partition);
        if look.offset < known {
            found.push(format!("lost-commit (K11): {place} says {}, {known} was committed", look.offset));
        }
        let tried = commits.iter().any(|commit| commit.invoked < look.done && commit.offset == look.offset);
        if look.offset >= 0 && !tried {
            found.push(format!("phantom-commit (K11): {place} says {}, which nobody committed", look.offset));
        }
    }
}
