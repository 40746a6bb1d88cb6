//! A login of a connection that has one already.

use barnabas_auth::{Mechanism, Principal};

use super::LoginError;
use crate::api::context::ConnectionInfo;

/// A connection stays whose it is, and keeps to its mechanism.
pub(super) fn check_unchanged(
    connection: &ConnectionInfo,
    before: &Principal,
    mechanism: Mechanism,
    now: &Principal,
) -> Result<(), LoginError> {
    let first = connection.login.mechanism();
    if first.is_some_and(|first| first != mechanism) {
        let first = first.map_or("", Mechanism::name);
        return Err(LoginError::Failed(format!(
            "SASL mechanism '{mechanism}' requested by client is not supported for re-authentication of mechanism \
             '{first}'"
        )));
    }
    if before != now {
        return Err(LoginError::Failed(format!(
            "Cannot change principals during re-authentication from {}.{}: {}.{}",
            before.kind, before.name, now.kind, now.name
        )));
    }
    Ok(())
}
