//! `ssl.*` and `sasl.*` change while the broker runs, and hold after a restart.

use std::path::{Path, PathBuf};

use barnabas_tests::harness::issuer::Issuer;
use barnabas_tests::harness::port;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::IncrementalAlterConfigsRequest;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};

use crate::client::Client;
use crate::commands::run_alone;
use crate::fixture::Fixture;
use crate::login::text;
use crate::sasl::{admin, plain, start};

const SET: i8 = 0;
const DELETE: i8 = 1;
/// Kafka's frame for what a listener cannot do.
const REFUSED: &str = "for configuration Invalid dynamic configuration";

/// Changes settings of the broker; an empty value takes one away. The code and the message.
fn change(client: &mut Client, settings: &[(&str, &str)], validate_only: bool) -> (i16, String) {
    let config = |(name, value): &(&str, &str)| {
        let config = AlterableConfig::default().with_name(text(name));
        match value.is_empty() {
            true => config.with_config_operation(DELETE).with_value(None),
            false => config.with_config_operation(SET).with_value(Some(text(value))),
        }
    };
    let resource = AlterConfigsResource::default().with_resource_type(4).with_resource_name(text("1"));
    let resource = resource.with_configs(settings.iter().map(config).collect());
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let answer = client.ask(&request.with_validate_only(validate_only), 1).responses.remove(0);
    (answer.error_code, answer.error_message.map(|message| message.to_string()).unwrap_or_default())
}

fn set(client: &mut Client, settings: &[(&str, &str)]) {
    assert_eq!(change(client, settings, false), (0, String::new()), "{settings:?}");
}

/// It is refused for this reason, also when it is only asked whether it would be.
fn refused(client: &mut Client, settings: &[(&str, &str)], reason: &str) {
    for validate_only in [true, false] {
        let (code, message) = change(client, settings, validate_only);
        assert_eq!(code, ResponseError::InvalidRequest.code(), "{settings:?}: {message}");
        assert!(message.contains(reason) && message.ends_with(REFUSED), "{message}");
    }
}

pub(crate) fn keys(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../broker/src/tls/fixture").join(name);
    path.canonicalize().unwrap().display().to_string()
}

/// A broker with a listener of TLS beside the plain one.
pub(crate) struct Secured {
    pub(crate) fixture: Fixture,
    port: u16,
    store: PathBuf,
    _directory: tempfile::TempDir,
}

const LOCATION: &str = "listener.name.ssl.ssl.keystore.location";

impl Secured {
    fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(settings: &[(&str, &str)]) -> Self {
        let (directory, port) = (tempfile::tempdir().unwrap(), port::free().unwrap());
        let store = directory.path().join("store.pem");
        std::fs::copy(keys("broker.pem"), &store).unwrap();
        let open = format!("PLAINTEXT://127.0.0.1:{{port}},SSL://localhost:{port}");
        let all = format!("{open},CONTROLLER://127.0.0.1:{{controller}}");
        let own = [
            ("listeners", &*all),
            ("advertised.listeners", &open),
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.location", store.to_str().unwrap()),
            ("ssl.truststore.type", "PEM"),
            // What is changed counts at once, without a look at files meanwhile.
            ("ssl.reload.interval.ms", "0"),
        ];
        let fixture = Fixture::start(&[&own[..], settings].concat());
        Self { fixture, port, store, _directory: directory }
    }

    fn client(&self) -> Client {
        Client::connect(self.fixture.address())
    }

    /// Puts another store in the place of the one that the broker was started with.
    fn put(&self, name: &str) {
        let new = self.store.with_extension("new");
        std::fs::copy(keys(name), &new).unwrap();
        std::fs::rename(new, &self.store).unwrap();
    }

    /// Shakes hands and asks for the topics, with a certificate of the client's or without.
    pub(crate) fn serves(&self, certificate: Option<&str>) -> bool {
        let mut line = format!(
            "topics list --timeout 20 --command-property security.protocol=SSL --command-property ssl.truststore.type=PEM \
             --command-property ssl.truststore.location={} --command-property bootstrap.servers=localhost:{}",
            keys("ca.pem"),
            self.port
        );
        if let Some(certificate) = certificate {
            line += " --command-property ssl.keystore.type=PEM --command-property ssl.keystore.location=";
            line += &keys(certificate);
        }
        run_alone(&line).status.success()
    }
}

