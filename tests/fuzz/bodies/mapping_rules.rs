//! ssl.principal.mapping.rules of any text, applied to a name of any text: rules before the first zero, the name behind it.

use barnabas_auth::tls::PrincipalMapping;

/// One input.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (rules, name) = text.split_once('\0').unwrap_or((text, "CN=alice,O=Barnabas"));
    if let Ok(mapping) = PrincipalMapping::parse(rules) {
        let _ = mapping.apply(name);
    }
}
