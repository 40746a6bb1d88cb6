//! One address, step by step: DNS, TCP, TLS, SASL, ApiVersions, Metadata. The first that fails ends it.

use std::io;

use kafka_protocol::messages::{MetadataRequest, MetadataResponse};

use crate::cli::failure::with_causes;
use crate::client::{CallError, Client, ClientSettings, code};
use crate::seam;

/// The last version whose fields are all understood here.
const METADATA_VERSION: i16 = 12;

/// A step that was tried.
#[derive(Clone, Debug)]
pub(super) struct Check {
    /// What kind of address it is.
    pub(super) who: String,
    /// host:port.
    pub(super) address: String,
    /// What was tried.
    pub(super) step: &'static str,
    /// What was seen, when all is well.
    pub(super) what: String,
    /// What is wrong.
    pub(super) trouble: Option<Trouble>,
}

/// What is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) cause: String,
    pub(super) next: String,
}

impl Trouble {
    fn new(cause: impl Into<String>, next: impl Into<String>) -> Self {
        Self { cause: cause.into(), next: next.into() }
    }
}

impl Check {
    /// A step that went well.
    pub(super) fn well(who: &str, address: &str, step: &'static str, what: impl Into<String>) -> Self {
        Self { who: who.to_owned(), address: address.to_owned(), step, what: what.into(), trouble: None }
    }

    /// A step that did not.
    pub(super) fn finding(
        who: &str,
        address: &str,
        step: &'static str,
        cause: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        let trouble = Some(Trouble::new(cause, next));
        Self { who: who.to_owned(), address: address.to_owned(), step, what: String::new(), trouble }
    }
}

/// The steps of one address so far.
struct Examination<'a> {
    who: &'a str,
    address: &'a str,
    checks: &'a mut Vec<Check>,
}

impl Examination<'_> {
    /// Takes down a step; whether it went well.
    fn told(&mut self, step: &'static str, outcome: Result<String, Trouble>) -> bool {
        let well = outcome.is_ok();
        self.checks.push(match outcome {
            Ok(what) => Check::well(self.who, self.address, step, what),
            Err(trouble) => Check::finding(self.who, self.address, step, trouble.cause, trouble.next),
        });
        well
    }

    /// DNS and TCP.
    async fn reach(&mut self, settings: &ClientSettings) -> bool {
        let is_advertised = self.who != "bootstrap";
        let ips = match seam::resolve(self.address).await {
            Ok(ips) => ips.iter().map(ToString::to_string).collect::<Vec<_>>(),
            Err(error) => return self.told("dns", Err(of_dns(self.address, &error, is_advertised))),
        };
        self.told("dns", Ok(ips.join(", ")));
        let connected = tcp(&ips, settings, is_advertised).await;
        self.told("tcp", connected)
    }

    /// TLS, SASL and ApiVersions.
    async fn connect(&mut self, settings: &ClientSettings) -> Option<Client> {
        let client = match Client::connect(self.address, settings).await {
            Ok(client) => client,
            Err(error) => {
                let (step, trouble) = of_connection(&error, settings);
                self.told(step, Err(trouble));
                return None;
            }
        };
        if settings.security.protocol.is_tls() {
            self.told("tls", Ok("the broker's certificate is trusted".to_owned()));
        }
        if let Some(sasl) = &settings.security.sasl {
            self.told("sasl", Ok(format!("{} as {}", sasl.mechanism, sasl.username)));
        }
        self.told("api-versions", Ok(format!("{} APIs", client.api_versions().api_keys.len())));
        Some(client)
    }
}

/// Tries an address; what it answered to Metadata.
pub(super) async fn examine(
    who: &str,
    address: &str,
    settings: &ClientSettings,
    checks: &mut Vec<Check>,
) -> Option<MetadataResponse> {
    let mut examination = Examination { who, address, checks };
    if !examination.reach(settings).await {
        return None;
    }
    let mut client = examination.connect(settings).await?;
    let answer = metadata(&mut client).await;
    let shown = |answer: &MetadataResponse| {
        let cluster = answer.cluster_id.as_ref().map_or("-", |id| id.as_str());
        format!("cluster {cluster}, {} brokers", answer.brokers.len())
    };
    examination.told("metadata", answer.as_ref().map(shown).map_err(Clone::clone));
    answer.ok()
}

async fn metadata(client: &mut Client) -> Result<MetadataResponse, Trouble> {
    let broken = |error: CallError| Trouble::new(with_causes(&error), "see the broker's log");
    let version = client.version_of::<MetadataRequest>(METADATA_VERSION).map_err(broken)?;
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    let answer = client.call(&request, version).await.map_err(broken)?;
    match answer.error_code {
        0 if answer.brokers.is_empty() => Err(Trouble::new(
            "it knows no broker for this listener",
            "advertised.listeners names every listener; `barnabas configs list broker/ID --all` shows it",
        )),
        0 => Ok(answer),
        code => Err(Trouble::new(code::name(code), "see the broker's log")),
    }
}

