//! Keys and certificates of any text, as settings hold them: the key before the first zero, certificates behind it.

use barnabas_broker::tls::ClientTls;
use barnabas_storage::seam::Seams;

/// One input.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (key, certificates) = text.split_once('\0').unwrap_or((text, text));
    let setting = |name: &str| match name {
        "ssl.keystore.type" | "ssl.truststore.type" => Some("PEM"),
        "ssl.keystore.key" => Some(key),
        "ssl.key.password" => Some("secret"),
        "ssl.keystore.certificate.chain" | "ssl.truststore.certificates" => Some(certificates),
        _ => None,
    };
    let seams = Seams::system();
    let _ = ClientTls::open(&setting, &*seams.disk, &seams.clock);
}
