//! TLS: certificates, keys, protocols.

settings! {
    /// Form of the key store: JKS, PKCS12 or PEM.
    "ssl.keystore.type": Text = "JKS", per_broker, honoured;
    /// File of the key store.
    "ssl.keystore.location": Text, per_broker, honoured;
    /// Password of the key store.
    "ssl.keystore.password": Password, per_broker, honoured;
    /// The private key itself, in PEM.
    "ssl.keystore.key": Password, per_broker, honoured;
    /// The certificate chain itself, in PEM.
    "ssl.keystore.certificate.chain": Password, per_broker, honoured;
    /// Password of the private key.
    "ssl.key.password": Password, per_broker, honoured;
    /// Form of the trust store: JKS, PKCS12 or PEM.
    "ssl.truststore.type": Text = "JKS", per_broker, honoured;
    /// File of the trust store.
    "ssl.truststore.location": Text, per_broker, honoured;
    /// Password of the trust store.
    "ssl.truststore.password": Password, per_broker, honoured;
    /// The trusted certificates themselves, in PEM.
    "ssl.truststore.certificates": Password, per_broker, honoured;
    /// Whether clients show a certificate: required, requested or none.
    "ssl.client.auth": Text = "none", one_of(&["required", "requested", "none"]), per_broker, honoured;
    /// TLS version to prefer.
    "ssl.protocol": Text = "TLSv1.3", per_broker;
    /// TLS versions that are accepted.
    "ssl.enabled.protocols": List = "TLSv1.2,TLSv1.3", per_broker, honoured;
    /// Cipher suites that are accepted; all sound ones when empty.
    "ssl.cipher.suites": List = "", per_broker, honoured;
    /// How a server's name is compared with its certificate.
    "ssl.endpoint.identification.algorithm": Text = "https", per_broker;
    /// Rules from a certificate's subject to a principal's name.
    "ssl.principal.mapping.rules": Text = "DEFAULT", honoured;
    /// A new certificate may have another subject.
    "ssl.allow.dn.changes": Boolean = "false", honoured;
    /// A new certificate may have other names.
    "ssl.allow.san.changes": Boolean = "false", honoured;
    /// A Java class that makes TLS engines.
    "ssl.engine.factory.class": Class, per_broker;
    /// Java's algorithm for keys.
    "ssl.keymanager.algorithm": Text = "SunX509", per_broker;
    /// Java's algorithm for trust.
    "ssl.trustmanager.algorithm": Text = "PKIX", per_broker;
    /// Java's security provider.
    "ssl.provider": Text, per_broker;
    /// Java's source of random numbers.
    "ssl.secure.random.implementation": Text, per_broker;
}
