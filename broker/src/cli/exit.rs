//! How the process ends: the numbers that scripts may count on.

use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// All is done.
    Done = 0,
    /// It failed for another reason than those below.
    Failed = 1,
    /// The command line or a file that it names makes no sense.
    Usage = 2,
    /// What was named does not exist.
    NotFound = 3,
    /// What was to be made is there already.
    Exists = 4,
    /// Not authenticated, or not authorised.
    Denied = 5,
    /// No broker could be reached, or none answered in time.
    Unreachable = 6,
    /// Some of it is done, some is not.
    Partly = 7,
    /// A check found something.
    Findings = 8,
}

/// For the end of every command's help.
pub(super) const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 bad usage, 3 not found, 4 exists already, \
    5 not authenticated or not authorised, 6 unreachable or timed out, 7 partly done, 8 a check found something.";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_tells_every_code() {
        use Exit::{Denied, Done, Exists, Failed, Findings, NotFound, Partly, Unreachable, Usage};
        for exit in [Done, Failed, Usage, NotFound, Exists, Denied, Unreachable, Partly, Findings] {
            assert!(EXIT_CODES.contains(&format!(" {} ", exit as u8)), "{exit:?}");
        }
    }
}
