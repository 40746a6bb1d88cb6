//! The partitions' logs: directories, segments, retention, and the broker's values for topic settings.

settings! {
    /// Directories of the data, separated by commas.
    "log.dirs": List, or("log.dir"), honoured;
    /// Directories of the data when log.dirs is not set.
    "log.dir": List = "/tmp/kafka-logs", honoured;
    /// Directories that get no new partitions.
    "cordoned.log.dirs": List = "", per_broker;
    /// Partitions of a topic that is created without a number.
    "num.partitions": Int = "1", min(1), honoured;
    /// A topic that a client asks for is created.
    "auto.create.topics.enable": Boolean = "true", honoured;
    /// Topics may be deleted.
    "delete.topic.enable": Boolean = "true", honoured;
    /// Size at which a new segment is begun.
    "log.segment.bytes": Int = "1073741824", min(1048576), cluster_wide, honoured;
    /// Age at which a new segment is begun. Comes before log.roll.hours.
    "log.roll.ms": Long, cluster_wide, honoured;
    /// Age at which a new segment is begun, in hours.
    "log.roll.hours": Int = "168", min(1), honoured;
    /// Random part taken off the age, so that segments do not all roll together. Comes before log.roll.jitter.hours.
    "log.roll.jitter.ms": Long, cluster_wide, honoured;
    /// Random part taken off the age, in hours.
    "log.roll.jitter.hours": Int = "0", min(0), honoured;
    /// Age after which segments are deleted; -1 keeps them. Comes before minutes and hours.
    "log.retention.ms": Long, cluster_wide, honoured;
    /// Age after which segments are deleted, in minutes. Comes before hours.
    "log.retention.minutes": Int, honoured;
    /// Age after which segments are deleted, in hours.
    "log.retention.hours": Int = "168", honoured;
    /// Size of a partition above which its oldest segments are deleted; -1 sets no limit.
    "log.retention.bytes": Long = "-1", cluster_wide, honoured;
    /// Time between two looks for segments to delete.
    "log.retention.check.interval.ms": Long = "300000", min(1), honoured;
    /// What becomes of old segments: delete, compact, both, or nothing when empty.
    "log.cleanup.policy": List = "delete", one_of(&["compact", "delete"]), cluster_wide, honoured;
    /// Largest index of a segment.
    "log.index.size.max.bytes": Int = "10485760", min(4), cluster_wide, honoured;
    /// Bytes of a segment between two entries of its index.
    "log.index.interval.bytes": Int = "4096", min(0), cluster_wide, honoured;
    /// Kafka's number of records between two syncs. 1 means durability mode group; other values are met by any mode.
    "log.flush.interval.messages": Long = "9223372036854775807", min(1), cluster_wide, honoured;
    /// Kafka's time between two syncs. When set, it means durability mode interval with this time.
    "log.flush.interval.ms": Long, cluster_wide, honoured;
    /// How often Kafka looks for logs to sync.
    "log.flush.scheduler.interval.ms": Long = "9223372036854775807";
    /// How often Kafka notes how far logs are synced. Here log.checkpoint.interval.ms.
    "log.flush.offset.checkpoint.interval.ms": Int = "60000", min(0);
    /// How often Kafka notes where logs begin. Here log.checkpoint.interval.ms.
    "log.flush.start.offset.checkpoint.interval.ms": Int = "60000", min(0);
    /// Time between a segment's removal from the log and that of its files.
    "log.segment.delete.delay.ms": Long = "60000", min(0), cluster_wide, honoured;
    /// New segments get their size at once.
    "log.preallocate": Boolean = "false", cluster_wide;
    /// Who sets the time of a record: CreateTime is the producer, LogAppendTime the broker.
    "log.message.timestamp.type": Text = "CreateTime",
        one_of(&["CreateTime", "LogAppendTime"]), cluster_wide, honoured;
    /// How far a record's time may lie before the broker's.
    "log.message.timestamp.before.max.ms": Long = "9223372036854775807", min(0), cluster_wide, honoured;
    /// How far a record's time may lie after the broker's.
    "log.message.timestamp.after.max.ms": Long = "3600000", min(0), cluster_wide, honoured;
    /// Time after which a broker stops when it cannot report a failed directory.
    "log.dir.failure.timeout.ms": Long = "30000", min(1);
    /// Threads that recover the logs of one directory after a crash.
    "num.recovery.threads.per.data.dir": Int = "2", min(1), cluster_wide, honoured;
    /// Compression of stored batches; producer keeps what was sent.
    "compression.type": Text = "producer",
        one_of(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), cluster_wide;
    /// Level when the broker compresses with gzip.
    "compression.gzip.level": Int = "-1", range_also(1, 9, -1), cluster_wide;
    /// Level when the broker compresses with lz4.
    "compression.lz4.level": Int = "9", range(1, 17), cluster_wide;
    /// Level when the broker compresses with zstd.
    "compression.zstd.level": Int = "3", range(-131072, 22), cluster_wide;
    /// A Java class that Kafka asks before a topic is created.
    "create.topic.policy.class.name": Class;
    /// A Java class that Kafka asks before settings change.
    "alter.config.policy.class.name": Class;
}
