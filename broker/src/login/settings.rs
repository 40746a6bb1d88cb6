//! What the settings say of a listener's logins, checked at the start and at each change: `sasl.enabled.mechanisms`,
//! `sasl.jaas.config`, `connections.max.reauth.ms`, each by itself, with `listener.name.NAME.` before it, or with
//! `listener.name.NAME.MECHANISM.`

use std::collections::HashMap;
use std::path::Path;

use barnabas_auth::Mechanism;
use barnabas_auth::sasl::UnknownMechanism;
use barnabas_auth::sasl::jaas::{
    JaasEntry, JaasError, KRB5_LOGIN_MODULE, OAUTHBEARER_LOGIN_MODULE, PLAIN_LOGIN_MODULE, SCRAM_LOGIN_MODULE,
};
use barnabas_config::{Config, key};

use super::kerberos::settings::KerberosSettings;
use super::oauth::settings::OauthSettings;
use crate::session::asks_for_login;

/// Why a start was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginSettingsError {
    /// A mechanism that is not served.
    #[error("listener {listener}: sasl.enabled.mechanisms: {error}")]
    Mechanism {
        /// The listener.
        listener: String,
        /// Which.
        error: UnknownMechanism,
    },
    /// Nobody could log in.
    #[error("listener {0}: sasl.enabled.mechanisms is empty: name SCRAM-SHA-256, SCRAM-SHA-512, PLAIN or OAUTHBEARER")]
    NoMechanism(String),
    /// `sasl.jaas.config` cannot be read.
    #[error("listener {listener}: sasl.jaas.config: {error}")]
    Jaas {
        /// The listener.
        listener: String,
        /// Why.
        error: JaasError,
    },
    /// OAUTHBEARER cannot be served.
    #[error("listener {listener}: {reason}")]
    OauthBearer {
        /// The listener.
        listener: String,
        /// Why.
        reason: String,
    },
    /// GSSAPI cannot be served.
    #[error("listener {listener}: {reason}")]
    Gssapi {
        /// The listener.
        listener: String,
        /// Why.
        reason: String,
    },
    /// A login module without a counterpart.
    #[error("listener {listener}: sasl.jaas.config names {module}, which is not served")]
    Module {
        /// The listener.
        listener: String,
        /// Which.
        module: String,
    },
}

/// What a listener's logins are like.
#[derive(Clone, Debug, Default)]
pub struct ListenerLogins {
    /// What it serves, in the order of the setting.
    pub mechanisms: Vec<Mechanism>,
    /// `connections.max.reauth.ms` by mechanism, where it is not 0.
    session_ms_max: HashMap<Mechanism, i64>,
    /// The users of `sasl.jaas.config`, for PLAIN.
    users: Users,
    /// What tokens are checked by, for OAUTHBEARER.
    pub oauth: Option<OauthSettings>,
    /// What tickets are checked by, for GSSAPI.
    pub kerberos: Option<KerberosSettings>,
}

/// Names and passwords.
#[derive(Clone, Default)]
pub(super) struct Users(HashMap<String, String>);

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl ListenerLogins {
    /// How long a session may last, in milliseconds; 0 is for ever.
    #[must_use]
    pub fn session_ms_max(&self, mechanism: Mechanism) -> i64 {
        self.session_ms_max.get(&mechanism).copied().unwrap_or(0)
    }

    /// A user's password, when `sasl.jaas.config` has one.
    #[must_use]
    pub fn password(&self, user: &str) -> Option<&str> {
        self.users.0.get(user).map(|password| &**password)
    }
}

/// Every SASL listener's logins by its name.
///
/// # Errors
/// See [`LoginSettingsError`].
pub fn of_listeners(config: &Config) -> Result<HashMap<String, ListenerLogins>, LoginSettingsError> {
    let logins = mechanisms_of_listeners(config).into_iter().map(|(listener, names)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let logins = of_listener_with(config, &listener, &names)?;
        Ok((listener, logins))
    });
    let logins = logins.collect::<Result<HashMap<_, _>, LoginSettingsError>>()?;
    keytab(&logins)?;
    Ok(logins)
}

