//! `listeners`, `advertised.listeners` and `listener.security.protocol.map` as one list of names, protocols, hosts
//! and ports.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::setting::list;

/// How the bytes of a listener are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityProtocol {
    /// Neither encrypted nor authenticated.
    Plaintext,
    /// TLS.
    Ssl,
    /// SASL without TLS.
    SaslPlaintext,
    /// SASL over TLS.
    SaslSsl,
}

impl SecurityProtocol {
    /// Whether its bytes are encrypted.
    #[must_use]
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }
}

impl fmt::Display for SecurityProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        })
    }
}

impl FromStr for SecurityProtocol {
    type Err = ListenerError;

    fn from_str(text: &str) -> Result<Self, ListenerError> {
        match text.to_ascii_uppercase().as_str() {
            "PLAINTEXT" => Ok(Self::Plaintext),
            "SSL" => Ok(Self::Ssl),
            "SASL_PLAINTEXT" => Ok(Self::SaslPlaintext),
            "SASL_SSL" => Ok(Self::SaslSsl),
            _ => Err(ListenerError::UnknownProtocol(text.to_owned())),
        }
    }
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name, in capitals.
    pub name: String,
    /// Its protocol, from the map.
    pub protocol: SecurityProtocol,
    /// The host; "" means every address when listening, and this machine's name when advertised.
    pub host: String,
    /// The port; 0 lets the system choose.
    pub port: u16,
}

/// All of a node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listeners {
    pub(crate) brokers: Vec<Listener>,
    pub(crate) controllers: Vec<Listener>,
    /// Those that clients are told of.
    pub(crate) advertised: Vec<Listener>,
    pub(crate) advertised_controllers: Vec<Listener>,
}

/// What is wrong with a list of listeners.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListenerError {
    /// Not of the form NAME://host:port.
    #[error("'{0}' is not of the form NAME://host:port")]
    Malformed(String),
    /// A port above 65535.
    #[error("'{0}' has no port between 0 and 65535")]
    BadPort(String),
    /// Not one of the four.
    #[error("'{0}' is none of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL")]
    UnknownProtocol(String),
    /// An entry of the map that is no pair.
    #[error("'{0}' is not of the form NAME:PROTOCOL")]
    MalformedPair(String),
    /// A name without a protocol.
    #[error("listener {0} has no protocol in listener.security.protocol.map")]
    NoProtocol(String),
    /// A name twice.
    #[error("listener {0} is given twice")]
    DuplicateName(String),
    /// A port twice.
    #[error("port {0} is given twice")]
    DuplicatePort(u16),
}

/// Protocols by listener name.
pub(crate) type ProtocolMap = BTreeMap<String, SecurityProtocol>;

/// Reads `listener.security.protocol.map`.
pub(crate) fn parse_map(text: &str) -> Result<ProtocolMap, ListenerError> {
    list(text)
        .map(|pair| {
            let (name, protocol) = pair.split_once(':').ok_or_else(|| ListenerError::MalformedPair(pair.to_owned()))?;
            Ok((name.trim().to_ascii_uppercase(), protocol.trim().parse()?))
        })
        .collect()
}

/// Reads `listeners` or `advertised.listeners`. A name may come twice with an IPv4 and an IPv6 host; a port may come
/// twice only then, or when advertised.
pub(crate) fn parse(text: &str, map: &ProtocolMap, advertised: bool) -> Result<Vec<Listener>, ListenerError> {
    let mut read: Vec<Listener> = Vec::new();
    for entry in list(text) {
        let listener = parse_one(entry, map)?;
        for other in &read {
            if other.host.contains(':') != listener.host.contains(':') {
                continue;
            }
            if other.name == listener.name {
                return Err(ListenerError::DuplicateName(listener.name));
            }
            if other.port == listener.port && listener.port != 0 && !advertised {
                return Err(ListenerError::DuplicatePort(listener.port));
            }
        }
        read.push(listener);
    }
    Ok(read)
}

fn parse_one(entry: &str, map: &ProtocolMap) -> Result<Listener, ListenerError> {
    let malformed = || ListenerError::Malformed(entry.to_owned());
    let (name, address) = entry.split_once("://").ok_or_else(malformed)?;
    let (host, port) = address.rsplit_once(':').ok_or_else(malformed)?;
    let host = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    if name.is_empty() || !host.chars().all(is_host) {
        return Err(malformed());
    }
    let name = name.to_ascii_uppercase();
    let protocol = *map.get(&name).ok_or_else(|| ListenerError::NoProtocol(name.clone()))?;
    let port = port.parse().map_err(|_| ListenerError::BadPort(entry.to_owned()))?;
    Ok(Listener { name, protocol, host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Listener>, ListenerError> {
        let map = parse_map("PLAINTEXT:PLAINTEXT,INTERNAL:sasl_ssl,CONTROLLER:PLAINTEXT").unwrap();
        parse(text, &map, false)
    }

    fn listener(name: &str, protocol: SecurityProtocol, host: &str, port: u16) -> Listener {
        Listener { name: name.to_owned(), protocol, host: host.to_owned(), port }
    }

    #[test]
    fn names_hosts_and_ports_are_read() {
        let read = read("plaintext://:9092, INTERNAL://[::1]:0").unwrap();
        let plain = listener("PLAINTEXT", SecurityProtocol::Plaintext, "", 9092);
        assert_eq!(read, [plain, listener("INTERNAL", SecurityProtocol::SaslSsl, "::1", 0)]);
    }

    #[test]
    fn a_listener_without_a_protocol_is_refused() {
        assert_eq!(read("OUTSIDE://h:1"), Err(ListenerError::NoProtocol("OUTSIDE".to_owned())));
        assert_eq!(parse_map("A:TLS"), Err(ListenerError::UnknownProtocol("TLS".to_owned())));
        assert_eq!(parse_map("A"), Err(ListenerError::MalformedPair("A".to_owned())));
    }

    #[test]
    fn a_malformed_listener_is_refused() {
        for text in ["h:1", "PLAINTEXT://h", "://h:1", "PLAINTEXT://a b:1", "PLAINTEXT://h:70000", "PLAINTEXT://h:"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_or_port_twice_is_refused_but_for_the_two_address_families() {
        assert_eq!(read("PLAINTEXT://:1,PLAINTEXT://:2"), Err(ListenerError::DuplicateName("PLAINTEXT".to_owned())));
        assert_eq!(read("PLAINTEXT://:1,INTERNAL://:1"), Err(ListenerError::DuplicatePort(1)));
        assert!(read("PLAINTEXT://127.0.0.1:1,PLAINTEXT://[::1]:1").is_ok());
    }
}
