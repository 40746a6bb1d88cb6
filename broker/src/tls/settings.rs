//! The `ssl.*` settings that keys, certificates and protocols are made from: of a listener, or of a client.

use std::path::PathBuf;

use rustls::SupportedProtocolVersion;
use rustls::crypto::CryptoProvider;

use super::{TlsError, versions};

/// In what form a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoreType {
    /// PKCS12; also said of JKS, whose files are told by their first bytes: keytool writes PKCS12 under every name.
    Pkcs12,
    Pem,
}

/// Where a key and its certificates come from.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum KeySource {
    /// PEM in the settings themselves.
    Inline {
        key: String,
        chain: String,
        key_password: Option<String>,
    },
    File {
        path: PathBuf,
        kind: StoreType,
        store_password: Option<String>,
        key_password: Option<String>,
    },
}

/// Where trusted certificates come from.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum TrustSource {
    /// PEM in the settings themselves.
    Inline(String),
    File {
        path: PathBuf,
        kind: StoreType,
        password: Option<String>,
    },
}

/// What the settings say. Shown without its secrets.
#[derive(Clone)]
pub struct TlsSettings {
    pub(super) key: Option<KeySource>,
    pub(super) trust: Option<TrustSource>,
    pub(super) protocols: Vec<&'static SupportedProtocolVersion>,
    pub(super) provider: CryptoProvider,
}

impl std::fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsSettings").field("files", &self.files()).finish_non_exhaustive()
    }
}

impl TlsSettings {
    /// Reads the settings; `text` gives the text of one by its name.
    ///
    /// # Errors
    /// [`TlsError::Settings`].
    pub fn read<'a>(text: &dyn Fn(&str) -> Option<&'a str>) -> Result<Self, TlsError> {
        let list = |name: &str| -> Vec<&'a str> {
            text(name).unwrap_or_default().split(',').map(str::trim).filter(|element| !element.is_empty()).collect()
        };
        let protocols = versions::protocols(&list("ssl.enabled.protocols"))?;
        let provider = versions::provider(&list("ssl.cipher.suites"))?;
        if !versions::have_a_suite(&protocols, &provider) {
            return wrong("ssl.cipher.suites has none of a version in ssl.enabled.protocols: name one of each version");
        }
        Ok(Self { key: key_source(text)?, trust: trust_source(text)?, protocols, provider })
    }

    /// Whether both say the same.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let versions = |settings: &Self| settings.protocols.iter().map(|one| one.version).collect::<Vec<_>>();
        let suites =
            |settings: &Self| settings.provider.cipher_suites.iter().map(|one| one.suite()).collect::<Vec<_>>();
        (&self.key, &self.trust) == (&other.key, &other.trust)
            && (versions(self), suites(self)) == (versions(other), suites(other))
    }

    /// The files that are read, for whoever watches them.
    #[must_use]
    pub fn files(&self) -> Vec<&PathBuf> {
        let key = match &self.key {
            Some(KeySource::File { path, .. }) => Some(path),
            Some(KeySource::Inline { .. }) | None => None,
        };
        let trust = match &self.trust {
            Some(TrustSource::File { path, .. }) => Some(path),
            Some(TrustSource::Inline(_)) | None => None,
        };
        key.into_iter().chain(trust).collect()
    }
}

fn wrong<T>(message: impl Into<String>) -> Result<T, TlsError> {
    Err(TlsError::Settings(message.into()))
}

fn store_type(name: &str, value: &str) -> Result<StoreType, TlsError> {
    match value.to_ascii_uppercase().as_str() {
        "PEM" => Ok(StoreType::Pem),
        "PKCS12" | "JKS" => Ok(StoreType::Pkcs12),
        _ => wrong(format!("{name}={value}: PEM and PKCS12 are read")),
    }
}

