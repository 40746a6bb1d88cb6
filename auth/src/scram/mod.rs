//! SCRAM (RFC 5802, RFC 7677) as Apache Kafka speaks it: credentials, the formulas, the messages, and the server's side
//! of the exchange. Pure: no clock, no randomness, no store.

use std::fmt;
use std::str::FromStr;

pub mod client;
pub mod credential;
pub mod decoy;
mod hash;
pub mod message;
pub mod server;

pub use client::ScramClient;
pub use credential::ScramCredential;
pub use decoy::Decoys;
pub use message::ClientFirst;
pub use server::{Candidate, ScramServer};

/// The least rounds that a credential may have (Kafka's `ScramMechanism.minIterations`).
pub const ITERATIONS_MIN: u32 = 4096;
/// The most rounds that Kafka's controller takes.
pub const ITERATIONS_MAX: u32 = 16_384;

/// Which hash a credential and an exchange are made with. The numbers are Kafka's and are kept on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScramMechanism {
    /// SCRAM-SHA-256.
    Sha256,
    /// SCRAM-SHA-512.
    Sha512,
}

impl ScramMechanism {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// The SASL name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// The number that stands for it in requests and records.
    #[must_use]
    pub const fn number(self) -> i8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
        }
    }

    /// The mechanism of a number.
    #[must_use]
    pub const fn of_number(number: i8) -> Option<Self> {
        match number {
            1 => Some(Self::Sha256),
            2 => Some(Self::Sha512),
            _ => None,
        }
    }
}

impl fmt::Display for ScramMechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not the name of a SCRAM mechanism.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is neither SCRAM-SHA-256 nor SCRAM-SHA-512")]
pub struct NotScram(pub String);

impl FromStr for ScramMechanism {
    type Err = NotScram;

    fn from_str(name: &str) -> Result<Self, NotScram> {
        Self::ALL.into_iter().find(|one| one.name() == name).ok_or_else(|| NotScram(name.to_owned()))
    }
}

/// Why an exchange ended without a login. What a client may be told is less: [`crate::sasl::Refusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScramError {
    /// Not of the form that Kafka takes, or too long.
    #[error("the message is malformed")]
    Malformed,
    /// The client wants to act as somebody else.
    #[error("the authorization id is not the user name")]
    AuthorizationId,
    /// The nonce is not the one that this exchange began with.
    #[error("the nonce is of another exchange")]
    Nonce,
    /// The password is wrong, or there is no such user.
    #[error("the credentials are wrong")]
    Credentials,
    /// A message after the last one.
    #[error("the exchange is over")]
    Over,
}
