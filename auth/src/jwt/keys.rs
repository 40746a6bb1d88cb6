//! The keys that check tokens (JWKS, RFC 7517): what an issuer publishes.
//!
//! Keys that are of no use here are passed over, as the RFC says: an issuer may add what we do not know. Private parts and secrets
//! (`oct`) are never kept.

use std::fmt;

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde_json::Value;

/// Keys of one set that are kept. Issuers have two or three, of which one signs.
pub const KEYS_MAX: usize = 64;
/// Longest set that is read, in bytes.
pub const KEY_SET_BYTES_MAX: usize = 1 << 20;

/// Keys by name.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: Vec<PublicKey>,
}

#[derive(Clone)]
struct PublicKey {
    id: Option<String>,
    /// The only algorithm it is for, when the set says so.
    algorithm: Option<Algorithm>,
    key: DecodingKey,
}

/// Their names.
impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

/// Why a text is no set of keys that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not of the form of RFC 7517.
    #[error("it is no set of keys (JWKS): {0}")]
    Malformed(String),
    /// Nothing that checks a signature.
    #[error("it holds no key that checks signatures: RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519 for use sig")]
    Empty,
    /// More than any issuer has.
    #[error("it holds more than {KEYS_MAX} keys, or is longer than {KEY_SET_BYTES_MAX} bytes")]
    TooLarge,
}

impl KeySet {
    /// Reads a set.
    ///
    /// # Errors
    /// See [`KeySetError`].
    pub fn read(json: &[u8]) -> Result<Self, KeySetError> {
        if json.len() > KEY_SET_BYTES_MAX {
            return Err(KeySetError::TooLarge);
        }
        let malformed = |what: &str| KeySetError::Malformed(what.to_owned());
        let mut set: Value = serde_json::from_slice(json).map_err(|error| KeySetError::Malformed(error.to_string()))?;
        let keys = match set.get_mut("keys").map(Value::take) {
            Some(Value::Array(keys)) => keys,
            Some(_) | None => return Err(malformed("it has no list \"keys\"")),
        };
        let keys: Vec<PublicKey> = keys.into_iter().filter_map(public_key).take(KEYS_MAX + 1).collect();
        match keys.len() {
            0 => Err(KeySetError::Empty),
            count if count > KEYS_MAX => Err(KeySetError::TooLarge),
            _ => Ok(Self { keys }),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// The names of those that have one.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| key.id.as_deref())
    }

    /// Whether a key that may have signed such a token is here.
    #[must_use]
    pub fn may_check(&self, head: &super::TokenHead) -> bool {
        self.fitting(head.key_id.as_deref(), head.algorithm).next().is_some()
    }

    /// The keys by which such a token may be signed: those of its name, or all when it names none.
    pub(super) fn fitting(&self, id: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &DecodingKey> {
        let fits = move |key: &&PublicKey| {
            (id.is_none() || key.id.as_deref() == id)
                && key.key.family() == algorithm.family()
                && key.algorithm.is_none_or(|only| only == algorithm)
        };
        self.keys.iter().filter(fits).map(|key| &key.key)
    }
}

/// A key of the set, if it checks signatures.
fn public_key(json: Value) -> Option<PublicKey> {
    let jwk: Jwk = serde_json::from_value(json).ok()?;
    if jwk.common.public_key_use.as_ref().is_some_and(|of| *of != PublicKeyUse::Signature) {
        return None;
    }
    if matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_)) {
        return None;
    }
    let algorithm = match jwk.common.key_algorithm {
        None => None,
        Some(named) => Some(algorithm(named)?),
    };
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    let is_asymmetric = key.family() != AlgorithmFamily::Hmac;
    is_asymmetric.then_some(PublicKey { id: jwk.common.key_id, algorithm, key })
}

/// The algorithm that a key is for; `None` for those that do not sign tokens.
fn algorithm(named: KeyAlgorithm) -> Option<Algorithm> {
    let algorithm = named.to_string().parse().ok()?;
    super::is_served(algorithm).then_some(algorithm)
}
