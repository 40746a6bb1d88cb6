//! A handshake in memory, before a certificate is offered to anybody: what cannot shake hands with itself is not put in place.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, ServerConfig, ServerConnection, SignatureScheme,
};

use super::TlsSettings;

/// Flights of a handshake, both ways; a sound one needs four.
const FLIGHTS_MAX: usize = 16;

/// Shakes hands with the certificate of `config`, as its settings allow. Clients' certificates are not part of it.
pub(super) fn handshake(settings: &TlsSettings, config: &ServerConfig) -> Result<(), Error> {
    let provider = Arc::new(settings.provider.clone());
    let server = ServerConfig::builder_with_details(Arc::clone(&provider), Arc::clone(&config.time_provider))
        .with_protocol_versions(&settings.protocols)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&config.cert_resolver));
    let client = ClientConfig::builder_with_details(Arc::clone(&provider), Arc::clone(&config.time_provider))
        .with_protocol_versions(&settings.protocols)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(OwnCertificate(provider)))
        .with_no_client_auth();
    let name = ServerName::try_from("trial").map_err(|_| Error::General("a name".to_owned()))?;
    let mut client = ClientConnection::new(Arc::new(client), name)?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    for _ in 0..FLIGHTS_MAX {
        if !client.is_handshaking() && !server.is_handshaking() {
            return Ok(());
        }
        let mut flight = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut flight).map_err(|error| Error::General(error.to_string()))?;
        }
        let mut bytes = flight.as_slice();
        while !bytes.is_empty() {
            server.read_tls(&mut bytes).map_err(|error| Error::General(error.to_string()))?;
            server.process_new_packets()?;
        }
        flight.clear();
        while server.wants_write() {
            server.write_tls(&mut flight).map_err(|error| Error::General(error.to_string()))?;
        }
        let mut bytes = flight.as_slice();
        while !bytes.is_empty() {
            client.read_tls(&mut bytes).map_err(|error| Error::General(error.to_string()))?;
            client.process_new_packets()?;
        }
    }
    Err(Error::HandshakeNotComplete)
}

/// Takes any certificate, whoever issued it, but has its key's signature checked.
#[derive(Debug)]
struct OwnCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for OwnCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
