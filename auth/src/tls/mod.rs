//! What TLS tells of who somebody is: the subject of a certificate as a name, and rules that turn it into a principal.
//!
//! Must not know: TLS itself. Whoever asks has verified the certificate.

pub mod certificate;
mod der;
pub mod distinguished_name;
pub mod principal_mapping;

pub use certificate::Certificate;
pub use der::Malformed;
pub use principal_mapping::PrincipalMapping;
