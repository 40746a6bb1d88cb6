//! The examples of RFC 7677 and others made with Kafka's formulas, and what may not get through.

use proptest::prelude::*;

use super::*;
use crate::principal::Principal;
use crate::scram::Decoys;

/// RFC 7677, section 3.
const RFC_FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const RFC_SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const RFC_CHALLENGE: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const RFC_FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const RFC_ANSWER: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

fn login(user: &str) -> Login {
    Login { principal: Principal::user(user.to_owned()), expires_ms: None, is_token: false }
}

fn candidate(mechanism: ScramMechanism, user: &str, password: &str, salt: &[u8]) -> Candidate {
    let credential = Arc::new(ScramCredential::of_password(mechanism, password, salt.to_vec(), 4096));
    Candidate { credential, login: Some(login(user)) }
}

fn rfc_candidate(password: &str) -> Candidate {
    candidate(ScramMechanism::Sha256, "user", password, &STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap())
}

fn rfc_server() -> ScramServer {
    ScramServer::new(ScramMechanism::Sha256, RFC_SERVER_NONCE.to_owned(), true)
}

/// A client of the formulas: its last message for a challenge.
struct Client {
    mechanism: ScramMechanism,
    bare: String,
    password: &'static str,
}

impl Client {
    fn last(&self, challenge: &[u8], nonce_twice: bool) -> Vec<u8> {
        let challenge = std::str::from_utf8(challenge).unwrap();
        let fields: Vec<&str> = challenge.split(',').collect();
        let [nonce, salt, rounds] = fields[..] else { panic!("{challenge}") };
        let nonce = nonce.strip_prefix("r=").unwrap();
        let own = if nonce_twice { self.bare.split("r=").nth(1).unwrap() } else { "" };
        let without_proof = format!("c=biws,r={own}{nonce}");
        let salt = STANDARD.decode(salt.strip_prefix("s=").unwrap()).unwrap();
        let rounds = rounds.strip_prefix("i=").unwrap().parse().unwrap();
        let salted = self.mechanism.salted_password(self.password, &salt, rounds);
        let client_key = self.mechanism.hmac(&salted, b"Client Key");
        let signed = format!("{},{challenge},{without_proof}", self.bare);
        let signature = self.mechanism.hmac(&self.mechanism.hash(&client_key), signed.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(left, right)| left ^ right).collect();
        format!("{without_proof},p={}", STANDARD.encode(proof)).into_bytes()
    }
}

#[test]
fn the_example_of_rfc_7677_is_reproduced() {
    let mut server = rfc_server();
    let challenge = server.challenge(RFC_FIRST.as_bytes(), |first| {
        assert_eq!(first.user, "user");
        rfc_candidate("pencil")
    });
    assert_eq!(challenge.unwrap(), RFC_CHALLENGE.as_bytes());
    assert!(server.is_challenged());
    assert_eq!(server.finish(RFC_FINAL.as_bytes()), Ok((RFC_ANSWER.as_bytes().to_vec(), login("user"))));
    assert_eq!(server.finish(RFC_FINAL.as_bytes()), Err(ScramError::Over));
}

#[test]
fn both_mechanisms_let_the_right_password_in_and_no_other() {
    for mechanism in ScramMechanism::ALL {
        for (password, outcome) in [("right", Ok(login("u,=1"))), ("wrong", Err(ScramError::Credentials))] {
            let bare = "n=u=2C=3D1,r=c1ient".to_owned();
            let client = Client { mechanism, bare: bare.clone(), password };
            let mut server = ScramServer::new(mechanism, "s3rver".to_owned(), true);
            let challenge =
                server.challenge(format!("n,,{bare}").as_bytes(), |_| candidate(mechanism, "u,=1", "right", b"salt"));
            let done = server.finish(&client.last(&challenge.unwrap(), false));
            assert_eq!(done.map(|(_, login)| login), outcome, "{mechanism}");
        }
    }
}

#[test]
fn a_message_too_late_or_too_early_ends_the_exchange() {
    let mut server = rfc_server();
    assert_eq!(server.finish(RFC_FINAL.as_bytes()), Err(ScramError::Over));
    assert!(server.challenge(RFC_FIRST.as_bytes(), |_| rfc_candidate("pencil")).is_err());
    let mut server = rfc_server();
    server.challenge(RFC_FIRST.as_bytes(), |_| rfc_candidate("pencil")).unwrap();
    assert_eq!(server.challenge(RFC_FIRST.as_bytes(), |_| rfc_candidate("pencil")), Err(ScramError::Over));
    assert_eq!(server.finish(RFC_FINAL.as_bytes()), Err(ScramError::Over));
}

/// CVE-2024-56128: Apache Kafka did not look at the nonce.
#[test]
fn an_exchange_that_is_played_again_fails_by_its_nonce() {
    for is_strict in [true, false] {
        let mut server = ScramServer::new(ScramMechanism::Sha256, "another".to_owned(), is_strict);
        server.challenge(RFC_FIRST.as_bytes(), |_| rfc_candidate("pencil")).unwrap();
        assert_eq!(server.finish(RFC_FINAL.as_bytes()), Err(ScramError::Nonce));
    }
}

