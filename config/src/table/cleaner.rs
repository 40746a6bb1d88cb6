//! Compaction of logs.

settings! {
    /// Logs are compacted.
    "log.cleaner.enable": Boolean = "true";
    /// Threads that compact.
    "log.cleaner.threads": Int = "1", min(0), cluster_wide;
    /// Memory for the keys seen by all compacting threads.
    "log.cleaner.dedupe.buffer.size": Long = "134217728", cluster_wide;
    /// Memory for reading and writing of all compacting threads.
    "log.cleaner.io.buffer.size": Int = "524288", min(0), cluster_wide;
    /// How full the table of keys may get.
    "log.cleaner.io.buffer.load.factor": Double = "0.9", cluster_wide;
    /// Most bytes that compaction reads and writes in a second.
    "log.cleaner.io.max.bytes.per.second": Double = "1.7976931348623157e308", cluster_wide;
    /// Wait when there is nothing to compact.
    "log.cleaner.backoff.ms": Long = "15000", min(0), cluster_wide;
    /// Share of uncompacted bytes at which a log is compacted.
    "log.cleaner.min.cleanable.ratio": Double = "0.5", range(0, 1), cluster_wide;
    /// Time for which the mark of a deleted key stays.
    "log.cleaner.delete.retention.ms": Long = "86400000", min(0), cluster_wide;
    /// Age before which a record is not compacted.
    "log.cleaner.min.compaction.lag.ms": Long = "0", min(0), cluster_wide;
    /// Age by which a record is compacted.
    "log.cleaner.max.compaction.lag.ms": Long = "9223372036854775807", min(1), cluster_wide;
}
