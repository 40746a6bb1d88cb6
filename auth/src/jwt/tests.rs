//! Tokens signed here by aws-lc itself, and what may not pass for one.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use proptest::prelude::*;
use serde_json::json;

use super::keys::{KEY_SET_BYTES_MAX, KEYS_MAX};
use super::*;
use crate::ScramMechanism;

const NOW: i64 = 1_700_000_000;

/// One who signs.
enum Signer {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Signer {
    fn rsa(encoding: &'static dyn RsaEncoding) -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap(), encoding)
    }

    fn p256() -> Self {
        Self::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
            Self::Ec(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    fn jwk(&self, id: &str) -> Value {
        match self {
            Self::Rsa(pair, _) => {
                let public = pair.public_key();
                let number = |bytes: &[u8]| BASE64.encode(bytes);
                let n = number(public.modulus().big_endian_without_leading_zero());
                let e = number(public.exponent().big_endian_without_leading_zero());
                json!({ "kty": "RSA", "kid": id, "use": "sig", "n": n, "e": e })
            }
            Self::Ec(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "kid": id, "crv": curve, "x": BASE64.encode(x), "y": BASE64.encode(y) })
            }
            Self::Ed(pair) => {
                let x = BASE64.encode(pair.public_key().as_ref());
                json!({ "kty": "OKP", "kid": id, "crv": "Ed25519", "x": x })
            }
        }
    }

