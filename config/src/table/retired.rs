//! Names that Kafka has given up and that old files still hold. Each is accepted with one warning; the documentation
//! says what to do instead.

settings! {
    /// Kafka and Barnabas keep their metadata themselves: remove it.
    "zookeeper.": Text, retired;
    /// Passwords are not encoded any more: remove it.
    "password.encoder.": Text, retired;
    /// The metadata version decides: remove it.
    "inter.broker.protocol.version": Text, retired;
    /// Only the current record format is written: remove it.
    "log.message.format.version": Text, retired;
    /// Set log.message.timestamp.before.max.ms and log.message.timestamp.after.max.ms.
    "log.message.timestamp.difference.max.ms": Long, retired;
    /// Batches are never converted down: remove it.
    "log.message.downconversion.enable": Boolean, retired;
    /// Use controller.listener.names.
    "control.plane.listener.name": Text, retired;
    /// Set node.id.
    "broker.id.generation.enable": Boolean, retired;
    /// Set node.id.
    "reserved.broker.max.id": Int, retired;
    /// Commits always wait for all replicas in sync: remove it.
    "offsets.commit.required.acks": Short, retired;
    /// Use delegation.token.secret.key.
    "delegation.token.master.key": Password, retired;
    /// Metrics need no reporter: remove it.
    "auto.include.jmx.reporter": Boolean, retired;
    /// There is one group coordinator: remove it.
    "group.coordinator.new.enable": Boolean, retired;
    /// Leaders are moved whenever a preferred one is back: remove it.
    "leader.imbalance.per.broker.percentage": Int, retired;
    /// The controller decides how a stop goes: remove it.
    "controlled.shutdown.max.retries": Int, retired;
    /// The controller decides how a stop goes: remove it.
    "controlled.shutdown.retry.backoff.ms": Long, retired;
    /// Set listeners.
    "port": Int, retired;
    /// Set listeners.
    "host.name": Text, retired;
    /// Set advertised.listeners.
    "advertised.port": Int, retired;
    /// Set advertised.listeners.
    "advertised.host.name": Text, retired;
}
