//! OAUTHBEARER: tokens are checked by the keys of their issuer, from a file or over https (KIP-768).
//!
//! Where it differs from Apache Kafka: tokens without a signature are never taken. Kafka takes them unless a validator is
//! configured (`OAuthBearerUnsecuredValidatorCallbackHandler` is its default): anybody could be anybody. Here the mechanism wants
//! `sasl.oauthbearer.jwks.endpoint.url`, which alone turns the validator on, and `http:` is no place for keys. A file of keys is
//! read again like an URL. A broker whose issuer cannot be reached starts all the same, and goes on with the keys that it has. A
//! key that is not known is asked for while its bearer waits, so that no login fails because the issuer changed its key.

use std::collections::HashMap;
use std::sync::Arc;

use barnabas_auth::jwt::{Bearer, TokenError, TokenHead, TokenRules};
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
use source::KeySourceError;

/// Checks the tokens of one listener.
pub(super) struct TokenCheck {
    rules: TokenRules,
    keys: Arc<IssuerKeys>,
    seams: Seams,
}

impl TokenCheck {
    /// What checks the tokens of each listener that serves OAUTHBEARER.
    pub(super) fn of_listeners(
        listeners: &HashMap<String, ListenerLogins>,
        seams: &Seams,
        tasks: &Tasks,
        metrics: &Arc<Metrics>,
    ) -> Result<HashMap<String, Self>, LoginSettingsError> {
        let open = |(listener, logins): (&String, &ListenerLogins)| {
            let opened = Self::open(logins.oauth.as_ref()?, seams, tasks, metrics);
            let named = |error: KeySourceError| LoginSettingsError::OauthBearer {
                listener: listener.clone(),
                reason: error.to_string(),
            };
            Some(opened.map(|check| (listener.clone(), check)).map_err(named))
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
        Ok(Self { rules: settings.rules.clone(), keys, seams: seams.clone() })
    }

    /// Whose a token is.
    pub(super) async fn check(&self, token: &str) -> Result<Bearer, TokenError> {
        let head = TokenHead::read(token)?;
        let keys = self.keys.that_may_check(&head).await;
        self.rules.check(token, &keys, self.seams.clock.now().0)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "real files change under the keys that are read")]
mod tests;