    fn token(&self, head: &Value, claims: &Value) -> String {
        let signed = unsigned(head, claims);
        let signature = BASE64.encode(self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

fn unsigned(head: &Value, claims: &Value) -> String {
    format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()))
}

fn set(keys: &[Value]) -> KeySet {
    KeySet::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn rules() -> TokenRules {
    TokenRules {
        audiences: Vec::new(),
        issuer: None,
        clock_skew_seconds: 30,
        scope_claim: "scope".to_owned(),
        subject_claim: "sub".to_owned(),
    }
}

fn claims() -> Value {
    json!({ "sub": "alice", "iat": NOW - 10, "exp": NOW + 600 })
}

/// The usual claims, some of them otherwise; `null` takes one out.
fn with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

fn check(rules: &TokenRules, changes: &Value) -> Result<Bearer, TokenError> {
    let signer = Signer::p256();
    let token = signer.token(&json!({ "alg": "ES256", "kid": "a" }), &with(changes));
    rules.check(&token, &set(&[signer.jwk("a")]), NOW * 1000)
}

fn claim(name: &str) -> Result<Bearer, TokenError> {
    Err(TokenError::Claim(name.to_owned()))
}

#[test]
fn every_algorithm_that_is_served_is_verified_and_a_changed_claim_is_seen() {
    let p384 = || Signer::Ec(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap());
    let signers: [(&str, Signer); 9] = [
        ("RS256", Signer::rsa(&signature::RSA_PKCS1_SHA256)),
        ("RS384", Signer::rsa(&signature::RSA_PKCS1_SHA384)),
        ("RS512", Signer::rsa(&signature::RSA_PKCS1_SHA512)),
        ("PS256", Signer::rsa(&signature::RSA_PSS_SHA256)),
        ("PS384", Signer::rsa(&signature::RSA_PSS_SHA384)),
        ("PS512", Signer::rsa(&signature::RSA_PSS_SHA512)),
        ("ES256", Signer::p256()),
        ("ES384", p384()),
        ("EdDSA", Signer::Ed(Ed25519KeyPair::generate().unwrap())),
    ];
    let keys: Vec<Value> = signers.iter().map(|(name, signer)| signer.jwk(name)).collect();
    let keys = set(&keys);
    assert_eq!(keys.count(), 9);
    for (algorithm, signer) in signers {
        let token = signer.token(&json!({ "alg": algorithm, "kid": algorithm }), &claims());
        let bearer = Bearer { name: "alice".to_owned(), expires_ms: (NOW + 600) * 1000 };
        assert_eq!(rules().check(&token, &keys, NOW * 1000), Ok(bearer.clone()), "{algorithm}");
        // Without a name the keys of its kind are tried.
        let nameless = signer.token(&json!({ "alg": algorithm }), &claims());
        assert_eq!(rules().check(&nameless, &keys, NOW * 1000), Ok(bearer), "{algorithm}");
        let parts: Vec<&str> = token.split('.').collect();
        let forged = BASE64.encode(with(&json!({ "sub": "root" })).to_string());
        let forged = format!("{}.{forged}.{}", parts[0], parts[2]);
        assert_eq!(rules().check(&forged, &keys, NOW * 1000), Err(TokenError::Signature), "{algorithm}");
        let unsigned = format!("{}.{}.", parts[0], parts[1]);
        assert_eq!(rules().check(&unsigned, &keys, NOW * 1000), Err(TokenError::Signature), "{algorithm}");
    }
}

#[test]
fn tokens_without_a_signature_and_of_hmac_are_refused_whatever_the_keys() {
    let signer = Signer::rsa(&signature::RSA_PKCS1_SHA256);
    let rsa = signer.jwk("a");
    let secret = json!({ "kty": "oct", "kid": "a", "k": BASE64.encode("secret"), "alg": "HS256" });
    let keys = set(&[secret.clone(), rsa.clone()]);
    assert_eq!(keys.count(), 1);
    assert_eq!(KeySet::read(json!({ "keys": [secret] }).to_string().as_bytes()).unwrap_err(), KeySetError::Empty);
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let token = unsigned(&json!({ "alg": none, "kid": "a" }), &claims());
        assert_eq!(rules().check(&format!("{token}."), &keys, NOW * 1000), Err(TokenError::Malformed));
    }
    // The public key is known to everybody: it must not do as a secret.
    let Signer::Rsa(pair, _) = &signer else { panic!("it is RSA") };
    let public = pair.public_key().as_der().unwrap();
    let modulus = BASE64.decode(rsa["n"].as_str().unwrap()).unwrap();
    for secret in [public.as_ref(), &modulus, rsa["n"].as_str().unwrap().as_bytes()] {
        let signed = unsigned(&json!({ "alg": "HS256", "kid": "a" }), &claims());
        let signature = ScramMechanism::Sha256.hmac(secret, signed.as_bytes());
        let token = format!("{signed}.{}", BASE64.encode(signature));
        assert_eq!(rules().check(&token, &keys, NOW * 1000), Err(TokenError::Algorithm("HS256".to_owned())));
    }
}

#[test]
fn a_key_checks_only_by_algorithms_of_its_own() {
    let (rsa, ec) = (Signer::rsa(&signature::RSA_PKCS1_SHA256), Signer::p256());
    let check = |signer: &Signer, algorithm: &str, key: Value| {
        let token = signer.token(&json!({ "alg": algorithm, "kid": "a" }), &claims());
        rules().check(&token, &set(&[key]), NOW * 1000).err()
    };
    let unknown = Some(TokenError::UnknownKey("a".to_owned()));
    assert_eq!(check(&rsa, "RS256", ec.jwk("a")), unknown);
    assert_eq!(check(&ec, "RS256", ec.jwk("a")), unknown);
    assert_eq!(check(&ec, "ES384", ec.jwk("a")), Some(TokenError::Signature));
    assert_eq!(check(&rsa, "PS256", rsa.jwk("a")), Some(TokenError::Signature));
    let mut only_pss = rsa.jwk("a");
    only_pss["alg"] = json!("PS256");
    assert_eq!(check(&rsa, "RS256", only_pss), unknown);
    assert_eq!(check(&rsa, "RS256", rsa.jwk("b")), unknown);
    assert_eq!(check(&rsa, "RS256", Signer::rsa(&signature::RSA_PKCS1_SHA256).jwk("a")), Some(TokenError::Signature));
}

#[test]
fn a_token_is_good_from_its_beginning_to_its_expiry_and_by_the_skew_beyond() {
    let at = |changes: Value| check(&rules(), &changes);
    assert!(at(json!({ "exp": NOW - 29, "iat": NOW - 60 })).is_ok());
    assert_eq!(at(json!({ "exp": NOW - 30, "iat": NOW - 60 })), Err(TokenError::Expired(30)));
    assert_eq!(at(json!({ "exp": NOW - 3600, "iat": NOW - 7200 })), Err(TokenError::Expired(3600)));
    assert!(at(json!({ "nbf": NOW + 30 })).is_ok());
    assert_eq!(at(json!({ "nbf": NOW + 31 })), Err(TokenError::NotYet(31)));
    assert_eq!(at(json!({ "exp": NOW + 10, "iat": NOW + 20 })), claim("exp"));
    assert_eq!(at(json!({ "exp": NOW + 10, "nbf": NOW + 20 })), claim("exp"));
    assert_eq!(at(json!({ "exp": null })), claim("exp"));
    assert_eq!(at(json!({ "iat": null })), claim("iat"));
    assert_eq!(at(json!({ "exp": "soon" })), claim("exp"));
    assert_eq!(at(json!({ "nbf": [] })), claim("nbf"));
    assert_eq!(at(json!({ "exp": NOW as f64 + 600.5 })).unwrap().expires_ms, (NOW + 600) * 1000);
    assert!(at(json!({ "exp": 1e300 })).is_ok());
    assert!(at(json!({ "exp": u64::MAX, "iat": i64::MIN })).is_ok());
    assert!(matches!(at(json!({ "exp": -1e300, "iat": -1e300 })), Err(TokenError::Expired(_))));
    let strict = TokenRules { clock_skew_seconds: 0, ..rules() };
    assert_eq!(check(&strict, &json!({ "exp": NOW })), Err(TokenError::Expired(0)));
}

#[test]
fn of_a_refused_token_the_subject_is_known_when_its_issuer_signed_it() {
    let (signer, other) = (Signer::p256(), Signer::p256());
    let token = signer.token(&json!({ "alg": "ES256", "kid": "a" }), &with(&json!({ "exp": 0, "iat": 0 })));
    let keys = set(&[signer.jwk("a")]);
    assert!(matches!(rules().check(&token, &keys, NOW * 1000), Err(TokenError::Expired(_))));
    assert_eq!(rules().signed_subject(&token, &keys).as_deref(), Some("alice"));
    assert_eq!(rules().signed_subject(&token, &set(&[other.jwk("a")])), None, "anybody could have written it");
}

#[test]
fn audience_and_issuer_have_to_be_ours() {
    let ours = TokenRules { audiences: vec!["kafka".to_owned(), "log".to_owned()], ..rules() };
    assert!(check(&ours, &json!({ "aud": "kafka" })).is_ok());
    assert!(check(&ours, &json!({ "aud": ["other", "log"] })).is_ok());
    for aud in [json!("other"), json!([]), json!(["other"]), json!(["kafka", 1]), json!(null)] {
        assert_eq!(check(&ours, &json!({ "aud": aud })), Err(TokenError::Audience), "{aud}");
    }
    assert_eq!(check(&ours, &json!({ "aud": 7 })), claim("aud"));
    // As in Kafka, a token for somebody is not for us while we do not say who we are.
    assert_eq!(check(&rules(), &json!({ "aud": "kafka" })), Err(TokenError::Audience));
    let by = TokenRules { issuer: Some("https://issuer".to_owned()), ..rules() };
    assert!(check(&by, &json!({ "iss": "https://issuer" })).is_ok());
    for iss in [json!("https://issuer/"), json!(null), json!(["https://issuer"])] {
        assert_eq!(check(&by, &json!({ "iss": iss })), Err(TokenError::Issuer), "{iss}");
    }
}

#[test]
fn the_principal_and_the_scope_are_read_from_the_claims_that_the_settings_name() {
    let own = TokenRules { subject_claim: "client_id".to_owned(), scope_claim: "scp".to_owned(), ..rules() };
    assert_eq!(check(&own, &json!({ "client_id": " app-7 ", "scp": ["a", "b"] })).unwrap().name, "app-7");
    assert_eq!(check(&own, &json!({ "sub": "alice" })), claim("client_id"));
    for sub in [json!(null), json!(""), json!("  "), json!(7)] {
        assert_eq!(check(&rules(), &json!({ "sub": sub })), claim("sub"), "{sub}");
    }
    assert!(check(&rules(), &json!({ "sub": ["alice"] })).is_err());
    for scope in [json!("a b"), json!([]), json!(["a", "b"]), json!(7)] {
        assert!(check(&rules(), &json!({ "scope": scope })).is_ok(), "{scope}");
    }
    for scope in [json!(""), json!(["a", " "]), json!(["a", "a "]), json!(["a", 7])] {
        assert_eq!(check(&rules(), &json!({ "scope": scope })), claim("scope"), "{scope}");
    }
}

#[test]
fn a_head_that_asks_for_more_or_is_too_long_is_refused() {
    let signer = Signer::p256();
    let keys = set(&[signer.jwk("a")]);
    let critical = signer.token(&json!({ "alg": "ES256", "kid": "a", "crit": ["b64"], "b64": false }), &claims());
    assert_eq!(rules().check(&critical, &keys, NOW * 1000), Err(TokenError::Critical));
    let long = signer.token(&json!({ "alg": "ES256", "kid": "a".repeat(KEY_ID_BYTES_MAX + 1) }), &claims());
    assert_eq!(rules().check(&long, &keys, NOW * 1000), Err(TokenError::Malformed));
    let claims = with(&json!({ "more": "a".repeat(TOKEN_BYTES_MAX) }));
    let oversized = signer.token(&json!({ "alg": "ES256", "kid": "a" }), &claims);
    assert_eq!(rules().check(&oversized, &keys, NOW * 1000), Err(TokenError::Malformed));
    // A key that the token itself brings is nobody's.
    let own = signer.token(&json!({ "alg": "ES256", "kid": "a", "jwk": signer.jwk("a") }), &self::claims());
    let others = set(&[Signer::p256().jwk("a")]);
    assert_eq!(rules().check(&own, &others, NOW * 1000), Err(TokenError::Signature));
    let deep = format!("{}.{}.", BASE64.encode(r#"{"alg":"ES256"}"#), BASE64.encode("[".repeat(20_000)));
    assert_eq!(rules().check(&deep, &keys, NOW * 1000), Err(TokenError::Signature));
}

#[test]
fn keys_of_no_use_are_passed_over_and_what_is_no_set_is_refused() {
    let good = Signer::p256().jwk("good");
    let mut encryption = Signer::p256().jwk("encryption");
    encryption["use"] = json!("enc");
    let keys = [
        json!(null),
        json!({}),
        json!({ "kty": "RSA", "kid": "half" }),
        json!({ "kty": "EC", "crv": "P-521", "kid": "curve", "x": "!", "y": "!" }),
        json!({ "kty": "new", "kid": "new" }),
        encryption,
        good,
    ];
    assert_eq!(format!("{:?}", set(&keys)), r#"["good"]"#);
    let read = |text: &str| KeySet::read(text.as_bytes()).unwrap_err();
    assert!(matches!(read(""), KeySetError::Malformed(_)));
    assert!(matches!(read("[]"), KeySetError::Malformed(_)));
    assert!(matches!(read(r#"{"keys":{}}"#), KeySetError::Malformed(_)));
    assert_eq!(read(r#"{"keys":[]}"#), KeySetError::Empty);
    assert_eq!(read(&" ".repeat(KEY_SET_BYTES_MAX + 1)), KeySetError::TooLarge);
    let many = vec![Signer::p256().jwk("a"); KEYS_MAX + 1];
    assert_eq!(read(&json!({ "keys": many }).to_string()), KeySetError::TooLarge);
}

proptest! {
    #[test]
    fn no_token_panics(token in "[A-Za-z0-9_.-]{0,80}") {
        prop_assert!(rules().check(&token, &KeySet::default(), NOW * 1000).is_err());
    }

    #[test]
    fn no_head_and_claims_panic(head in any_json(), claims in any_json(), now in any::<i64>()) {
        let (signer, token) = (Signer::p256(), unsigned(&head, &claims));
        let token = format!("{token}.AAAA");
        prop_assert!(rules().check(&token, &set(&[signer.jwk("a")]), now).is_err());
    }

    #[test]
    fn no_claims_that_are_signed_panic(exp in any::<i64>(), iat in any::<i64>(), nbf in any::<i64>(), now in any::<i64>()) {
        let signer = Signer::p256();
        let claims = json!({ "sub": "a", "exp": exp, "iat": iat, "nbf": nbf });
        let _ = rules().check(&signer.token(&json!({ "alg": "ES256" }), &claims), &set(&[signer.jwk("a")]), now);
    }

    #[test]
    fn no_key_set_panics(bytes in prop::collection::vec(any::<u8>(), 0..64), key in any_json()) {
        let _ = KeySet::read(&bytes);
        let _ = KeySet::read(json!({ "keys": [key] }).to_string().as_bytes());
    }
}

/// Objects of the names that heads, claims and keys have.
fn any_json() -> impl Strategy<Value = Value> {
    let name = "alg|kid|crit|typ|jwk|sub|exp|iat|nbf|aud|iss|scope|kty|n|e|x|y|crv|use";
    let value = prop_oneof![
        "ES256|RS256|HS256|none|a|RSA|EC|OKP|oct|P-256|AQAB".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!(["a", {}])),
    ];
    prop::collection::btree_map(name, value, 0..6).prop_map(|map| map.into_iter().collect())
}
