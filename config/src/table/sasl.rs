//! SASL: mechanisms, credentials, OAuth and Kerberos.

settings! {
    /// Mechanisms that clients may use: SCRAM-SHA-256, SCRAM-SHA-512, PLAIN, OAUTHBEARER, and GSSAPI where it is built in.
    "sasl.enabled.mechanisms": List = "SCRAM-SHA-256,SCRAM-SHA-512", per_broker, honoured;
    /// Mechanism between brokers.
    "sasl.mechanism.inter.broker.protocol": Text = "GSSAPI", per_broker;
    /// Mechanism between broker and controller.
    "sasl.mechanism.controller.protocol": Text = "GSSAPI";
    /// Login of this side, in JAAS form; usually given for a listener and mechanism.
    "sasl.jaas.config": Password, per_broker, honoured;
    /// A Java class for the client side of SASL.
    "sasl.client.callback.handler.class": Class;
    /// A Java class for the server side of SASL.
    "sasl.server.callback.handler.class": Class;
    /// Largest SASL message before authentication.
    "sasl.server.max.receive.size": Int = "65536", honoured;
    /// A Java class for logins.
    "sasl.login.class": Class;
    /// A Java class that answers a login's questions.
    "sasl.login.callback.handler.class": Class;
    /// Longest wait for a connection to the token endpoint.
    "sasl.login.connect.timeout.ms": Int;
    /// Longest wait for the token endpoint's answer.
    "sasl.login.read.timeout.ms": Int;
    /// Time before expiry at which a token is renewed at the latest.
    "sasl.login.refresh.buffer.seconds": Short = "300", per_broker;
    /// Shortest time between two renewals.
    "sasl.login.refresh.min.period.seconds": Short = "60", per_broker;
    /// Part of a token's life after which it is renewed.
    "sasl.login.refresh.window.factor": Double = "0.8", per_broker;
    /// Random part added to it.
    "sasl.login.refresh.window.jitter": Double = "0.05", per_broker;
    /// First wait before a login is tried again.
    "sasl.login.retry.backoff.ms": Long = "100";
    /// Longest wait before a login is tried again.
    "sasl.login.retry.backoff.max.ms": Long = "10000";
    /// Algorithm that signs client assertions.
    "sasl.oauthbearer.assertion.algorithm": Text = "RS256", one_of_any_case(&["ES256", "RS256"]);
    /// Audience of a client assertion.
    "sasl.oauthbearer.assertion.claim.aud": Text;
    /// Life of a client assertion.
    "sasl.oauthbearer.assertion.claim.exp.seconds": Int = "300", range(0, 86400);
    /// Issuer of a client assertion.
    "sasl.oauthbearer.assertion.claim.iss": Text;
    /// A client assertion carries an id.
    "sasl.oauthbearer.assertion.claim.jti.include": Boolean = "false";
    /// Time before now from which a client assertion is valid.
    "sasl.oauthbearer.assertion.claim.nbf.seconds": Int = "60", range(0, 3600);
    /// Subject of a client assertion.
    "sasl.oauthbearer.assertion.claim.sub": Text;
    /// File that holds a client assertion.
    "sasl.oauthbearer.assertion.file": Text;
    /// File of the key that signs client assertions.
    "sasl.oauthbearer.assertion.private.key.file": Text;
    /// Passphrase of that key.
    "sasl.oauthbearer.assertion.private.key.passphrase": Password;
    /// File with the fixed part of client assertions.
    "sasl.oauthbearer.assertion.template.file": Text;
    /// Client id for the client credentials grant.
    "sasl.oauthbearer.client.credentials.client.id": Text;
    /// Client secret for the client credentials grant.
    "sasl.oauthbearer.client.credentials.client.secret": Password;
    /// Difference of clocks that a token's times may have.
    "sasl.oauthbearer.clock.skew.seconds": Int = "30", honoured;
    /// Audiences of which a token must name one; without any, it must not name one.
    "sasl.oauthbearer.expected.audience": List = "", honoured;
    /// Issuer that a token must name.
    "sasl.oauthbearer.expected.issuer": Text, honoured;
    /// Where the keys that check tokens are read: a file: or https: URL. Tokens without a signature are never taken.
    "sasl.oauthbearer.jwks.endpoint.url": Text, honoured;
    /// How often those keys are read again.
    "sasl.oauthbearer.jwks.endpoint.refresh.ms": Long = "3600000", honoured;
    /// First wait before they are asked for again.
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms": Long = "100", honoured;
    /// Longest wait before they are asked for again.
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms": Long = "10000", honoured;
    /// A Java class that fetches tokens.
    "sasl.oauthbearer.jwt.retriever.class": Class
        = "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever";
    /// A Java class that checks tokens.
    "sasl.oauthbearer.jwt.validator.class": Class
        = "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator";
    /// Scope that a token is asked for.
    "sasl.oauthbearer.scope": Text;
    /// Claim that holds a token's scope.
    "sasl.oauthbearer.scope.claim.name": Text = "scope", honoured;
    /// Claim that holds a token's subject.
    "sasl.oauthbearer.sub.claim.name": Text = "sub", honoured;
    /// Where tokens are issued.
    "sasl.oauthbearer.token.endpoint.url": Text;
    /// Path of kinit.
    "sasl.kerberos.kinit.cmd": Text = "/usr/bin/kinit", per_broker;
    /// Shortest time between two Kerberos logins.
    "sasl.kerberos.min.time.before.relogin": Long = "60000", per_broker;
    /// Rules from Kerberos principals to short names, the first that is for a name decides.
    "sasl.kerberos.principal.to.local.rules": List = "DEFAULT", per_broker, honoured;
    /// Kerberos name of the service; that of the login module's principal.
    "sasl.kerberos.service.name": Text, per_broker, honoured;
    /// Random part of the renewal time.
    "sasl.kerberos.ticket.renew.jitter": Double = "0.05", per_broker;
    /// Part of a ticket's life after which it is renewed.
    "sasl.kerberos.ticket.renew.window.factor": Double = "0.8", per_broker;
}
