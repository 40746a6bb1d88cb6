//! What is said on stderr beside a result: done, nothing to do, how far. `--quiet` silences it; errors, warnings and questions stay.

use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

/// Of the whole process: there is one command line.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// Silences remarks from now on.
pub(super) fn silence() {
    IS_QUIET.store(true, Ordering::Relaxed);
}

/// Whether remarks are silenced.
pub(super) fn is_quiet() -> bool {
    IS_QUIET.load(Ordering::Relaxed)
}

/// Says one line on stderr, unless that is silenced.
pub(super) fn remark(text: impl fmt::Display) {
    if !is_quiet() {
        say(text);
    }
}

/// Says one line on stderr. A reader that has gone away, as `head` does behind `2>&1`, changes nothing about how the command ends.
pub(super) fn say(text: impl fmt::Display) {
    _ = writeln!(std::io::stderr(), "{text}");
}

/// Asks something on stderr: the answer is typed behind it.
pub(super) fn prompt(text: impl fmt::Display) {
    let mut stderr = std::io::stderr();
    _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
}