/// The rules are Kafka's (KIP-651).
fn key_source<'a>(text: &dyn Fn(&str) -> Option<&'a str>) -> Result<Option<KeySource>, TlsError> {
    let given = |name: &str| text(name).map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
    let kind = store_type("ssl.keystore.type", text("ssl.keystore.type").unwrap_or("JKS"))?;
    let (key, chain) = (given("ssl.keystore.key"), given("ssl.keystore.certificate.chain"));
    let (location, store_password) = (given("ssl.keystore.location"), given("ssl.keystore.password"));
    let key_password = given("ssl.key.password");
    if kind == StoreType::Pem && store_password.is_some() {
        return wrong("ssl.keystore.password is not for PEM: set ssl.key.password when the key is encrypted");
    }
    match (key, chain, location) {
        (Some(_), _, _) if kind != StoreType::Pem => wrong("ssl.keystore.key needs ssl.keystore.type=PEM"),
        (Some(_), None, _) => wrong("ssl.keystore.key is set: set ssl.keystore.certificate.chain, too"),
        (None, Some(_), _) => wrong("ssl.keystore.certificate.chain is set: set ssl.keystore.key, too"),
        (Some(_), Some(_), Some(_)) => wrong("ssl.keystore.location and ssl.keystore.key are set: keep one of them"),
        (Some(key), Some(chain), None) => Ok(Some(KeySource::Inline { key, chain, key_password })),
        (None, None, Some(path)) => {
            if kind == StoreType::Pkcs12 && store_password.is_none() {
                return wrong("ssl.keystore.location is set: set ssl.keystore.password, or ssl.keystore.type=PEM");
            }
            Ok(Some(KeySource::File { path: path.into(), kind, store_password, key_password }))
        }
        (None, None, None) => Ok(None),
    }
}

fn trust_source<'a>(text: &dyn Fn(&str) -> Option<&'a str>) -> Result<Option<TrustSource>, TlsError> {
    let given = |name: &str| text(name).map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
    let kind = store_type("ssl.truststore.type", text("ssl.truststore.type").unwrap_or("JKS"))?;
    let password = given("ssl.truststore.password");
    if kind == StoreType::Pem && password.is_some() {
        return wrong("ssl.truststore.password is not for PEM: remove it");
    }
    match (given("ssl.truststore.certificates"), given("ssl.truststore.location")) {
        (Some(_), _) if kind != StoreType::Pem => wrong("ssl.truststore.certificates needs ssl.truststore.type=PEM"),
        (Some(_), Some(_)) => {
            wrong("ssl.truststore.location and ssl.truststore.certificates are set: keep one of them")
        }
        (Some(inline), None) => Ok(Some(TrustSource::Inline(inline))),
        (None, Some(path)) => Ok(Some(TrustSource::File { path: path.into(), kind, password })),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, &'static str)]) -> Result<TlsSettings, String> {
        let text = |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        TlsSettings::read(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused_with_the_fix() {
        let tls12 = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
        let reasons: [(&[(&str, &'static str)], &str); 7] = [
            (&[("ssl.enabled.protocols", "TLSv1.3"), ("ssl.cipher.suites", tls12)], "none of a version in"),
            (&[("ssl.keystore.key", "k")], "ssl.keystore.type=PEM"),
            (&[("ssl.keystore.type", "PEM"), ("ssl.keystore.key", "k")], "certificate.chain, too"),
            (&[("ssl.keystore.type", "PEM"), ("ssl.keystore.password", "p")], "ssl.key.password"),
            (&[("ssl.keystore.location", "/k")], "set ssl.keystore.password"),
            (&[("ssl.truststore.type", "BCFKS")], "PEM and PKCS12"),
            (&[("ssl.truststore.type", "PEM"), ("ssl.truststore.password", "p")], "remove it"),
        ];
        for (settings, reason) in reasons {
            let error = read(settings).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let settings =
            [("ssl.keystore.type", "PKCS12"), ("ssl.keystore.location", "/k"), ("ssl.keystore.password", "secret")];
        let shown = format!("{:?}", read(&settings).unwrap());
        assert!(shown.contains("/k") && !shown.contains("secret"), "{shown}");
    }
}
