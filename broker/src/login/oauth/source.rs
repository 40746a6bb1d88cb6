//! Where an issuer's keys are read: a file through the disk seam, or an URL over TLS.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use barnabas_auth::jwt::{KeySet, KeySetError};
use barnabas_storage::seam::Seams;

use super::https::{Endpoint, HttpsError};
use super::settings::{KeyPlace, OauthSettings};
use crate::limits::ISSUER_TIMEOUT;
use crate::seam::Tasks;
use crate::tls::{self, ClientTls, TlsError};

/// Why keys were not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeySourceError {
    /// The file cannot be read.
    #[error("sasl.oauthbearer.jwks.endpoint.url: read {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The issuer did not answer with keys.
    #[error("sasl.oauthbearer.jwks.endpoint.url: {url}: {source}")]
    Https {
        /// What was asked.
        url: String,
        /// Why.
        source: HttpsError,
    },
    /// What was read is no set of keys.
    #[error("sasl.oauthbearer.jwks.endpoint.url: {origin}: {source}")]
    Keys {
        /// Where it is from.
        origin: String,
        /// Why.
        source: KeySetError,
    },
    /// `ssl.*` of the login module.
    #[error("sasl.jaas.config: {0}")]
    Tls(#[from] TlsError),
}

/// A source of keys. Cheap to clone.
#[derive(Clone)]
pub(super) enum KeySource {
    /// A file.
    File(PathBuf),
    /// An URL.
    Https(Arc<Endpoint>),
}

impl KeySource {
    /// Opens it; asks nobody yet.
    pub(super) fn open(settings: &OauthSettings, seams: &Seams) -> Result<Self, KeySourceError> {
        match &settings.keys {
            KeyPlace::File(path) => Ok(Self::File(path.clone())),
            KeyPlace::Https(uri) => {
                let ssl = |name: &str| settings.ssl.get(name).map(String::as_str);
                let tls = ClientTls::open(&ssl, &*seams.disk, &seams.clock)?;
                Ok(Self::Https(Arc::new(Endpoint::new(uri.clone(), tls))))
            }
        }
    }

    /// Whether it could be opened, and a file's keys be read.
    pub(super) fn try_out(settings: &OauthSettings, seams: &Seams) -> Result<(), KeySourceError> {
        match Self::open(settings, seams)? {
            Self::File(path) => Self::of_file(seams, &path).map(drop),
            Self::Https(_) => Ok(()),
        }
    }

    /// Reads a file's keys, where it stands.
    pub(super) fn of_file(seams: &Seams, path: &Path) -> Result<KeySet, KeySourceError> {
        let unreadable = |source| KeySourceError::File { path: path.to_owned(), source };
        let json = tls::read_file(&*seams.disk, path).map_err(unreadable)?;
        let origin = || path.display().to_string();
        KeySet::read(&json).map_err(|source| KeySourceError::Keys { origin: origin(), source })
    }

    /// Reads the keys, off the async workers or over the network, within [`ISSUER_TIMEOUT`].
    pub(super) async fn read(&self, seams: &Seams, tasks: &Tasks) -> Result<KeySet, KeySourceError> {
        match self {
            Self::File(path) => {
                let (seams, path) = (seams.clone(), path.clone());
                tasks.blocking(move || Self::of_file(&seams, &path)).await
            }
            Self::Https(endpoint) => {
                let got = tasks.within(ISSUER_TIMEOUT, endpoint.get()).await.unwrap_or(Err(HttpsError::TimedOut));
                let url = || endpoint.url();
                let json = got.map_err(|source| KeySourceError::Https { url: url(), source })?;
                KeySet::read(&json).map_err(|source| KeySourceError::Keys { origin: url(), source })
            }
        }
    }
}
