//! Quotas and throttles.

settings! {
    /// Windows over which a client's rate is averaged.
    "quota.window.num": Int = "11", min(1), honoured;
    /// Length of one of them.
    "quota.window.size.seconds": Int = "1", min(1), honoured;
    /// Windows over which the rate of changes to topics is averaged.
    "controller.quota.window.num": Int = "11", min(1), honoured;
    /// Length of one of them.
    "controller.quota.window.size.seconds": Int = "1", min(1), honoured;
    /// Windows over which the rate of replication is averaged.
    "replication.quota.window.num": Int = "11", min(1);
    /// Length of one of them.
    "replication.quota.window.size.seconds": Int = "1", min(1);
    /// Windows over which the rate of moves between directories is averaged.
    "alter.log.dirs.replication.quota.window.num": Int = "11", min(1);
    /// Length of one of them.
    "alter.log.dirs.replication.quota.window.size.seconds": Int = "1", min(1);
    /// A Java class that decides quotas.
    "client.quota.callback.class": Class;
}
