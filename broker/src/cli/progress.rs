//! How far something long has come, on stderr: a line that moves where that is a terminal, one JSON object a line where it is not
//! and a document was asked for, else nothing. The moving line is gone before anything else is written.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use barnabas_storage::seam::Seams;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use parking_lot::{Condvar, Mutex};
use serde_json::{Value, json};

use super::interrupt::{self, AtInterrupt};
use super::remark::{is_quiet, say};

/// Between two looks at the clock.
const TICK: Duration = Duration::from_millis(200);
/// Between two JSON lines of work that has no steps.
const BEAT: Duration = Duration::from_secs(5);
/// Width of a bar, in characters.
const WIDTH: u32 = 30;

const COUNTED: &str = "{prefix} [{bar:30}] {pos} of {len}, {elapsed} {wide_msg}";
const TIMED: &str = "{prefix} [{clock}] {elapsed} {counts}";
const ENDLESS: &str = "{prefix} {spinner} {pos} {elapsed} {counts} {wide_msg}";

/// Who is told how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// People, by a line that moves.
    People,
    /// A program, by JSON lines.
    Program,
    Nobody,
}

impl Told {
    fn of(is_quiet: bool, is_terminal: bool, is_document: bool) -> Self {
        match (is_quiet, is_terminal, is_document) {
            (true, ..) | (_, false, false) => Self::Nobody,
            (false, true, _) => Self::People,
            (false, false, true) => Self::Program,
        }
    }
}

/// How far something long has come. Dropped, it takes its line away, or says that it has ended.
pub(super) struct Progress {
    bar: ProgressBar,
    told: Told,
    beat: Option<Beat>,
    counts: Option<Counts>,
}

/// Records and bytes so far.
type Counts = fn() -> (u64, u64);

impl Progress {
    /// Of work whose parts are counted; how many there are is told later. `is_document`: whether the command's result is one.
    pub(super) fn counted(what: &'static str, is_document: bool, at_interrupt: AtInterrupt) -> Self {
        Self::on_stderr(what, style(COUNTED), is_document, at_interrupt)
    }

    /// Of work with so many parts that a line for each would be too many.
    pub(super) fn bounded(what: &'static str, of: u64, is_document: bool, at_interrupt: AtInterrupt) -> Self {
        let progress = Self::on_stderr(what, style(COUNTED), is_document, at_interrupt);
        progress.bar.set_length(of);
        progress.beating()
    }

    /// Of work that ends after a time.
    pub(super) fn timed(what: &'static str, time: Duration, is_document: bool, at_interrupt: AtInterrupt) -> Self {
        Self::on_stderr(what, timed(time), is_document, at_interrupt).beating()
    }

    /// Of work whose end nobody knows.
    pub(super) fn endless(what: &'static str, is_document: bool, at_interrupt: AtInterrupt) -> Self {
        Self::on_stderr(what, style(ENDLESS), is_document, at_interrupt).beating()
    }

    /// With what counts records and bytes: a line tells them, and what they are a second.
    pub(super) fn counting(mut self, counts: Counts) -> Self {
        let shown = move |state: &ProgressState, into: &mut dyn std::fmt::Write| {
            let (records, bytes) = counts();
            let per_second = bytes as f64 / 1e6 / state.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
            // It cannot be told to whom it matters that this failed.
            _ = write!(into, "{records} records, {per_second:.1} MB/s");
        };
        self.bar.set_style(self.bar.style().with_key("counts", shown));
        self.counts = Some(counts);
        if self.beat.take().is_some() {
            self = self.beating();
        }
        self
    }

    /// So many parts are done, and what comes next.
    pub(super) fn show(&self, done: usize, of: usize, next: &str) {
        self.bar.set_length(of as u64);
        self.bar.set_message(next.to_owned());
        self.bar.set_position(done as u64);
        if self.told == Told::Program {
            say(line(&self.bar, false, self.counts));
        }
    }

    /// So many parts are done; nobody knows of how many.
    pub(super) fn reach(&self, done: u64) {
        self.bar.set_position(done);
    }

