//! The node's roles, and the quorum of controllers.

settings! {
    /// What this process is: broker, controller, or both. Both unless said; Kafka has no default.
    "process.roles": List = "broker,controller", one_of(&["broker", "controller"]), honoured;
    /// Number of this node, unique in the cluster. 1 unless said; Kafka has no default.
    "node.id": Int = "1", min(0), or("broker.id"), honoured;
    /// Older name of node.id.
    "broker.id": Int, or("node.id"), honoured;
    /// Listeners of the controller: tools come there by --bootstrap-controller, and clients are not told of them.
    "controller.listener.names": List = "CONTROLLER", honoured;
    /// Controllers of a static quorum, as id@host:port. More than one is refused so far.
    "controller.quorum.voters": List = "", honoured;
    /// Addresses at which a node finds the controllers.
    "controller.quorum.bootstrap.servers": List = "";
    /// A controller adds itself to the voters.
    "controller.quorum.auto.join.enable": Boolean = "false";
    /// Time without a leader after which a controller stands for election.
    "controller.quorum.election.timeout.ms": Int = "1000", min(0);
    /// Time without a fetch after which a leader or follower gives up on the other side.
    "controller.quorum.fetch.timeout.ms": Int = "2000", min(0);
    /// Most bytes of metadata in one fetch between controllers.
    "controller.quorum.fetch.max.bytes": Int = "1048576", min(1);
    /// Most bytes of a metadata snapshot in one fetch.
    "controller.quorum.fetch.snapshot.max.bytes": Int = "1048576", min(1);
    /// Longest wait before a lost election is tried again.
    "controller.quorum.election.backoff.max.ms": Int = "1000", min(0);
    /// How long the leader gathers metadata records before it writes them.
    "controller.quorum.append.linger.ms": Int = "25", min(0);
    /// Longest wait for an answer of another controller.
    "controller.quorum.request.timeout.ms": Int = "2000", min(0);
    /// Wait before a request to another controller is repeated.
    "controller.quorum.retry.backoff.ms": Int = "20", min(0);
    /// Longest wait for the socket between controller and broker.
    "controller.socket.timeout.ms": Int = "30000";
    /// Time between two signs of life from a broker to the controller.
    "broker.heartbeat.interval.ms": Int = "2000";
    /// Silence after which the controller fences a broker.
    "broker.session.timeout.ms": Int = "9000";
    /// Time a starting broker may take to register before it stops.
    "initial.broker.registration.timeout.ms": Int = "60000";
    /// Time a start may take before the process gives up.
    "server.max.startup.time.ms": Long = "9223372036854775807", min(0);
    /// Directory of the cluster's metadata. The first of log.dirs unless said.
    "metadata.log.dir": Text;
    /// Size at which a new file of the metadata log is begun.
    "metadata.log.segment.bytes": Int = "1073741824", min(8388608);
    /// Age at which a new file of the metadata log is begun.
    "metadata.log.segment.ms": Long = "604800000";
    /// Bytes of metadata records after which a snapshot is made.
    "metadata.log.max.record.bytes.between.snapshots": Long = "20971520", min(1), honoured;
    /// Longest time between two snapshots of changed metadata.
    "metadata.log.max.snapshot.interval.ms": Long = "3600000", min(0);
    /// Bytes of metadata log and snapshots that are kept.
    "metadata.max.retention.bytes": Long = "104857600";
    /// Age to which metadata log and snapshots are kept.
    "metadata.max.retention.ms": Long = "604800000";
    /// How often an idle leader writes an empty record, so that progress can be seen.
    "metadata.max.idle.interval.ms": Int = "500", min(0);
}
