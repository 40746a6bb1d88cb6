//! SCRAM: two messages of any bytes, separated by a zero. Nobody logs in without the password.

use std::sync::Arc;

use barnabas_auth::sasl::Login;
use barnabas_auth::scram::{Candidate, ScramServer};
use barnabas_auth::{Principal, ScramCredential, ScramMechanism};

/// One input.
pub(crate) fn run(bytes: &[u8]) {
    let (first, last) = bytes.split_at(bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len()));
    for mechanism in ScramMechanism::ALL {
        let hash = vec![7; mechanism.hash_bytes()];
        let credential =
            ScramCredential { salt: b"salt".to_vec(), stored_key: hash.clone(), server_key: hash, iterations: 4096 };
        let principal = Principal::user("alice".to_owned());
        let login = Some(Login { principal, expires_ms: None, is_token: false });
        let mut server = ScramServer::new(mechanism, "s3rver".to_owned(), false);
        let challenge = server.challenge(first, |_| Candidate { credential: Arc::new(credential), login });
        let finished = server.finish(last.get(1..).unwrap_or_default());
        assert!(finished.is_err(), "{challenge:?}");
        assert!(server.finish(last).is_err());
    }
}
