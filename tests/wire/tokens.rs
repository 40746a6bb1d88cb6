//! Delegation tokens (KIP-48): made, used, renewed, expired; by whom, over what, and what becomes of them.

use std::time::Duration;

use barnabas_auth::ScramMechanism;
use barnabas_tests::harness::wait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::create_delegation_token_request::CreatableRenewers;
use kafka_protocol::messages::describe_delegation_token_request::DescribeDelegationTokenOwner;
use kafka_protocol::messages::{
    AlterUserScramCredentialsRequest, CreateAclsRequest, CreateDelegationTokenRequest, CreateDelegationTokenResponse,
    DescribeDelegationTokenRequest, DescribeDelegationTokenResponse, ExpireDelegationTokenRequest, MetadataRequest,
    RenewDelegationTokenRequest, SaslAuthenticateResponse,
};

use crate::client::{Client, frame};
use crate::fixture::{Fixture, program};
use crate::login::{NONCE, exchange, scram, set, text};

const MECHANISM: ScramMechanism = ScramMechanism::Sha256;
const SASL: (&str, &str) = ("listener.security.protocol.map", "PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT");
const SECRET: (&str, &str) = ("delegation.token.secret.key", "the secret of all nodes");
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A broker with the users root (who may do everything), alice and bob.
fn start(settings: &[(&str, &str)]) -> Fixture {
    let own = [
        SASL,
        ("bootstrap.user", "root:of root"),
        ("connection.failed.authentication.delay.ms", "1"),
        ("authorizer.class.name", "standard"),
        ("super.users", "User:root"),
    ];
    let fixture = Fixture::start(&[&own[..], settings].concat());
    let users = ["alice", "bob"].map(|user| set(user, MECHANISM, &format!("of {user}")));
    let request = AlterUserScramCredentialsRequest::default().with_upsertions(users.to_vec());
    let altered = user(&fixture, "root").ask(&request, 0);
    assert!(altered.results.iter().all(|user| user.error_code == 0), "{altered:?}");
    fixture
}

fn user(fixture: &Fixture, name: &str) -> Client {
    let mut client = Client::connect(fixture.address());
    assert_eq!(scram(&mut client, MECHANISM, name, &format!("of {name}")).error_code, 0);
    client
}

fn create(client: &mut Client, owner: Option<&str>, renewers: &[&str], life_ms: i64) -> CreateDelegationTokenResponse {
    let renewer =
        |name: &&str| CreatableRenewers::default().with_principal_type(text("User")).with_principal_name(text(name));
    let request = CreateDelegationTokenRequest::default()
        .with_owner_principal_type(owner.map(|_| text("User")))
        .with_owner_principal_name(owner.map(text))
        .with_renewers(renewers.iter().map(renewer).collect())
        .with_max_lifetime_ms(life_ms);
    client.ask(&request, 3)
}

/// Logs in with a token.
fn bearer(
    fixture: &Fixture,
    token: &CreateDelegationTokenResponse,
    mechanism: ScramMechanism,
) -> (Client, SaslAuthenticateResponse) {
    let mut client = Client::connect(fixture.address());
    let first = format!("n,,n={},r={NONCE},tokenauth=true", token.token_id.as_str());
    let answer = exchange(&mut client, mechanism, &first, &STANDARD.encode(&token.hmac));
    (client, answer)
}

fn describe(client: &mut Client, owners: Option<&[&str]>) -> DescribeDelegationTokenResponse {
    let owner = |name: &&str| {
        DescribeDelegationTokenOwner::default().with_principal_type(text("User")).with_principal_name(text(name))
    };
    let owners = owners.map(|owners| owners.iter().map(owner).collect());
    client.ask(&DescribeDelegationTokenRequest::default().with_owners(owners), 3)
}

/// Whose tokens are described.
fn owners(client: &mut Client, of: Option<&[&str]>) -> Vec<String> {
    let answer = describe(client, of);
    assert_eq!(answer.error_code, 0);
    let mut owners: Vec<String> = answer.tokens.iter().map(|token| token.principal_name.to_string()).collect();
    owners.sort();
    owners
}

fn renew(client: &mut Client, token: &CreateDelegationTokenResponse, period_ms: i64) -> (i16, i64) {
    let request = RenewDelegationTokenRequest::default().with_hmac(token.hmac.clone()).with_renew_period_ms(period_ms);
    let answer = client.ask(&request, 2);
    (answer.error_code, answer.expiry_timestamp_ms)
}

