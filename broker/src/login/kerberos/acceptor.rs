//! The system's library of Kerberos, by the crate `libgssapi`: who we are to clients, and a context for each of them.

use barnabas_auth::sasl::gssapi::{ContextError, SecurityContext};
use libgssapi::context::{SecurityContext as _, ServerCtx};
use libgssapi::credential::{Cred, CredUsage};
use libgssapi::error::Error;
use libgssapi::name::Name;
use libgssapi::oid::{GSS_MECH_KRB5, GSS_NT_KRB5_PRINCIPAL, OidSet};

use super::settings::KerberosSettings;

/// Our principal, whose key is in the keytab.
pub(super) struct Acceptor {
    credential: Cred,
}

impl Acceptor {
    /// Finds the principal's key. Reads files.
    pub(super) fn open(settings: &KerberosSettings) -> Result<Self, String> {
        let acquired = Name::new(settings.principal.as_bytes(), Some(GSS_NT_KRB5_PRINCIPAL)).and_then(|name| {
            let mut mechanisms = OidSet::new();
            mechanisms.add(GSS_MECH_KRB5)?;
            Cred::acquire(Some(&name), None, CredUsage::Accept, Some(&mechanisms))
        });
        let credential = acquired.map_err(|error| {
            let keytab = settings.keytab_shown();
            format!(
                "GSSAPI cannot use the key of {} in {keytab}: {}; `klist -k` shows whose keys a keytab has",
                settings.principal,
                told(&error)
            )
        })?;
        Ok(Self { credential })
    }

    /// The realm of names without one; "" when the library's configuration has none.
    pub(super) fn default_realm(&self) -> String {
        let name = Name::new(b"anybody", Some(GSS_NT_KRB5_PRINCIPAL));
        let shown = name.and_then(|name| name.canonicalize(Some(GSS_MECH_KRB5))).and_then(|name| name.display_name());
        let realm = shown.ok().and_then(|shown| {
            let (_, realm) = std::str::from_utf8(&shown).ok()?.split_once('@')?;
            Some(realm.to_owned())
        });
        realm.unwrap_or_default()
    }

    pub(super) fn context(&self) -> Box<dyn SecurityContext> {
        Box::new(Context(ServerCtx::new(Some(self.credential.clone()))))
    }
}

struct Context(ServerCtx);

impl SecurityContext for Context {
    fn accept(&mut self, token: &[u8]) -> Result<Vec<u8>, ContextError> {
        let ours = self.0.step(token, None).map_err(failed)?;
        Ok(ours.map(|ours| ours.to_vec()).unwrap_or_default())
    }

    fn is_established(&self) -> bool {
        self.0.is_complete()
    }

    fn initiator(&self) -> Result<String, ContextError> {
        let name = self.0.source_name().and_then(|name| name.display_name()).map_err(failed)?;
        let name = std::str::from_utf8(&name).map_err(|_| ContextError("the client's name is not UTF-8".to_owned()))?;
        Ok(name.to_owned())
    }

    fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, ContextError> {
        self.0.wrap(false, message).map(|wrapped| wrapped.to_vec()).map_err(failed)
    }

    fn open(&mut self, token: &[u8]) -> Result<Vec<u8>, ContextError> {
        self.0.unwrap(token).map(|message| message.to_vec()).map_err(failed)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "map_err gives it")]
fn failed(error: Error) -> ContextError {
    ContextError(told(&error))
}

/// In one line: the crate's text has one for the kind and one for the cause.
fn told(error: &Error) -> String {
    error.to_string().lines().collect::<Vec<_>>().join("; ")
}
