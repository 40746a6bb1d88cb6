//! OAUTHBEARER: tokens are checked by the keys of their issuer, from a file or over https (KIP-768).
//!
//! Where it differs from Apache Kafka: tokens without a signature are never taken. Kafka takes them unless a validator is
//! configured (`OAuthBearerUnsecuredValidatorCallbackHandler` is its default): anybody could be anybody. Here the mechanism wants
//! `sasl.oauthbearer.jwks.endpoint.url`, which alone turns the validator on, and `http:` is no place for keys. A file of keys is
//! read again like an URL. A broker whose issuer cannot be reached starts all the same, and goes on with the keys that it has. A
//! key that is not known is asked for while its bearer waits, so that no login fails because the issuer changed its key.

use std::collections::HashMap;
use std::sync::Arc;

use barnabas_auth::jwt::{Bearer, TokenError, TokenHead};
use barnabas_storage::seam::Seams;

use super::settings::{ListenerLogins, LoginSettingsError};
use crate::metrics::Metrics;
use crate::seam::Tasks;

mod https;
mod keys;
pub(super) mod settings;
mod source;

use keys::IssuerKeys;
use settings::OauthSettings;
use source::{KeySource, KeySourceError};

/// Checks the tokens of one listener. Its keys are no longer read once this is dropped.
pub(super) struct TokenCheck {
    settings: OauthSettings,
    keys: Arc<IssuerKeys>,
    seams: Seams,
}

impl TokenCheck {
    /// What checks the tokens of each listener that serves OAUTHBEARER. One `before` whose settings are the same goes on.
    pub(super) fn of_listeners(
        listeners: &HashMap<String, ListenerLogins>,
        before: Option<&HashMap<String, Arc<Self>>>,
        seams: &Seams,
        tasks: &Tasks,
        metrics: &Arc<Metrics>,
    ) -> Result<HashMap<String, Arc<Self>>, LoginSettingsError> {
        let open = |(listener, logins): (&String, &ListenerLogins)| {
            let settings = logins.oauth.as_ref()?;
            let same = before.and_then(|before| before.get(listener)).filter(|check| check.settings == *settings);
            let opened = match same {
                Some(same) => Ok(Arc::clone(same)),
                None => Self::open(settings, seams, tasks, metrics).map(Arc::new),
            };
            Some(opened.map(|check| (listener.clone(), check)).map_err(|error| of_listener(listener, &error)))
        };
        listeners.iter().filter_map(open).collect()
    }

    /// Opens the source of keys, and has it read again from time to time.
    pub(super) fn open(
        settings: &OauthSettings,
        seams: &Seams,
        tasks: &Tasks,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, KeySourceError> {
        let keys = IssuerKeys::open(settings, seams, tasks, metrics)?;
        Ok(Self { settings: settings.clone(), keys, seams: seams.clone() })
    }

    /// Whether they could be opened. Reads files.
    pub(super) fn try_out(
        listeners: &HashMap<String, ListenerLogins>,
        seams: &Seams,
    ) -> Result<(), LoginSettingsError> {
        listeners.iter().try_for_each(|(listener, logins)| {
            let tried = logins.oauth.as_ref().map_or(Ok(()), |settings| KeySource::try_out(settings, seams));
            tried.map_err(|error| of_listener(listener, &error))
        })
    }

    /// Whose a token is.
    pub(super) async fn check(&self, token: &str) -> Result<Bearer, RefusedToken> {
        let head = TokenHead::read(token).map_err(|error| RefusedToken { error, subject: None })?;
        let keys = self.keys.that_may_check(&head).await;
        let rules = &self.settings.rules;
        let checked = rules.check(token, &keys, self.seams.clock.now().0);
        checked.map_err(|error| RefusedToken { error, subject: rules.signed_subject(token, &keys) })
    }
}

/// A token that was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RefusedToken {
    pub(super) error: TokenError,
    /// Whose its issuer says that it is, when it is the issuer's.
    pub(super) subject: Option<String>,
}

impl Drop for TokenCheck {
    fn drop(&mut self) {
        self.keys.retire();
    }
}

fn of_listener(listener: &str, error: &KeySourceError) -> LoginSettingsError {
    LoginSettingsError::OauthBearer { listener: listener.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "real files change under the keys that are read")]
mod tests;