#[test]
fn a_listener_serves_another_certificate_without_a_restart_and_after_one() {
    let mut secured = Secured::start();
    let mut client = secured.client();
    assert!(secured.serves(None));
    let expired = keys("expired.pem");
    assert_eq!(change(&mut client, &[(LOCATION, &expired)], true), (0, String::new()));
    assert!(secured.serves(None), "it was only asked");
    set(&mut client, &[(LOCATION, &expired)]);
    assert!(!secured.serves(None), "the new certificate has expired");
    set(&mut client, &[(LOCATION, &keys("renewed.pem"))]);
    assert!(secured.serves(None));
    refused(&mut client, &[(LOCATION, "/nowhere.pem")], "listener SSL: ssl.keystore.location=/nowhere.pem");
    refused(&mut client, &[(LOCATION, &keys("renamed.pem"))], "set ssl.allow.dn.changes=true");
    refused(&mut client, &[(LOCATION, &keys("fewer.pem"))], "set ssl.allow.san.changes=true");
    refused(&mut client, &[(LOCATION, &keys("ca.pem"))], "PRIVATE KEY");
    refused(&mut client, &[("listener.name.ssl.ssl.keystore.type", "JCEKS")], "PEM and PKCS12 are read");
    let password = ("listener.name.ssl.ssl.key.password", "a secret");
    let (store, kind) = (keys("keytool.p12"), ("listener.name.ssl.ssl.keystore.type", "PKCS12"));
    let wrong = [(LOCATION, &*store), kind, ("listener.name.ssl.ssl.keystore.password", "a secret")];
    let (_, message) = change(&mut client, &wrong, false);
    assert!(message.contains("keytool.p12") && !message.contains("a secret"), "{message}");
    assert!(secured.serves(None), "what was refused leaves everything as it was");
    let all = [(LOCATION, &*store), kind, ("listener.name.ssl.ssl.keystore.password", "secret"), password];
    refused(&mut client, &all, "the certificate lacks 1 of the names");
    secured.put("expired.pem");
    secured.fixture.broker.stop().unwrap();
    secured.fixture.broker.restart().unwrap();
    assert!(secured.serves(None), "what was changed lies over the file");
    let mut client = secured.client();
    let (_, message) = change(&mut client, &[(LOCATION, "")], false);
    assert!(message.contains("ssl.allow.san.changes"), "{message}");
    secured.put("renewed.pem");
    set(&mut client, &[(LOCATION, "")]);
    assert!(secured.serves(None));
}

#[test]
fn the_same_path_set_again_has_its_file_read_again() {
    let secured = Secured::start();
    let (mut client, path) = (secured.client(), secured.store.display().to_string());
    set(&mut client, &[(LOCATION, &path)]);
    secured.put("expired.pem");
    assert!(secured.serves(None), "nobody has told it");
    set(&mut client, &[(LOCATION, &path)]);
    assert!(!secured.serves(None));
    secured.put("broker.pem");
    set(&mut client, &[(LOCATION, &path)]);
    assert!(secured.serves(None));
}

