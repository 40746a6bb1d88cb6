//! What to do about an error of TLS, in a line: what an operator sees instead of a library's word alone.

use rustls::{CertificateError, Error, InvalidMessage, PeerIncompatible};

/// What to do.
#[must_use]
pub fn remedy(error: &Error) -> &'static str {
    match error {
        Error::InvalidCertificate(certificate) => of_certificate(certificate),
        Error::NoCertificatesPresented => {
            "the client showed no certificate and ssl.client.auth=required: give it a key store, or set requested"
        }
        Error::AlertReceived(_) => {
            "the peer refused us: its trust store may lack the issuer of our certificate, or the name it connects by is not in it"
        }
        Error::PeerIncompatible(incompatible) => of_incompatible(incompatible),
        Error::InconsistentKeys(_) => "the private key does not belong to the first certificate of the chain",
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the peer does not speak TLS: its security.protocol may be PLAINTEXT"
        }
        Error::DecryptError => "bytes were damaged on their way, or the peer broke off",
        _ => "see the peer's own log for its side",
    }
}

fn of_certificate(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::UnknownIssuer => "its issuer is not in the trust store: add the issuer's certificate",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired: renew it",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet: compare the clocks of both machines"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its extended key usage is for another purpose: issue it with serverAuth and clientAuth"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the name it was reached by is not in it: add it to subjectAltName, or connect by a name that is"
        }
        CertificateError::BadEncoding => {
            "it cannot be read: certificates of version 1 ('openssl x509 -req' without -extfile) are not accepted"
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "it is a CA's own certificate: issue one with basicConstraints=CA:FALSE ('openssl req -x509' makes CAs)"
        }
        CertificateError::Other(other) if other.to_string().contains("UnsupportedCertVersion") => {
            "it is of version 1: issue it with extensions ('openssl x509 -req' needs -extfile)"
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its signature is of a kind that is not accepted (SHA-1, or RSA below 2048 bits): issue it anew"
        }
        CertificateError::BadSignature => "it was not signed by the issuer that it names",
        CertificateError::Revoked => "it was revoked",
        _ => "issue it anew, or see the peer's own log",
    }
}

fn of_incompatible(error: &PeerIncompatible) -> &'static str {
    match error {
        PeerIncompatible::NoCipherSuitesInCommon => {
            "no cipher suite in common: see ssl.cipher.suites on both sides; static RSA and CBC are not served"
        }
        PeerIncompatible::Tls12NotOffered | PeerIncompatible::Tls12NotOfferedOrEnabled => {
            "no TLS version in common: see ssl.enabled.protocols on both sides"
        }
        PeerIncompatible::NoKxGroupsInCommon => {
            "no key exchange group in common: x25519, secp256r1 and secp384r1 are served"
        }
        PeerIncompatible::NoSignatureSchemesInCommon => {
            "no signature scheme in common: the key's kind does not fit what the peer accepts"
        }
        PeerIncompatible::ExtendedMasterSecretExtensionRequired => {
            "the peer lacks extended_master_secret: Java 8 before update 161 does"
        }
        _ => "the peer's TLS is too old, or set up in another way",
    }
}
