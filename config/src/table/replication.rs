//! Replication between brokers, leaders, and the controlled stop.

settings! {
    /// Where this broker stands; replicas are spread over racks.
    "broker.rack": Text, honoured;
    /// Replicas of a topic that is created without a number.
    "default.replication.factor": Int = "1", honoured;
    /// Replicas in sync that a write with acks=all needs, for topics that do not say.
    "min.insync.replicas": Int = "1", min(1), cluster_wide, honoured;
    /// Time after which a follower that has not caught up leaves the replicas in sync.
    "replica.lag.time.max.ms": Long = "30000";
    /// Bytes a follower asks for of each partition.
    "replica.fetch.max.bytes": Int = "1048576", min(0);
    /// Bytes a follower asks for in one answer.
    "replica.fetch.response.max.bytes": Int = "10485760", min(0);
    /// Bytes for which an answer to a follower waits.
    "replica.fetch.min.bytes": Int = "1";
    /// Longest wait of a follower's fetch.
    "replica.fetch.wait.max.ms": Int = "500";
    /// Wait of a follower after a failed fetch.
    "replica.fetch.backoff.ms": Int = "1000", min(0);
    /// Longest wait of a follower for the leader's socket.
    "replica.socket.timeout.ms": Int = "30000";
    /// Receive buffer of a follower's socket.
    "replica.socket.receive.buffer.bytes": Int = "65536";
    /// Connections from a broker to each leader.
    "num.replica.fetchers": Int = "1", min(1), cluster_wide;
    /// Threads that move replicas between directories.
    "num.replica.alter.log.dirs.threads": Int;
    /// How often high watermarks are written down.
    "replica.high.watermark.checkpoint.interval.ms": Long = "5000";
    /// How the replica that a consumer reads from is chosen.
    "replica.selector.class": Text;
    /// A new follower begins at the last offset in tiered storage.
    "follower.fetch.last.tiered.offset.enable": Boolean = "false", cluster_wide;
    /// A replica that is not in sync may lead when no other is left; records may be lost.
    "unclean.leader.election.enable": Boolean = "false", cluster_wide;
    /// How often the controller looks for partitions that need such a leader.
    "unclean.leader.election.interval.ms": Long = "300000", min(1);
    /// Leadership goes back to the preferred replicas.
    "auto.leader.rebalance.enable": Boolean = "true";
    /// How often leadership is looked at.
    "leader.imbalance.check.interval.seconds": Long = "300", min(1);
    /// A stopping broker hands over its leaderships first.
    "controlled.shutdown.enable": Boolean = "true";
}
