//! Settings that stand in no file: they are only ever changed in a running broker.

settings! {
    /// Bytes a second to which the leading of throttled replicas is held.
    "leader.replication.throttled.rate": Long = "9223372036854775807", min(0), cluster_wide;
    /// Bytes a second to which the following of throttled replicas is held.
    "follower.replication.throttled.rate": Long = "9223372036854775807", min(0), cluster_wide;
    /// Bytes a second at which replicas move between log directories.
    "replica.alter.log.dirs.io.max.bytes.per.second": Long = "9223372036854775807", min(0), cluster_wide;
}
