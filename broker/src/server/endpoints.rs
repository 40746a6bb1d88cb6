//! Listeners: where the broker listens, and what clients are told to connect to.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use barnabas_config::{Config, Listener as Setting, SecurityProtocol, key};
use barnabas_raft::BrokerEndpoint;

use crate::limits::LISTEN_BACKLOG_LEAST;
use crate::network::slots::Way;
use crate::seam::{BindOptions, Listener, Net};

/// A listener that is bound but does not accept yet.
pub(super) struct Bound<L> {
    pub(super) name: String,
    pub(super) is_controller: bool,
    pub(super) protocol: SecurityProtocol,
    pub(super) address: SocketAddr,
    pub(super) listener: L,
}

/// Why a listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// `barnabas.http.listener` makes no sense.
    #[error("{0}")]
    Http(String),
    /// The host has no address.
    #[error("listener {name}: the host '{host}' has no address")]
    Host {
        /// The listener.
        name: String,
        /// Its host.
        host: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The system refused.
    #[error("listener {name} cannot have {address} (is another broker running there?)")]
    Bind {
        /// The listener.
        name: String,
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Binds every listener of the settings, the broker's first.
pub(super) fn bind<N: Net>(net: &N, config: &Config) -> Result<Vec<Bound<N::Listener>>, BindError> {
    let brokers = config.listeners().iter().map(|setting| bind_one(net, config, setting, false));
    let controllers = config.controller_listeners().iter().map(|setting| bind_one(net, config, setting, true));
    brokers.chain(controllers).collect()
}

/// Binds `barnabas.http.listener`, if it is set.
pub(super) fn bind_http<N: Net>(net: &N, config: &Config) -> Result<Option<(SocketAddr, N::Listener)>, BindError> {
    let setting: String = config.read(&key::HTTP_LISTENER);
    let Some(address) = crate::http::address(&setting).map_err(BindError::Http)? else { return Ok(None) };
    let name = || "barnabas.http.listener".to_owned();
    let bound = net.bind(&bind_options(config, address)).and_then(|listener| {
        let address = listener.local_address()?;
        Ok((address, listener))
    });
    bound.map(Some).map_err(|source| BindError::Bind { name: name(), address, source })
}

fn bind_one<N: Net>(
    net: &N,
    config: &Config,
    setting: &Setting,
    is_controller: bool,
) -> Result<Bound<N::Listener>, BindError> {
    let name = setting.name.clone();
    let addresses = addresses(&setting.host, setting.port).map_err(|source| BindError::Host {
        name: name.clone(),
        host: setting.host.clone(),
        source,
    })?;
    let mut refused = None;
    // Without a host: all of IPv6 and IPv4, or all of IPv4 on a machine without IPv6.
    for address in addresses {
        let bound = net.bind(&bind_options(config, address)).and_then(|listener| {
            let address = listener.local_address()?;
            Ok(Bound { name: name.clone(), is_controller, protocol: setting.protocol, address, listener })
        });
        match bound {
            Ok(bound) => return Ok(bound),
            Err(source) => refused = Some(BindError::Bind { name: name.clone(), address, source }),
        }
    }
    let none = || BindError::Host { name, host: setting.host.clone(), source: io::ErrorKind::NotFound.into() };
    Err(refused.unwrap_or_else(none))
}

fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if host.is_empty() {
        let (six, four) = (std::net::Ipv6Addr::UNSPECIFIED, std::net::Ipv4Addr::UNSPECIFIED);
        return Ok(vec![(six, port).into(), (four, port).into()]);
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok((host, port).to_socket_addrs()?.collect())
}

/// Kafka's -1 for a buffer leaves the system's size.
fn bind_options(config: &Config, address: SocketAddr) -> BindOptions {
    let size = |key| usize::try_from(config.read::<i64>(key)).ok();
    let backlog = config.read(&key::SOCKET_LISTEN_BACKLOG_SIZE);
    BindOptions {
        address,
        backlog: i32::try_from(backlog).unwrap_or(i32::MAX).max(LISTEN_BACKLOG_LEAST),
        send_buffer: size(&key::SOCKET_SEND_BUFFER_BYTES),
        receive_buffer: size(&key::SOCKET_RECEIVE_BUFFER_BYTES),
    }
}

/// What clients are told. A port 0 stands for the one that the system chose, and no host for this machine's name.
pub(super) fn advertised<L>(config: &Config, bound: &[Bound<L>]) -> Vec<BrokerEndpoint> {
    let endpoint = |advertised: &Setting| {
        let chosen = bound.iter().find(|each| each.name == advertised.name).map(|each| each.address.port());
        BrokerEndpoint {
            listener: advertised.name.clone(),
            host: if advertised.host.is_empty() { host_name() } else { advertised.host.clone() },
            port: if advertised.port == 0 { chosen.unwrap_or(0) } else { advertised.port },
        }
    };
    config.advertised_listeners().iter().map(endpoint).collect()
}

/// This machine's name when it leads to an address, else `localhost`.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if (name.as_str(), 0).to_socket_addrs().is_ok() { name } else { "localhost".to_owned() }
}

/// Who comes through a listener.
pub(super) fn way(config: &Config, listener: &str, protocol: SecurityProtocol) -> Way {
    match protocol {
        _ if is_between_brokers(config, listener) => Way::BetweenBrokers,
        SecurityProtocol::Plaintext => Way::Anonymous,
        SecurityProtocol::Ssl | SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl => Way::Named,
    }
}

/// Whether a listener is the brokers' own: the one that `inter.broker.listener.name` names, when clients have another one.
fn is_between_brokers(config: &Config, listener: &str) -> bool {
    let named = config.text("inter.broker.listener.name").unwrap_or_default();
    config.listeners().len() > 1 && named.eq_ignore_ascii_case(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_brokers_listener_is_the_one_that_is_named_when_clients_have_another() {
        let is_theirs = |settings: &[&str], listener: &str| {
            let assignments = settings.iter().map(|one| (*one).to_owned()).collect();
            let read_file = |_: &std::path::Path| Err(io::Error::from(io::ErrorKind::NotFound));
            let sources = barnabas_config::ConfigSources {
                files: vec![],
                environment: vec![],
                assignments,
                read_file: &read_file,
            };
            is_between_brokers(&Config::load(&sources).unwrap().0, listener)
        };
        let two = "listeners=PLAINTEXT://:9092,BROKERS://:9094";
        let map = "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,BROKERS:PLAINTEXT";
        let named = "inter.broker.listener.name=BROKERS";
        assert!(is_theirs(&[two, map, named], "BROKERS") && !is_theirs(&[two, map, named], "PLAINTEXT"));
        assert!(!is_theirs(&[two, map], "PLAINTEXT"));
        let one = ["listeners=PLAINTEXT://:9092", "inter.broker.listener.name=PLAINTEXT"];
        assert!(!is_theirs(&one, "PLAINTEXT"), "clients have no other");
    }

    #[test]
    fn an_ipv6_host_may_stand_in_brackets() {
        assert_eq!(addresses("[::1]", 9092).unwrap(), ["[::1]:9092".parse().unwrap()]);
        assert_eq!(addresses("127.0.0.1", 1).unwrap(), ["127.0.0.1:1".parse().unwrap()]);
    }
}
