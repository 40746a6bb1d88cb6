//! The trace: a line for everything that happens, in order. The same seed must give the same trace, so its hash says whether
//! two runs were one.

use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use parking_lot::lockstep;

static TRACE: Mutex<Trace> = Mutex::new(Trace { hash: 0xcbf2_9ce4_8422_2325, lines: 0, file: None });

struct Trace {
    hash: u64,
    lines: u64,
    file: Option<BufWriter<File>>,
}

/// Also writes the lines to a file.
pub(crate) fn write_to(path: &Path) -> std::io::Result<()> {
    let file = BufWriter::new(File::create(path)?);
    TRACE.lock().unwrap_or_else(PoisonError::into_inner).file = Some(file);
    Ok(())
}

/// Adds a line: when, what.
pub(crate) fn line(what: fmt::Arguments<'_>) {
    let line = format!("{:012} {what}\n", lockstep::now().as_nanos());
    let mut trace = TRACE.lock().unwrap_or_else(PoisonError::into_inner);
    for byte in line.bytes() {
        trace.hash = (trace.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    trace.lines += 1;
    if let Some(file) = &mut trace.file {
        let _ = file.write_all(line.as_bytes());
    }
}

/// The hash of all lines and how many there were.
pub(crate) fn digest() -> (u64, u64) {
    let mut trace = TRACE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(file) = &mut trace.file {
        let _ = file.flush();
    }
    (trace.hash, trace.lines)
}

/// `trace!("{} did {}", who, what)`.
macro_rules! trace {
    ($($what:tt)*) => { $crate::trace::line(format_args!($($what)*)) };
}
pub(crate) use trace;
