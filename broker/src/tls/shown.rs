//! Whose certificate a peer showed that was refused. rustls tells why it refuses one, but not which, and gives a connection away only once it
//! is secured: so the verifier notes the subject, for whoever shakes hands in this task.

use std::sync::Arc;

use barnabas_auth::tls::Certificate;
use parking_lot::Mutex;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

/// Where the subject is noted.
type Note = Arc<Mutex<Option<String>>>;

tokio::task_local! {
    static NOTE: Note;
}

/// Does a handshake, and tells whose certificate was refused in it.
pub(super) async fn noting<T>(handshake: impl Future<Output = T>) -> (T, Option<String>) {
    let note = Note::default();
    let done = NOTE.scope(Arc::clone(&note), handshake).await;
    let subject = note.lock().take();
    (done, subject)
}

/// A verifier whose refusals are noted.
#[derive(Debug)]
pub(super) struct NotingVerifier(pub(super) Arc<dyn ClientCertVerifier>);

/// Passes a verdict on. Outside a handshake of ours nobody asks: then there is no note.
fn noted<T>(verdict: Result<T, Error>, certificate: &CertificateDer<'_>) -> Result<T, Error> {
    if verdict.is_err()
        && let Ok(read) = Certificate::read(certificate)
    {
        let _ = NOTE.try_with(|note| *note.lock() = Some(read.subject));
    }
    verdict
}

impl ClientCertVerifier for NotingVerifier {
    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        noted(self.0.verify_client_cert(certificate, intermediates, now), certificate)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        noted(self.0.verify_tls12_signature(message, certificate, signature), certificate)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        noted(self.0.verify_tls13_signature(message, certificate, signature), certificate)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
