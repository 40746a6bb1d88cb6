//! `sasl.oauthbearer.*` of a listener, checked at the start and at each change.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use barnabas_auth::Mechanism;
use barnabas_auth::jwt::TokenRules;
use barnabas_auth::sasl::jaas::{JaasEntry, OAUTHBEARER_LOGIN_MODULE};
use barnabas_config::{Config, key};

use super::super::settings::of_mechanism;

/// Kafka's classes that do what is done here.
const VALIDATORS: [&str; 2] = [
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler",
    "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerValidatorCallbackHandler",
];
/// The validator of tokens that are signed by what an issuer publishes.
const JWT_VALIDATORS: [&str; 2] = [
    "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator",
    "org.apache.kafka.common.security.oauthbearer.BrokerJwtValidator",
];

/// Where keys are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// A file.
    File(PathBuf),
    /// An URL of https.
    Https(hyper::Uri),
}

/// What a listener's tokens are checked by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OauthSettings {
    /// What they have to say.
    pub rules: TokenRules,
    /// `sasl.oauthbearer.jwks.endpoint.url`.
    pub keys: KeyPlace,
    /// How often keys are read again.
    pub refresh: Duration,
    /// First wait after a failure ...
    pub backoff: Duration,
    /// ... and the longest.
    pub backoff_max: Duration,
    /// `ssl.*` of the listener's `sasl.jaas.config`: whom we trust when we ask for keys.
    pub ssl: BTreeMap<String, String>,
}

const NO_KEYS: &str = "OAUTHBEARER needs sasl.oauthbearer.jwks.endpoint.url, a file: or https: URL of the issuer's keys: tokens \
                       without a signature are not taken";

impl OauthSettings {
    /// Reads them.
    ///
    /// # Errors
    /// What is wrong, with the setting's name.
    pub fn read(config: &Config, listener: &str) -> Result<Self, String> {
        let text = |name: &str| {
            let given = of_mechanism(config, listener, Mechanism::OauthBearer, name);
            given.map(str::trim).filter(|text| !text.is_empty())
        };
        check_classes(&text)?;
        let millis = |name: &str| Ok::<_, String>(Duration::from_millis(number(&text, name)?.max(1).unsigned_abs()));
        let list =
            |text: &str| text.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect();
        let rules = TokenRules {
            audiences: text(key::OAUTH_EXPECTED_AUDIENCE.name).map(list).unwrap_or_default(),
            issuer: text(key::OAUTH_EXPECTED_ISSUER.name).map(str::to_owned),
            clock_skew_seconds: number(&text, key::OAUTH_CLOCK_SKEW_SECONDS.name)?.max(0),
            scope_claim: text(key::OAUTH_SCOPE_CLAIM_NAME.name).unwrap_or("scope").to_owned(),
            subject_claim: text(key::OAUTH_SUB_CLAIM_NAME.name).unwrap_or("sub").to_owned(),
        };
        Ok(Self {
            rules,
            keys: place(text(key::OAUTH_JWKS_URL.name).ok_or(NO_KEYS)?)?,
            refresh: millis(key::OAUTH_JWKS_REFRESH_MS.name)?,
            backoff: millis(key::OAUTH_JWKS_RETRY_BACKOFF_MS.name)?,
            backoff_max: millis(key::OAUTH_JWKS_RETRY_BACKOFF_MAX_MS.name)?,
            ssl: ssl(text(key::SASL_JAAS_CONFIG.name))?,
        })
    }
}

/// A class that would check tokens otherwise must not be passed over.
fn check_classes<'a>(text: &impl Fn(&str) -> Option<&'a str>) -> Result<(), String> {
    for (name, known) in
        [("sasl.server.callback.handler.class", VALIDATORS), ("sasl.oauthbearer.jwt.validator.class", JWT_VALIDATORS)]
    {
        if let Some(class) = text(name).filter(|class| !known.contains(class)) {
            return Err(format!("{name}={class} cannot be loaded: leave it out, or name {}", known[0]));
        }
    }
    Ok(())
}

fn number<'a>(text: &impl Fn(&str) -> Option<&'a str>, name: &str) -> Result<i64, String> {
    let given = text(name).unwrap_or("0");
    given.parse().map_err(|_| format!("{name}={given}: it is a number"))
}

