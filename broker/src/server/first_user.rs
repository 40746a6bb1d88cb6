//! `bootstrap.user`: the user that a new cluster has from its first moment on, so that a container without any other way
//! in can be logged in to. Given as `BARNABAS_BOOTSTRAP_USER=name:password:SCRAM-SHA-512`; without a mechanism, for both.

use barnabas_auth::{ScramCredential, ScramMechanism, base36};
use barnabas_config::{Config, key};
use barnabas_raft::metadata::scram::UserScramCredentialRecord;
use barnabas_storage::seam::Seams;

/// Why `bootstrap.user` was refused. Never shows it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bootstrap.user is not of the form name:password or name:password:SCRAM-SHA-512")]
pub struct FirstUserError;

/// The credentials of the first user; none when the setting is not given.
pub(super) fn read(config: &Config, seams: &Seams) -> Result<Vec<UserScramCredentialRecord>, FirstUserError> {
    let Some(text) = config.read(&key::BOOTSTRAP_USER) else { return Ok(Vec::new()) };
    let (user, password, mechanisms) = parse(&text).ok_or(FirstUserError)?;
    let iterations = u32::try_from(config.read(&key::SCRAM_ITERATIONS)).unwrap_or(0);
    let credential = |mechanism: ScramMechanism| {
        let bits: Vec<u8> = (0..3).flat_map(|_| seams.rng.next_u64().to_be_bytes()).collect();
        let salt = base36::of_130_bits(&bits).into_bytes();
        let credential = ScramCredential::of_password(mechanism, password, salt, iterations);
        UserScramCredentialRecord { user: user.to_owned(), mechanism, credential }
    };
    Ok(mechanisms.into_iter().map(credential).collect())
}

/// Name, password, mechanisms. A password may hold colons.
fn parse(text: &str) -> Option<(&str, &str, Vec<ScramMechanism>)> {
    let (user, rest) = text.split_once(':')?;
    let named = rest.rsplit_once(':').and_then(|(password, name)| Some((password, name.parse().ok()?)));
    let (password, mechanisms) = match named {
        Some((password, mechanism)) => (password, vec![mechanism]),
        None => (rest, ScramMechanism::ALL.to_vec()),
    };
    if user.is_empty() || password.is_empty() { None } else { Some((user, password, mechanisms)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_user_is_a_name_a_password_and_perhaps_a_mechanism() {
        assert_eq!(parse("a:b"), Some(("a", "b", ScramMechanism::ALL.to_vec())));
        assert_eq!(parse("a:b:c:SCRAM-SHA-256"), Some(("a", "b:c", vec![ScramMechanism::Sha256])));
        assert_eq!(parse("a:b:PLAIN"), Some(("a", "b:PLAIN", ScramMechanism::ALL.to_vec())));
        for bad in ["", "a", "a:", ":b", "a::SCRAM-SHA-256"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
