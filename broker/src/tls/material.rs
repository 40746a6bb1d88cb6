//! Keys, certificates and trusted certificates, read from where the settings say.

use std::path::Path;

use barnabas_auth::tls::Certificate;
use barnabas_storage::seam::Disk;
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::settings::{KeySource, StoreType, TrustSource};
use super::{TlsError, files, pem, pkcs12};

/// A private key and its certificates.
pub(super) struct KeyMaterial {
    pub(super) key: PrivateKeyDer<'static>,
    /// Leaf first.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// What is said of the leaf.
    pub(super) leaf: Certificate,
    /// Where it comes from, for messages.
    pub(super) origin: String,
}

/// Certificates that others are trusted by.
pub(super) struct TrustMaterial {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// Where they come from, for messages.
    pub(super) origin: String,
}

/// Reads a key.
pub(super) fn key(disk: &dyn Disk, source: &KeySource) -> Result<KeyMaterial, TlsError> {
    let (origin, key, chain) = match source {
        KeySource::Inline { key, chain, key_password } => {
            let origin = "ssl.keystore.key".to_owned();
            let key = pem_key(&origin, &sections(&origin, key)?, key_password.as_deref())?;
            let chain_origin = "ssl.keystore.certificate.chain";
            (origin, key, pem_certificates(chain_origin, sections(chain_origin, chain)?)?)
        }
        KeySource::File { path, kind, store_password, key_password } => {
            let (origin, content) = file(disk, "ssl.keystore.location", path)?;
            let (key, chain) = match kind {
                StoreType::Pem => pem_pair(&origin, &content, key_password.as_deref())?,
                StoreType::Pkcs12 => {
                    let password = store_password.as_deref().unwrap_or_default();
                    let entry = pkcs12_of(&origin, &content, |store| pkcs12::key(store, password))?;
                    let chain = entry.chain.into_iter().map(CertificateDer::from).collect();
                    (PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(entry.key)), chain)
                }
            };
            (origin, key, chain)
        }
    };
    let leaf: &CertificateDer<'_> = chain.first().ok_or_else(|| content_error(&origin, "there is no certificate"))?;
    let leaf = Certificate::read(leaf).map_err(|source| TlsError::Certificate { origin: origin.clone(), source })?;
    Ok(KeyMaterial { key, chain, leaf, origin })
}

/// Reads trusted certificates; none at all is an error.
pub(super) fn trust(disk: &dyn Disk, source: &TrustSource) -> Result<TrustMaterial, TlsError> {
    let (origin, certificates) = match source {
        TrustSource::Inline(text) => {
            let origin = "ssl.truststore.certificates".to_owned();
            let certificates = pem_certificates(&origin, sections(&origin, text)?)?;
            (origin, certificates)
        }
        TrustSource::File { path, kind, password } => {
            let (origin, content) = file(disk, "ssl.truststore.location", path)?;
            let certificates = match kind {
                StoreType::Pem => pem_certificates(&origin, sections(&origin, &text(&origin, &content)?)?)?,
                StoreType::Pkcs12 => {
                    let password = password.as_deref().unwrap_or_default();
                    let found = pkcs12_of(&origin, &content, |store| pkcs12::certificates(store, password))?;
                    found.into_iter().map(CertificateDer::from).collect()
                }
            };
            (origin, certificates)
        }
    };
    if certificates.is_empty() {
        return Err(content_error(&origin, "there is no certificate to trust"));
    }
    Ok(TrustMaterial { certificates, origin })
}

fn content_error(origin: &str, reason: impl Into<String>) -> TlsError {
    TlsError::Content { origin: origin.to_owned(), reason: reason.into() }
}

fn file(disk: &dyn Disk, setting: &'static str, path: &Path) -> Result<(String, Vec<u8>), TlsError> {
    let content =
        files::read(disk, path).map_err(|source| TlsError::Unreadable { setting, path: path.to_owned(), source })?;
    let origin = path.display().to_string();
    if pkcs12::is_jks(&content) {
        return Err(content_error(&origin, pkcs12::jks_advice(&origin)));
    }
    Ok((origin, content))
}

/// What a PKCS12 store gives, with a hint when the file is PEM.
fn pkcs12_of<T>(origin: &str, content: &[u8], read: impl Fn(&[u8]) -> Result<T, String>) -> Result<T, TlsError> {
    read(content).map_err(|reason| {
        let is_pem = content.windows(11).take(4096).any(|window| window == b"-----BEGIN ");
        content_error(origin, if is_pem { "it is PEM: set the store's type to PEM".to_owned() } else { reason })
    })
}

fn text(origin: &str, content: &[u8]) -> Result<String, TlsError> {
    let read = std::str::from_utf8(content).map(str::to_owned);
    read.map_err(|_| content_error(origin, "it is not PEM: set the store's type to PKCS12 if that is what it is"))
}

fn sections(origin: &str, text: &str) -> Result<Vec<pem::Section>, TlsError> {
    pem::sections(text).map_err(|reason| content_error(origin, reason))
}

fn pem_pair(
    origin: &str,
    content: &[u8],
    key_password: Option<&str>,
) -> Result<(PrivateKeyDer<'static>, Vec<CertificateDer<'static>>), TlsError> {
    let sections = sections(origin, &text(origin, content)?)?;
    let key = pem_key(origin, &sections, key_password)?;
    Ok((key, pem_certificates(origin, sections)?))
}

fn pem_certificates(origin: &str, sections: Vec<pem::Section>) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let is_certificate = |section: &pem::Section| {
        matches!(section.label.as_str(), "CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE")
    };
    let found: Vec<_> =
        sections.into_iter().filter(is_certificate).map(|section| CertificateDer::from(section.der)).collect();
    if found.is_empty() { Err(content_error(origin, "there is no BEGIN CERTIFICATE")) } else { Ok(found) }
}

fn pem_key(
    origin: &str,
    sections: &[pem::Section],
    password: Option<&str>,
) -> Result<PrivateKeyDer<'static>, TlsError> {
    for section in sections {
        let der = section.der.clone();
        return Ok(match section.label.as_str() {
            "PRIVATE KEY" => PrivatePkcs8KeyDer::from(der).into(),
            "RSA PRIVATE KEY" => PrivatePkcs1KeyDer::from(der).into(),
            "EC PRIVATE KEY" => PrivateSec1KeyDer::from(der).into(),
            "ENCRYPTED PRIVATE KEY" => PrivatePkcs8KeyDer::from(decrypted(origin, &der, password)?).into(),
            _ => continue,
        });
    }
    Err(content_error(origin, "there is no BEGIN PRIVATE KEY"))
}

fn decrypted(origin: &str, der: &[u8], password: Option<&str>) -> Result<Vec<u8>, TlsError> {
    let password =
        password.ok_or_else(|| content_error(origin, "the private key is encrypted: set ssl.key.password"))?;
    let refused = |error: &dyn std::fmt::Display| {
        let reason = format!(
            "the private key is not opened by ssl.key.password: {error} (only PBES2 is read; 'openssl pkcs8 -topk8 -v2 \
             aes-256-cbc' writes it)"
        );
        content_error(origin, reason)
    };
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|error| refused(&error))?;
    let key = encrypted.decrypt(password).map_err(|error| refused(&error))?;
    Ok(key.as_bytes().to_vec())
}
