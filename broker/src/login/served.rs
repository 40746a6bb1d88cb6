//! What listeners serve of logins as of now: made anew when `sasl.*` changes, for connections that log in later.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use barnabas_config::Config;
use barnabas_storage::seam::Seams;

use super::kerberos::Kerberos;
use super::oauth::TokenCheck;
use super::settings::{self, ListenerLogins, LoginSettingsError};
use crate::metrics::Metrics;
use crate::seam::Tasks;

/// By the listener's name.
pub(super) struct Served {
    /// `sasl.*` as it was when this was made.
    texts: BTreeMap<String, String>,
    pub(super) listeners: HashMap<String, ListenerLogins>,
    /// Of those that serve OAUTHBEARER.
    pub(super) token_checks: HashMap<String, Arc<TokenCheck>>,
    /// Of those that serve GSSAPI.
    pub(super) kerberos: HashMap<String, Kerberos>,
}

/// What it is made with.
pub(super) struct Means {
    pub(super) seams: Seams,
    pub(super) tasks: Tasks,
    pub(super) metrics: Arc<Metrics>,
    /// The one that the library of Kerberos was told at the start.
    pub(super) keytab: Option<PathBuf>,
}

impl Served {
    /// Reads the settings of every listener, and what they name. What is as it was `before` is taken over.
    pub(super) fn open(config: &Config, before: Option<&Self>, means: &Means) -> Result<Self, LoginSettingsError> {
        let Means { seams, tasks, metrics, .. } = means;
        let listeners = settings::of_listeners(config)?;
        check_keytab(&listeners, means.keytab.as_deref())?;
        let kerberos = Kerberos::of_listeners(&listeners, tasks, metrics)?;
        let checks = before.map(|before| &before.token_checks);
        let token_checks = TokenCheck::of_listeners(&listeners, checks, seams, tasks, metrics)?;
        Ok(Self { texts: texts(config), listeners, token_checks, kerberos })
    }

    /// The same with what was changed in the running cluster over `files`. A mechanism that cannot be served then is left out, with
    /// a word in the log, and does not keep a broker from starting. What the files say is not gone back to: it may let in whom the
    /// change was to keep out.
    pub(super) fn open_changed(config: &Config, files: &Config, means: &Means) -> Result<Self, LoginSettingsError> {
        Self::open(config, None, means).or_else(|error| {
            if texts(config) == texts(files) { Err(error) } else { Ok(Self::open_what_can_be(config, means)) }
        })
    }

    fn open_what_can_be(config: &Config, means: &Means) -> Self {
        let mut listeners = HashMap::new();
        for (listener, names) in settings::mechanisms_of_listeners(config) {
            let can_be = |name: &&String| {
                let one = settings::of_listener_with(config, &listener, &[name.as_str()]);
                let one = one.map(|logins| HashMap::from([(listener.clone(), logins)]));
                one.and_then(|one| try_out(&one, means)).inspect_err(not_served).is_ok()
            };
            let names: Vec<&str> = names.iter().filter(can_be).map(String::as_str).collect();
            let logins = settings::of_listener_with(config, &listener, &names);
            listeners.insert(listener, logins.inspect_err(not_served).unwrap_or_default());
        }
        let kerberos = Kerberos::of_listeners(&listeners, &means.tasks, &means.metrics);
        let checks = TokenCheck::of_listeners(&listeners, None, &means.seams, &means.tasks, &means.metrics);
        Self {
            texts: texts(config),
            listeners,
            token_checks: checks.inspect_err(not_served).unwrap_or_default(),
            kerberos: kerberos.inspect_err(not_served).unwrap_or_default(),
        }
    }

    /// Whether the settings are those that this was made of.
    pub(super) fn is_of(&self, config: &Config) -> bool {
        self.texts == texts(config)
    }

    /// Whether the settings could be served. Reads files; nothing begins.
    pub(super) fn check(&self, config: &Config, means: &Means) -> Result<(), LoginSettingsError> {
        if self.is_of(config) {
            return Ok(());
        }
        try_out(&settings::of_listeners(config)?, means)
    }
}

/// Whether these logins could be served. Reads files; nothing begins.
fn try_out(listeners: &HashMap<String, ListenerLogins>, means: &Means) -> Result<(), LoginSettingsError> {
    check_keytab(listeners, means.keytab.as_deref())?;
    Kerberos::of_listeners(listeners, &means.tasks, &means.metrics)?;
    TokenCheck::try_out(listeners, &means.seams)
}

fn not_served(error: &LoginSettingsError) {
    tracing::error!(
        "of logins as changed in the running broker something cannot be served: {error}; correct sasl.* by kafka-configs --alter, or \
         what it names and start again"
    );
}

/// The library of Kerberos is told its keytab once, before anything else begins.
fn check_keytab(
    listeners: &HashMap<String, ListenerLogins>,
    of_the_start: Option<&Path>,
) -> Result<(), LoginSettingsError> {
    let keytab = settings::keytab(listeners)?;
    let served = listeners.iter().find(|(_, logins)| logins.kerberos.is_some());
    match served.filter(|_| keytab != of_the_start) {
        Some((listener, _)) => {
            let reason = "the keytab of GSSAPI is read at a start only: name it in the broker's file, and restart";
            Err(LoginSettingsError::Gssapi { listener: listener.clone(), reason: reason.to_owned() })
        }
        None => Ok(()),
    }
}

/// All that logins are made of. Most of it has no effect on them; that costs a look.
fn texts(config: &Config) -> BTreeMap<String, String> {
    let of_sasl = |name: &String| name.starts_with("sasl.") || name.contains(".sasl.");
    let names = config.names().into_iter().filter(of_sasl);
    names.filter_map(|name| Some((config.text(&name)?.to_owned(), name))).map(|(text, name)| (name, text)).collect()
}

#[cfg(test)]
mod tests {
    use barnabas_auth::kerberos::ShortNameRules;

    use super::*;
    use crate::login::kerberos::settings::KerberosSettings;

    #[test]
    fn another_keytab_than_that_of_the_start_is_refused() {
        let serving = |keytab: &str| {
            let mut logins = ListenerLogins::default();
            let (principal, rules) = ("kafka/host@REALM".to_owned(), ShortNameRules::parse("DEFAULT").unwrap());
            logins.kerberos = Some(KerberosSettings { principal, keytab: Some(PathBuf::from(keytab)), rules });
            HashMap::from([("SECURE".to_owned(), logins)])
        };
        let start = Some(Path::new("/a.keytab"));
        assert_eq!(check_keytab(&serving("/a.keytab"), start), Ok(()));
        for start in [start, None] {
            let error = check_keytab(&serving("/b.keytab"), start).unwrap_err().to_string();
            assert!(error.contains("listener SECURE") && error.contains("restart"), "{error}");
        }
        assert_eq!(check_keytab(&HashMap::new(), start), Ok(()), "nobody serves GSSAPI any more");
    }
}
