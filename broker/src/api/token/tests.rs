//! Over which connections tokens may be asked about.

use super::*;

#[test]
fn nobody_asks_for_tokens_who_has_not_shown_who_it_is() {
    let known = |protocol| [is_known(protocol, true), is_known(protocol, false)];
    assert_eq!(known(SecurityProtocol::Plaintext), [false, false]);
    assert_eq!(known(SecurityProtocol::Ssl), [false, true]);
    assert_eq!(known(SecurityProtocol::SaslPlaintext), [true, true]);
    assert_eq!(known(SecurityProtocol::SaslSsl), [true, true]);
}
