//! TLS of listeners and of our own client: keys and certificates from `ssl.*` settings, handshakes, reload without a restart.
//!
//! rustls does the protocol, with the algorithms of aws-lc. It takes random numbers from aws-lc itself, not from the seam.
//!
//! Must not know: requests. Where it differs from Apache Kafka: TLS 1.2 and 1.3 only, the cipher suites that rustls has, no JKS;
//! a listener without a key does not start; files that change are read again by themselves.

mod certificates;
pub mod client;
mod error;
mod files;
mod handshake;
mod live;
mod material;
mod pem;
mod pkcs12;
mod remedy;
mod server;
pub mod settings;
mod shown;
mod stream;
mod time;
mod trial;
mod versions;

pub use certificates::{CertificateError, Certificates};
pub use client::ClientTls;
pub use error::TlsError;
pub(crate) use files::read as read_file;
pub use handshake::{HandshakeError, RefusedHandshake, accept};
pub use live::{LiveTls, Reloaded};
pub use remedy::remedy;
pub use settings::TlsSettings;
pub use stream::{Secured, is_hello};

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "real files change under a real watch")]
mod tests;
