//! Signed tokens (JWT, RFC 7519) of OAUTHBEARER: whether one is good, and who it says its bearer is (KIP-768).
//!
//! What is asked of the claims is what Apache Kafka's `DefaultJwtValidator` asks: `exp`, `iat` and the subject have to be there, a
//! token with an audience needs one that is expected. The `jsonwebtoken` crate checks signatures; claims are checked here, since
//! the time is the caller's.
//!
//! Invariants:
//! 1. Nothing of the claims is believed before the signature was verified.
//! 2. A key verifies only by algorithms of its own kind, and never by HMAC: what everybody may know cannot sign.
//!
//! Where it differs from Apache Kafka: tokens of HMAC and of ES512 are refused whatever the keys.

use serde_json::{Map, Value};

pub mod keys;

pub use keys::{KeySet, KeySetError};

use jsonwebtoken::{Algorithm, Header, Validation};

/// Longest token that is looked at, in bytes.
pub const TOKEN_BYTES_MAX: usize = 64 << 10;
/// Longest name of a key in a token's head, in bytes, as in Kafka.
pub const KEY_ID_BYTES_MAX: usize = 1000;

/// What a token has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRules {
    /// Of these audiences it has to name one; with none, it must not name any.
    pub audiences: Vec<String>,
    /// The issuer it has to name, when one is expected.
    pub issuer: Option<String>,
    /// By how much the issuer's clock may differ from ours, in seconds.
    pub clock_skew_seconds: i64,
    /// The claim that holds the scope.
    pub scope_claim: String,
    /// The claim that holds the principal's name.
    pub subject_claim: String,
}

/// Whose a good token is, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The principal's name.
    pub name: String,
    /// When the token expires, in milliseconds since 1970.
    pub expires_ms: i64,
}

/// Why a token was refused. For the log: the client is told nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No signed token, or longer than any.
    #[error("it is no signed token (JWT) of an algorithm that is served")]
    Malformed,
    /// Signed in a way that is not served.
    #[error("it is signed by {0}, which is not served")]
    Algorithm(String),
    /// Its head asks for what nobody here understands.
    #[error("its head has extensions (crit) that are not understood")]
    Critical,
    /// Signed by a key that is not in the set.
    #[error("it is signed by the key {0}, which is not among those of sasl.oauthbearer.jwks.endpoint.url")]
    UnknownKey(String),
    /// The signature is another's.
    #[error("its signature is wrong")]
    Signature,
    /// A claim is not there, or not of its type.
    #[error("its claim {0} is missing or not what it should be")]
    Claim(String),
    /// Its time is over.
    #[error("it expired {0} seconds ago")]
    Expired(i64),
    /// Its time has not begun.
    #[error("it is not valid before {0} seconds from now")]
    NotYet(i64),
    /// For somebody else.
    #[error("it is for another audience; sasl.oauthbearer.expected.audience names ours")]
    Audience,
    /// By somebody else.
    #[error("it is of another issuer than sasl.oauthbearer.expected.issuer")]
    Issuer,
}

/// The head of a token, before anything of it is believed.
#[derive(Clone, Debug)]
pub struct TokenHead {
    algorithm: Algorithm,
    /// The name of the key that signed it.
    pub key_id: Option<String>,
}

impl TokenHead {
    /// Reads it.
    ///
    /// # Errors
    /// `Malformed`, `Algorithm`, `Critical`.
    pub fn read(token: &str) -> Result<Self, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        let Header { alg: algorithm, kid: key_id, crit, .. } =
            jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        if !is_served(algorithm) {
            return Err(TokenError::Algorithm(format!("{algorithm:?}")));
        }
        if crit.is_some() {
            return Err(TokenError::Critical);
        }
        if key_id.as_ref().is_some_and(|id| id.len() > KEY_ID_BYTES_MAX) {
            return Err(TokenError::Malformed);
        }
        Ok(Self { algorithm, key_id })
    }
}

/// Signatures that only the issuer can make.
fn is_served(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512
            | Algorithm::ES256
            | Algorithm::ES384
            | Algorithm::EdDSA
    )
}

