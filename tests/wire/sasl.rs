//! Logins on a SASL listener: every mechanism, both ways of tokens, what is refused and how, and credentials that change.

use barnabas_auth::ScramMechanism;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::alter_user_scram_credentials_request::ScramCredentialDeletion;
use kafka_protocol::messages::{
    AlterUserScramCredentialsRequest, ApiVersionsRequest, DescribeUserScramCredentialsRequest, MetadataRequest,
    SaslAuthenticateRequest, SaslAuthenticateResponse,
};

use crate::client::{Client, frame};
use crate::fixture::Fixture;
use crate::login::{authenticate, first, handshake, last, scram, set, text};

pub(crate) const SHA256: ScramMechanism = ScramMechanism::Sha256;
const SHA512: ScramMechanism = ScramMechanism::Sha512;

/// The one listener asks for a login, under the name that the fixture gives it.
pub(crate) fn start(settings: &[(&str, &str)]) -> Fixture {
    let own = [
        ("listener.security.protocol.map", "PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT"),
        ("sasl.enabled.mechanisms", "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN"),
        ("bootstrap.user", "admin:admin-secret"),
        ("connection.failed.authentication.delay.ms", "1"),
        (
            "listener.name.plaintext.plain.sasl.jaas.config",
            "org.apache.kafka.common.security.plain.PlainLoginModule required user_jaas=\"of the file\";",
        ),
    ];
    Fixture::start(&[&own[..], settings].concat())
}

pub(crate) fn plain(client: &mut Client, user: &str, password: &str) -> SaslAuthenticateResponse {
    assert_eq!(handshake(client, "PLAIN", 1), 0);
    authenticate(client, format!("\0{user}\0{password}").as_bytes())
}

fn is_served(client: &mut Client) -> bool {
    client.send(&frame(&MetadataRequest::default(), 4, 5)).is_ok() && client.answer().is_some()
}

pub(crate) fn admin(fixture: &Fixture) -> Client {
    let mut client = Client::connect(fixture.address());
    assert_eq!(scram(&mut client, SHA512, "admin", "admin-secret").error_code, 0);
    client
}

#[test]
fn every_mechanism_lets_in_who_knows_the_password_and_nobody_else() {
    let fixture = start(&[]);
    let mut client = Client::connect(fixture.address());
    assert!(!is_served(&mut client), "nothing is served before a login");
    for mechanism in ScramMechanism::ALL {
        let mut client = Client::connect(fixture.address());
        assert_eq!(client.ask(&ApiVersionsRequest::default(), 0).error_code, 0);
        let answer = scram(&mut client, mechanism, "admin", "admin-secret");
        assert_eq!((answer.error_code, answer.session_lifetime_ms), (0, 0));
        assert!(is_served(&mut client));
    }
    // The second time the password is known again.
    for _ in 0..2 {
        for (user, password) in [("admin", "admin-secret"), ("jaas", "of the file")] {
            let mut client = Client::connect(fixture.address());
            assert_eq!(plain(&mut client, user, password).error_code, 0);
            assert!(is_served(&mut client));
        }
    }
    for (user, password) in [("admin", "x"), ("jaas", "x"), ("nobody", "admin-secret")] {
        let mut client = Client::connect(fixture.address());
        let answer = plain(&mut client, user, password);
        assert_eq!(answer.error_code, ResponseError::SaslAuthenticationFailed.code());
        assert_eq!(answer.error_message.unwrap().as_str(), "Authentication failed: Invalid username or password");
        assert!(!is_served(&mut client));
    }
}

