//! TLS of our own client: whom it trusts, what it shows, and by what name it knows the broker.

use std::path::PathBuf;
use std::sync::Arc;

use barnabas_auth::tls::Certificate;
use barnabas_storage::seam::{Clock, Disk};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::settings::{StoreType, TrustSource};
use super::time::SeamTime;
use super::{TlsError, TlsSettings, material, remedy, server};

/// Where systems keep the certificates of public authorities.
const SYSTEM_STORES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// TLS of our own client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ClientTls(Arc<ClientConfig>);

impl ClientTls {
    /// Reads the `ssl.*` settings of a client, and what they name. Without a trust store the system's is taken.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn open<'a>(
        text: &dyn Fn(&str) -> Option<&'a str>,
        disk: &dyn Disk,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, TlsError> {
        let settings = TlsSettings::read(text)?;
        let provider = Arc::new(settings.provider.clone());
        let verifier = Verifier::new(&settings, checks_name(text("ssl.endpoint.identification.algorithm"))?, disk)?;
        let builder = ClientConfig::builder_with_details(provider, Arc::new(SeamTime(Arc::clone(clock))))
            .with_protocol_versions(&settings.protocols)
            .map_err(|reason| refused("ssl.enabled.protocols", reason))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let config = match &settings.key {
            None => builder.with_no_client_auth(),
            Some(source) => {
                let key = material::key(disk, source)?;
                builder.with_client_auth_cert(key.chain, key.key).map_err(|reason| refused(&key.origin, reason))?
            }
        };
        Ok(Self(Arc::new(config)))
    }

    /// For rustls.
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }

    /// The name that the broker at `address`, host:port, is to prove. `None` when the host is no name and no address.
    #[must_use]
    pub fn name_of(address: &str) -> Option<ServerName<'static>> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']').to_owned()).ok()
    }
}

fn refused(origin: &str, reason: Error) -> TlsError {
    TlsError::Refused { remedy: remedy(&reason), origin: origin.to_owned(), reason }
}

/// `ssl.endpoint.identification.algorithm`.
fn checks_name(algorithm: Option<&str>) -> Result<bool, TlsError> {
    match algorithm.map_or("https", str::trim) {
        "" => Ok(false),
        algorithm if algorithm.eq_ignore_ascii_case("https") => Ok(true),
        other => {
            let advice = format!("ssl.endpoint.identification.algorithm={other}: https, or nothing to check no name");
            Err(TlsError::Settings(advice))
        }
    }
}

fn system_store(disk: &dyn Disk) -> Result<TrustSource, TlsError> {
    let path = SYSTEM_STORES.iter().map(PathBuf::from).find(|path| disk.exists(path));
    let path = path.ok_or_else(|| {
        TlsError::Settings(
            "this system has no certificates of public authorities: set ssl.truststore.location".to_owned(),
        )
    })?;
    Ok(TrustSource::File { path, kind: StoreType::Pem, password: None })
}

/// As Java's client judges a broker: also one whose own certificate is in the trust store is trusted, and the name counts only
/// when it is to be checked.
#[derive(Debug)]
struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    trusted: Vec<CertificateDer<'static>>,
    checks_name: bool,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(settings: &TlsSettings, checks_name: bool, disk: &dyn Disk) -> Result<Self, TlsError> {
        let trust = match &settings.trust {
            Some(source) => material::trust(disk, source)?,
            None => material::trust(disk, &system_store(disk)?)?,
        };
        let (provider, trusted) = (Arc::new(settings.provider.clone()), trust.certificates.clone());
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(server::roots(trust)?), Arc::clone(&provider))
            .build()
            .map_err(|error| TlsError::Settings(format!("ssl.truststore: {error}")))?;
        Ok(Self { inner, trusted, checks_name, provider })
    }

    /// A certificate that is trusted itself needs no issuer: only its time and its name count.
    fn verify_trusted(
        &self,
        certificate: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let read =
            Certificate::read(certificate).map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX).saturating_mul(1000);
        if now < read.not_before_ms {
            return Err(Error::InvalidCertificate(CertificateError::NotValidYet));
        }
        if now > read.not_after_ms {
            return Err(Error::InvalidCertificate(CertificateError::Expired));
        }
        if self.checks_name { verify_server_name(&ParsedCertificate::try_from(certificate)?, name) } else { Ok(()) }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.trusted.iter().any(|trusted| trusted == certificate) {
            return self.verify_trusted(certificate, name, now).map(|()| ServerCertVerified::assertion());
        }
        match self.inner.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_name => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