#[test]
fn a_listener_asks_for_certificates_from_now_on_and_no_longer() {
    let secured = Secured::start();
    let mut client = secured.client();
    let auth = "listener.name.ssl.ssl.client.auth";
    let trust = "listener.name.ssl.ssl.truststore.location";
    refused(&mut client, &[(auth, "required")], "set ssl.truststore.location");
    set(&mut client, &[(auth, "required"), (trust, &keys("ca.pem"))]);
    assert!(!secured.serves(None));
    assert!(secured.serves(Some("client.pem")));
    assert!(!secured.serves(Some("stranger.pem")), "its issuer is not trusted");
    refused(&mut client, &[(trust, "")], "set ssl.truststore.location");
    // Without a prefix it is for all listeners that have no own.
    set(&mut client, &[(auth, ""), ("ssl.client.auth", "required")]);
    assert!(!secured.serves(None));
    set(&mut client, &[("ssl.client.auth", "")]);
    assert!(secured.serves(None));
    refused(&mut client, &[("ssl.enabled.protocols", "TLSv1")], "TLSv1 is not served");
    let rsa = [("ssl.enabled.protocols", "TLSv1.2"), ("ssl.cipher.suites", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")];
    refused(&mut client, &rsa, "trial handshake");
}

#[test]
fn a_stored_store_that_is_gone_does_not_keep_the_broker_from_starting() {
    let mut secured = Secured::start();
    let other = secured.store.with_file_name("other.pem");
    std::fs::copy(keys("renewed.pem"), &other).unwrap();
    set(&mut secured.client(), &[(LOCATION, other.to_str().unwrap())]);
    secured.fixture.broker.stop().unwrap();
    std::fs::remove_file(&other).unwrap();
    secured.fixture.broker.restart().unwrap();
    assert!(secured.serves(None), "what the file says serves");
    let log = std::fs::read_to_string(secured.fixture.broker.log()).unwrap();
    let told = log.lines().find(|line| line.contains("that of the broker's file serves")).expect("it is told");
    assert!(told.contains("other.pem") && told.contains("kafka-configs --alter"), "{told}");
    // Once it is there again, what was changed counts.
    std::fs::copy(keys("expired.pem"), &other).unwrap();
    set(&mut secured.client(), &[(LOCATION, other.to_str().unwrap())]);
    assert!(!secured.serves(None));
}

#[test]
fn a_stored_trust_store_that_is_gone_lets_nobody_in_without_a_certificate() {
    let mut secured = Secured::start();
    let trust = secured.store.with_file_name("trust.pem");
    std::fs::copy(keys("ca.pem"), &trust).unwrap();
    let location = ("listener.name.ssl.ssl.truststore.location", trust.to_str().unwrap());
    set(&mut secured.client(), &[("ssl.client.auth", "required"), location]);
    secured.fixture.broker.stop().unwrap();
    std::fs::remove_file(&trust).unwrap();
    let error = secured.fixture.broker.restart().unwrap_err().to_string();
    assert!(error.contains("listener SSL: ssl.truststore.location=") && error.contains("trust.pem"), "{error}");
    std::fs::copy(keys("ca.pem"), &trust).unwrap();
    secured.fixture.broker.restart().unwrap();
    assert!(!secured.serves(None) && secured.serves(Some("client.pem")));
}

const JAAS: &str = "listener.name.plaintext.plain.sasl.jaas.config";

fn jaas(users: &str) -> String {
    format!("org.apache.kafka.common.security.plain.PlainLoginModule required {users};")
}

#[test]
fn mechanisms_and_users_change_without_a_restart_and_hold_after_one() {
    let mut fixture = start(&[]);
    let logs_in = |fixture: &Fixture, user: &str, password: &str| {
        plain(&mut Client::connect(fixture.address()), user, password).error_code == 0
    };
    let handshake = |fixture: &Fixture, mechanism: &str| {
        let mut client = Client::connect(fixture.address());
        crate::login::handshake(&mut client, mechanism, 1)
    };
    let mut client = admin(&fixture);
    assert!(logs_in(&fixture, "jaas", "of the file"));
    set(&mut client, &[(JAAS, &jaas("user_jaas=\"changed\" user_new=\"n\""))]);
    assert!(!logs_in(&fixture, "jaas", "of the file") && logs_in(&fixture, "jaas", "changed"));
    assert!(logs_in(&fixture, "new", "n"));
    refused(&mut client, &[(JAAS, "com.example.Module required;")], "com.example.Module, which is not served");
    refused(&mut client, &[("sasl.enabled.mechanisms", "PLAIN,NTLM")], "NTLM");
    refused(&mut client, &[("listener.name.plaintext.sasl.enabled.mechanisms", "OAUTHBEARER")], "jwks.endpoint.url");
    let (_, message) = change(&mut client, &[(JAAS, "org.Plain user_a=\"a secret\"")], false);
    assert!(message.contains("listener PLAINTEXT") && !message.contains("a secret"), "{message}");
    set(&mut client, &[("listener.name.plaintext.sasl.enabled.mechanisms", "SCRAM-SHA-512")]);
    let unsupported = ResponseError::UnsupportedSaslMechanism.code();
    assert_eq!(
        ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"].map(|one| handshake(&fixture, one)),
        [unsupported, unsupported, 0]
    );
    // Who is logged in goes on.
    set(&mut client, &[("listener.name.plaintext.sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-512")]);
    assert!(logs_in(&fixture, "new", "n"));
    fixture.broker.stop().unwrap();
    fixture.broker.restart().unwrap();
    assert!(logs_in(&fixture, "new", "n") && !logs_in(&fixture, "jaas", "of the file"));
    assert_eq!(handshake(&fixture, "SCRAM-SHA-256"), unsupported);
    let mut client = admin(&fixture);
    set(&mut client, &[(JAAS, ""), ("listener.name.plaintext.sasl.enabled.mechanisms", "")]);
    assert!(logs_in(&fixture, "jaas", "of the file") && !logs_in(&fixture, "new", "n"));
    assert_eq!(handshake(&fixture, "SCRAM-SHA-256"), 0);
}

#[test]
fn stored_logins_that_cannot_be_served_do_not_keep_the_broker_from_starting() {
    let directory = tempfile::tempdir().unwrap();
    let issuer = Issuer::new(directory.path(), "first").unwrap();
    let url = format!("file://{}", issuer.keys().display());
    let mut fixture = start(&[("listener.name.plaintext.oauthbearer.sasl.oauthbearer.jwks.endpoint.url", &url)]);
    let handshake = |fixture: &Fixture, mechanism: &str| {
        crate::login::handshake(&mut Client::connect(fixture.address()), mechanism, 1)
    };
    let unsupported = ResponseError::UnsupportedSaslMechanism.code();
    assert_eq!(handshake(&fixture, "OAUTHBEARER"), unsupported);
    let mechanisms = "listener.name.plaintext.sasl.enabled.mechanisms";
    set(&mut admin(&fixture), &[(mechanisms, "OAUTHBEARER,SCRAM-SHA-512")]);
    assert_eq!(handshake(&fixture, "OAUTHBEARER"), 0);
    fixture.broker.stop().unwrap();
    std::fs::remove_file(issuer.keys()).unwrap();
    fixture.broker.restart().unwrap();
    let served = ["OAUTHBEARER", "SCRAM-SHA-512", "PLAIN"].map(|one| handshake(&fixture, one));
    assert_eq!(served, [unsupported, 0, unsupported], "what was changed and can be served, and nothing of the file");
    let log = std::fs::read_to_string(fixture.broker.log()).unwrap();
    let told = log.lines().find(|line| line.contains("something cannot be served")).expect("it is told");
    assert!(told.contains("jwks.endpoint.url") && told.contains("kafka-configs --alter"), "{told}");
    let mut client = admin(&fixture);
    set(&mut client, &[("log.retention.ms", "86400000")]);
    refused(&mut client, &[(mechanisms, "OAUTHBEARER")], "jwks.endpoint.url");
    issuer.publish().unwrap();
    set(&mut client, &[(mechanisms, "OAUTHBEARER")]);
    assert_eq!(handshake(&fixture, "OAUTHBEARER"), 0);
}

#[test]
fn whoever_may_not_change_settings_learns_of_no_file() {
    let fixture = start(&[("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")]);
    let mut client = Client::connect(fixture.address());
    assert_eq!(plain(&mut client, "jaas", "of the file").error_code, 0);
    for wrong in ["com.example.Module required;", &*jaas("user_jaas=\"x\"")] {
        let (code, message) = change(&mut client, &[(JAAS, wrong)], true);
        assert_eq!(code, ResponseError::ClusterAuthorizationFailed.code());
        assert_eq!(message, "Cluster authorization failed.");
    }
}
