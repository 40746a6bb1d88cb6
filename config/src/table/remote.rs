//! Tiered storage.

settings! {
    /// Old segments may be moved to a remote store.
    "remote.log.storage.system.enable": Boolean = "false";
    /// A Java class that stores segments.
    "remote.log.storage.manager.class.name": Text;
    /// Where that class is found.
    "remote.log.storage.manager.class.path": Text;
    /// Prefix of its settings.
    "remote.log.storage.manager.impl.prefix": Text = "rsm.config.";
    /// A Java class that keeps the list of remote segments.
    "remote.log.metadata.manager.class.name": Text
        = "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager";
    /// Where that class is found.
    "remote.log.metadata.manager.class.path": Text;
    /// Prefix of its settings.
    "remote.log.metadata.manager.impl.prefix": Text = "rlmm.config.";
    /// Listener that it connects to.
    "remote.log.metadata.manager.listener.name": Text;
    /// Largest note that a store may keep with a segment.
    "remote.log.metadata.custom.metadata.max.bytes": Int = "128", min(0);
    /// Threads for remote work that have no pool of their own.
    "remote.log.manager.thread.pool.size": Int = "2", min(1);
    /// Threads that copy segments to the store.
    "remote.log.manager.copier.thread.pool.size": Int = "10", min(1), cluster_wide;
    /// Threads that remove expired segments from the store.
    "remote.log.manager.expiration.thread.pool.size": Int = "10", min(1), cluster_wide;
    /// Threads for the partitions this broker follows.
    "remote.log.manager.follower.thread.pool.size": Int = "2", min(1), cluster_wide;
    /// How often each partition is looked at.
    "remote.log.manager.task.interval.ms": Long = "30000", min(1);
    /// Most bytes copied to the store in a second.
    "remote.log.manager.copy.max.bytes.per.second": Long = "9223372036854775807", min(1), cluster_wide;
    /// Windows over which that rate is averaged.
    "remote.log.manager.copy.quota.window.num": Int = "11", min(1);
    /// Length of one of them.
    "remote.log.manager.copy.quota.window.size.seconds": Int = "1", min(1);
    /// Most bytes read from the store in a second.
    "remote.log.manager.fetch.max.bytes.per.second": Long = "9223372036854775807", min(1), cluster_wide;
    /// Windows over which that rate is averaged.
    "remote.log.manager.fetch.quota.window.num": Int = "11", min(1);
    /// Length of one of them.
    "remote.log.manager.fetch.quota.window.size.seconds": Int = "1", min(1);
    /// Threads that read from the store.
    "remote.log.reader.threads": Int = "10", min(1), cluster_wide;
    /// Reads from the store that may wait.
    "remote.log.reader.max.pending.tasks": Int = "100", min(1);
    /// Disk space for indexes of remote segments.
    "remote.log.index.file.cache.total.size.bytes": Long = "1073741824", min(1), cluster_wide;
    /// Longest wait of a fetch for the store.
    "remote.fetch.max.wait.ms": Int = "500", min(1), cluster_wide;
    /// Longest wait of a search by time in the store.
    "remote.list.offsets.request.timeout.ms": Long = "30000", min(1), cluster_wide;
    /// Age to which segments that are in the store are kept here; -2 means log.retention.ms.
    "log.local.retention.ms": Long = "-2", min(-2), cluster_wide;
    /// Size to which segments that are in the store are kept here; -2 means log.retention.bytes.
    "log.local.retention.bytes": Long = "-2", min(-2), cluster_wide;
}
