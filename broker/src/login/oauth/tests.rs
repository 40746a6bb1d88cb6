//! Keys that change under tokens, from a file and over https.

use std::path::{Path, PathBuf};

use barnabas_auth::jwt::KeySet;
use barnabas_config::{Config, ConfigSources, Listener, SecurityProtocol};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::limits::ISSUER_PAUSE;
use crate::seam::{BindOptions, Net, TcpNet};
use crate::tls::{LiveTls, accept};

/// A set with keys of these names; what they check is nothing to these tests.
fn keys(names: &[&str]) -> String {
    let key = |name: &&str| format!(r#"{{"kty":"EC","crv":"P-256","kid":"{name}","x":"AQ","y":"AQ"}}"#);
    format!(r#"{{"keys":[{}]}}"#, names.iter().map(key).collect::<Vec<_>>().join(","))
}

/// The head of a token that names a key.
fn head(key: &str) -> TokenHead {
    let head = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"ES256","kid":"{key}"}}"#));
    TokenHead::read(&format!("{head}.e30.AAAA")).unwrap()
}

fn config(settings: &[String]) -> Config {
    let read_file = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    let sources =
        ConfigSources { files: vec![], environment: vec![], assignments: settings.to_vec(), read_file: &read_file };
    Config::load(&sources).unwrap().0
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tls/fixture").join(name)
}

struct Issuer {
    keys: Arc<IssuerKeys>,
    source: source::KeySource,
    tasks: Tasks,
    metrics: Arc<Metrics>,
}

impl Issuer {
    fn open(url: &str) -> Result<Self, KeySourceError> {
        let jaas = format!(
            "sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
             ssl.truststore.type=PEM ssl.truststore.location=\"{}\";",
            fixture("ca.pem").display()
        );
        let config = config(&[format!("sasl.oauthbearer.jwks.endpoint.url={url}"), jaas]);
        let settings = OauthSettings::read(&config, "SECURE").unwrap();
        let (tasks, metrics) = (Tasks::new(), Arc::default());
        let keys = IssuerKeys::open(&settings, &Seams::system(), &tasks, &metrics)?;
        let source = source::KeySource::open(&settings, &Seams::system())?;
        Ok(Self { keys, source, tasks, metrics })
    }

