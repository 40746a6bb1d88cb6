//! Certificates and names of any bytes are read without a panic.

use barnabas_auth::tls::Certificate;
use barnabas_auth::tls::distinguished_name::print;

/// One input.
pub(crate) fn run(bytes: &[u8]) {
    let _ = Certificate::read(bytes);
    let _ = print(bytes);
}