#[test]
fn unknown_users_are_answered_like_known_ones() {
    let fixture = start(&[]);
    // Known by the other mechanism alone, and by PLAIN through it.
    let mut credential = set("half", SHA512, "half-secret");
    // As long as Kafka's clients make it, of which ours is one: a client may choose any.
    credential.salt = vec![b'7'; 26].into();
    credential.salted_password = SHA512.salted_password("half-secret", &credential.salt, 4096).into();
    let half = AlterUserScramCredentialsRequest::default().with_upsertions(vec![credential]);
    assert_eq!(admin(&fixture).ask(&half, 0).results[0].error_code, 0);
    for mechanism in ScramMechanism::ALL {
        let (challenge, refused) = guess(&fixture, mechanism, "admin");
        let message = format!(
            "Authentication failed during authentication due to invalid credentials with SASL mechanism {}",
            mechanism.name()
        );
        assert_eq!(refused.error_message.as_ref().unwrap().as_str(), message);
        for user in ["nobody", "half"] {
            let (unknown, unknown_refused) = guess(&fixture, mechanism, user);
            assert_eq!(refused, unknown_refused, "{mechanism:?} {user}");
            assert_eq!(iterations(&challenge), iterations(&unknown), "{mechanism:?} {user}");
            for challenge in [&challenge, &unknown] {
                assert!(is_of_kafkas_tools(salt(challenge)), "{mechanism:?} {user}");
            }
            let again = guess(&fixture, mechanism, user).0;
            assert_eq!(salt(&unknown), salt(&again), "{mechanism:?} {user}: asked again, the salt is the same");
        }
        assert_ne!(salt(&guess(&fixture, mechanism, "nobody").0), salt(&challenge), "every user has a salt of its own");
    }
    assert_eq!(scram(&mut Client::connect(fixture.address()), SHA512, "half", "half-secret").error_code, 0);
    let by_plain = |user| plain(&mut Client::connect(fixture.address()), user, "guess");
    for user in ["jaas", "half", "nobody"] {
        assert_eq!(by_plain("admin"), by_plain(user), "PLAIN {user}");
    }
}

/// A login with a wrong password: the challenge and the refusal.
fn guess(
    fixture: &Fixture,
    mechanism: ScramMechanism,
    user: &str,
) -> (SaslAuthenticateResponse, SaslAuthenticateResponse) {
    let mut client = Client::connect(fixture.address());
    assert_eq!(handshake(&mut client, mechanism.name(), 1), 0);
    let challenge = authenticate(&mut client, first(user).as_bytes());
    let (token, _) = last(mechanism, &first(user), "guess", &challenge.auth_bytes);
    let refused = authenticate(&mut client, token.as_bytes());
    assert!(!is_served(&mut client));
    (challenge, refused)
}

/// The salt of a challenge, as it was sent.
fn salt(challenge: &SaslAuthenticateResponse) -> &[u8] {
    field(challenge, 1).strip_prefix(b"s=").unwrap()
}

fn iterations(challenge: &SaslAuthenticateResponse) -> &[u8] {
    field(challenge, 2)
}

fn field(challenge: &SaslAuthenticateResponse, at: usize) -> &[u8] {
    challenge.auth_bytes.split(|byte| *byte == b',').nth(at).unwrap()
}

/// Whether a salt is 130 random bits in base 36, as Kafka's tools make it. One in sixty has 24 digits, not 25 or 26: that
/// two salts are of one length proves nothing, and that they are not reveals nothing.
fn is_of_kafkas_tools(salt: &[u8]) -> bool {
    let salt = STANDARD.decode(salt).unwrap();
    (20..=26).contains(&salt.len()) && salt.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
}

#[test]
fn tokens_without_headers_follow_a_handshake_of_version_0() {
    let fixture = start(&[]);
    let token = |client: &mut Client, token: &[u8]| {
        let length = u32::try_from(token.len()).unwrap().to_be_bytes();
        client.send(&[&length, token].concat()).unwrap();
        client.bare_token()
    };
    let mut client = Client::connect(fixture.address());
    assert_eq!(handshake(&mut client, SHA256.name(), 0), 0);
    let challenge = token(&mut client, first("admin").as_bytes()).unwrap();
    let (answer, expected) = last(SHA256, &first("admin"), "admin-secret", &challenge);
    assert_eq!(token(&mut client, answer.as_bytes()).unwrap(), expected.as_bytes());
    assert!(is_served(&mut client));
    let mut client = Client::connect(fixture.address());
    assert_eq!(handshake(&mut client, "PLAIN", 0), 0);
    assert_eq!(token(&mut client, b"\0admin\0admin-secret").unwrap(), &b""[..]);
    assert!(is_served(&mut client));
    let mut client = Client::connect(fixture.address());
    assert_eq!(handshake(&mut client, "PLAIN", 0), 0);
    assert_eq!(token(&mut client, b"\0admin\0wrong"), None);
    let mut client = Client::connect(fixture.address());
    assert_eq!(handshake(&mut client, "PLAIN", 0), 0);
    client.send(&[0x7f, 0xff, 0xff, 0xff]).unwrap();
    assert_eq!(client.bare_token(), None);
}