impl TokenRules {
    /// Whose a token is. `now_ms` is the time, in milliseconds since 1970.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn check(&self, token: &str, keys: &KeySet, now_ms: i64) -> Result<Bearer, TokenError> {
        let head = TokenHead::read(token)?;
        let claims = verified(token, &head, keys)?;
        let now = now_ms.div_euclid(1000);
        let expires = self.check_times(&claims, now)?;
        self.check_audience(&claims)?;
        if self.issuer.is_some() && text(&claims, "iss") != self.issuer.as_deref() {
            return Err(TokenError::Issuer);
        }
        self.check_scope(&claims)?;
        let name = self.subject(&claims).ok_or_else(|| TokenError::Claim(self.subject_claim.clone()))?;
        Ok(Bearer { name, expires_ms: expires.saturating_mul(1000) })
    }

    /// Whose a token is that one of the keys has signed, though it may be refused for another reason: for the audit, not for a login.
    #[must_use]
    pub fn signed_subject(&self, token: &str, keys: &KeySet) -> Option<String> {
        let head = TokenHead::read(token).ok()?;
        self.subject(&verified(token, &head, keys).ok()?)
    }

    fn subject(&self, claims: &Claims) -> Option<String> {
        text(claims, &self.subject_claim).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned)
    }

    /// When it expires, in seconds.
    fn check_times(&self, claims: &Claims, now: i64) -> Result<i64, TokenError> {
        let missing = |name: &str| TokenError::Claim(name.to_owned());
        let expires = seconds(claims, "exp")?.ok_or_else(|| missing("exp"))?;
        let issued = seconds(claims, "iat")?.ok_or_else(|| missing("iat"))?;
        let not_before = seconds(claims, "nbf")?;
        if now.saturating_sub(self.clock_skew_seconds) >= expires {
            return Err(TokenError::Expired(now.saturating_sub(expires)));
        }
        if expires < issued || not_before.is_some_and(|not_before| expires < not_before) {
            return Err(missing("exp"));
        }
        match not_before {
            Some(not_before) if now.saturating_add(self.clock_skew_seconds) < not_before => {
                Err(TokenError::NotYet(not_before.saturating_sub(now)))
            }
            Some(_) | None => Ok(expires),
        }
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), TokenError> {
        let named = match claims.get("aud") {
            None => None,
            Some(Value::String(one)) => Some(vec![one.as_str()]),
            Some(Value::Array(several)) => several.iter().map(Value::as_str).collect(),
            Some(_) => return Err(TokenError::Claim("aud".to_owned())),
        };
        let is_expected = |audience: &&str| self.audiences.iter().any(|one| one == audience);
        match named {
            None if self.audiences.is_empty() && !claims.contains_key("aud") => Ok(()),
            Some(named) if named.iter().any(is_expected) => Ok(()),
            Some(_) | None => Err(TokenError::Audience),
        }
    }

    /// Nobody asks for a scope, but one that is there is well formed: texts, none of them blank or there twice.
    fn check_scope(&self, claims: &Claims) -> Result<(), TokenError> {
        let wrong = || TokenError::Claim(self.scope_claim.clone());
        let scopes: Vec<&str> = match claims.get(&self.scope_claim) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => {
                several.iter().map(Value::as_str).collect::<Option<_>>().ok_or_else(wrong)?
            }
            Some(_) | None => Vec::new(),
        };
        let mut scopes: Vec<&str> = scopes.into_iter().map(str::trim).collect();
        let count = scopes.len();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.len() < count || scopes.contains(&"") { Err(wrong()) } else { Ok(()) }
    }
}

type Claims = Map<String, Value>;

/// The claims of a token that one of the keys has signed.
fn verified(token: &str, head: &TokenHead, keys: &KeySet) -> Result<Claims, TokenError> {
    let mut validation = Validation::new(head.algorithm);
    // The time is the caller's, and the claims are checked once the signature is.
    (validation.validate_exp, validation.validate_aud) = (false, false);
    validation.required_spec_claims.clear();
    let mut found = false;
    for key in keys.fitting(head.key_id.as_deref(), head.algorithm) {
        found = true;
        match jsonwebtoken::decode::<Claims>(token, key, &validation) {
            Ok(token) => return Ok(token.claims),
            Err(error) if is_of_signature(&error) => {}
            // It is no text of base64 and JSON in all its parts.
            Err(_) => return Err(TokenError::Malformed),
        }
    }
    if found {
        Err(TokenError::Signature)
    } else {
        Err(TokenError::UnknownKey(head.key_id.clone().unwrap_or_else(|| "without a name".to_owned())))
    }
}

fn is_of_signature(error: &jsonwebtoken::errors::Error) -> bool {
    use jsonwebtoken::errors::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::InvalidSignature
            | ErrorKind::InvalidAlgorithm
            | ErrorKind::InvalidEcdsaKey
            | ErrorKind::InvalidKeyFormat
    )
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// A claim that is a time, in seconds since 1970; fractions are dropped.
fn seconds(claims: &Claims, name: &str) -> Result<Option<i64>, TokenError> {
    let number = match claims.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number,
        Some(_) => return Err(TokenError::Claim(name.to_owned())),
    };
    let whole = number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64));
    whole.map(Some).ok_or_else(|| TokenError::Claim(name.to_owned()))
}

#[cfg(test)]
mod tests;
