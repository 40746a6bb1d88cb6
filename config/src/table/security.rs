//! Principals, the authorizer, delegation tokens.

settings! {
    /// The authorizer: Kafka's StandardAuthorizer, or `standard` for short; empty allows everything.
    "authorizer.class.name": Text = "", honoured;
    /// Principals that may do everything, between semicolons.
    "super.users": Text = "", honoured;
    /// Without an ACL for a resource, everyone may use it.
    "allow.everyone.if.no.acl.found": Boolean = "false", honoured;
    /// A Java class that makes principals in Kafka.
    "principal.builder.class": Class = "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
        per_broker;
    /// Wait before a connection that failed to authenticate is closed.
    "connection.failed.authentication.delay.ms": Int = "100", min(0), honoured;
    /// Time after which a client must authenticate again; 0 never.
    "connections.max.reauth.ms": Long = "0", honoured;
    /// Key that delegation tokens are signed with; without it there are none.
    "delegation.token.secret.key": Password, honoured;
    /// Longest life of a delegation token, renewals included.
    "delegation.token.max.lifetime.ms": Long = "604800000", min(1), honoured;
    /// Life of a delegation token until it is renewed.
    "delegation.token.expiry.time.ms": Long = "86400000", min(1), honoured;
    /// How often expired delegation tokens are removed.
    "delegation.token.expiry.check.interval.ms": Long = "3600000", min(1), honoured;
    /// Java security providers.
    "security.providers": Text;
}