    async fn has(&self, key: &str) -> bool {
        self.keys.that_may_check(&head(key)).await.may_check(&head(key))
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_known_is_looked_for_once_in_a_while() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys.json");
    std::fs::write(&file, keys(&["a"])).unwrap();
    let issuer = Issuer::open(&format!("file://{}", file.display())).unwrap();
    assert!(issuer.has("a").await);
    std::fs::write(&file, keys(&["b", "c"])).unwrap();
    assert!(issuer.has("b").await, "the first who brings the new key waits for it");
    assert_eq!(issuer.metrics.issuer_keys.value(), 2);
    let read = issuer.metrics.issuer_keys_read.value();
    std::fs::write(&file, keys(&["d"])).unwrap();
    for guess in 0..100 {
        assert!(!issuer.has(&format!("guess {guess}")).await);
    }
    assert_eq!(issuer.metrics.issuer_keys_read.value(), read, "guesses do not make it read");
    issuer.tasks.sleep(ISSUER_PAUSE).await;
    assert!(issuer.has("d").await && !issuer.has("b").await);
    std::fs::write(&file, "no keys").unwrap();
    issuer.tasks.sleep(ISSUER_PAUSE).await;
    assert!(!issuer.has("e").await && issuer.has("d").await, "what cannot be read leaves the old keys in use");
    assert!(issuer.metrics.issuer_keys_failed.value() > 0);
}

#[tokio::test]
async fn keys_that_nobody_checks_by_any_more_are_read_no_longer() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys.json");
    std::fs::write(&file, keys(&["a"])).unwrap();
    let settings = |more: &[String]| {
        let url = format!("sasl.oauthbearer.jwks.endpoint.url=file:{}", file.display());
        OauthSettings::read(&config(&[&[url], more].concat()), "SECURE").unwrap()
    };
    let listeners = |oauth| {
        let mut logins = ListenerLogins::default();
        logins.oauth = Some(oauth);
        HashMap::from([("SECURE".to_owned(), logins)])
    };
    let (seams, tasks, metrics) = (Seams::system(), Tasks::new(), Arc::default());
    let open = |oauth, before| TokenCheck::of_listeners(&listeners(oauth), before, &seams, &tasks, &metrics).unwrap();
    let first = open(settings(&[]), None);
    let same = open(settings(&[]), Some(&first));
    assert!(Arc::ptr_eq(&first["SECURE"], &same["SECURE"]), "what is as it was goes on");
    let other = open(settings(&["sasl.oauthbearer.expected.audience=kafka".to_owned()]), Some(&first));
    assert_eq!((tasks.running(), metrics.issuer_keys.value()), (2, 2));
    drop((first, same));
    while tasks.running() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(metrics.issuer_keys.value(), 1);
    drop(other);
    while tasks.running() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(metrics.issuer_keys.value(), 0);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_found_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys.json");
    let refused = || Issuer::open(&format!("file:{}", file.display())).err().unwrap().to_string();
    assert!(refused().contains("keys.json"));
    std::fs::write(&file, r#"{"keys":[]}"#).unwrap();
    assert!(refused().contains("no key that checks signatures"));
}

/// An issuer that answers each connection with the next of these answers; its port.
async fn web(answers: Vec<String>) -> u16 {
    let listener = Listener { name: "WEB".to_owned(), protocol: SecurityProtocol::Ssl, host: String::new(), port: 0 };
    let key = format!("ssl.keystore.location={}", fixture("broker.pem").display());
    let tls = LiveTls::open(&config(&["ssl.keystore.type=PEM".to_owned(), key]), &listener, &Seams::system()).unwrap();
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let options = BindOptions { address, backlog: 8, send_buffer: None, receive_buffer: None };
    let bound = TcpNet.bind(&options).unwrap();
    let port = crate::seam::Listener::local_address(&bound).unwrap().port();
    Tasks::new().spawn("web", async move {
        for answer in answers {
            let (stream, _) = crate::seam::Listener::accept(&bound).await.unwrap();
            let Ok((mut stream, _)) = accept(&tls, stream).await else { continue };
            let (mut request, mut byte) = (Vec::new(), [0]);
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.unwrap_or(0) == 1 {
                request.push(byte[0]);
            }
            let request = String::from_utf8(request).unwrap();
            assert!(request.starts_with("GET /keys?of=kafka HTTP/1.1\r\n"), "{request}");
            assert!(request.contains(&format!("host: localhost:{port}\r\n")), "{request}");
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

async fn read(port: u16) -> Result<KeySet, String> {
    let issuer = Issuer::open(&format!("https://localhost:{port}/keys?of=kafka")).unwrap();
    let had = issuer.has("a").await;
    let failed = issuer.metrics.issuer_keys_failed.value();
    let source = issuer.source.read(&Seams::system(), &issuer.tasks).await;
    assert_eq!(had, failed == 0);
    source.map_err(|error| error.to_string())
}

#[tokio::test]
async fn keys_come_over_https() {
    let keys = keys(&["a"]);
    let chunked =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{keys}\r\n0\r\n\r\n", keys.len());
    let until_the_end = format!("HTTP/1.0 200 OK\r\n\r\n{keys}");
    for good in [answer("200 OK", &keys), chunked, until_the_end] {
        let port = web(vec![good.clone(), good]).await;
        assert_eq!(read(port).await.unwrap().count(), 1);
    }
}

#[tokio::test]
async fn what_answers_without_keys_is_told() {
    let long = " ".repeat(barnabas_auth::jwt::keys::KEY_SET_BYTES_MAX + 1);
    let endless_head = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1 << 20));
    for (bad, told) in [
        (answer("404 Not Found", &keys(&["a"])), "404"),
        (answer("302 Found\r\nLocation: https://elsewhere/", ""), "302"),
        (answer("200 OK", "no keys"), "no set of keys"),
        (answer("200 OK", &long), "HTTP: "),
        (endless_head, "HTTP: "),
        ("SSH-2.0-OpenSSH_9.2\r\n".to_owned(), "HTTP: "),
        (String::new(), "HTTP: "),
    ] {
        let port = web(vec![bad.clone(), bad]).await;
        let error = read(port).await.unwrap_err();
        assert!(error.contains(told) && error.contains(&format!("https://localhost:{port}/keys:")), "{error}");
        assert!(!error.contains("of=kafka"), "a query may hold a secret: {error}");
    }
}

#[tokio::test]
async fn an_issuer_that_is_not_trusted_is_not_believed() {
    let port = web(vec![answer("200 OK", &keys(&["a"])); 2]).await;
    let (tasks, seams) = (Tasks::new(), Seams::system());
    let mut settings = vec![format!("sasl.oauthbearer.jwks.endpoint.url=https://localhost:{port}/keys?of=kafka")];
    settings.push(format!(
        "sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
         ssl.truststore.type=PEM ssl.truststore.location=\"{}\";",
        fixture("own-ca.pem").display()
    ));
    let settings = OauthSettings::read(&config(&settings), "SECURE").unwrap();
    let source = source::KeySource::open(&settings, &seams).unwrap();
    let refused = source.read(&seams, &tasks).await.unwrap_err().to_string();
    assert!(refused.contains("TLS: "), "{refused}");
}
