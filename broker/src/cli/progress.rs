//! A line on stderr that shows how far something long has come; nothing where stderr is no terminal. It is gone before
//! anything else is written: at the end of the work, and at Ctrl-C.

use std::time::Duration;

use barnabas_storage::seam::Seams;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// Between two looks at the clock.
const TICK: Duration = Duration::from_millis(200);
/// Width of a bar, in characters.
const WIDTH: u32 = 30;
/// How a process ends at Ctrl-C, as shells tell it: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

const COUNTED: &str = "{prefix} [{bar:30}] {pos} of {len}, {elapsed} {wide_msg}";
const TIMED: &str = "{prefix} [{clock}] {elapsed}";
const ENDLESS: &str = "{prefix} {spinner} {elapsed} {wide_msg}";

/// How far something long has come. Dropped, it takes its line away.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Of work whose parts are counted; how many there are is told later.
    pub(super) fn counted(what: &'static str) -> Self {
        Self::on_stderr(what, style(COUNTED))
    }

    /// Of work that ends after a time.
    pub(super) fn timed(what: &'static str, time: Duration) -> Self {
        Self::on_stderr(what, timed(time))
    }

    /// Of work whose end nobody knows.
    pub(super) fn endless(what: &'static str) -> Self {
        Self::on_stderr(what, style(ENDLESS))
    }

    /// So many parts are done, and what comes next.
    pub(super) fn show(&self, done: usize, of: usize, next: &str) {
        self.bar.set_length(of as u64);
        self.bar.set_message(next.to_owned());
        self.bar.set_position(done as u64);
    }

    fn on_stderr(what: &'static str, style: ProgressStyle) -> Self {
        let progress = Self::on(ProgressDrawTarget::stderr(), what, style);
        if !progress.bar.is_hidden() {
            progress.bar.enable_steady_tick(TICK);
            progress.clear_at_interrupt();
        }
        progress
    }

    fn on(target: ProgressDrawTarget, what: &'static str, style: ProgressStyle) -> Self {
        Self { bar: ProgressBar::with_draw_target(None, target).with_style(style).with_prefix(what) }
    }

    /// Without a thread for it Ctrl-C ends the process all the same, and the line stays.
    fn clear_at_interrupt(&self) {
        let bar = self.bar.clone();
        let wait = move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
                bar.finish_and_clear();
                std::process::exit(INTERRUPTED);
            }
        };
        drop(Seams::system().spawn.start("interrupt", Box::new(wait)));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
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
        Progress::on(ProgressDrawTarget::term_like(Box::new(terminal.clone())), "verify", style)
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
