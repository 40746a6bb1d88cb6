//! The same clients by OAUTHBEARER: an issuer whose keys the broker reads over https, and tokens that it signs.
//!
//! All of them come over TLS and without it. Kafka's tools read their token from a file (KIP-768); the clients of other languages are told it.
//! confluent-kafka asks a token endpoint as well (`sasl.oauthbearer.method=oidc`). Debian's kcat cannot: its librdkafka is built without
//! OIDC, and the unsecured tokens that it has are for tests; no broker of ours takes them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use barnabas_tests::harness::broker::java;
use barnabas_tests::harness::issuer::Issuer;
use barnabas_tests::harness::port;
use serde_json::json;

use super::super::authority::Authority;
use super::door::{Door, Doors};
use super::{LANGUAGES, client_of_language, console};
use crate::gate::lane::Outcome;
use crate::gate::need::Need;
use crate::gate::room::Room;

const MECHANISM: &str = "OAUTHBEARER";
const HOUR: Duration = Duration::from_secs(60 * 60);
const HANDLER: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler";
const MODULE: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule";

/// Every client by a token of alice's; then one whose token is another's.
pub(super) fn oauth(room: &Room<'_>, authority: &Authority) -> Result<String, Outcome> {
    let place = room.path("issuer");
    fs::create_dir(&place)?;
    let issuer = Issuer::new(&place, "gate")?;
    let port = certificate_and_port(room, &place)?;
    let mut web = Command::new("openssl");
    web.args(["s_server", "-quiet", "-WWW", "-accept", &port.to_string(), "-cert", "web.pem", "-key", "web.key"]);
    web.current_dir(&place);
    let _web = room.start("issuer", web)?;
    let url = format!("https://localhost:{port}/keys.json");
    let trust = place.join("web.pem");
    let jaas = format!("{MODULE} required ssl.truststore.type=PEM ssl.truststore.location=\"{}\";", trust.display());
    let doors = Doors::new(authority)?;
    let mut settings = doors.settings();
    settings.extend([
        ("sasl.enabled.mechanisms", MECHANISM),
        ("sasl.oauthbearer.jwks.endpoint.url", url.as_str()),
        ("sasl.oauthbearer.expected.audience", "kafka"),
        ("sasl.oauthbearer.expected.issuer", "gate"),
        ("listener.name.plaintext.oauthbearer.sasl.jaas.config", &jaas),
        ("listener.name.tls.oauthbearer.sasl.jaas.config", &jaas),
        ("listener.name.mutual.oauthbearer.sasl.jaas.config", &jaas),
    ]);
    let mut broker = room.broker("broker-oauth", &settings)?;
    let token = issuer.token("alice", HOUR, &json!({ "aud": "kafka", "iss": "gate" }))?;
    let outcome = at_work(room, &Doors::plain(&broker), &doors.tls(authority), &token);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(format!("{facts} by {MECHANISM}"))
}

/// A certificate for the issuer's own web server, and where it will listen.
fn certificate_and_port(room: &Room<'_>, place: &Path) -> Result<u16, Outcome> {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
    openssl.args(["-keyout", "web.key", "-out", "web.pem"]).current_dir(place);
    room.step("openssl", openssl)?;
    Ok(port::free()?)
}

fn at_work(room: &Room<'_>, door: &Door<'_>, tls: &Door<'_>, token: &str) -> Result<String, Outcome> {
    let file = room.path("token");
    fs::write(&file, token)?;
    let url = format!("file://{}", file.display());
    // Since KIP-1139 a client reads only what it is allowed to.
    let allowed = [
        format!("-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={url}"),
        format!("-Dorg.apache.kafka.sasl.oauthbearer.allowed.files={}", file.display()),
    ];
    let tool = |class: &str| {
        let mut command = java(&Need::JavaFour.place(room.workshop).join("jars"), &allowed[0]);
        command.arg(&allowed[1]).arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn").arg(class);
        command
    };
    for door in [door, tls] {
        let properties = format!(
            "{}sasl.mechanism={MECHANISM}\nsasl.jaas.config={MODULE} required;\n\
             sasl.login.callback.handler.class={HANDLER}\nsasl.oauthbearer.token.endpoint.url={url}\n",
            door.java()
        );
        fs::write(door.file(room, MECHANISM), properties)?;
        console(room, door, MECHANISM, &tool)?;
    }
    let mut facts = vec!["Kafka's tools".to_owned()];
    for client in LANGUAGES {
        facts.push(client_of_language(room, door, client, MECHANISM, ("alice", token))?);
        client_of_language(room, tls, client, MECHANISM, ("alice", token))?;
    }
    Ok(format!("{}, over TLS and without it,", facts.join(", ")))
}
