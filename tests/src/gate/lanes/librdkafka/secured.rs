//! The numbers that want TLS or a login: the doors of a broker for them, and how they are run.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::{port, relay};

use super::super::authority::Authority;
use crate::gate::lane::Outcome;
use crate::gate::room::Room;

const USER: &str = "admin";
const PASSWORD: &str = "admin-secret";
/// Of the client's key, as [`Authority`] exports it.
const KEY_PASSWORD: &str = "secret";
/// A session's time before it has to log in again: each part of 0142 takes a little more than that.
const REAUTH_MS: &str = "3000";

/// How long answers over TLS are on their way. One that is there before the client has read for the first time fails it with an error
/// that 0097 does not know: of a broker in the same machine some are.
const LATE: Duration = Duration::from_millis(5);

/// A number and how it is run.
#[derive(Debug)]
pub(super) struct Errand {
    digits: &'static str,
    mechanism: Option<&'static str>,
    /// A sub-test for each run, by the function that it is; all of them in one where there is none.
    pub(super) parts: &'static [&'static str],
    /// Why the other parts are not run.
    pub(super) rest: &'static str,
}

/// What is run on this broker.
static ERRANDS: [Errand; 3] = [
    Errand { digits: "0097", mechanism: None, parts: &[], rest: "" },
    Errand {
        digits: "0135",
        mechanism: Some("PLAIN"),
        parts: &["do_test:"],
        rest: "the parts with share groups are left out",
    },
    Errand {
        digits: "0142",
        mechanism: Some("SCRAM-SHA-256"),
        parts: &["do_test_producer:", "do_test_reauth_failure:"],
        rest: "the parts with three brokers, share groups, transactions and unsecured tokens are left out",
    },
];

impl Errand {
    /// The one of a number, if it is among these.
    pub(super) fn of(digits: &str) -> Option<&'static Self> {
        ERRANDS.iter().find(|errand| errand.digits == digits)
    }

    /// Four digits.
    pub(super) const fn digits(&self) -> &'static str {
        self.digits
    }
}

/// What clients need to know of that broker.
pub(super) struct Secured {
    authority: Authority,
    plain: String,
    tls: String,
}

impl Secured {
    /// Starts it.
    pub(super) fn start(room: &Room<'_>, settings: &[(&str, &str)]) -> Result<(Broker, Self), Outcome> {
        let authority = Authority::new(room)?;
        authority.export(room)?;
        let port = port::free()?;
        let tls = format!("localhost:{}", relay::start(port, LATE)?);
        let (key, ca) = (authority.shown("broker.pem"), authority.shown("ca.pem"));
        let advertised = format!("PLAINTEXT://127.0.0.1:{{port}},TLS://{tls}");
        let listeners =
            format!("PLAINTEXT://127.0.0.1:{{port}},TLS://localhost:{port},CONTROLLER://127.0.0.1:{{controller}}");
        let user = format!("{USER}:{PASSWORD}");
        let mut all = settings.to_vec();
        all.extend([
            ("listeners", listeners.as_str()),
            ("advertised.listeners", &advertised),
            ("listener.security.protocol.map", "PLAINTEXT:SASL_PLAINTEXT,TLS:SSL,CONTROLLER:PLAINTEXT"),
            ("sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"),
            ("connections.max.reauth.ms", REAUTH_MS),
            ("bootstrap.user", &user),
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.location", &key),
            ("ssl.truststore.type", "PEM"),
            ("ssl.truststore.location", &ca),
            // Not `required`: then the test knows only the alerts of Java's TLS for a client that shows no certificate (42 and 40).
            // Ours is certificate_required (116), of RFC 8446 6.2. The lane `tls` has clients that must show one.
            ("listener.name.tls.ssl.client.auth", "requested"),
        ]);
        let broker = room.broker("secured", &all)?;
        let plain = broker.bootstrap();
        Ok((broker, Self { authority, plain, tls }))
    }

    /// Writes the settings of an errand's clients; their file, and where they connect.
    pub(super) fn settings(&self, room: &Room<'_>, errand: &Errand) -> Result<(PathBuf, &str), Outcome> {
        let path = room.path(&format!("{}.conf", errand.digits));
        let shown = |name: &str| self.authority.shown(name);
        let (bootstrap, settings) = match errand.mechanism {
            Some(mechanism) => (
                &self.plain,
                format!(
                    "security.protocol=sasl_plaintext\nsasl.mechanism={mechanism}\nsasl.username={USER}\nsasl.password={PASSWORD}\n"
                ),
            ),
            None => (
                &self.tls,
                format!(
                    "security.protocol=ssl\nssl.ca.location={}\nssl.certificate.location={}\nssl.key.location={}\n\
                     ssl.key.password={KEY_PASSWORD}\n",
                    shown("ca.pem"),
                    shown("client.crt"),
                    shown("client.key")
                ),
            ),
        };
        fs::write(&path, format!("bootstrap.servers={bootstrap}\n{settings}{}\n", super::runner::PATIENCE))?;
        Ok((path, bootstrap))
    }

    /// Tells a program the certificates by the names that upstream's cluster for tests gives them.
    pub(super) fn tell(&self, command: &mut Command) {
        let files = [
            ("SSL_pkcs", "client.p12"),
            ("SSL_pub_pem", "client.crt"),
            ("SSL_pub_der", "client.der"),
            ("SSL_priv_pem", "client.key"),
            ("SSL_ca_der", "ca.der"),
            ("SSL_all_cas_pem", "ca.pem"),
        ];
        command.envs(files.map(|(name, file)| (name, self.authority.shown(file))));
        command.env("SSL_password", KEY_PASSWORD).env("SSL_client_auth", "requested");
    }
}
