//! What the mechanisms have in common: their names, and what a client may be told when it is refused.

use std::fmt;
use std::str::FromStr;

use crate::principal::Principal;
use crate::scram::{ScramError, ScramMechanism};

pub mod gssapi;
pub mod jaas;
pub mod oauthbearer;
pub mod plain;

use oauthbearer::OauthBearerError;

/// A SASL mechanism that is served; GSSAPI where it is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mechanism {
    /// User and password (RFC 4616).
    Plain,
    /// SCRAM.
    Scram(ScramMechanism),
    /// A signed token of an issuer (RFC 7628, KIP-255).
    OauthBearer,
    /// A ticket of Kerberos (RFC 4752).
    Gssapi,
}

/// Who a successful exchange makes of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Who it is; of a delegation token its owner.
    pub principal: Principal,
    /// When what it logged in with expires, in milliseconds since 1970.
    pub expires_ms: Option<i64>,
    /// Whether it logged in with a delegation token.
    pub is_token: bool,
}

impl Mechanism {
    /// All.
    pub const ALL: [Self; 5] = [
        Self::Plain,
        Self::Scram(ScramMechanism::Sha256),
        Self::Scram(ScramMechanism::Sha512),
        Self::OauthBearer,
        Self::Gssapi,
    ];

    /// The SASL name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(scram) => scram.name(),
            Self::OauthBearer => "OAUTHBEARER",
            Self::Gssapi => "GSSAPI",
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A mechanism that is not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the mechanism {0} is not served: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER are, and GSSAPI where it is built in"
)]
pub struct UnknownMechanism(pub String);

impl FromStr for Mechanism {
    type Err = UnknownMechanism;

    fn from_str(name: &str) -> Result<Self, UnknownMechanism> {
        Self::ALL.into_iter().find(|one| one.name() == name).ok_or_else(|| UnknownMechanism(name.to_owned()))
    }
}

/// What the client is told of a failed exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No more than that the credentials are wrong: which part of them, and whether the user exists, is nobody's business.
    Credentials,
    /// This text: it tells nothing of anybody's credentials.
    Said(&'static str),
}

/// As Kafka says it, for every mechanism.
pub const OTHER_AUTHORIZATION_ID: &str =
    "Authentication failed: Client requested an authorization id that is different from username";

impl From<ScramError> for Refusal {
    fn from(error: ScramError) -> Self {
        match error {
            ScramError::AuthorizationId => Self::Said(OTHER_AUTHORIZATION_ID),
            ScramError::Malformed | ScramError::Nonce | ScramError::Credentials | ScramError::Over => Self::Credentials,
        }
    }
}

/// As Kafka says it, without the names.
const OTHER_THAN_TOKEN: &str = "Authentication failed: Client requested an authorization id that is different from the \
                                token's principal name";

impl From<OauthBearerError> for Refusal {
    fn from(error: OauthBearerError) -> Self {
        match error {
            OauthBearerError::AuthorizationId => Self::Said(OTHER_THAN_TOKEN),
            OauthBearerError::Refused => Self::Said(oauthbearer::INVALID_TOKEN),
            OauthBearerError::Malformed | OauthBearerError::Over => Self::Credentials,
        }
    }
}