fn expire(client: &mut Client, token: &CreateDelegationTokenResponse, period_ms: i64) -> (i16, i64) {
    let request =
        ExpireDelegationTokenRequest::default().with_hmac(token.hmac.clone()).with_expiry_time_period_ms(period_ms);
    let answer = client.ask(&request, 2);
    (answer.error_code, answer.expiry_timestamp_ms)
}

fn is_served(client: &mut Client) -> bool {
    client.send(&frame(&MetadataRequest::default(), 4, 5)).is_ok() && client.answer().is_some()
}

fn allow(fixture: &Fixture, (kind, name): (i8, &str), principal: &str, operation: i8) {
    let acl = AclCreation::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_resource_pattern_type(3)
        .with_principal(text(principal))
        .with_host(text("*"))
        .with_operation(operation)
        .with_permission_type(3);
    let answer = user(fixture, "root").ask(&CreateAclsRequest::default().with_creations(vec![acl]), 3);
    assert_eq!(answer.results[0].error_code, 0);
}

const NOT_ALLOWED: ResponseError = ResponseError::DelegationTokenRequestNotAllowed;

#[test]
fn a_token_logs_in_as_its_owner_and_makes_no_other_token() {
    let mut fixture = start(&[SECRET]);
    let mut alice = user(&fixture, "alice");
    let token = create(&mut alice, None, &["bob"], -1);
    assert_eq!((token.error_code, token.token_id.len(), token.hmac.len()), (0, 22, 64));
    assert_eq!((token.principal_name.as_str(), token.token_requester_principal_name.as_str()), ("alice", "alice"));
    assert_eq!(token.expiry_timestamp_ms - token.issue_timestamp_ms, DAY_MS);
    assert_eq!(token.max_timestamp_ms - token.issue_timestamp_ms, 7 * DAY_MS);
    for again in 0..2 {
        for mechanism in ScramMechanism::ALL {
            let (mut client, answer) = bearer(&fixture, &token, mechanism);
            assert_eq!(answer.error_code, 0);
            assert!((DAY_MS - 600_000..=DAY_MS).contains(&answer.session_lifetime_ms), "{answer:?}");
            assert!(is_served(&mut client));
            assert_eq!(create(&mut client, None, &[], -1).error_code, NOT_ALLOWED.code());
            assert_eq!(describe(&mut client, None).error_code, NOT_ALLOWED.code());
            assert_eq!(renew(&mut client, &token, -1), (NOT_ALLOWED.code(), -1));
            assert_eq!(expire(&mut client, &token, -1), (NOT_ALLOWED.code(), -1));
        }
        if again == 0 {
            fixture.broker.stop().unwrap();
            fixture.broker.restart().unwrap();
        }
    }
    let mut wrong = token.clone();
    wrong.hmac = vec![7; 64].into();
    assert_ne!(bearer(&fixture, &wrong, MECHANISM).1.error_code, 0);
    // The id is no user's name, and a user's name no token's id.
    let mut client = Client::connect(fixture.address());
    let password = STANDARD.encode(&token.hmac);
    assert_ne!(scram(&mut client, MECHANISM, token.token_id.as_str(), &password).error_code, 0);
    let mut client = Client::connect(fixture.address());
    let first = format!("n,,n=alice,r={NONCE},tokenauth=true");
    assert_ne!(exchange(&mut client, MECHANISM, &first, "of alice").error_code, 0);
}