#[test]
fn what_comes_at_the_wrong_time_closes() {
    let fixture = start(&[]);
    let unsupported = ResponseError::UnsupportedSaslMechanism.code();
    let mut client = Client::connect(fixture.address());
    assert_eq!(handshake(&mut client, "GSSAPI", 1), unsupported);
    assert!(client.answer().is_none());
    // A token before the handshake.
    let mut client = Client::connect(fixture.address());
    client.send(&frame(&SaslAuthenticateRequest::default(), 2, 1)).unwrap();
    assert!(client.answer().is_none());
    // ApiVersions twice.
    let mut client = Client::connect(fixture.address());
    assert_eq!(client.ask(&ApiVersionsRequest::default(), 0).error_code, 0);
    client.send(&frame(&ApiVersionsRequest::default(), 0, 1)).unwrap();
    assert!(client.answer().is_none());
    // A handshake or ApiVersions where a token should be is told so first.
    let illegal = ResponseError::IllegalSaslState.code();
    let mut client = Client::connect(fixture.address());
    assert_eq!(handshake(&mut client, "PLAIN", 1), 0);
    assert_eq!(handshake(&mut client, "PLAIN", 1), illegal);
    assert!(client.answer().is_none());
    let mut client = Client::connect(fixture.address());
    assert_eq!(handshake(&mut client, "PLAIN", 1), 0);
    assert_eq!(client.ask(&ApiVersionsRequest::default(), 0).error_code, illegal);
    assert!(client.answer().is_none());
    // After a login both are told so, and nothing closes.
    let mut client = admin(&fixture);
    assert_eq!(handshake(&mut client, "PLAIN", 1), illegal);
    assert_eq!(authenticate(&mut client, b"x").error_code, illegal);
    assert!(is_served(&mut client));
    // A frame that nobody needs for a login.
    let mut client = Client::connect(fixture.address());
    client.send(&[0, 2, 0, 0, 0, 36, 0, 2, 0, 0, 0, 1]).unwrap();
    assert!(client.answer().is_none());
}

#[test]
fn credentials_are_set_for_both_mechanisms_in_one_request_and_removed() {
    let fixture = start(&[]);
    let mut admin = admin(&fixture);
    let both = vec![set("alice", SHA256, "one"), set("alice", SHA512, "two")];
    let altered = admin.ask(&AlterUserScramCredentialsRequest::default().with_upsertions(both), 0);
    assert_eq!(altered.results.len(), 1);
    assert_eq!((altered.results[0].user.as_str(), altered.results[0].error_code), ("alice", 0));
    for (mechanism, password) in [(SHA256, "one"), (SHA512, "two")] {
        let mut client = Client::connect(fixture.address());
        assert_eq!(scram(&mut client, mechanism, "alice", password).error_code, 0);
    }
    let described = admin.ask(&DescribeUserScramCredentialsRequest::default().with_users(None), 0);
    let users: Vec<_> =
        described.results.iter().map(|user| (user.user.as_str(), user.credential_infos.len())).collect();
    assert_eq!(users, [("admin", 2), ("alice", 2)]);
    let remove = ScramCredentialDeletion::default().with_name(text("alice")).with_mechanism(SHA256.number());
    let remove = AlterUserScramCredentialsRequest::default().with_deletions(vec![remove]);
    assert_eq!(admin.ask(&remove, 0).results[0].error_code, 0);
    assert_eq!(admin.ask(&remove, 0).results[0].error_code, ResponseError::ResourceNotFound.code());
    let mut client = Client::connect(fixture.address());
    assert_ne!(scram(&mut client, SHA256, "alice", "one").error_code, 0);
}

