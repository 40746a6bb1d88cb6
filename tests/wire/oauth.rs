//! OAUTHBEARER on a SASL listener: tokens that are taken, tokens that are not, keys that change, sessions that end.

use std::time::Duration;

use barnabas_tests::harness::issuer::Issuer;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{MetadataRequest, SaslAuthenticateResponse};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Client, frame};
use crate::fixture::Fixture;
use crate::login::{authenticate, handshake};

const HOUR: Duration = Duration::from_secs(3600);
const INVALID: &str = r#"{"status":"invalid_token"}"#;

struct Oauth {
    fixture: Fixture,
    issuer: Issuer,
    directory: TempDir,
}

impl Oauth {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let issuer = Issuer::new(directory.path(), "first").unwrap();
        let url = format!("file://{}", issuer.keys().display());
        let fixture = Fixture::start(&[
            ("listener.security.protocol.map", "PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT"),
            ("sasl.enabled.mechanisms", "OAUTHBEARER,PLAIN"),
            ("connection.failed.authentication.delay.ms", "1"),
            ("listener.name.plaintext.oauthbearer.sasl.oauthbearer.jwks.endpoint.url", &url),
            ("listener.name.plaintext.oauthbearer.sasl.oauthbearer.expected.audience", "kafka"),
        ]);
        Self { fixture, issuer, directory }
    }

    fn connect(&self) -> Client {
        let mut client = Client::connect(self.fixture.address());
        assert_eq!(handshake(&mut client, "OAUTHBEARER", 1), 0);
        client
    }

    fn token(&self, subject: &str, more: &Value) -> String {
        let mut claims = json!({ "aud": "kafka" });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.issuer.token(subject, HOUR, &claims).unwrap()
    }

    fn log_in(&self, token: &str) -> (Client, SaslAuthenticateResponse) {
        let mut client = self.connect();
        let answer = show(&mut client, token);
        (client, answer)
    }
}

fn show(client: &mut Client, token: &str) -> SaslAuthenticateResponse {
    authenticate(client, format!("n,,\x01auth=Bearer {token}\x01\x01").as_bytes())
}

fn is_served(client: &mut Client) -> bool {
    client.send(&frame(&MetadataRequest::default(), 4, 5)).is_ok() && client.answer().is_some()
}

#[test]
fn a_good_token_logs_in_for_as_long_as_it_is_good() {
    let oauth = Oauth::start();
    let (mut client, answer) = oauth.log_in(&oauth.token("alice", &json!({})));
    assert_eq!((answer.error_code, &answer.auth_bytes[..]), (0, &b""[..]));
    assert!((3_500_000..=3_600_000).contains(&answer.session_lifetime_ms), "{}", answer.session_lifetime_ms);
    assert!(is_served(&mut client));
    // Who has a session of the past has none: the token is within the skew, and ends at once.
    let past = oauth.token("alice", &json!({ "iat": 1_700_000_000, "exp": now() - 5 }));
    let (mut client, answer) = oauth.log_in(&past);
    assert_eq!((answer.error_code, answer.session_lifetime_ms), (0, 0));
    assert!(!is_served(&mut client));
}

#[test]
fn a_refused_token_is_told_as_kafka_tells_it() {
    let oauth = Oauth::start();
    let other = tempfile::tempdir().unwrap();
    let forged = Issuer::new(other.path(), "first").unwrap().token("alice", HOUR, &json!({ "aud": "kafka" })).unwrap();
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSIsImlhdCI6MSwiZXhwIjo5OTk5OTk5OTk5LCJhdWQiOiJrYWZrYSJ9.";
    for token in [
        &forged,
        unsigned,
        &oauth.token("alice", &json!({ "aud": "other" })),
        &oauth.token("alice", &json!({ "exp": now() - 60 })),
        &oauth.token("alice", &json!({ "nbf": now() + 600 })),
        &oauth.token("", &json!({})),
        "abc",
    ] {
        let (mut client, answer) = oauth.log_in(token);
        assert_eq!((answer.error_code, &answer.auth_bytes[..], answer.session_lifetime_ms), (0, INVALID.as_bytes(), 0));
        let answer = authenticate(&mut client, b"\x01");
        assert_eq!(answer.error_code, ResponseError::SaslAuthenticationFailed.code());
        assert_eq!(answer.error_message.unwrap().as_str(), INVALID);
        assert!(!is_served(&mut client));
    }
    // Whatever follows the refusal, nobody gets in by it.
    let (mut client, _) = oauth.log_in("abc");
    assert_ne!(show(&mut client, &oauth.token("alice", &json!({}))).error_code, 0);
    assert!(!is_served(&mut client));
}

#[test]
fn what_is_no_message_of_the_mechanism_fails() {
    let oauth = Oauth::start();
    let good = oauth.token("alice", &json!({}));
    let other = format!("n,a=root,\x01auth=Bearer {good}\x01\x01");
    for message in ["", "\x01", "n,,\x01\x01", "n,,\x01auth=Basic abc\x01\x01", &other] {
        let mut client = oauth.connect();
        let answer = authenticate(&mut client, message.as_bytes());
        assert_eq!(answer.error_code, ResponseError::SaslAuthenticationFailed.code(), "{message:?}");
        assert!(!answer.error_message.unwrap().contains("root"));
        assert!(!is_served(&mut client));
    }
    let mut client = oauth.connect();
    let own = authenticate(&mut client, format!("n,a=alice,\x01auth=Bearer {good}\x01\x01").as_bytes());
    assert_eq!(own.error_code, 0);
}

#[test]
fn an_issuer_changes_its_key_and_no_login_fails() {
    let oauth = Oauth::start();
    let next = Issuer::new(oauth.directory.path(), "second").unwrap();
    let token = next.token("alice", HOUR, &json!({ "aud": "kafka" })).unwrap();
    assert_eq!(oauth.log_in(&token).1.auth_bytes, &b""[..]);
    assert_eq!(oauth.log_in(&oauth.token("alice", &json!({}))).1.auth_bytes, INVALID.as_bytes(), "the old key is gone");
}

#[test]
fn a_session_is_renewed_with_another_token_of_the_same_principal() {
    let oauth = Oauth::start();
    for (subject, is_renewed) in [("alice", true), ("root", false)] {
        let (mut client, _) = oauth.log_in(&oauth.token("alice", &json!({})));
        let mut tries = std::iter::repeat_with(|| handshake(&mut client, "OAUTHBEARER", 1));
        assert!(tries.any(|error| error == 0), "a second later it may be renewed");
        let answer = show(&mut client, &oauth.token(subject, &json!({ "jti": "2" })));
        assert_eq!(answer.error_code == 0, is_renewed, "{subject}");
        assert_eq!(is_served(&mut client), is_renewed, "{subject}");
    }
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap().as_secs()
}