/// The names of the mechanisms that each SASL listener is to serve.
pub(super) fn mechanisms_of_listeners(config: &Config) -> HashMap<String, Vec<String>> {
    let sasl = config.all_listeners().filter(|listener| asks_for_login(listener.protocol));
    let named = sasl.map(|listener| {
        let names = config.of_listener(&listener.name, key::SASL_ENABLED_MECHANISMS.name).unwrap_or_default();
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        (listener.name.clone(), names.map(str::to_owned).collect())
    });
    named.collect()
}

/// The keytab of all listeners, which the library of Kerberos has to be told in its environment.
///
/// # Errors
/// When they name several.
pub fn keytab(logins: &HashMap<String, ListenerLogins>) -> Result<Option<&Path>, LoginSettingsError> {
    let named = logins.iter().filter_map(|(name, logins)| Some((name, logins.kerberos.as_ref()?.keytab.as_deref()?)));
    let mut named: Vec<(&String, &Path)> = named.collect();
    named.sort_unstable();
    let first = named.first().map(|(_, keytab)| *keytab);
    match named.iter().find(|(_, keytab)| Some(*keytab) != first) {
        Some((listener, keytab)) => {
            let first = first.unwrap_or(keytab).display();
            let reason = format!("its keyTab is {}, another listener's {first}: name the same one", keytab.display());
            Err(LoginSettingsError::Gssapi { listener: (*listener).clone(), reason })
        }
        None => Ok(first),
    }
}

/// A listener's logins by these mechanisms.
pub(super) fn of_listener_with(
    config: &Config,
    listener: &str,
    names: &[&str],
) -> Result<ListenerLogins, LoginSettingsError> {
    let mut mechanisms = Vec::new();
    for name in names {
        let mechanism = name.parse().map_err(|error| {
            let listener = listener.to_owned();
            LoginSettingsError::Mechanism { listener, error }
        })?;
        if !mechanisms.contains(&mechanism) {
            mechanisms.push(mechanism);
        }
    }
    if mechanisms.is_empty() {
        return Err(LoginSettingsError::NoMechanism(listener.to_owned()));
    }
    let session_ms_max = mechanisms.iter().map(|one| (*one, session_ms_max(config, listener, *one))).collect();
    let users = if mechanisms.contains(&Mechanism::Plain) { users(config, listener)? } else { Users::default() };
    let oauth = mechanisms.contains(&Mechanism::OauthBearer).then(|| OauthSettings::read(config, listener)).transpose();
    let oauth = oauth.map_err(|reason| LoginSettingsError::OauthBearer { listener: listener.to_owned(), reason })?;
    let kerberos =
        mechanisms.contains(&Mechanism::Gssapi).then(|| KerberosSettings::read(config, listener)).transpose();
    let kerberos = kerberos.map_err(|reason| LoginSettingsError::Gssapi { listener: listener.to_owned(), reason })?;
    Ok(ListenerLogins { mechanisms, session_ms_max, users, oauth, kerberos })
}

/// A setting's text for one mechanism of a listener.
pub(super) fn of_mechanism<'a>(
    config: &'a Config,
    listener: &str,
    mechanism: Mechanism,
    name: &str,
) -> Option<&'a str> {
    let prefixed = format!("{}.{name}", mechanism.name().to_ascii_lowercase());
    config.of_listener_alone(listener, &prefixed).or_else(|| config.of_listener(listener, name))
}

fn session_ms_max(config: &Config, listener: &str, mechanism: Mechanism) -> i64 {
    let text = of_mechanism(config, listener, mechanism, key::CONNECTIONS_MAX_REAUTH_MS.name);
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(0).max(0)
}

fn users(config: &Config, listener: &str) -> Result<Users, LoginSettingsError> {
    let text = of_mechanism(config, listener, Mechanism::Plain, key::SASL_JAAS_CONFIG.name);
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(Users::default()) };
    let listener = || listener.to_owned();
    let entry = JaasEntry::read(text).map_err(|error| LoginSettingsError::Jaas { listener: listener(), error })?;
    match &*entry.module {
        PLAIN_LOGIN_MODULE => {
            Ok(Users(entry.users().map(|(user, password)| (user.to_owned(), password.to_owned())).collect()))
        }
        // The broker's own login for others, which one node does not need.
        SCRAM_LOGIN_MODULE | OAUTHBEARER_LOGIN_MODULE | KRB5_LOGIN_MODULE => Ok(Users::default()),
        module => Err(LoginSettingsError::Module { listener: listener(), module: module.to_owned() }),
    }
}
