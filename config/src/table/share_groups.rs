//! Share groups and their coordinator.

settings! {
    /// Members of a share group.
    "group.share.max.size": Int = "200", range(1, 1000);
    /// Share sessions that the broker remembers.
    "group.share.max.share.sessions": Int = "2000", min(1);
    /// Silence after which a member of a share group is removed.
    "group.share.session.timeout.ms": Int = "45000", min(1);
    /// Smallest session timeout of a share group.
    "group.share.min.session.timeout.ms": Int = "45000", min(1);
    /// Largest session timeout of a share group.
    "group.share.max.session.timeout.ms": Int = "60000", min(1);
    /// Time between two heartbeats of a share group's member.
    "group.share.heartbeat.interval.ms": Int = "5000", min(1);
    /// Smallest heartbeat interval of a share group.
    "group.share.min.heartbeat.interval.ms": Int = "5000", min(1);
    /// Largest heartbeat interval of a share group.
    "group.share.max.heartbeat.interval.ms": Int = "15000", min(1);
    /// Times a record is delivered before it is given up.
    "group.share.delivery.count.limit": Int = "5", range(2, 10);
    /// Smallest delivery limit of a share group.
    "group.share.min.delivery.count.limit": Int = "2", range(2, 5);
    /// Largest delivery limit of a share group.
    "group.share.max.delivery.count.limit": Int = "10", range(5, 25);
    /// How long a delivered record waits for its acknowledgement.
    "group.share.record.lock.duration.ms": Int = "30000", range(1000, 3600000);
    /// Smallest lock time of a share group.
    "group.share.min.record.lock.duration.ms": Int = "15000", range(1000, 30000);
    /// Largest lock time of a share group.
    "group.share.max.record.lock.duration.ms": Int = "60000", range(30000, 3600000);
    /// Records of one partition that may be locked at once.
    "group.share.partition.max.record.locks": Int = "2000", range(100, 10000);
    /// Smallest lock count of a share group.
    "group.share.min.partition.max.record.locks": Int = "100", range(100, 2000);
    /// Largest lock count of a share group.
    "group.share.max.partition.max.record.locks": Int = "4000", range(2000, 10000);
    /// Assignors that the broker offers share groups.
    "group.share.assignors": List = "simple";
    /// Shortest time between two assignments of a share group.
    "group.share.assignment.interval.ms": Int = "1000", min(0), cluster_wide;
    /// Smallest assignment interval of a share group.
    "group.share.min.assignment.interval.ms": Int = "0", min(0);
    /// Largest assignment interval of a share group.
    "group.share.max.assignment.interval.ms": Int = "15000", min(0);
    /// Partitions of __share_group_state.
    "share.coordinator.state.topic.num.partitions": Int = "50", min(1);
    /// Replicas of __share_group_state.
    "share.coordinator.state.topic.replication.factor": Short = "3", min(1);
    /// Replicas in sync that a write to __share_group_state needs.
    "share.coordinator.state.topic.min.isr": Short = "2", min(1);
    /// Segment size of __share_group_state.
    "share.coordinator.state.topic.segment.bytes": Int = "104857600", min(1);
    /// Compression of __share_group_state, by number.
    "share.coordinator.state.topic.compression.codec": Int = "0";
    /// How long share records are gathered before they are written; -1 adapts.
    "share.coordinator.append.linger.ms": Int = "-1", min(-1);
    /// Largest write buffer that the share coordinator keeps.
    "share.coordinator.cached.buffer.max.bytes": Int = "1048588", min(524288), cluster_wide;
    /// Bytes read at once while a share partition is loaded.
    "share.coordinator.load.buffer.size": Int = "5242880", min(1);
    /// Updates of a share partition between two snapshots.
    "share.coordinator.snapshot.update.records.per.snapshot": Int = "500", range(0, 500);
    /// Threads of the share coordinator.
    "share.coordinator.threads": Int = "1", min(1);
    /// Longest wait until a share record is durable.
    "share.coordinator.write.timeout.ms": Int = "5000", min(1);
}
