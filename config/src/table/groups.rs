//! Consumer groups, streams groups and committed offsets.

settings! {
    /// Partitions of __consumer_offsets; fixed once it exists.
    "offsets.topic.num.partitions": Int = "50", min(1), honoured;
    /// Replicas of __consumer_offsets.
    "offsets.topic.replication.factor": Short = "3", min(1), honoured;
    /// Segment size of __consumer_offsets.
    "offsets.topic.segment.bytes": Int = "104857600", min(1), honoured;
    /// Compression of __consumer_offsets, by number.
    "offsets.topic.compression.codec": Int = "0";
    /// How long the offsets of an empty group are kept.
    "offsets.retention.minutes": Int = "10080", min(1), honoured;
    /// How often expired offsets are looked for.
    "offsets.retention.check.interval.ms": Long = "600000", min(1), honoured;
    /// Longest wait until a commit is durable.
    "offsets.commit.timeout.ms": Int = "5000", min(1), honoured;
    /// Bytes read at once while a group partition is loaded.
    "offsets.load.buffer.size": Int = "5242880", min(1);
    /// Longest note that a client may store with an offset.
    "offset.metadata.max.bytes": Int = "4096", honoured;
    /// How long an empty group waits for more members before it first assigns.
    "group.initial.rebalance.delay.ms": Int = "3000", honoured;
    /// Shortest session timeout a member of a classic group may ask for.
    "group.min.session.timeout.ms": Int = "6000", honoured;
    /// Longest session timeout a member of a classic group may ask for.
    "group.max.session.timeout.ms": Int = "1800000", honoured;
    /// Members of a classic group.
    "group.max.size": Int = "2147483647", min(1), honoured;
    /// Threads of the group coordinator.
    "group.coordinator.threads": Int = "4", min(1);
    /// Threads of the group coordinator for slow work.
    "group.coordinator.background.threads": Int = "2", min(1);
    /// How long group records are gathered before they are written; -1 adapts.
    "group.coordinator.append.linger.ms": Int = "-1", min(-1);
    /// Largest write buffer that the group coordinator keeps.
    "group.coordinator.cached.buffer.max.bytes": Int = "1048588", min(524288), cluster_wide;
    /// Group protocols that are served.
    "group.coordinator.rebalance.protocols": List = "classic,consumer,streams",
        one_of(&["consumer", "classic", "share", "streams"]);
    /// Silence after which a member of a consumer group is removed.
    "group.consumer.session.timeout.ms": Int = "45000", min(1);
    /// Smallest session timeout of a consumer group.
    "group.consumer.min.session.timeout.ms": Int = "45000", min(1);
    /// Largest session timeout of a consumer group.
    "group.consumer.max.session.timeout.ms": Int = "60000", min(1);
    /// Time between two heartbeats of a consumer group's member.
    "group.consumer.heartbeat.interval.ms": Int = "5000", min(1);
    /// Smallest heartbeat interval of a consumer group.
    "group.consumer.min.heartbeat.interval.ms": Int = "5000", min(1);
    /// Largest heartbeat interval of a consumer group.
    "group.consumer.max.heartbeat.interval.ms": Int = "15000", min(1);
    /// Members of a consumer group.
    "group.consumer.max.size": Int = "2147483647", min(1);
    /// Assignors that the broker offers consumer groups, the default first.
    "group.consumer.assignors": List = "uniform,range";
    /// Shortest time between two assignments of a consumer group.
    "group.consumer.assignment.interval.ms": Int = "1000", min(0), cluster_wide;
    /// Smallest assignment interval of a consumer group.
    "group.consumer.min.assignment.interval.ms": Int = "0", min(0);
    /// Largest assignment interval of a consumer group.
    "group.consumer.max.assignment.interval.ms": Int = "15000", min(0);
    /// Which way a group may change between the classic and the consumer protocol.
    "group.consumer.migration.policy": Text = "bidirectional",
        one_of_any_case(&["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"]);
    /// How often subscriptions by pattern are matched again.
    "group.consumer.regex.refresh.interval.ms": Int = "600000", min(10000);
    /// Silence after which a member of a streams group is removed.
    "group.streams.session.timeout.ms": Int = "45000", min(1);
    /// Smallest session timeout of a streams group.
    "group.streams.min.session.timeout.ms": Int = "45000", min(1);
    /// Largest session timeout of a streams group.
    "group.streams.max.session.timeout.ms": Int = "60000", min(1);
    /// Time between two heartbeats of a streams group's member.
    "group.streams.heartbeat.interval.ms": Int = "5000", min(1);
    /// Smallest heartbeat interval of a streams group.
    "group.streams.min.heartbeat.interval.ms": Int = "5000", min(1);
    /// Largest heartbeat interval of a streams group.
    "group.streams.max.heartbeat.interval.ms": Int = "15000", min(1);
    /// Members of a streams group.
    "group.streams.max.size": Int = "2147483647", min(1);
    /// Standby copies of each task's state.
    "group.streams.num.standby.replicas": Int = "0", min(0);
    /// Most standby copies a streams group may ask for.
    "group.streams.max.standby.replicas": Int = "2", min(0);
    /// How long an empty streams group waits for more members.
    "group.streams.initial.rebalance.delay.ms": Int = "3000", min(0);
    /// Shortest time between two assignments of a streams group.
    "group.streams.assignment.interval.ms": Int = "1000", min(0), cluster_wide;
    /// Smallest assignment interval of a streams group.
    "group.streams.min.assignment.interval.ms": Int = "0", min(0);
    /// Largest assignment interval of a streams group.
    "group.streams.max.assignment.interval.ms": Int = "15000", min(0);
}