#[test]
fn only_super_users_change_super_users() {
    let fixture = start(&[("super.users", "User:admin;User:root")]);
    let mut admin = admin(&fixture);
    let create = vec![set("alice", SHA256, "one"), set("root", SHA256, "two")];
    let answer = admin.ask(&AlterUserScramCredentialsRequest::default().with_upsertions(create), 0);
    assert!(answer.results.iter().all(|user| user.error_code == 0), "{answer:?}");
    let mut alice = Client::connect(fixture.address());
    assert_eq!(scram(&mut alice, SHA256, "alice", "one").error_code, 0);
    let takeover = vec![set("root", SHA256, "mine"), set("bob", SHA256, "other")];
    let answer = alice.ask(&AlterUserScramCredentialsRequest::default().with_upsertions(takeover), 0);
    let codes: Vec<_> = answer.results.iter().map(|user| (user.user.as_str(), user.error_code)).collect();
    assert_eq!(codes, [("root", ResponseError::ClusterAuthorizationFailed.code()), ("bob", 0)]);
    let mut root = Client::connect(fixture.address());
    assert_eq!(scram(&mut root, SHA256, "root", "two").error_code, 0);
}

#[test]
fn a_session_is_renewed_by_its_own_user_only() {
    let fixture = start(&[("connections.max.reauth.ms", "3600000")]);
    let mut client = admin(&fixture);
    assert_eq!(handshake(&mut client, SHA512.name(), 1), ResponseError::IllegalSaslState.code(), "too soon");
    assert!(is_served(&mut client));
    let login = |user: &str, mechanism: ScramMechanism| {
        let mut client = Client::connect(fixture.address());
        let lifetime = scram(&mut client, mechanism, user, "admin-secret").session_lifetime_ms;
        assert_eq!(lifetime, 3_600_000);
        client
    };
    let again = |client: &mut Client, mechanism: &str| {
        let renewed = || handshake(client, mechanism, 1);
        let mut renewed = std::iter::repeat_with(renewed);
        assert!(renewed.any(|error| error == 0), "a second later it may be renewed");
    };
    let mut client = login("admin", SHA512);
    again(&mut client, SHA512.name());
    let challenge = authenticate(&mut client, first("admin").as_bytes());
    let (token, _) = last(SHA512, &first("admin"), "admin-secret", &challenge.auth_bytes);
    assert_eq!(authenticate(&mut client, token.as_bytes()).error_code, 0);
    assert!(is_served(&mut client));
    let mut client = login("admin", SHA512);
    again(&mut client, "PLAIN");
    let refused = authenticate(&mut client, b"\0admin\0admin-secret");
    assert!(refused.error_message.unwrap().contains("not supported for re-authentication"));
    assert!(!is_served(&mut client));
    let mut client = Client::connect(fixture.address());
    assert_eq!(plain(&mut client, "admin", "admin-secret").error_code, 0);
    again(&mut client, "PLAIN");
    let refused = authenticate(&mut client, b"\0jaas\0of the file");
    let expected = "Cannot change principals during re-authentication from User.admin: User.jaas";
    assert_eq!(refused.error_message.unwrap().as_str(), expected);
    assert!(!is_served(&mut client));
}

#[test]
fn a_name_with_an_end_of_line_begins_no_line_of_the_log() {
    let fixture = start(&[("connections.max.reauth.ms", "3600000")]);
    let create = AlterUserScramCredentialsRequest::default().with_upsertions(vec![set("eve\nforged", SHA256, "one")]);
    assert_eq!(admin(&fixture).ask(&create, 0).results[0].error_code, 0);
    let mut client = Client::connect(fixture.address());
    assert_eq!(plain(&mut client, "eve\nforged", "one").error_code, 0);
    assert!(std::iter::repeat_with(|| handshake(&mut client, "PLAIN", 1)).any(|error| error == 0));
    assert_ne!(authenticate(&mut client, b"\0jaas\0of the file").error_code, 0);
    let log = std::fs::read_to_string(fixture.broker.log()).unwrap();
    assert!(log.contains("from User.eve\\nforged: User.jaas"), "{log}");
    assert!(!log.lines().any(|line| line.starts_with("forged")), "{log}");
}
