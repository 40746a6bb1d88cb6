//! A typed name of one broker setting: `config.read(&key::SOCKET_REQUEST_MAX_BYTES)`.

use std::marker::PhantomData;

/// The name of one setting whose values have type `T`.
#[derive(Debug)]
pub struct Key<T> {
    /// Kafka's name.
    pub name: &'static str,
    _type: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// Names a row of the table; a test proves that the row exists and has this type.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, _type: PhantomData }
    }
}

macro_rules! keys {
    ($($ident:ident: $type:ty = $name:literal;)*) => {
        $(#[doc = concat!("`", $name, "`")] pub const $ident: Key<$type> = Key::new($name);)*

        #[cfg(test)]
        mod tests {
            use crate::config::{Config, Value};
            use crate::table;

            #[test]
            fn every_key_has_an_honoured_row_of_its_type() {
                let config = Config::dev();
                $(
                    let row = table::broker($name).expect($name);
                    assert!(<$type as Value>::reads(row), "the type of {}", $name);
                    assert_eq!(row.state, crate::setting::State::Honoured, "{}", $name);
                    let _ = config.read(&super::$ident);
                )*
            }
        }
    };
}

// Numbers are i64 whatever their width on Kafka's side; the table holds the range.
keys! {
    CONFIG_UNKNOWN_KEYS: String = "config.unknown.keys";
    HTTP_LISTENER: String = "barnabas.http.listener";
    AUDIT_FILE: String = "barnabas.audit.file";
    AUDIT_FILE_BYTES_MAX: i64 = "barnabas.audit.file.bytes.max";
    AUDIT_FILES_MAX: i64 = "barnabas.audit.files.max";
    AUDIT_TOPIC_ENABLE: bool = "barnabas.audit.topic.enable";
    AUDIT_LOGINS: String = "barnabas.audit.logins";
    AUDIT_QUEUE_EVENTS_MAX: i64 = "barnabas.audit.queue.events.max";
    PROCESS_ROLES: Vec<String> = "process.roles";
    NODE_ID: i64 = "node.id";
    CONTROLLER_LISTENER_NAMES: Vec<String> = "controller.listener.names";
    CONTROLLER_QUORUM_VOTERS: Vec<String> = "controller.quorum.voters";
    LOG_DIRS: Vec<String> = "log.dirs";
    NUM_PARTITIONS: i64 = "num.partitions";
    DEFAULT_REPLICATION_FACTOR: i64 = "default.replication.factor";
    AUTO_CREATE_TOPICS_ENABLE: bool = "auto.create.topics.enable";
    DELETE_TOPIC_ENABLE: bool = "delete.topic.enable";
    AUTHORIZER_CLASS_NAME: String = "authorizer.class.name";
    SUPER_USERS: String = "super.users";
    ALLOW_EVERYONE_IF_NO_ACL_FOUND: bool = "allow.everyone.if.no.acl.found";
    BROKER_RACK: Option<String> = "broker.rack";
    SOCKET_REQUEST_MAX_BYTES: i64 = "socket.request.max.bytes";
    SOCKET_SEND_BUFFER_BYTES: i64 = "socket.send.buffer.bytes";
    SOCKET_RECEIVE_BUFFER_BYTES: i64 = "socket.receive.buffer.bytes";
    SOCKET_LISTEN_BACKLOG_SIZE: i64 = "socket.listen.backlog.size";
    QUEUED_MAX_REQUEST_BYTES: i64 = "queued.max.request.bytes";
    CONNECTIONS_MAX_IDLE_MS: i64 = "connections.max.idle.ms";
    QUOTA_WINDOW_NUM: i64 = "quota.window.num";
    QUOTA_WINDOW_SIZE_SECONDS: i64 = "quota.window.size.seconds";
    CONTROLLER_QUOTA_WINDOW_NUM: i64 = "controller.quota.window.num";
    CONTROLLER_QUOTA_WINDOW_SIZE_SECONDS: i64 = "controller.quota.window.size.seconds";
    MAX_CONNECTIONS: i64 = "max.connections";
    MAX_CONNECTIONS_PER_IP: i64 = "max.connections.per.ip";
    MAX_CONNECTIONS_PER_IP_OVERRIDES: String = "max.connections.per.ip.overrides";
    MAX_CONNECTION_CREATION_RATE: i64 = "max.connection.creation.rate";
    FETCH_MAX_BYTES: i64 = "fetch.max.bytes";
    MAX_INCREMENTAL_FETCH_SESSION_CACHE_SLOTS: i64 = "max.incremental.fetch.session.cache.slots";
    MAX_REQUEST_PARTITION_SIZE_LIMIT: i64 = "max.request.partition.size.limit";
    LOG_RETENTION_CHECK_INTERVAL_MS: i64 = "log.retention.check.interval.ms";
    PRODUCER_ID_EXPIRATION_MS: i64 = "producer.id.expiration.ms";
    PRODUCER_ID_EXPIRATION_CHECK_INTERVAL_MS: i64 = "producer.id.expiration.check.interval.ms";
    NUM_RECOVERY_THREADS_PER_DATA_DIR: i64 = "num.recovery.threads.per.data.dir";
    METADATA_LOG_MAX_RECORD_BYTES_BETWEEN_SNAPSHOTS: i64 = "metadata.log.max.record.bytes.between.snapshots";
    OFFSETS_TOPIC_NUM_PARTITIONS: i64 = "offsets.topic.num.partitions";
    OFFSETS_TOPIC_REPLICATION_FACTOR: i64 = "offsets.topic.replication.factor";
    OFFSETS_TOPIC_SEGMENT_BYTES: i64 = "offsets.topic.segment.bytes";
    OFFSETS_RETENTION_MINUTES: i64 = "offsets.retention.minutes";
    OFFSETS_RETENTION_CHECK_INTERVAL_MS: i64 = "offsets.retention.check.interval.ms";
    OFFSETS_COMMIT_TIMEOUT_MS: i64 = "offsets.commit.timeout.ms";
    OFFSET_METADATA_MAX_BYTES: i64 = "offset.metadata.max.bytes";
    GROUP_INITIAL_REBALANCE_DELAY_MS: i64 = "group.initial.rebalance.delay.ms";
    GROUP_MIN_SESSION_TIMEOUT_MS: i64 = "group.min.session.timeout.ms";
    GROUP_MAX_SESSION_TIMEOUT_MS: i64 = "group.max.session.timeout.ms";
    GROUP_MAX_SIZE: i64 = "group.max.size";
    JOURNAL_BYTES_INITIAL: i64 = "log.journal.bytes.initial";
    JOURNAL_BYTES_MAX: i64 = "log.journal.bytes.max";
    JOURNAL_BATCH_BYTES_MAX: i64 = "log.journal.batch.bytes.max";
    LOG_FREE_BYTES_MIN: i64 = "log.free.bytes.min";
    SSL_RELOAD_INTERVAL_MS: i64 = "ssl.reload.interval.ms";
    LOG_CHECKPOINT_INTERVAL_MS: i64 = "log.checkpoint.interval.ms";
    SASL_ENABLED_MECHANISMS: Vec<String> = "sasl.enabled.mechanisms";
    SASL_JAAS_CONFIG: Option<String> = "sasl.jaas.config";
    SASL_SERVER_MAX_RECEIVE_SIZE: i64 = "sasl.server.max.receive.size";
    DELEGATION_TOKEN_SECRET_KEY: Option<String> = "delegation.token.secret.key";
    TELEMETRY_MAX_BYTES: i64 = "telemetry.max.bytes";
    DELEGATION_TOKEN_MAX_LIFETIME_MS: i64 = "delegation.token.max.lifetime.ms";
    DELEGATION_TOKEN_EXPIRY_TIME_MS: i64 = "delegation.token.expiry.time.ms";
    DELEGATION_TOKEN_EXPIRY_CHECK_INTERVAL_MS: i64 = "delegation.token.expiry.check.interval.ms";
    KERBEROS_PRINCIPAL_TO_LOCAL_RULES: Vec<String> = "sasl.kerberos.principal.to.local.rules";
    KERBEROS_SERVICE_NAME: Option<String> = "sasl.kerberos.service.name";
    OAUTH_JWKS_URL: Option<String> = "sasl.oauthbearer.jwks.endpoint.url";
    OAUTH_JWKS_REFRESH_MS: i64 = "sasl.oauthbearer.jwks.endpoint.refresh.ms";
    OAUTH_JWKS_RETRY_BACKOFF_MS: i64 = "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms";
    OAUTH_JWKS_RETRY_BACKOFF_MAX_MS: i64 = "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms";
    OAUTH_EXPECTED_AUDIENCE: Vec<String> = "sasl.oauthbearer.expected.audience";
    OAUTH_EXPECTED_ISSUER: Option<String> = "sasl.oauthbearer.expected.issuer";
    OAUTH_CLOCK_SKEW_SECONDS: i64 = "sasl.oauthbearer.clock.skew.seconds";
    OAUTH_SCOPE_CLAIM_NAME: String = "sasl.oauthbearer.scope.claim.name";
    OAUTH_SUB_CLAIM_NAME: String = "sasl.oauthbearer.sub.claim.name";
    CONNECTION_FAILED_AUTHENTICATION_DELAY_MS: i64 = "connection.failed.authentication.delay.ms";
    CONNECTIONS_MAX_REAUTH_MS: i64 = "connections.max.reauth.ms";
    SCRAM_STRICT_NONCE: bool = "scram.strict.nonce";
    SCRAM_ITERATIONS: i64 = "scram.iterations";
    SCRAM_ALTER_OVER_PLAINTEXT: bool = "scram.alter.over.plaintext";
    BOOTSTRAP_USER: Option<String> = "bootstrap.user";
}
