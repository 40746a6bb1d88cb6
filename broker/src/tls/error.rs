//! Why TLS cannot be set up. Every message names the setting or the file, and what to do.

use std::io;
use std::path::PathBuf;

use barnabas_auth::RuleError;
use barnabas_auth::tls::Malformed;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A store or PEM file cannot be read.
    #[error("{setting}={}: {source}", path.display())]
    Unreadable {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Settings that contradict each other, or one that is missing.
    #[error("{0}")]
    Settings(String),
    /// A store that says what it holds in a way that cannot be read.
    #[error("{origin}: {reason}")]
    Content {
        /// The file, or the setting that holds it.
        origin: String,
        /// What is wrong and how to mend it.
        reason: String,
    },
    /// A certificate that is no certificate.
    #[error("{origin}: {source}")]
    Certificate {
        /// The file, or the setting that holds it.
        origin: String,
        /// What is wrong.
        #[source]
        source: Malformed,
    },
    /// What rustls says of key, certificates or suites.
    #[error("{origin}: {reason}; {remedy}")]
    Refused {
        /// The file, or the setting that holds it.
        origin: String,
        /// Why.
        reason: rustls::Error,
        /// What to do.
        remedy: &'static str,
    },
    /// `ssl.principal.mapping.rules`.
    #[error("ssl.principal.mapping.rules: {0}")]
    Mapping(#[from] RuleError),
    /// A handshake with the new certificate failed before anybody was offered it.
    #[error("a trial handshake with the certificate of {origin} failed: {reason}")]
    Trial {
        /// The file, or the setting that holds it.
        origin: String,
        /// Why.
        reason: rustls::Error,
    },
    /// The new certificate has another subject (KIP-226).
    #[error(
        "the certificate's subject is '{new}' and was '{old}': set ssl.allow.dn.changes=true in the broker's file to allow it, or \
         name the certificate there; both take a restart"
    )]
    SubjectChanged {
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// The new certificate lacks a name that clients may have connected by (KIP-226).
    #[error(
        "the certificate lacks {missing} of the names it had: set ssl.allow.san.changes=true in the broker's file to allow it, or \
         name the certificate there; both take a restart"
    )]
    NamesChanged {
        /// How many.
        missing: usize,
    },
}
