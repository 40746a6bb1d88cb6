//! ssl.principal.mapping.rules of any text, applied to a name of any text: rules before the first zero, the name behind it.
#![no_main]

use barnabas_auth::tls::PrincipalMapping;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (rules, name) = text.split_once('\0').unwrap_or((text, "CN=alice,O=Barnabas"));
    if let Ok(mapping) = PrincipalMapping::parse(rules) {
        let _ = mapping.apply(name);
    }
});
