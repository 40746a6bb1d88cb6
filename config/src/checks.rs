//! What several settings must satisfy together, once each is right by itself.

use crate::config::{Config, Source};
use crate::error::{ConfigError, Warning};
use crate::key;
use crate::listener::{self, Listener, Listeners, ProtocolMap, SecurityProtocol};

/// Internal topics: their default replication wants three nodes.
const REPLICATION: [(&str, crate::Key<i64>); 2] = [
    ("offsets.topic.replication.factor", key::OFFSETS_TOPIC_REPLICATION_FACTOR),
    ("default.replication.factor", key::DEFAULT_REPLICATION_FACTOR),
];

/// Fills in the listeners of `config`, and adds what is wrong.
pub(crate) fn run(config: &mut Config, warnings: &mut Vec<Warning>, errors: &mut Vec<ConfigError>) {
    match listeners(config) {
        Ok(listeners) => config.listeners = listeners,
        Err(error) => errors.push(error),
    }
    errors.extend(single_node(config));
    for (name, key) in REPLICATION {
        let value = config.read(&key);
        if value > 1 {
            warnings.push(Warning::SingleNode { key: name, value });
        }
    }
}

fn refused(config: &Config, key: &'static str, reason: impl Into<String>) -> ConfigError {
    ConfigError::Refused { at: config.source(key), key, reason: reason.into() }
}

/// The listeners to open and the advertised ones.
fn listeners(config: &Config) -> Result<Listeners, ConfigError> {
    let controllers = controller_names(config);
    let map = protocol_map(config, &controllers)?;
    // Controllers' apart from brokers'.
    let read = |key: &'static str, advertised: bool| -> Result<(Vec<Listener>, Vec<Listener>), ConfigError> {
        let text = config.text(key).unwrap_or_default();
        let all = listener::parse(text, &map, advertised).map_err(|error| {
            let at = config.source(key);
            ConfigError::Listener { at, key, error }
        })?;
        Ok(all.into_iter().partition(|listener| controllers.contains(&listener.name)))
    };
    let (controllers_to_open, open) = read("listeners", false)?;
    let (advertised_controllers, advertised) = read("advertised.listeners", true)?;
    if open.is_empty() {
        return Err(refused(config, "listeners", "a broker needs a listener that is no controller listener"));
    }
    for listener in &advertised {
        if !open.iter().any(|opened| opened.name == listener.name) {
            let reason = format!("{} is advertised but not among the listeners", listener.name);
            return Err(refused(config, "advertised.listeners", reason));
        }
        if config.given("advertised.listeners").is_some() && matches!(listener.host.as_str(), "0.0.0.0" | "::") {
            let reason = format!("{} is no address a client can connect to: name a host", listener.host);
            return Err(refused(config, "advertised.listeners", reason));
        }
    }
    check_inter_broker(config, &open)?;
    Ok(Listeners { brokers: open, controllers: controllers_to_open, advertised, advertised_controllers })
}

fn controller_names(config: &Config) -> Vec<String> {
    config.read(&key::CONTROLLER_LISTENER_NAMES).iter().map(|name| name.to_ascii_uppercase()).collect()
}

/// As in Kafka, a controller listener is PLAINTEXT while no map is given.
fn protocol_map(config: &Config, controllers: &[String]) -> Result<ProtocolMap, ConfigError> {
    const KEY: &str = "listener.security.protocol.map";
    let mut map = listener::parse_map(config.text(KEY).unwrap_or_default()).map_err(|error| ConfigError::Listener {
        at: config.source(KEY),
        key: KEY,
        error,
    })?;
    if config.given(KEY).is_none() {
        for name in controllers {
            map.entry(name.clone()).or_insert(SecurityProtocol::Plaintext);
        }
    }
    Ok(map)
}

fn check_inter_broker(config: &Config, open: &[Listener]) -> Result<(), ConfigError> {
    const KEY: &str = "inter.broker.listener.name";
    match config.given(KEY) {
        Some(name) if !open.iter().any(|listener| listener.name == name.to_ascii_uppercase()) => {
            Err(refused(config, KEY, format!("{name} is not among the listeners")))
        }
        _ => Ok(()),
    }
}

/// This version runs one node that is broker and controller.
fn single_node(config: &Config) -> Vec<ConfigError> {
    let roles = config.read(&key::PROCESS_ROLES);
    let has = |role: &str| roles.iter().any(|one| one == role);
    let mut errors = Vec::new();
    if !(has("broker") && has("controller")) {
        let reason = "only broker,controller is served so far: one process is both";
        errors.push(refused(config, "process.roles", reason));
    }
    if config.read(&key::CONTROLLER_QUORUM_VOTERS).len() > 1 {
        let reason = "more than one controller is not served so far";
        errors.push(refused(config, "controller.quorum.voters", reason));
    }
    if config.read(&key::LOG_DIRS).is_empty() {
        errors.push(refused(config, "log.dirs", "name at least one directory"));
    }
    let (node, broker) = (config.given("node.id"), config.given("broker.id"));
    if let (Some(node), Some(broker)) = (node, broker)
        && node != broker
        && config.source("broker.id") != Source::Default
    {
        errors.push(refused(config, "broker.id", format!("is {broker} but node.id is {node}: they are one setting")));
    }
    errors
}
