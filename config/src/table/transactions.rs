//! Transactions and the state of producers.

settings! {
    /// Partitions of __transaction_state; fixed once it exists.
    "transaction.state.log.num.partitions": Int = "50", min(1);
    /// Replicas of __transaction_state.
    "transaction.state.log.replication.factor": Short = "3", min(1);
    /// Replicas in sync that a write to __transaction_state needs.
    "transaction.state.log.min.isr": Int = "2", min(1);
    /// Segment size of __transaction_state.
    "transaction.state.log.segment.bytes": Int = "104857600", min(1);
    /// Bytes read at once while a transaction partition is loaded.
    "transaction.state.log.load.buffer.size": Int = "5242880", min(1);
    /// Longest timeout a transaction may ask for.
    "transaction.max.timeout.ms": Int = "900000", min(1);
    /// How often timed-out transactions are looked for.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": Int = "10000", min(1);
    /// How often expired transactional ids are looked for.
    "transaction.remove.expired.transaction.cleanup.interval.ms": Int = "3600000", min(1);
    /// A partition asks the coordinator before it takes a transaction's first batch.
    "transaction.partition.verification.enable": Boolean = "true", cluster_wide;
    /// Transactions may take part in a two-phase commit from outside.
    "transaction.two.phase.commit.enable": Boolean = "false";
    /// How long an unused transactional id is kept.
    "transactional.id.expiration.ms": Int = "604800000", min(1);
    /// First wait before partitions are added to a transaction again.
    "add.partitions.to.txn.retry.backoff.ms": Int = "20", min(1);
    /// Longest wait before partitions are added to a transaction again.
    "add.partitions.to.txn.retry.backoff.max.ms": Int = "100", min(0);
    /// How long a partition remembers an idle producer.
    "producer.id.expiration.ms": Int = "86400000", min(1), cluster_wide, honoured;
    /// How often forgotten producers are looked for.
    "producer.id.expiration.check.interval.ms": Int = "600000", min(1), honoured;
}
