//! sasl.kerberos.principal.to.local.rules of any text, applied to a name of any text: rules before the first zero, the name behind it.

use barnabas_auth::kerberos::{ShortNameRules, ShortNames};

/// One input.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (rules, name) = text.split_once('\0').unwrap_or((text, "kafka/host@REALM"));
    let Ok(rules) = ShortNameRules::parse(rules) else { return };
    if let Ok(short) = ShortNames::new(rules, "REALM".to_owned()).of(name) {
        assert!(!short.contains(['/', '@']) || !name.contains('@'), "{short} of {name}");
    }
}