#[test]
fn owner_and_renewers_renew_and_expire_a_token_and_nobody_else() {
    let fixture = start(&[SECRET]);
    let (mut alice, mut bob, mut root) = (user(&fixture, "alice"), user(&fixture, "bob"), user(&fixture, "root"));
    let token = create(&mut alice, None, &["bob"], -1);
    let mismatch = ResponseError::DelegationTokenOwnerMismatch.code();
    assert_eq!(renew(&mut root, &token, -1), (mismatch, 0));
    assert_eq!(expire(&mut root, &token, -1), (mismatch, 0));
    let (error, expires) = renew(&mut bob, &token, 1000);
    assert!(error == 0 && expires < token.expiry_timestamp_ms);
    let (error, expires) = renew(&mut alice, &token, 30 * DAY_MS);
    assert!(error == 0 && expires <= token.max_timestamp_ms && expires >= token.expiry_timestamp_ms);
    assert_eq!(expire(&mut alice, &token, 30 * DAY_MS), (0, token.max_timestamp_ms));
    assert_eq!(expire(&mut bob, &token, 0).0, 0);
    let gone = || {
        wait::until("the token to expire", Duration::from_secs(30), || {
            let mut alice = user(&fixture, "alice");
            (renew(&mut alice, &token, -1) == (ResponseError::DelegationTokenExpired.code(), 0)).then_some(())
        })
    };
    gone().unwrap();
    assert_ne!(bearer(&fixture, &token, MECHANISM).1.error_code, 0, "an expired token lets nobody in");
    assert_eq!(expire(&mut bob, &token, -1).0, 0, "it may still be removed");
    let unknown = ResponseError::DelegationTokenNotFound.code();
    assert_eq!((renew(&mut alice, &token, -1), expire(&mut alice, &token, -1)), ((unknown, 0), (unknown, 0)));
}

#[test]
fn a_token_for_another_and_a_look_at_anothers_need_a_right() {
    let fixture = start(&[SECRET]);
    let mut bob = user(&fixture, "bob");
    let denied = ResponseError::DelegationTokenAuthorizationFailed.code();
    let answer = create(&mut bob, Some("alice"), &[], -1);
    assert_eq!((answer.error_code, answer.issue_timestamp_ms, answer.hmac.len()), (denied, -1, 0));
    assert_eq!((answer.principal_name.as_str(), answer.token_requester_principal_name.as_str()), ("alice", "bob"));
    // CreateTokens on the user, which does for everybody but a super user.
    allow(&fixture, (7, "*"), "User:bob", 13);
    let token = create(&mut bob, Some("alice"), &[], -1);
    assert_eq!(token.error_code, 0);
    assert_eq!(create(&mut bob, Some("root"), &[], -1).error_code, denied);
    let mut root = user(&fixture, "root");
    assert_eq!(create(&mut root, Some("bob"), &["alice"], -1).error_code, 0);
    let (mut as_alice, answer) = bearer(&fixture, &token, MECHANISM);
    assert_eq!(answer.error_code, 0);
    assert!(is_served(&mut as_alice));
    let mut alice = user(&fixture, "alice");
    assert_eq!(owners(&mut root, None), ["alice", "bob"]);
    assert_eq!(owners(&mut alice, None), ["alice", "bob"], "its own and what it may renew");
    assert_eq!(owners(&mut bob, None), ["bob"], "who asked for a token does not own it");
    assert_eq!(owners(&mut root, Some(&["alice"])), ["alice", "bob"], "of an owner or a renewer");
    assert_eq!(owners(&mut root, Some(&[])), [""; 0]);
    // Describe on the token, DescribeTokens on the user.
    allow(&fixture, (6, token.token_id.as_str()), "User:bob", 8);
    assert_eq!(owners(&mut bob, Some(&["alice", "nobody"])), ["alice", "bob"]);
    allow(&fixture, (7, "User:bob"), "User:carol", 14);
    let renewers = CreatableRenewers::default().with_principal_type(text("Group")).with_principal_name(text("x"));
    let request = CreateDelegationTokenRequest::default().with_renewers(vec![renewers]).with_max_lifetime_ms(-1);
    assert_eq!(bob.ask(&request, 3).error_code, ResponseError::InvalidPrincipalType.code());
    // Older versions have no owner.
    let answer = bob.ask(&CreateDelegationTokenRequest::default().with_max_lifetime_ms(1000), 1);
    assert_eq!((answer.error_code, answer.principal_name.as_str()), (0, "bob"));
    assert_eq!(answer.max_timestamp_ms - answer.issue_timestamp_ms, 1000);
    assert_eq!(answer.expiry_timestamp_ms, answer.max_timestamp_ms);
    let _ = bob.ask(&DescribeDelegationTokenRequest::default().with_owners(None), 1);
}

