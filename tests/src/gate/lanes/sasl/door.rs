//! A listener that asks for a login, as clients come to it: over TLS or not, with a certificate of their own or without.

use std::path::PathBuf;
use std::process::Command;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::port;

use super::super::authority::Authority;
use crate::gate::lane::Outcome;
use crate::gate::room::Room;

/// One listener.
pub(super) struct Door<'a> {
    /// Where clients connect.
    pub(super) bootstrap: String,
    /// In front of the names of topics and files.
    pub(super) prefix: &'static str,
    tls: Option<&'a Authority>,
    shows_certificate: bool,
}

/// The settings of a broker with three doors, and the ports of those over TLS.
pub(super) struct Doors {
    ports: [u16; 2],
    listeners: String,
    advertised: String,
    key: String,
    ca: String,
}

impl Doors {
    pub(super) fn new(authority: &Authority) -> Result<Self, Outcome> {
        let ports @ [tls, mutual] = [port::free()?, port::free()?];
        let over_tls = format!("TLS://localhost:{tls},MUTUAL://localhost:{mutual}");
        Ok(Self {
            ports,
            listeners: format!("PLAINTEXT://127.0.0.1:{{port}},{over_tls},CONTROLLER://127.0.0.1:{{controller}}"),
            advertised: format!("PLAINTEXT://127.0.0.1:{{port}},{over_tls}"),
            key: authority.shown("broker.pem"),
            ca: authority.shown("ca.pem"),
        })
    }

    /// Settings of the broker; `ssl.client.auth` counts on SASL_SSL only with the listener's name in front (KIP-684).
    pub(super) fn settings(&self) -> Vec<(&str, &str)> {
        vec![
            ("listeners", &self.listeners),
            ("advertised.listeners", &self.advertised),
            (
                "listener.security.protocol.map",
                "PLAINTEXT:SASL_PLAINTEXT,TLS:SASL_SSL,MUTUAL:SASL_SSL,CONTROLLER:PLAINTEXT",
            ),
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.location", &self.key),
            ("listener.name.mutual.ssl.truststore.type", "PEM"),
            ("listener.name.mutual.ssl.truststore.location", &self.ca),
            ("listener.name.mutual.ssl.client.auth", "required"),
        ]
    }

    /// Without TLS.
    pub(super) fn plain(broker: &Broker) -> Door<'static> {
        Door { bootstrap: broker.bootstrap(), prefix: "", tls: None, shows_certificate: false }
    }

    /// Over TLS.
    pub(super) fn tls<'a>(&self, authority: &'a Authority) -> Door<'a> {
        let bootstrap = format!("localhost:{}", self.ports[0]);
        Door { bootstrap, prefix: "tls-", tls: Some(authority), shows_certificate: false }
    }

    /// Over TLS, where clients have to show a certificate.
    pub(super) fn mutual<'a>(&self, authority: &'a Authority) -> Door<'a> {
        let bootstrap = format!("localhost:{}", self.ports[1]);
        Door { bootstrap, prefix: "mutual-", tls: Some(authority), shows_certificate: true }
    }
}

impl Door<'_> {
    fn protocol(&self) -> &'static str {
        if self.tls.is_some() { "SASL_SSL" } else { "SASL_PLAINTEXT" }
    }

    /// A Java client's settings but for its mechanism.
    pub(super) fn java(&self) -> String {
        let tls = self.tls.map_or_else(String::new, |authority| authority.java_properties(self.shows_certificate));
        format!("security.protocol={}\n{tls}", self.protocol())
    }

    /// librdkafka's settings but for its mechanism.
    pub(super) fn librdkafka(&self) -> Vec<String> {
        let mut settings = vec![format!("security.protocol={}", self.protocol())];
        if let Some(authority) = self.tls {
            settings.push(format!("ssl.ca.location={}", authority.shown("ca.pem")));
            if self.shows_certificate {
                settings.push(format!("ssl.certificate.location={}", authority.shown("client.crt")));
                settings.push(format!("ssl.key.location={}", authority.shown("client.key")));
            }
        }
        settings
    }

    /// Tells a program where to connect, and how.
    pub(super) fn tell(&self, command: &mut Command) {
        command.env("BOOTSTRAP", &self.bootstrap).env("TOPIC_PREFIX", self.prefix);
        if let Some(authority) = self.tls {
            authority.tell(command, self.shows_certificate);
        }
    }

    /// The file of a Java client's settings for a mechanism.
    pub(super) fn file(&self, room: &Room<'_>, mechanism: &str) -> PathBuf {
        room.path(&format!("{}{mechanism}.properties", self.prefix))
    }
}
