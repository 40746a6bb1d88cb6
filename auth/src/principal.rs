//! Who acts.

use std::fmt;

/// The kind of every principal that a login makes.
pub const USER: &str = "User";

/// A Kafka principal, `User:name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    /// `User` for everything that clients can be.
    pub kind: String,
    /// The name.
    pub name: String,
}

impl Principal {
    /// The user of a name.
    #[must_use]
    pub fn user(name: String) -> Self {
        Self { kind: USER.to_owned(), name }
    }

    /// Who a connection is that did not authenticate.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { kind: USER.to_owned(), name: "ANONYMOUS".to_owned() }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.name)
    }
}
