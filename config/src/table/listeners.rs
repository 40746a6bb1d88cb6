//! Where the broker listens, and what it tells clients.

settings! {
    /// Addresses to listen on, as NAME://host:port. No host means every address.
    "listeners": List = "PLAINTEXT://:9092", per_broker, at_start, honoured;
    /// Addresses that clients are given to connect to. The listeners themselves unless said.
    "advertised.listeners": List, or("listeners"), honoured;
    /// The security protocol of each listener name.
    "listener.security.protocol.map": Text = "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
        per_broker, at_start, honoured;
    /// The listener that brokers use among themselves.
    "inter.broker.listener.name": Text, honoured;
    /// The protocol that brokers use among themselves when no listener is named.
    "security.inter.broker.protocol": Text = "PLAINTEXT", one_of(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]);
    /// Listeners that open before the broker has caught up with the metadata.
    "early.start.listeners": List;
}
