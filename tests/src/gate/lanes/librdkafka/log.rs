//! What a log of librdkafka's test-runner says of each test in it. Its summary is lost when it ends by a signal, as it does
//! when a test that failed left threads behind.

use std::collections::HashMap;

use super::table::State;

/// What the runner says of a test that it was asked to leave out.
const LEFT_OUT: &str = "Filtered due to negative test flags";

/// What became of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) state: State,
    /// Whole seconds.
    pub(super) seconds: u64,
    /// Why it did not pass; of a pass, which part of it was skipped.
    pub(super) reason: String,
}

impl Told {
    /// A test in two runs, each of other parts: it passes if it did in both.
    pub(super) fn and(self, other: Self) -> Self {
        let seconds = self.seconds + other.seconds;
        let worse = if self.state == State::Pass { other } else { self };
        Self { seconds, ..worse }
    }
}

/// What is known of a test while its log is read.
#[derive(Default)]
struct Course {
    seconds: f64,
    failure: Option<String>,
    skip: Option<String>,
    passed: bool,
    parts_passed: usize,
    parts_skipped: Vec<String>,
}

/// Every test of the log; one that neither passed nor failed in it ended with the process, as `ended` says.
pub(super) fn told(log: &str, ended: &str) -> HashMap<String, Told> {
    let mut courses = HashMap::<String, Course>::new();
    let log = plain(log);
    let mut lines = log.lines();
    while let Some(line) = lines.next() {
        if let Some(failed) = line.strip_prefix("### Test \"") {
            let name = failed.split([' ', '"']).next().unwrap_or_default();
            let why = lines.next().unwrap_or_default().trim().to_owned();
            courses.entry(name.to_owned()).or_default().failure.get_or_insert(why);
        } else if let Some((name, seconds, text)) = said(line) {
            courses.entry(name.to_owned()).or_default().hears(seconds, text);
        }
    }
    courses.remove("<MAIN>");
    courses.into_iter().map(|(name, course)| (name, course.told(ended))).collect()
}

/// A line `[name / 1.234s] text`.
fn said(line: &str) -> Option<(&str, f64, &str)> {
    let (head, text) = line.strip_prefix('[')?.split_once("s] ")?;
    let (name, seconds) = head.split_once('/')?;
    Some((name.trim(), seconds.trim().parse().ok()?, text))
}

impl Course {
    fn hears(&mut self, seconds: f64, text: &str) {
        self.seconds = seconds;
        if let Some(why) = text.strip_prefix("WARN: SKIPPING TEST: ") {
            self.skip.get_or_insert(why.trim().to_owned());
        } else if let Some((_, why)) = text.split_once(": SKIP: ").filter(|_| text.starts_with('[')) {
            self.parts_skipped.push(why.trim_end_matches([' ', ']']).to_owned());
        } else if text.starts_with('[') && text.contains(": PASS (") {
            self.parts_passed += 1;
        } else if text.starts_with("=====") && text.contains(" PASSED =====") {
            self.passed = true;
        }
    }

    fn told(self, ended: &str) -> Told {
        let (state, reason) = if let Some(why) = self.failure {
            (State::Fail, why)
        } else if let Some(why) = self.skip {
            let alone = why.starts_with(LEFT_OUT);
            (State::Skip, if alone { "of the client alone: no broker takes part".to_owned() } else { why })
        } else if !self.passed {
            (State::Fail, format!("ended with its process: {ended}"))
        } else if let Some(why) = self.parts_skipped.first() {
            // A pass whose parts were all skipped is none.
            let state = if self.parts_passed == 0 { State::Skip } else { State::Pass };
            let parts = self.parts_skipped.len() + self.parts_passed;
            (state, format!("{} of {parts} parts skipped: {why}", self.parts_skipped.len()))
        } else {
            (State::Pass, String::new())
        };
        Told { state, seconds: self.seconds.round() as u64, reason }
    }
}

/// Text without the escapes that colour it.
fn plain(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        plain.push_str(piece.split_once('m').map_or(piece, |(_, rest)| rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
\u{1b}[36m[<MAIN>                      /  0.000s] Broker version: 4.2.0
\u{1b}[0m\u{1b}[36m[0001_good                   /  0.000s] ================= Running test 0001_good =================
\u{1b}[0m\u{1b}[36m[0001_good                   /  1.600s] \u{1b}[32m================= Test 0001_good PASSED =================\u{1b}[0m
\u{1b}[0m\u{1b}[36m[0001_parts                  /  1.600s] \u{1b}[32m[ first:1: PASS (0.10s) ]
\u{1b}[0m\u{1b}[36m[0001_parts                  /  1.700s] \u{1b}[33m[ second:2: SKIP: wants three brokers ]
\u{1b}[0m\u{1b}[36m[0001_parts                  /  1.800s] \u{1b}[32m================= Test 0001_parts PASSED =================\u{1b}[0m
\u{1b}[0m\u{1b}[36m[0001_hollow                 /  1.900s] \u{1b}[33m[ only:2: SKIP: wants three brokers ]
\u{1b}[0m\u{1b}[36m[0001_hollow                 /  1.900s] \u{1b}[32m================= Test 0001_hollow PASSED =================\u{1b}[0m
\u{1b}[0m\u{1b}[33m[0001_local                  /  0.000s] WARN: SKIPPING TEST: Filtered due to negative test flags
\u{1b}[0m\u{1b}[31m### Test \"0001_bad (part:3: of it)\" failed at bad.c:3:part() at Mon Nov 30 03:50:08 2026: ###
two is not one
\u{1b}[0m\u{1b}[31m### Test \"<MAIN>\" failed at test.c:1950:test_wait_exit() at Mon Nov 30 03:50:08 2026: ###
3 threads
[0001_cut                    /  2.000s] ================= Running test 0001_cut =================";

    #[test]
    fn a_pass_a_failure_a_skip_and_an_early_end_are_told_apart() {
        let told = told(LOG, "signal: 6 (SIGABRT)");
        let of = |name: &str| (told[name].state, told[name].seconds, told[name].reason.as_str());
        assert_eq!(of("0001_good"), (State::Pass, 2, ""));
        assert_eq!(of("0001_parts"), (State::Pass, 2, "1 of 2 parts skipped: wants three brokers"));
        assert_eq!(of("0001_hollow"), (State::Skip, 2, "1 of 1 parts skipped: wants three brokers"));
        assert_eq!(of("0001_local").0, State::Skip);
        assert_eq!((of("0001_bad").0, of("0001_bad").2), (State::Fail, "two is not one"));
        assert_eq!(of("0001_cut"), (State::Fail, 2, "ended with its process: signal: 6 (SIGABRT)"));
        assert_eq!(told.len(), 6);
    }

    #[test]
    fn a_test_in_two_runs_passes_if_it_did_in_both() {
        let run = |state, reason: &str| Told { state, seconds: 2, reason: reason.to_owned() };
        let failed = Told { seconds: 4, ..run(State::Fail, "late") };
        assert_eq!(run(State::Pass, "").and(run(State::Fail, "late")), failed);
        assert_eq!(run(State::Fail, "late").and(run(State::Pass, "")), failed);
        assert_eq!(run(State::Pass, "").and(run(State::Pass, "")), Told { seconds: 4, ..run(State::Pass, "") });
    }
}