/// A file or a place of the web.
fn place(url: &str) -> Result<KeyPlace, String> {
    let wrong = |why: &str| format!("{}={url}: {why}", key::OAUTH_JWKS_URL.name);
    if let Some(path) = url.strip_prefix("file:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        let is_absolute = path.starts_with('/');
        return if is_absolute {
            Ok(KeyPlace::File(PathBuf::from(path)))
        } else {
            Err(wrong("its path begins with /"))
        };
    }
    let uri: hyper::Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
    match uri.scheme_str() {
        Some("https") if uri.host().is_some_and(|host| !host.is_empty()) => Ok(KeyPlace::Https(uri)),
        Some("http") => Err(wrong("keys come from a file: or over https:, or anybody on the way could sign tokens")),
        _ => Err(wrong("it is a file: or https: URL")),
    }
}

/// The options of the login module that concern TLS, as in Kafka.
fn ssl(jaas: Option<&str>) -> Result<BTreeMap<String, String>, String> {
    let Some(jaas) = jaas else { return Ok(BTreeMap::new()) };
    let entry = JaasEntry::read(jaas).map_err(|error| format!("{}: {error}", key::SASL_JAAS_CONFIG.name))?;
    if entry.module != OAUTHBEARER_LOGIN_MODULE {
        return Ok(BTreeMap::new());
    }
    Ok(entry.options.into_iter().filter(|(name, _)| name.starts_with("ssl.")).collect())
}

#[cfg(test)]
mod tests {
    use barnabas_config::ConfigSources;

    use super::*;

    fn read(settings: &[&str]) -> Result<OauthSettings, String> {
        let assignments = settings.iter().map(|one| (*one).to_owned()).collect();
        let read_file = |_: &std::path::Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
        let sources = ConfigSources { files: vec![], environment: vec![], assignments, read_file: &read_file };
        OauthSettings::read(&Config::load(&sources).unwrap().0, "SECURE")
    }

    #[test]
    fn kafkas_names_and_prefixes_are_read() {
        let read = read(&[
            "sasl.oauthbearer.jwks.endpoint.url=https://issuer:8443/keys?x=y",
            "listener.name.secure.oauthbearer.sasl.oauthbearer.expected.audience=a, b",
            "listener.name.secure.sasl.oauthbearer.expected.issuer=me",
            "sasl.oauthbearer.sub.claim.name=client_id",
            "sasl.server.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler",
            "listener.name.secure.oauthbearer.sasl.jaas.config=\
             org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required ssl.truststore.type=\"PEM\" a=b;",
        ])
        .unwrap();
        assert_eq!(read.rules.audiences, ["a", "b"]);
        assert_eq!((read.rules.issuer.as_deref(), &*read.rules.subject_claim), (Some("me"), "client_id"));
        assert_eq!((read.rules.clock_skew_seconds, &*read.rules.scope_claim), (30, "scope"));
        assert_eq!((read.refresh.as_secs(), read.backoff.as_millis(), read.backoff_max.as_secs()), (3600, 100, 10));
        assert_eq!(read.ssl.len(), 1);
        assert!(matches!(read.keys, KeyPlace::Https(uri) if uri.port_u16() == Some(8443)));
    }

    #[test]
    fn without_keys_nobody_is_believed() {
        assert!(read(&[]).unwrap_err().contains("sasl.oauthbearer.jwks.endpoint.url"));
        let wrong = |url: &str| read(&[&format!("sasl.oauthbearer.jwks.endpoint.url={url}")]).unwrap_err();
        assert!(wrong("http://issuer/keys").contains("https:"));
        for url in ["issuer", "ftp://issuer/keys", "file:keys", "file://keys", "https://", "://"] {
            assert!(wrong(url).contains("jwks.endpoint.url="), "{url}");
        }
        for url in ["file:/etc/keys", "file:///etc/keys"] {
            let read = read(&[&format!("sasl.oauthbearer.jwks.endpoint.url={url}")]).unwrap();
            assert_eq!(read.keys, KeyPlace::File(PathBuf::from("/etc/keys")));
        }
    }

    #[test]
    fn a_validator_of_somebody_elses_is_not_passed_over() {
        let url = "sasl.oauthbearer.jwks.endpoint.url=file:/keys";
        for setting in [
            "listener.name.secure.oauthbearer.sasl.server.callback.handler.class=com.example.Own",
            "sasl.server.callback.handler.class=\
             org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler",
            "sasl.oauthbearer.jwt.validator.class=com.example.Own",
        ] {
            assert!(read(&[url, setting]).unwrap_err().contains("cannot be loaded"), "{setting}");
        }
    }
}
