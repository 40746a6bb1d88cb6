//! Who a connection is: known at once on listeners without SASL, found out by a login on the others.
//!
//! Invariants:
//! 1. A session never changes: a login, or another one later, makes a new one.
//! 2. Before the first login of a SASL listener nobody is authenticated, and the principal is ANONYMOUS.

use std::sync::Arc;
use std::time::Duration;

use barnabas_auth::Principal;
use barnabas_config::SecurityProtocol;

/// Who a connection is, from one login to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who it is; ANONYMOUS before a login and without one.
    pub principal: Arc<Principal>,
    /// Whether it may send requests. True without a login where the listener asks for none.
    pub is_authenticated: bool,
    /// Whether it logged in with a delegation token.
    pub is_token: bool,
    /// When it ends, on the monotonic clock: only a new login may come then (KIP-368).
    pub ends: Option<Duration>,
}

impl Session {
    /// How a connection begins. `certificate` is who the peer's certificate says it is: on SSL listeners that counts, on
    /// SASL listeners the login does (KIP-684).
    #[must_use]
    pub fn at_accept(protocol: SecurityProtocol, certificate: Option<Principal>) -> Self {
        let is_authenticated = !asks_for_login(protocol);
        let certificate = certificate.filter(|_| is_authenticated);
        let principal = Arc::new(certificate.unwrap_or_else(Principal::anonymous));
        Self { principal, is_authenticated, is_token: false, ends: None }
    }
}

/// Whether requests are served only after a login.
#[must_use]
pub fn asks_for_login(protocol: SecurityProtocol) -> bool {
    match protocol {
        SecurityProtocol::Plaintext | SecurityProtocol::Ssl => false,
        SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(protocol: SecurityProtocol) -> Session {
        let certificate = Principal { kind: "User".to_owned(), name: "CN=a".to_owned() };
        Session::at_accept(protocol, Some(certificate))
    }

    #[test]
    fn a_certificate_counts_only_where_no_login_is_asked_for() {
        let ssl = of(SecurityProtocol::Ssl);
        assert_eq!((&*ssl.principal.name, ssl.is_authenticated), ("CN=a", true));
        let sasl = of(SecurityProtocol::SaslSsl);
        assert_eq!((&*sasl.principal.name, sasl.is_authenticated), ("ANONYMOUS", false));
    }

    #[test]
    fn a_plain_connection_is_anonymous_and_may_begin_at_once() {
        let plain = Session::at_accept(SecurityProtocol::Plaintext, None);
        assert_eq!((&*plain.principal.name, plain.is_authenticated), ("ANONYMOUS", true));
        assert!(!Session::at_accept(SecurityProtocol::SaslPlaintext, None).is_authenticated);
    }
}
