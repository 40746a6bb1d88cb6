//! What a client is told about its connections, in the words of a Java client's properties.

use std::collections::BTreeMap;
use std::time::Duration;

use barnabas_storage::seam::Seams;

use super::security::{ClientSecurity, SecurityError};
use crate::tls::{ClientTls, TlsError};

/// Where a client looks for a broker when nobody says anything.
pub const DEFAULT_BOOTSTRAP: &str = "127.0.0.1:9092";
/// How long a call may take when nobody says anything.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the making of a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Whom a client asks first (KIP-919), by Kafka's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Brokers: `bootstrap.servers`.
    Brokers = 1,
    /// Controllers themselves: `bootstrap.controllers`, which goes before the other.
    Controllers = 2,
}

/// What a client is told about its connections.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Whose addresses `bootstrap` has.
    pub endpoint: Endpoint,
    /// host:port each, at least one.
    pub bootstrap: Vec<String>,
    /// `client.id`.
    pub client_id: String,
    /// `request.timeout.ms`: how long one call may take.
    pub timeout: Duration,
    /// `socket.connection.setup.timeout.ms`.
    pub connect_timeout: Duration,
    /// TLS and SASL.
    pub security: ClientSecurity,
    /// Every property as it was given, for commands that read more of them.
    pub properties: BTreeMap<String, String>,
}

/// What is wrong with a client's properties.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// TLS or SASL.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// Not a number of milliseconds.
    #[error("{name}={value}: a number of milliseconds above 0")]
    Milliseconds {
        /// The property.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// Not an address.
    #[error("'{0}' is not of the form host:port")]
    Address(String),
}

impl ClientSettings {
    /// Reads properties; those that are not known stay in `properties`.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn read(properties: BTreeMap<String, String>) -> Result<Self, SettingsError> {
        let controllers = properties.get("bootstrap.controllers").map(String::as_str);
        let servers = properties.get("bootstrap.servers").map_or(DEFAULT_BOOTSTRAP, String::as_str);
        let bootstrap = controllers
            .unwrap_or(servers)
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
            .map(address)
            .collect();
        Ok(Self {
            endpoint: if controllers.is_some() { Endpoint::Controllers } else { Endpoint::Brokers },
            bootstrap: bootstrap_or_default(bootstrap)?,
            client_id: properties.get("client.id").map_or("barnabas", String::as_str).to_owned(),
            timeout: milliseconds(&properties, "request.timeout.ms", DEFAULT_TIMEOUT)?,
            connect_timeout: milliseconds(&properties, "socket.connection.setup.timeout.ms", CONNECT_TIMEOUT)?,
            security: ClientSecurity::read(&properties)?,
            properties,
        })
    }

    /// What `ssl.*` says.
    ///
    /// # Errors
    /// Files that cannot be read, settings that make no sense.
    pub fn tls(&self) -> Result<ClientTls, TlsError> {
        let seams = Seams::system();
        let text = |name: &str| self.properties.get(name).map(String::as_str);
        ClientTls::open(&text, &*seams.disk, &seams.clock)
    }
}

fn bootstrap_or_default(found: Result<Vec<String>, SettingsError>) -> Result<Vec<String>, SettingsError> {
    let found = found?;
    Ok(if found.is_empty() { vec![DEFAULT_BOOTSTRAP.to_owned()] } else { found })
}

/// host:port, with brackets around an IPv6 host; a name of a listener before it (`PLAINTEXT://`) is passed over.
fn address(text: &str) -> Result<String, SettingsError> {
    let address = text.split_once("://").map_or(text, |(_, address)| address);
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    if matches!(port, Some(Ok(_))) { Ok(address.to_owned()) } else { Err(SettingsError::Address(text.to_owned())) }
}

fn milliseconds(
    properties: &BTreeMap<String, String>,
    name: &'static str,
    default: Duration,
) -> Result<Duration, SettingsError> {
    let Some(value) = properties.get(name) else { return Ok(default) };
    let number = value.trim().parse().ok().filter(|number: &u32| *number > 0);
    let wrong = || SettingsError::Milliseconds { name, value: value.clone() };
    number.map(|number| Duration::from_millis(number.into())).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<ClientSettings, SettingsError> {
        ClientSettings::read(BTreeMap::from([(name.to_owned(), value.to_owned())]))
    }

    #[test]
    fn servers_are_separated_by_commas_and_default_to_this_machine() {
        assert_eq!(read("client.id", "c").unwrap().bootstrap, [DEFAULT_BOOTSTRAP]);
        let settings = read("bootstrap.servers", "a:1, PLAINTEXT://[::1]:2,").unwrap();
        assert_eq!(settings.bootstrap, ["a:1", "[::1]:2"]);
        for wrong in ["a", "a:", ":1", "a:70000"] {
            assert!(matches!(read("bootstrap.servers", wrong), Err(SettingsError::Address(_))), "{wrong}");
        }
    }

    #[test]
    fn controllers_are_asked_instead_of_servers() {
        let given = [("bootstrap.servers", "a:1"), ("bootstrap.controllers", "b:2")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = ClientSettings::read(BTreeMap::from(given)).unwrap();
        assert_eq!((settings.endpoint, &settings.bootstrap[..]), (Endpoint::Controllers, &["b:2".to_owned()][..]));
        assert_eq!(read("client.id", "c").unwrap().endpoint, Endpoint::Brokers);
    }

    #[test]
    fn a_timeout_is_a_number_of_milliseconds() {
        assert_eq!(read("request.timeout.ms", "1500").unwrap().timeout, Duration::from_millis(1500));
        assert!(read("request.timeout.ms", "0").is_err() && read("request.timeout.ms", "1s").is_err());
    }
}