    fn on_stderr(what: &'static str, style: ProgressStyle, is_document: bool, at_interrupt: AtInterrupt) -> Self {
        let told = Told::of(is_quiet(), std::io::stderr().is_terminal(), is_document);
        let target = if told == Told::People { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let progress = Self::on(target, what, style, told);
        if told == Told::People {
            progress.bar.enable_steady_tick(TICK);
        }
        interrupt::begin(progress.bar.clone(), at_interrupt);
        progress
    }

    fn on(target: ProgressDrawTarget, what: &'static str, style: ProgressStyle, told: Told) -> Self {
        let bar = ProgressBar::with_draw_target(None, target).with_style(style).with_prefix(what);
        Self { bar, told, beat: None, counts: None }
    }

    /// With a line from time to time, which tells a program that it goes on.
    fn beating(mut self) -> Self {
        if self.told == Told::Program {
            self.beat = Some(Beat::of(self.bar.clone(), self.counts));
        }
        self
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        interrupt::end();
        drop(self.beat.take());
        if self.told == Told::Program {
            say(line(&self.bar, true, self.counts));
        }
        self.bar.finish_and_clear();
    }
}

/// Writes a line from time to time, until it is dropped.
struct Beat(Arc<(Mutex<bool>, Condvar)>);

impl Beat {
    fn of(bar: ProgressBar, counts: Option<Counts>) -> Self {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let ended = shared.clone();
        let beat = move || {
            let (ended, changed) = &*ended;
            let mut ended = ended.lock();
            while !*ended {
                if changed.wait_for(&mut ended, BEAT).timed_out() && !*ended {
                    say(line(&bar, false, counts));
                }
            }
        };
        drop(Seams::system().spawn.start("progress", Box::new(beat)));
        Self(shared)
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        *self.0.0.lock() = true;
        self.0.1.notify_all();
    }
}

/// For a program: what is done, of how many parts where that is known, and what comes next.
fn line(bar: &ProgressBar, has_ended: bool, counts: Option<Counts>) -> Value {
    let next = Some(bar.message()).filter(|next| !next.is_empty() && !has_ended);
    let mut line = json!({
        "progress": bar.prefix(),
        "done": bar.position(),
        "of": bar.length(),
        "next": next,
        "elapsed_ms": u64::try_from(bar.elapsed().as_millis()).unwrap_or(u64::MAX),
        "ended": has_ended,
    });
    if let Some((records, bytes)) = counts.map(|counts| counts()) {
        let seconds = bar.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
        line["records"] = json!(records);
        line["bytes"] = json!(bytes);
        line["records_per_second"] = json!((records as f64 / seconds).round());
        line["bytes_per_second"] = json!((bytes as f64 / seconds).round());
    }
    line
}

/// A template that is not understood would be seen by the tests.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("#>-").tick_chars("-\\|/ ")
}

/// A bar that fills as the time passes.
fn timed(time: Duration) -> ProgressStyle {
    let clock = move |state: &ProgressState, into: &mut dyn std::fmt::Write| {
        let filled = filled(state.elapsed(), time);
        // It cannot be told to whom it matters that this failed.
        _ = write!(into, "{}{}", "#".repeat(filled), "-".repeat(WIDTH as usize - filled));
    };
    style(TIMED).with_key("clock", clock)
}

/// Characters of a bar that are full.
fn filled(elapsed: Duration, time: Duration) -> usize {
    let share = elapsed.as_secs_f64() / time.as_secs_f64().max(f64::MIN_POSITIVE);
    (share.min(1.0) * f64::from(WIDTH)) as usize
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    fn on(terminal: &InMemoryTerm, style: ProgressStyle) -> Progress {
        Progress::on(ProgressDrawTarget::term_like(Box::new(terminal.clone())), "verify", style, Told::People)
    }

    #[test]
    fn a_bar_tells_how_far_it_is_and_is_gone_at_the_end() {
        let terminal = InMemoryTerm::new(5, 100);
        let progress = on(&terminal, style(COUNTED));
        progress.show(1, 4, "t-1");
        progress.bar.force_draw();
        let shown = terminal.contents();
        assert!(shown.starts_with("verify [#######>--") && shown.ends_with("] 1 of 4, 0s t-1"), "{shown}");
        drop(progress);
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn work_that_ends_with_the_time_or_that_nobody_can_count_is_shown_too() {
        for style in [timed(Duration::from_secs(60)), style(ENDLESS)] {
            let terminal = InMemoryTerm::new(5, 100);
            let progress = on(&terminal, style);
            progress.bar.force_draw();
            assert!(terminal.contents().starts_with("verify "), "{}", terminal.contents());
            drop(progress);
            assert_eq!(terminal.contents(), "");
        }
    }

    #[test]
    fn a_terminal_has_a_bar_and_a_program_that_asked_for_a_document_has_lines() {
        assert_eq!([Told::of(false, true, false), Told::of(false, true, true)], [Told::People; 2]);
        assert_eq!(Told::of(false, false, true), Told::Program);
        assert_eq!([Told::of(false, false, false), Told::of(true, true, true)], [Told::Nobody; 2]);
    }

    #[test]
    fn a_line_for_a_program_tells_what_a_bar_tells() {
        let progress = Progress::on(ProgressDrawTarget::hidden(), "verify", style(COUNTED), Told::Nobody);
        let mut shown = line(&progress.bar, false, None);
        assert_eq!((&shown["done"], &shown["of"], &shown["next"]), (&json!(0), &Value::Null, &Value::Null));
        progress.show(1, 4, "t-1");
        shown = line(&progress.bar, false, None);
        shown["elapsed_ms"] = json!(0);
        assert_eq!(
            shown,
            json!({"progress": "verify", "done": 1, "of": 4, "next": "t-1", "elapsed_ms": 0, "ended": false})
        );
        assert_eq!(line(&progress.bar, true, None)["ended"], true);
        let counted = line(&progress.bar, true, Some(|| (7, 700)));
        assert_eq!((&counted["records"], &counted["bytes"]), (&json!(7), &json!(700)));
        assert!(counted["bytes_per_second"].as_f64() > counted["records_per_second"].as_f64());
    }

    #[test]
    fn templates_are_understood() {
        for template in [COUNTED, TIMED, ENDLESS] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn a_clock_fills_as_the_time_passes_and_no_further() {
        let at = |seconds| filled(Duration::from_secs(seconds), Duration::from_secs(10));
        assert_eq!([at(0), at(5), at(10), at(99)], [0, 15, 30, 30]);
    }
}
