//! Sockets, connections and the size of requests.

settings! {
    /// Threads for sockets. Barnabas sizes its pool by the cores.
    "num.network.threads": Int = "3", min(1), cluster_wide;
    /// Threads for requests. Barnabas sizes its pool by the cores.
    "num.io.threads": Int = "8", min(1), cluster_wide;
    /// Threads for housekeeping. Barnabas has one for each task.
    "background.threads": Int = "10", min(1), cluster_wide;
    /// Requests that may wait. Barnabas bounds bytes instead, by queued.max.request.bytes.
    "queued.max.requests": Int = "500", min(1);
    /// Bytes of requests that may be in memory over all connections; -1 lets the broker choose.
    "queued.max.request.bytes": Long = "-1", honoured;
    /// Size of a socket's send buffer; -1 leaves it to the system.
    "socket.send.buffer.bytes": Int = "102400", honoured;
    /// Size of a socket's receive buffer; -1 leaves it to the system.
    "socket.receive.buffer.bytes": Int = "102400", honoured;
    /// Largest request; a connection that announces more is closed.
    "socket.request.max.bytes": Int = "104857600", min(1), honoured;
    /// Connections that may wait to be accepted.
    "socket.listen.backlog.size": Int = "50", min(1), honoured;
    /// Longest wait for a connection to another node, at first.
    "socket.connection.setup.timeout.ms": Long = "10000";
    /// Longest wait for a connection to another node, after failures.
    "socket.connection.setup.timeout.max.ms": Long = "30000";
    /// Connections the broker accepts at once. Three quarters of the open files that the process may have, if that is less;
    /// the last 32nd of them (64 at most) are for peers on the same machine. The listener of inter.broker.listener.name, where clients
    /// have another one, is held by the open files alone.
    "max.connections": Int = "2147483647", min(0), cluster_wide, honoured;
    /// Connections the broker accepts at once from one address. Unless it is set, half of all, for addresses of other machines.
    "max.connections.per.ip": Int = "2147483647", min(0), cluster_wide, honoured;
    /// Other limits for some addresses, as host:count.
    "max.connections.per.ip.overrides": Text = "", cluster_wide, honoured;
    /// Connections accepted in a second.
    "max.connection.creation.rate": Int = "2147483647", min(0), cluster_wide, honoured;
    /// Time after which a silent connection is closed.
    "connections.max.idle.ms": Long = "600000", honoured;
    /// Longest wait for an answer of another node.
    "request.timeout.ms": Int = "30000";
    /// Most bytes in the answer to one fetch; a first batch above it is still sent.
    "fetch.max.bytes": Int = "57671680", min(1024), honoured;
    /// Largest record batch, after compression, for topics that do not say.
    "message.max.bytes": Int = "1048588", min(0), cluster_wide, honoured;
    /// Incremental fetch sessions that the broker remembers.
    "max.incremental.fetch.session.cache.slots": Int = "1000", min(0), honoured;
    /// Partitions that one answer of DescribeTopicPartitions names.
    "max.request.partition.size.limit": Int = "2000", min(1), honoured;
    /// Fetches after which Kafka sweeps waiting ones. Nothing needs a sweep here.
    "fetch.purgatory.purge.interval.requests": Int = "1000";
    /// Produce requests after which Kafka sweeps waiting ones. Nothing needs a sweep here.
    "producer.purgatory.purge.interval.requests": Int = "1000";
    /// Deletions after which Kafka sweeps waiting ones. Nothing needs a sweep here.
    "delete.records.purgatory.purge.interval.requests": Int = "1";
    /// Share fetches after which Kafka sweeps waiting ones.
    "share.fetch.purgatory.purge.interval.requests": Int = "1000";
}