#[test]
fn tokens_need_a_secret_and_a_connection_that_is_known() {
    let disabled = ResponseError::DelegationTokenAuthDisabled.code();
    let fixture = start(&[]);
    let mut alice = user(&fixture, "alice");
    let answer = create(&mut alice, None, &[], -1);
    assert_eq!((answer.error_code, answer.issue_timestamp_ms), (disabled, 0));
    assert_eq!(describe(&mut alice, None).error_code, disabled);
    assert_eq!((renew(&mut alice, &answer, -1), expire(&mut alice, &answer, -1)), ((disabled, 0), (disabled, 0)));
    assert_ne!(bearer(&fixture, &answer.with_token_id(text("x")), MECHANISM).1.error_code, 0);
    let fixture = Fixture::start(&[SECRET]);
    let mut anonymous = Client::connect(fixture.address());
    let answer = create(&mut anonymous, None, &[], -1);
    assert_eq!((answer.error_code, answer.issue_timestamp_ms, answer.token_id.as_str()), (NOT_ALLOWED.code(), -1, ""));
    assert_eq!(describe(&mut anonymous, None).error_code, NOT_ALLOWED.code());
}

#[test]
fn expired_tokens_are_removed_by_themselves() {
    let fixture = start(&[SECRET, ("delegation.token.expiry.check.interval.ms", "20")]);
    let mut alice = user(&fixture, "alice");
    let (long, short) = (create(&mut alice, None, &[], -1), create(&mut alice, None, &[], 1));
    let unknown = ResponseError::DelegationTokenNotFound.code();
    let removed = || (renew(&mut alice, &short, -1).0 == unknown).then_some(());
    wait::until("the token to be removed", Duration::from_secs(30), removed).unwrap();
    assert_eq!(renew(&mut alice, &long, -1).0, 0);
}

/// A Java client's properties, of a user whose password is told by its name.
fn settings_of(user: &str, directory: &std::path::Path) -> std::path::PathBuf {
    let file = directory.join(user);
    let module = "org.apache.kafka.common.security.scram.ScramLoginModule";
    let login = format!("{module} required username=\"{user}\" password=\"of {user}\";");
    std::fs::write(&file, format!("sasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config={login}\n")).unwrap();
    file
}

#[test]
fn tokens_by_command() {
    let fixture = start(&[SECRET]);
    let directory = tempfile::tempdir().unwrap();
    let settings = |user: &str| settings_of(user, directory.path());
    let run = |file: &std::path::Path, line: &str| {
        let mut command = std::process::Command::new(program());
        command.args(line.split(' ')).args(["-b", &fixture.broker.bootstrap(), "--command-config"]).arg(file);
        command.args(["--command-property", "security.protocol=SASL_PLAINTEXT"]);
        let output = command.output().unwrap();
        let told = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code().unwrap(), told(&output.stdout), told(&output.stderr))
    };
    let (alice, bob, root) = (settings("alice"), settings("bob"), settings("root"));
    let (ended, made, _) = run(&alice, "tokens create --renewer bob --max-life 2d");
    assert_eq!(ended, 0);
    let bearer = directory.path().join("bearer");
    std::fs::write(&bearer, made).unwrap();
    assert_eq!(run(&bearer, "tokens list").0, 5, "a token's bearer asks for no tokens");
    assert_eq!(run(&bearer, "topics list").0, 0);
    let (_, list, _) = run(&bob, "tokens list -o json");
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let (owner, renewers) = (&list[0]["owner"], &list[0]["renewers"]);
    assert_eq!((owner.as_str(), renewers[0].as_str()), (Some("User:alice"), Some("User:bob")));
    assert!(!list.to_string().contains("password") && !list.to_string().contains("hmac"));
    let id = list[0]["id"].as_str().unwrap();
    assert_eq!(run(&bob, &format!("tokens renew {id} --life 1h")).0, 0);
    assert_eq!(run(&root, &format!("tokens renew {id}")).0, 5, "not even a super user renews another's");
    assert_eq!(run(&bob, "tokens create --owner alice").0, 5);
    let (ended, document, _) = run(&root, "tokens create --owner bob -o json");
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!((ended, document["owner"].as_str()), (0, Some("User:bob")));
    assert_eq!(run(&alice, &format!("tokens expire {id}")).0, 2, "nobody is there to confirm it");
    assert_eq!(run(&alice, &format!("tokens expire {id} nowhere --yes")).0, 7);
    let (ended, _, told) = run(&alice, &format!("tokens expire {id} --yes"));
    assert_eq!(ended, 3, "{told}");
    assert_eq!(run(&bearer, "topics list").0, 5);
}
