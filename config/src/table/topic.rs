//! Settings of a topic. Each falls back to a broker setting: see `topic.rs` of the crate.

settings! {
    /// What becomes of old segments: delete, compact, both, or nothing when empty.
    "cleanup.policy": List = "delete", one_of(&["compact", "delete"]), cluster_wide, honoured;
    /// Compression of stored batches; producer keeps what was sent.
    "compression.type": Text = "producer",
        one_of(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), cluster_wide;
    /// Level when the broker compresses with gzip.
    "compression.gzip.level": Int = "-1", range_also(1, 9, -1), cluster_wide;
    /// Level when the broker compresses with lz4.
    "compression.lz4.level": Int = "9", range(1, 17), cluster_wide;
    /// Level when the broker compresses with zstd.
    "compression.zstd.level": Int = "3", range(-131072, 22), cluster_wide;
    /// Time for which the mark of a deleted key stays in a compacted topic.
    "delete.retention.ms": Long = "86400000", min(0), cluster_wide;
    /// Time between a segment's removal from the log and that of its files.
    "file.delete.delay.ms": Long = "60000", min(0), cluster_wide, honoured;
    /// Kafka's number of records between two syncs. 1 means durability mode group; other values are met by any mode.
    "flush.messages": Long = "9223372036854775807", min(1), cluster_wide, honoured;
    /// Kafka's time between two syncs. When set, it means durability mode interval with this time.
    "flush.ms": Long = "9223372036854775807", min(0), cluster_wide, honoured;
    /// Replicas whose following is throttled, as partition:broker, or *.
    "follower.replication.throttled.replicas": List = "", cluster_wide;
    /// Replicas whose leading is throttled, as partition:broker, or *.
    "leader.replication.throttled.replicas": List = "", cluster_wide;
    /// Bytes of a segment between two entries of its index.
    "index.interval.bytes": Int = "4096", min(0), cluster_wide, honoured;
    /// Size to which segments that are in a remote store are kept here; -2 means retention.bytes.
    "local.retention.bytes": Long = "-2", min(-2), cluster_wide;
    /// Age to which segments that are in a remote store are kept here; -2 means retention.ms.
    "local.retention.ms": Long = "-2", min(-2), cluster_wide;
    /// Age by which a record is compacted.
    "max.compaction.lag.ms": Long = "9223372036854775807", min(1), cluster_wide;
    /// Largest record batch, after compression.
    "max.message.bytes": Int = "1048588", min(0), cluster_wide, honoured;
    /// Who sets the time of a record: CreateTime is the producer, LogAppendTime the broker.
    "message.timestamp.type": Text = "CreateTime", one_of(&["CreateTime", "LogAppendTime"]), cluster_wide, honoured;
    /// How far a record's time may lie before the broker's.
    "message.timestamp.before.max.ms": Long = "9223372036854775807", min(0), cluster_wide, honoured;
    /// How far a record's time may lie after the broker's.
    "message.timestamp.after.max.ms": Long = "3600000", min(0), cluster_wide, honoured;
    /// Share of uncompacted bytes at which the log is compacted.
    "min.cleanable.dirty.ratio": Double = "0.5", range(0, 1), cluster_wide;
    /// Age before which a record is not compacted.
    "min.compaction.lag.ms": Long = "0", min(0), cluster_wide;
    /// Replicas in sync that a write with acks=all needs.
    "min.insync.replicas": Int = "1", min(1), cluster_wide, honoured;
    /// New segments get their size at once.
    "preallocate": Boolean = "false", cluster_wide;
    /// Old segments may be moved to a remote store.
    "remote.storage.enable": Boolean = "false", cluster_wide;
    /// Nothing more is moved to the remote store.
    "remote.log.copy.disable": Boolean = "false", cluster_wide;
    /// What is in the remote store is deleted when it is switched off.
    "remote.log.delete.on.disable": Boolean = "false", cluster_wide;
    /// Size of a partition above which its oldest segments are deleted; -1 sets no limit.
    "retention.bytes": Long = "-1", cluster_wide, honoured;
    /// Age after which segments are deleted; -1 keeps them.
    "retention.ms": Long = "604800000", min(-1), cluster_wide, honoured;
    /// Size at which a new segment is begun.
    "segment.bytes": Int = "1073741824", min(1048576), cluster_wide, honoured;
    /// Largest index of a segment.
    "segment.index.bytes": Int = "10485760", min(4), cluster_wide, honoured;
    /// Random part taken off segment.ms, so that segments do not all roll together.
    "segment.jitter.ms": Long = "0", min(0), cluster_wide, honoured;
    /// Age at which a new segment is begun.
    "segment.ms": Long = "604800000", min(1), cluster_wide, honoured;
    /// A replica that is not in sync may lead when no other is left; records may be lost.
    "unclean.leader.election.enable": Boolean = "false", cluster_wide;
    /// When an acknowledged batch is on disk: group (before the answer, by the journal), interval (in the background,
    /// within durability.interval.ms) or os (when the operating system writes it, as Kafka does).
    "durability.mode": Text = "group", one_of(&["group", "interval", "os"]), cluster_wide, honoured;
    /// The longest time a batch stays unsynced under durability mode interval.
    "durability.interval.ms": Long = "1000", min(1), cluster_wide, honoured;
    /// The topic cannot be deleted, by nobody, nor records of it by DeleteRecords (POLICY_VIOLATION), until this is false again. What its
    /// retention.ms, retention.bytes and cleanup.policy say goes on: whoever may change them may set this to false, too.
    "barnabas.delete.protection": Boolean = "false", cluster_wide, honoured;
    /// Time for which the topic, once deleted, can be brought back with everything in it by `barnabas topics undelete`; its
    /// files take their room until then, or until the disk is full. 0 deletes it for good.
    "barnabas.delete.keep.ms": Long = "0", min(0), cluster_wide, honoured;
    /// No effect since Kafka 4.0: batches are never converted down.
    "message.downconversion.enable": Boolean = "true", cluster_wide, retired;
}
