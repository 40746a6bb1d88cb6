//! What an operator is told to do, where one thing to do serves many lines of the log. Each begins with a verb and stands
//! behind a semicolon: `"what failed: what follows from it; {MEND_DISK}"`. `tests/tidy/advice.rs` holds every line at WARN
//! and above to that.

/// After an error that is final for a log directory or for the metadata.
pub const MEND_DISK: &str = "mend or replace the disk, then start the broker again";

/// After an error that may go away: it is tried again, or costs nothing yet.
pub const LOOK_AT_DISK: &str = "look at the disk if this goes on: its free space, its permissions, the system's log";

/// When records are refused for want of room.
pub const FREE_SPACE: &str = "free space on this disk, or shorten retention.ms or retention.bytes of large topics";

/// When stored data is not as it was written.
pub const REPAIR_LOG: &str =
    "stop the broker and run `barnabas log verify`, then `barnabas log repair`, which shows first what it would do";

/// When the process cannot have more files or sockets.
pub const RAISE_FILE_LIMIT: &str =
    "raise the limit of open files (LimitNOFILE of the unit, ulimit -n) if it is too low";

/// After a panic: the process goes on without what panicked.
pub const REPORT_BUG: &str = "report it with the lines before this one: it is an error of the program";
