//! What a listener offers: its certificate, versions and suites, and how it asks for the client's certificate.

use std::sync::Arc;

use barnabas_auth::tls::Certificate;
use barnabas_storage::seam::{Clock, Disk};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};

use super::material::{self, TrustMaterial};
use super::shown::NotingVerifier;
use super::time::SeamTime;
use super::{TlsError, TlsSettings, remedy};
use crate::limits::ROOT_HINTS_MAX;

/// `ssl.client.auth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuth {
    None,
    Requested,
    Required,
}

impl ClientAuth {
    pub(super) fn of(text: Option<&str>) -> Self {
        match text {
            Some("required") => Self::Required,
            Some("requested") => Self::Requested,
            _ => Self::None,
        }
    }
}

/// What a listener offers as of now.
pub(super) struct ServerSide {
    pub(super) config: Arc<ServerConfig>,
    pub(super) leaf: Certificate,
    pub(super) origin: String,
}

/// Reads everything anew and puts it together.
pub(super) fn build(
    disk: &dyn Disk,
    clock: &Arc<dyn Clock>,
    settings: &TlsSettings,
    client_auth: ClientAuth,
) -> Result<ServerSide, TlsError> {
    let Some(source) = &settings.key else {
        let advice = "a listener with TLS needs a key: set ssl.keystore.location (PEM or PKCS12) or ssl.keystore.key";
        return Err(TlsError::Settings(advice.to_owned()));
    };
    let material = material::key(disk, source)?;
    let origin = material.origin;
    let refused = |reason: rustls::Error| TlsError::Refused { remedy: remedy(&reason), origin: origin.clone(), reason };
    let provider = Arc::new(settings.provider.clone());
    let certified = CertifiedKey::from_der(material.chain, material.key, &provider).map_err(refused)?;
    let builder = ServerConfig::builder_with_details(Arc::clone(&provider), Arc::new(SeamTime(Arc::clone(clock))))
        .with_protocol_versions(&settings.protocols)
        .map_err(refused)?;
    let resolver = Arc::new(rustls::sign::SingleCertAndKey::from(certified));
    let mut config = if client_auth == ClientAuth::None {
        builder.with_no_client_auth().with_cert_resolver(resolver)
    } else {
        let roots = Arc::new(roots(trusted(disk, settings)?)?);
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
        // A Java client takes handshake messages of at most 32 KiB: the names of very many roots are more.
        let verifier = if roots.len() > ROOT_HINTS_MAX { verifier.clear_root_hint_subjects() } else { verifier };
        let verifier = if client_auth == ClientAuth::Requested { verifier.allow_unauthenticated() } else { verifier };
        let verifier = verifier.build().map_err(|error| TlsError::Settings(format!("ssl.truststore: {error}")))?;
        builder.with_client_cert_verifier(Arc::new(NotingVerifier(verifier))).with_cert_resolver(resolver)
    };
    if client_auth != ClientAuth::None {
        // A resumed session would bring its certificate along without a look at who is trusted now.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(ServerSide { config: Arc::new(config), leaf: material.leaf, origin })
}

fn trusted(disk: &dyn Disk, settings: &TlsSettings) -> Result<TrustMaterial, TlsError> {
    match &settings.trust {
        Some(source) => material::trust(disk, source),
        None => {
            let advice = "ssl.client.auth asks for certificates: set ssl.truststore.location to those of their issuers";
            Err(TlsError::Settings(advice.to_owned()))
        }
    }
}

/// Trusted certificates in rustls's form. One that it cannot read is an error: half a trust store would be found out late.
pub(super) fn roots(trust: TrustMaterial) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in trust.certificates {
        roots.add(certificate).map_err(|reason| TlsError::Refused {
            origin: trust.origin.clone(),
            remedy: remedy(&reason),
            reason,
        })?;
    }
    Ok(roots)
}
