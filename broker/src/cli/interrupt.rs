//! Ctrl-C while something long is under way: the first one ends it in order, the second one ends the process.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use barnabas_storage::seam::Seams;
use indicatif::ProgressBar;
use parking_lot::Mutex;

use super::remark::say;

/// How a process ends at Ctrl-C, as shells tell it: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

/// What the first Ctrl-C does.
#[derive(Clone, Copy, Debug)]
pub(super) enum AtInterrupt {
    /// The process ends: nothing is half done by that.
    Ends,
    /// The work is told to stop after the step at hand.
    Stops(fn()),
    /// The work goes on to its end, because half of it is worse than none.
    GoesOn,
}

/// What is under way.
struct Work {
    bar: ProgressBar,
    at_interrupt: AtInterrupt,
}

/// There is one Ctrl-C for the whole process, and one piece of long work at a time.
static WORK: Mutex<Option<Work>> = Mutex::new(None);
static IS_ASKED: AtomicBool = AtomicBool::new(false);
static LISTENER: Once = Once::new();

/// Whether the work is to stop after the step at hand.
pub(super) fn is_asked() -> bool {
    IS_ASKED.load(Ordering::Relaxed)
}

/// From now on Ctrl-C means this work. Without a thread that hears it the process ends at the first one all the same.
pub(super) fn begin(bar: ProgressBar, at_interrupt: AtInterrupt) {
    *WORK.lock() = Some(Work { bar, at_interrupt });
    LISTENER.call_once(|| drop(Seams::system().spawn.start("interrupt", Box::new(listen))));
}

/// From now on Ctrl-C ends the process at once.
pub(super) fn end() {
    *WORK.lock() = None;
}

fn listen() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    while runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
        let work = WORK.lock();
        let is_second = IS_ASKED.swap(true, Ordering::Relaxed);
        let Some(Work { bar, at_interrupt }) = &*work else { std::process::exit(INTERRUPTED) };
        match said(*at_interrupt, is_second) {
            Some(said) => {
                if let AtInterrupt::Stops(stop) = at_interrupt {
                    stop();
                }
                bar.suspend(|| say(said));
            }
            None => {
                bar.finish_and_clear();
                std::process::exit(INTERRUPTED);
            }
        }
    }
}

/// What a Ctrl-C is answered with; `None` when the process ends.
fn said(at_interrupt: AtInterrupt, is_second: bool) -> Option<&'static str> {
    match at_interrupt {
        _ if is_second => None,
        AtInterrupt::Ends => None,
        AtInterrupt::Stops(_) => Some("stops after the step at hand; Ctrl-C again ends it now"),
        AtInterrupt::GoesOn => Some("goes on, as half of it would be worse than none; Ctrl-C again ends it now"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_one_ends_it_in_order_and_the_second_one_ends_the_process() {
        for (at_interrupt, ends_at_first) in
            [(AtInterrupt::Ends, true), (AtInterrupt::Stops(|| ()), false), (AtInterrupt::GoesOn, false)]
        {
            assert_eq!(said(at_interrupt, false).is_none(), ends_at_first, "{at_interrupt:?}");
            assert!(said(at_interrupt, true).is_none(), "{at_interrupt:?}");
        }
    }
}
