//! What the mechanisms have in common: their names, and what a client may be told when it is refused.

use std::fmt;
use std::str::FromStr;

use crate::scram::{ScramError, ScramMechanism};

pub mod jaas;
pub mod plain;

/// A SASL mechanism that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mechanism {
    /// User and password (RFC 4616).
    Plain,
    /// SCRAM.
    Scram(ScramMechanism),
}

impl Mechanism {
    /// All.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Scram(ScramMechanism::Sha256), Self::Scram(ScramMechanism::Sha512)];

    /// The SASL name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(scram) => scram.name(),
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
#[error("the mechanism {0} is not served: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 are")]
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