/// Every address that a name has: a client may try any of them first.
async fn tcp(ips: &[String], settings: &ClientSettings, is_advertised: bool) -> Result<String, Trouble> {
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    for ip in ips {
        let connected = tokio::time::timeout(settings.connect_timeout, seam::connect(ip)).await;
        match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(_) => open.push(ip.as_str()),
            Err(error) => closed.push((ip.as_str(), error)),
        }
    }
    match (&open[..], closed.first()) {
        (open, None) => Ok(format!("{} answers", open.join(", "))),
        ([], Some((_, error))) => Err(of_tcp(error, is_advertised)),
        (open, Some((ip, error))) => Err(Trouble::new(
            format!(
                "of its addresses {} answers, but not {ip} ({error}): clients that try it first wait or fail",
                open.join(", ")
            ),
            "listen there too (listeners), or take that record out of the name",
        )),
    }
}

fn of_dns(address: &str, error: &io::Error, is_advertised: bool) -> Trouble {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let next = if is_advertised {
        "advertised.listeners=NAME://host-that-clients-can-resolve:port in the broker's settings, or a record for the name"
    } else {
        "another address by -b host:port, or a record for the name"
    };
    Trouble::new(format!("the name {host} has no address on this machine: {error}"), next)
}

fn of_tcp(error: &io::Error, is_advertised: bool) -> Trouble {
    let place = if is_advertised { "the broker's listeners and advertised.listeners" } else { "the address" };
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Trouble::new(
            "nobody listens there (connection refused)",
            format!("see that the broker runs and that {place} name the same port"),
        ),
        io::ErrorKind::TimedOut => Trouble::new(
            "no answer at all: a firewall, or a network that this machine has no way to",
            format!("open the port for this machine, or see that {place} is one that it can reach"),
        ),
        _ => Trouble::new(error.to_string(), format!("see that {place} is one that this machine can reach")),
    }
}

/// Which step a failed connection failed at, and why.
fn of_connection(error: &CallError, settings: &ClientSettings) -> (&'static str, Trouble) {
    let protocol = settings.security.protocol;
    match error {
        CallError::Security { reason, .. } if reason.starts_with("TLS") => (
            "tls",
            Trouble::new(
                reason.clone(),
                "ssl.truststore.location with the broker's authority; or security.protocol without SSL, if the listener has none",
            ),
        ),
        CallError::Security { reason, .. } => (
            "sasl",
            Trouble::new(
                reason.clone(),
                "sasl.mechanism and sasl.jaas.config by --command-config FILE; `barnabas users list` shows who may log in",
            ),
        ),
        CallError::Io { .. } | CallError::TimedOut { .. } | CallError::Malformed { .. } => {
            let next = match (protocol.is_tls(), settings.security.sasl.is_some()) {
                (false, false) => {
                    "security.protocol=SSL, SASL_SSL or SASL_PLAINTEXT, if the listener is one of those; its log says why"
                }
                (false, true) => "security.protocol=SASL_SSL, if the listener has TLS; its log says why",
                (true, false) => "security.protocol=SASL_SSL, if the listener wants a login; its log says why",
                (true, true) => "the broker's log says why",
            };
            let cause = format!(
                "it takes connections, but does not speak as security.protocol={protocol} asks: {}",
                with_causes(error)
            );
            ("api-versions", Trouble::new(cause, next))
        }
        error => ("api-versions", Trouble::new(with_causes(error), "the broker's log says why")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn settings() -> ClientSettings {
        ClientSettings::read(BTreeMap::new()).unwrap()
    }

    #[test]
    fn each_failure_belongs_to_a_step_and_says_what_to_do() {
        let address = "h:1".to_owned();
        let security = |reason: &str| CallError::Security { address: address.clone(), reason: reason.to_owned() };
        assert_eq!(of_connection(&security("TLS: unknown issuer"), &settings()).0, "tls");
        assert_eq!(of_connection(&security("SASL_AUTHENTICATION_FAILED"), &settings()).0, "sasl");
        let source = io::Error::from(io::ErrorKind::UnexpectedEof);
        let (step, trouble) = of_connection(&CallError::Io { address, source }, &settings());
        assert!(step == "api-versions" && trouble.next.contains("SASL_SSL"), "{trouble:?}");
        assert!(trouble.cause.contains("security.protocol=PLAINTEXT"), "{trouble:?}");
    }

    #[test]
    fn a_closed_port_and_a_silent_one_are_told_apart() {
        let told = |kind: io::ErrorKind| of_tcp(&kind.into(), true).cause;
        assert!(told(io::ErrorKind::ConnectionRefused).contains("nobody listens"));
        assert!(told(io::ErrorKind::TimedOut).contains("firewall"));
    }

    #[tokio::test]
    async fn nobody_at_an_address_ends_the_examination_there() {
        let mut checks = Vec::new();
        assert!(examine("broker 1", "127.0.0.1:1", &settings(), &mut checks).await.is_none());
        let steps: Vec<_> = checks.iter().map(|check| (check.step, check.trouble.is_some())).collect();
        assert_eq!(steps, [("dns", false), ("tcp", true)]);
    }
}