#[test]
fn the_doubled_nonce_of_old_librdkafka_is_taken_unless_nonces_are_strict() {
    let mechanism = ScramMechanism::Sha512;
    for (is_strict, outcome) in [(false, Ok(login("u"))), (true, Err(ScramError::Nonce))] {
        let client = Client { mechanism, bare: "n=u,r=c1ient".to_owned(), password: "right" };
        let mut server = ScramServer::new(mechanism, "s3rver".to_owned(), is_strict);
        let challenge = server.challenge(b"n,,n=u,r=c1ient", |_| candidate(mechanism, "u", "right", b"salt"));
        let done = server.finish(&client.last(&challenge.unwrap(), true));
        assert_eq!(done.map(|(_, login)| login), outcome);
    }
}

#[test]
fn an_unknown_user_is_answered_like_a_known_one_and_fails_with_any_password() {
    let decoys = Decoys::new(vec![7; 32], 4096);
    let mechanism = ScramMechanism::Sha256;
    let answer = |candidate: Candidate| {
        let client = Client { mechanism, bare: "n=u,r=c1ient".to_owned(), password: "guess" };
        let mut server = ScramServer::new(mechanism, "s3rver".to_owned(), false);
        let challenge = server.challenge(b"n,,n=u,r=c1ient", |_| candidate).unwrap();
        let done = server.finish(&client.last(&challenge, false));
        (String::from_utf8(challenge).unwrap(), done)
    };
    let decoy = || Candidate { credential: Arc::new(decoys.credential(mechanism, "u")), login: None };
    let (unknown, refused) = answer(decoy());
    assert_eq!(refused, Err(ScramError::Credentials));
    assert_eq!(answer(decoy()).0, unknown, "asked again, the answer is the same");
    let salt = decoys.credential(mechanism, "another of this length").salt;
    let (known, refused) = answer(candidate(mechanism, "u", "right", &salt));
    assert_eq!(refused, Err(ScramError::Credentials));
    let shape = |challenge: &str| challenge.split(',').map(|field| field.chars().next()).collect::<Vec<_>>();
    assert_eq!(shape(&unknown), shape(&known));
    assert!(unknown.ends_with(",i=4096") && known.ends_with(",i=4096"));
}

/// Even if a decoy's keys were known: nobody logs in who has no login.
#[test]
fn a_right_proof_without_a_login_fails() {
    let mut server = rfc_server();
    let nobody = Candidate { login: None, ..rfc_candidate("pencil") };
    server.challenge(RFC_FIRST.as_bytes(), |_| nobody).unwrap();
    assert_eq!(server.finish(RFC_FINAL.as_bytes()), Err(ScramError::Credentials));
}

#[test]
fn proofs_of_other_lengths_fail() {
    for proof in ["", "AAEC", &STANDARD.encode([0; 64])] {
        let mut server = rfc_server();
        server.challenge(RFC_FIRST.as_bytes(), |_| rfc_candidate("pencil")).unwrap();
        let (without_proof, _) = RFC_FINAL.split_once(",p=").unwrap();
        let message = format!("{without_proof},p={proof}");
        assert_eq!(server.finish(message.as_bytes()), Err(ScramError::Credentials));
    }
}

/// Bytes that are often near a message of the grammar.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("n,".to_owned()),
        Just(",".to_owned()),
        Just("n=".to_owned()),
        Just("r=".to_owned()),
        Just("a=".to_owned()),
        Just("c=biws".to_owned()),
        Just("p=".to_owned()),
        Just("=2C".to_owned()),
        Just("tokenauth=true".to_owned()),
        Just("AAEC".to_owned()),
        ".{0,4}",
        "[a-z,=]{0,6}",
    ];
    prop_oneof![
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..64),
    ]
}

proptest! {
    #[test]
    fn no_bytes_panic_and_none_log_in(first in message(), last in message()) {
        let mut server = ScramServer::new(ScramMechanism::Sha256, "s3rver".to_owned(), false);
        let credential = Arc::new(ScramCredential {
            salt: vec![1], stored_key: vec![2; 32], server_key: vec![3; 32], iterations: 4096,
        });
        let candidate = Candidate { credential, login: Some(login("u")) };
        let _ = server.challenge(&first, |_| candidate);
        prop_assert!(server.finish(&last).is_err());
    }

    #[test]
    fn one_changed_byte_of_a_good_exchange_never_logs_in(at in any::<prop::sample::Index>(), byte: u8) {
        let mut last = RFC_FINAL.as_bytes().to_vec();
        let at = at.index(last.len());
        prop_assume!(last[at] != byte);
        last[at] = byte;
        let mut server = rfc_server();
        server.challenge(RFC_FIRST.as_bytes(), |_| rfc_candidate("pencil")).unwrap();
        prop_assert!(server.finish(&last).is_err());
    }
}
