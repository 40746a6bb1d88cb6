//! Settings that Kafka does not have.

settings! {
    /// Where /metrics, /livez, /startupz, /readyz, /v1/health and the page for people are served over HTTP: a port of the loopback address, or
    /// address:port. Nowhere when empty. Whoever reaches it sees the names of topics and groups and the settings.
    "barnabas.http.listener": Text = "", honoured;
    /// A file that tells, in a line of OCSF JSON each, what was denied, what was administered, and which logins and TLS handshakes
    /// failed. None when empty. Its directory is made when it is not there. It is made readable for the broker's user alone: of a login
    /// that failed the name is in it as the client wrote it, also where somebody typed a password in the name's place.
    "barnabas.audit.file": Text = "", honoured;
    /// Size at which that file is put aside as NAME.1, the one before as NAME.2, and so on.
    "barnabas.audit.file.bytes.max": Long = "104857600", min(65536), honoured;
    /// How many of these files there are, the present one included; the oldest goes.
    "barnabas.audit.files.max": Int = "10", range(1, 1000), honoured;
    /// The same lines are appended to the internal topic __barnabas_audit, for whoever may read it.
    "barnabas.audit.topic.enable": Boolean = "false", honoured;
    /// Which logins the audit tells: failed, or all.
    "barnabas.audit.logins": Text = "failed", one_of(&["failed", "all"]), honoured;
    /// Events of the audit that may wait to be written. More are lost, and the audit tells how many: requests never wait.
    "barnabas.audit.queue.events.max": Int = "8192", range(16, 1048576), honoured;
    /// Time for which a deleted topic can be brought back with everything in it by `barnabas topics undelete`, for topics that
    /// do not say; its files take their room until then, or until the disk is full. 0 deletes topics for good.
    "barnabas.delete.keep.ms": Long = "0", min(0), cluster_wide, honoured;
    /// What an unknown setting does: warn, error (the start stops) or ignore.
    "config.unknown.keys": Text = "warn", one_of(&["warn", "error", "ignore"]), honoured;
    /// When an acknowledged batch is on disk, for topics that do not say: group (before the answer, by the journal),
    /// interval (in the background, within log.durability.interval.ms) or os (when the operating system writes it, as
    /// Kafka does).
    "log.durability.mode": Text = "group", one_of(&["group", "interval", "os"]), honoured;
    /// The longest time a batch stays unsynced under durability mode interval.
    "log.durability.interval.ms": Long = "1000", min(1), honoured;
    /// Size of a log directory's journal when it is made, before the first start is ready. It grows by itself.
    "log.journal.bytes.initial": Long = "8388608", min(4194304), honoured;
    /// Size to which a log directory's journal may grow. Producers wait when it is full.
    "log.journal.bytes.max": Long = "536870912", min(4194304), honoured;
    /// A batch above this size is not written twice: its segment is synced instead.
    "log.journal.batch.bytes.max": Int = "262144", min(4096), honoured;
    /// Free bytes of a log directory's file system below which produce requests are refused.
    "log.free.bytes.min": Long = "67108864", min(0), honoured;
    /// Time between two looks at the files of keys and certificates, which are read again when they have changed; 0 leaves it
    /// to SIGHUP.
    "ssl.reload.interval.ms": Long = "10000", min(0), honoured;
    /// Time between two checkpoints, which sync segments in the background and free the journal.
    "log.checkpoint.interval.ms": Long = "5000", min(10), honoured;
    /// The user that a new cluster begins with, as name:password or name:password:MECHANISM; without effect later.
    "bootstrap.user": Password, honoured;
    /// Rounds of the first user's salting, and of the answers to users that do not exist: what most users have.
    "scram.iterations": Int = "4096", range(4096, 16384), honoured;
    /// A client's last SCRAM message must repeat the nonce exactly, as Kafka 4.0 wants it. librdkafka before 2.6.1 sends its
    /// own part twice.
    "scram.strict.nonce": Boolean = "false", honoured;
    /// SCRAM credentials may be set over connections without TLS from other machines.
    "scram.alter.over.plaintext": Boolean = "false", honoured;
}
