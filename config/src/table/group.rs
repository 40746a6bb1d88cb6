//! Settings of a group, over the broker's. Ordered by name.

settings! {
    /// Shortest time between two assignments of a consumer group.
    "consumer.assignment.interval.ms": Int = "1000", min(0), cluster_wide;
    /// Time between two heartbeats of a consumer group's member.
    "consumer.heartbeat.interval.ms": Int = "5000", min(1), cluster_wide;
    /// Silence after which a member of a consumer group is removed.
    "consumer.session.timeout.ms": Int = "45000", min(1), cluster_wide;
    /// Shortest time between two assignments of a share group.
    "share.assignment.interval.ms": Int = "1000", min(0), cluster_wide;
    /// Where a share group begins to read: earliest, latest, or by_duration: and how long ago.
    "share.auto.offset.reset": Text = "latest", cluster_wide;
    /// How often a record is tried before it is given up.
    "share.delivery.count.limit": Int = "5", min(2), cluster_wide;
    /// Time between two heartbeats of a share group's member.
    "share.heartbeat.interval.ms": Int = "5000", min(1), cluster_wide;
    /// Whether records of open and aborted transactions are given out.
    "share.isolation.level": Text = "read_uncommitted", one_of(&["read_committed", "read_uncommitted"]), cluster_wide;
    /// Records of a partition that may be given out at once.
    "share.partition.max.record.locks": Int = "2000", min(100), cluster_wide;
    /// How long a member has a record for itself.
    "share.record.lock.duration.ms": Int = "30000", min(1000), cluster_wide;
    /// A member may ask for more time with a record.
    "share.renew.acknowledge.enable": Boolean = "true", cluster_wide;
    /// Silence after which a member of a share group is removed.
    "share.session.timeout.ms": Int = "45000", min(1), cluster_wide;
    /// Shortest time between two assignments of a streams group.
    "streams.assignment.interval.ms": Int = "1000", min(0), cluster_wide;
    /// Time between two heartbeats of a streams group's member.
    "streams.heartbeat.interval.ms": Int = "5000", min(1), cluster_wide;
    /// How long an empty streams group waits for more members.
    "streams.initial.rebalance.delay.ms": Int = "3000", min(0), cluster_wide;
    /// Standby copies of each task's state.
    "streams.num.standby.replicas": Int = "0", min(0), cluster_wide;
    /// Silence after which a member of a streams group is removed.
    "streams.session.timeout.ms": Int = "45000", min(1), cluster_wide;
}
