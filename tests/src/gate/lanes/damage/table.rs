//! Counts of what came of each kind of file and each kind of damage.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::injury::{Damage, Kind};

/// What `barnabas log verify` says of a damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// As something to be repaired.
    Finding,
    /// As a note: a start deals with it.
    Note,
    /// Not at all: nothing depends on it.
    Harmless,
}

/// What a broker makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Everything is served.
    Whole,
    /// Some partitions are refused, the others served.
    Partitions,
    /// It does not start, and says why.
    Refused,
}

/// What `barnabas log repair` makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repair {
    /// Nothing had to be done.
    Nothing,
    /// Everything was made again.
    Whole,
    /// Logs were cut, which the plan said; what was cut is kept.
    Cut,
    /// It asks for a copy of the file; with that all is well.
    Copy,
}

/// One case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    pub(super) named: Named,
    pub(super) start: Start,
    pub(super) repair: Repair,
}

#[derive(Default)]
struct Row {
    cases: usize,
    named: [usize; 3],
    start: [usize; 3],
    repair: [usize; 4],
}

/// All of them.
#[derive(Default)]
pub(super) struct Table {
    kinds: BTreeMap<Kind, Row>,
    damages: BTreeMap<Damage, Row>,
}

impl Table {
    pub(super) fn add(&mut self, kind: Kind, damage: Damage, verdict: Verdict) {
        for row in [self.kinds.entry(kind).or_default(), self.damages.entry(damage).or_default()] {
            row.cases += 1;
            row.named[verdict.named as usize] += 1;
            row.start[verdict.start as usize] += 1;
            row.repair[verdict.repair as usize] += 1;
        }
    }

    /// As Markdown.
    pub(super) fn render(&self) -> String {
        let mut text = String::from(
            "| damaged | cases | named | noted | harmless | served whole | partition refused | start refused | nothing to repair \
             | made again | cut | from a copy |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n",
        );
        let kinds = self.kinds.iter().map(|(kind, row)| (format!("{kind:?}"), row));
        let damages = self.damages.iter().map(|(damage, row)| (format!("{damage:?}"), row));
        for (name, row) in kinds.chain(damages) {
            let counts = [&row.named[..], &row.start[..], &row.repair[..]].concat();
            let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {name} | {} | {} |", row.cases, counts.join(" | "));
        }
        text
    }

    /// In one line.
    pub(super) fn summary(&self) -> String {
        let sum = |of: fn(&Row) -> usize| self.kinds.values().map(of).sum::<usize>();
        format!(
            "{} damages of {} kinds of files: {} named, {} noted, {} harmless; {} served whole, {} with partitions refused, {} \
             starts refused; {} made again, {} cut, {} from a copy",
            sum(|row| row.cases),
            self.kinds.len(),
            sum(|row| row.named[0]),
            sum(|row| row.named[1]),
            sum(|row| row.named[2]),
            sum(|row| row.start[0]),
            sum(|row| row.start[1]),
            sum(|row| row.start[2]),
            sum(|row| row.repair[1]),
            sum(|row| row.repair[2]),
            sum(|row| row.repair[3]),
        )
    }
}
