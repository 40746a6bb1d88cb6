use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use barnabas_auth::Principal;
use barnabas_config::{Config, ConfigSources, Listener, SecurityProtocol};
use barnabas_storage::seam::Seams;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio_rustls::TlsConnector;

use super::*;
use crate::seam::Stream;

/// A stream in memory.
struct Pipe(DuplexStream);

impl AsyncRead for Pipe {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl Stream for Pipe {
    fn local_address(&self) -> std::io::Result<SocketAddr> {
        Ok(SocketAddr::from(([127, 0, 0, 1], 9093)))
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tls/fixture").join(name)
}

/// A listener with these settings; a `%` before a file's name stands for the fixtures' directory.
fn open(protocol: SecurityProtocol, settings: &[&str]) -> Result<LiveTls, TlsError> {
    let directory = format!("{}/", fixture("").display());
    let sources = ConfigSources {
        files: Vec::new(),
        environment: Vec::new(),
        assignments: settings.iter().map(|setting| setting.replace("=%", &format!("={directory}"))).collect(),
        read_file: &|_| Err(std::io::ErrorKind::NotFound.into()),
    };
    let config = Config::load(&sources).unwrap().0;
    let listener = Listener { name: "SECURE".to_owned(), protocol, host: String::new(), port: 0 };
    LiveTls::open(&config, &listener, &Seams::system())
}

const BROKER: [&str; 2] = ["ssl.keystore.type=PEM", "ssl.keystore.location=%broker.pem"];
const ASKING: [&str; 5] = [
    "ssl.keystore.type=PEM",
    "ssl.keystore.location=%broker.pem",
    "ssl.truststore.type=PEM",
    "ssl.truststore.location=%ca.pem",
    "ssl.client.auth=required",
];

fn client(settings: &[(&str, &str)]) -> ClientTls {
    let mut all = vec![
        ("ssl.truststore.type", "PEM".to_owned()),
        ("ssl.truststore.location", fixture("ca.pem").display().to_string()),
        ("ssl.keystore.type", "PEM".to_owned()),
    ];
    for (name, value) in settings {
        all.retain(|(other, _)| other != name);
        all.push((name, value.replace('%', &format!("{}/", fixture("").display()))));
    }
    let seams = Seams::system();
    let text = |name: &str| all.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
    ClientTls::open(&text, &*seams.disk, &seams.clock).unwrap()
}

const AS_ALICE: [(&str, &str); 1] = [("ssl.keystore.location", "%client.pem")];

/// Shakes hands and sends a word both ways; what the server made of it, and what the client did.
async fn meet(tls: &LiveTls, client: &ClientTls) -> (Result<Option<Principal>, RefusedHandshake>, std::io::Result<()>) {
    let (ours, theirs) = duplex(4 << 10);
    let connector = TlsConnector::from(client.config());
    let serve = async {
        let (mut stream, principal) = accept(tls, Pipe(ours)).await?;
        let mut word = [0; 5];
        let talk = async {
            stream.read_exact(&mut word).await?;
            stream.write_all(&word).await?;
            stream.flush().await?;
            stream.shutdown().await
        };
        let talked: std::io::Result<()> = talk.await;
        talked.map_err(|error| RefusedHandshake { error: error.into(), subject: None })?;
        Ok(principal)
    };
    let ask = async {
        let mut stream = connector.connect(ClientTls::name_of("localhost:9093").unwrap(), theirs).await?;
        stream.write_all(b"hello").await?;
        let mut word = [0; 5];
        stream.read_exact(&mut word).await?;
        assert_eq!(&word, b"hello");
        Ok(())
    };
    tokio::join!(serve, ask)
}

#[tokio::test]
async fn every_form_of_a_key_serves() {
    let inline = |name: &str| std::fs::read_to_string(fixture(name)).unwrap();
    let (chain, trusted) = (inline("broker.pem").replace('\n', " "), inline("ca.pem"));
    let key = format!("ssl.keystore.key={chain}");
    let chain = format!("ssl.keystore.certificate.chain={chain}");
    let forms: [&[&str]; 6] = [
        &BROKER,
        &["ssl.keystore.type=PEM", "ssl.keystore.location=%sec1.pem"],
        &["ssl.keystore.type=PEM", "ssl.keystore.location=%encrypted.pem", "ssl.key.password=secret"],
        &["ssl.keystore.type=PKCS12", "ssl.keystore.location=%openssl.p12", "ssl.keystore.password=secret"],
        &["ssl.keystore.location=%keytool.p12", "ssl.keystore.password=secret"],
        &["ssl.keystore.type=PEM", &key, &chain],
    ];
    for form in forms {
        let tls = open(SecurityProtocol::Ssl, form).unwrap();
        let (served, asked) = meet(&tls, &client(&[])).await;
        assert_eq!(served.unwrap(), None, "{form:?}");
        asked.unwrap();
    }
    let inline = client(&[("ssl.truststore.location", ""), ("ssl.truststore.certificates", &trusted)]);
    meet(&open(SecurityProtocol::Ssl, &BROKER).unwrap(), &inline).await.1.unwrap();
}

#[test]
fn what_cannot_be_used_is_told_with_the_file_and_the_fix() {
    let wrong: [(&[&str], &str); 9] = [
        (&[], "set ssl.keystore.location"),
        (&["ssl.keystore.type=PEM", "ssl.keystore.location=%nowhere.pem"], "nowhere.pem"),
        (&["ssl.keystore.location=%broker.jks", "ssl.keystore.password=secret"], "keytool -importkeystore"),
        (&["ssl.keystore.location=%broker.pem", "ssl.keystore.password=secret"], "it is PEM"),
        (&["ssl.keystore.location=%keytool.p12", "ssl.keystore.password=wrong"], "for this password"),
        (&["ssl.keystore.type=PEM", "ssl.keystore.location=%encrypted.pem"], "set ssl.key.password"),
        (&["ssl.keystore.type=PEM", "ssl.keystore.location=%encrypted.pem", "ssl.key.password=wrong"], "not opened by"),
        (
            &["ssl.keystore.type=PEM", "ssl.keystore.location=%pbes1.pem", "ssl.key.password=secret"],
            "only PBES2 is read",
        ),
        (&[BROKER[0], BROKER[1], "ssl.client.auth=required"], "set ssl.truststore.location"),
    ];
    for (settings, reason) in wrong {
        let error = open(SecurityProtocol::Ssl, settings).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(reason), "{settings:?}: {error}");
    }
}

#[tokio::test]
async fn a_certificate_is_a_principal_by_the_rules() {
    let tls = open(SecurityProtocol::Ssl, &ASKING).unwrap();
    let (served, asked) = meet(&tls, &client(&AS_ALICE)).await;
    asked.unwrap();
    assert_eq!(served.unwrap().unwrap().to_string(), "User:CN=Alice,OU=clients,O=Barnabas");

    let rules = "ssl.principal.mapping.rules=RULE:^CN=(.*?),OU=clients.*$/$1/L,DEFAULT";
    let trust = ["ssl.truststore.type=PKCS12", "ssl.truststore.location=%trust.p12", "ssl.truststore.password=secret"];
    let settings = [&BROKER[..], &trust, &[rules, "ssl.client.auth=requested"]].concat();
    let tls = open(SecurityProtocol::Ssl, &settings).unwrap();
    let (served, asked) = meet(&tls, &client(&AS_ALICE)).await;
    asked.unwrap();
    assert_eq!(served.unwrap().unwrap().to_string(), "User:alice");
    assert_eq!(meet(&tls, &client(&[])).await.0.unwrap(), None, "requested is not required");

    let nobody = [&ASKING[..], &["ssl.principal.mapping.rules=RULE:^CN=Bob$/bob/"]].concat();
    let tls = open(SecurityProtocol::Ssl, &nobody).unwrap();
    let refused = meet(&tls, &client(&AS_ALICE)).await.0.unwrap_err();
    assert!(matches!(refused.error, HandshakeError::NoRule(_)));
    assert_eq!(refused.subject.as_deref(), Some("CN=Alice,OU=clients,O=Barnabas"));
}

#[tokio::test]
async fn who_is_not_trusted_is_told_apart() {
    let tls = open(SecurityProtocol::Ssl, &ASKING).unwrap();
    let shown = |name| [("ssl.keystore.location", name)];
    type Refusal<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str, Option<&'a str>);
    let reasons: [Refusal<'_>; 3] = [
        (&[], "give it a key store", "certificate-missing", None),
        (&shown("%stranger.pem"), "add the issuer's certificate", "certificate-untrusted", Some("CN=stranger")),
        (&shown("%own-ca.pem"), "a CA's own certificate", "certificate-invalid", Some("CN=own-ca")),
    ];
    for version in ["TLSv1.2", "TLSv1.3"] {
        for (settings, reason, kind, subject) in reasons {
            let settings = [settings, &[("ssl.enabled.protocols", version)]].concat();
            let refused = meet(&tls, &client(&settings)).await.0.unwrap_err();
            let error = refused.error.to_string();
            assert!(error.contains(reason), "{settings:?}: {error}");
            assert_eq!((refused.error.kind(), refused.subject.as_deref()), (Some(kind), subject), "{settings:?}");
        }
    }
}

#[tokio::test]
async fn the_client_checks_issuer_time_and_name() {
    let tls = |name: &str| {
        let location = format!("ssl.keystore.location=%{name}");
        open(SecurityProtocol::Ssl, &["ssl.keystore.type=PEM", &location]).unwrap()
    };
    assert!(meet(&tls("stranger.pem"), &client(&[])).await.1.is_err(), "a stranger's certificate");
    assert!(meet(&tls("expired.pem"), &client(&[])).await.1.is_err(), "an expired certificate");
    // Signed by the trusted issuer, but not for this name.
    assert!(meet(&tls("client.pem"), &client(&[])).await.1.is_err(), "a certificate of another name");
    let any_name = client(&[("ssl.endpoint.identification.algorithm", "")]);
    assert!(meet(&tls("client.pem"), &any_name).await.1.is_ok(), "names are not checked");
    assert!(meet(&tls("stranger.pem"), &any_name).await.1.is_err(), "issuers still are");
    // A certificate that is trusted itself, though it is a CA's.
    let own = client(&[("ssl.truststore.location", "%own-ca.pem")]);
    assert!(meet(&tls("own-ca.pem"), &own).await.1.is_ok(), "a trusted certificate");
}

#[tokio::test]
async fn versions_and_suites_are_the_listeners() {
    let old =
        [&BROKER[..], &["ssl.enabled.protocols=TLSv1.2", "ssl.cipher.suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]];
    let tls = open(SecurityProtocol::Ssl, &old.concat()).unwrap();
    assert!(meet(&tls, &client(&[])).await.1.is_ok());
    let (served, asked) = meet(&tls, &client(&[("ssl.enabled.protocols", "TLSv1.3")])).await;
    let refused = served.unwrap_err();
    let error = refused.error.to_string();
    assert_eq!((refused.error.kind(), refused.subject), (Some("nothing-in-common"), None));
    assert!(error.contains("ssl.enabled.protocols") && asked.is_err(), "{error}");
    // A suite that the certificate's key cannot serve is found out before anybody connects.
    let rsa =
        [&BROKER[..], &["ssl.enabled.protocols=TLSv1.2", "ssl.cipher.suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]];
    assert!(matches!(open(SecurityProtocol::Ssl, &rsa.concat()), Err(TlsError::Trial { .. })));
}

#[tokio::test]
async fn a_peer_that_does_not_speak_tls_gets_no_alert() {
    let tls = open(SecurityProtocol::Ssl, &BROKER).unwrap();
    let (ours, mut theirs) = duplex(4 << 10);
    theirs.write_all(&[0, 0, 0, 14, 0, 18, 0, 3, 0, 0, 0, 1]).await.unwrap();
    assert!(matches!(accept(&tls, Pipe(ours)).await, Err(RefusedHandshake { error: HandshakeError::Plaintext, .. })));
    let mut answer = Vec::new();
    theirs.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty());
}

#[test]
fn on_sasl_ssl_a_certificate_is_asked_for_only_by_the_listeners_own_setting() {
    let of_all = [&BROKER[..], &["ssl.client.auth=required"]].concat();
    assert!(open(SecurityProtocol::SaslSsl, &of_all).is_ok(), "no trust store is needed");
    let own = [&BROKER[..], &["listener.name.secure.ssl.client.auth=required"]].concat();
    let error = open(SecurityProtocol::SaslSsl, &own).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("ssl.truststore.location"), "{error}");
}

/// A copy of a fixture that can be replaced.
struct Replaceable {
    _directory: tempfile::TempDir,
    file: PathBuf,
}

impl Replaceable {
    fn new(name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key.pem");
        let replaceable = Self { _directory: directory, file };
        replaceable.put(name);
        replaceable
    }

    fn put(&self, name: &str) {
        let new = self.file.with_extension("new");
        std::fs::copy(fixture(name), &new).unwrap();
        std::fs::rename(&new, &self.file).unwrap();
    }

    fn open(&self, more: &[&str]) -> LiveTls {
        let location = format!("ssl.keystore.location={}", self.file.display());
        open(SecurityProtocol::Ssl, &[&["ssl.keystore.type=PEM", &location], more].concat()).unwrap()
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_served_once_its_file_is_there() {
    let file = Replaceable::new("broker.pem");
    let tls = file.open(&[]);
    assert!(matches!(tls.reload_when_changed(), Reloaded::Unchanged));
    file.put("renewed.pem");
    assert!(matches!(tls.reload_when_changed(), Reloaded::Replaced));
    assert!(matches!(tls.reload_when_changed(), Reloaded::Unchanged));
    assert_eq!(tls.current().leaf.alt_names.len(), 3);
    meet(&tls, &client(&[])).await.1.unwrap();
    assert!(matches!(tls.reload(), Reloaded::Replaced), "a signal reads unchanged files, too");
}

#[tokio::test]
async fn what_cannot_be_served_leaves_the_old_certificate_in_place() {
    let file = Replaceable::new("broker.pem");
    let tls = file.open(&[]);
    for (name, reason) in
        [("renamed.pem", "ssl.allow.dn.changes"), ("fewer.pem", "ssl.allow.san.changes"), ("ca.pem", "PRIVATE KEY")]
    {
        file.put(name);
        let Reloaded::Kept(error) = tls.reload_when_changed() else { panic!("{name}") };
        assert!(error.to_string().contains(reason), "{error}");
        assert!(matches!(tls.reload_when_changed(), Reloaded::Unchanged), "said once");
    }
    std::fs::remove_file(&file.file).unwrap();
    assert!(matches!(tls.reload_when_changed(), Reloaded::Kept(_)));
    meet(&tls, &client(&[])).await.1.unwrap();
    file.put("broker.pem");
    assert!(matches!(tls.reload_when_changed(), Reloaded::Replaced));

    let file = Replaceable::new("broker.pem");
    let tls = file.open(&["ssl.allow.dn.changes=true", "ssl.allow.san.changes=true"]);
    file.put("stranger.pem");
    assert!(matches!(tls.reload_when_changed(), Reloaded::Replaced));
}
