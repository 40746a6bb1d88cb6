//! Tokens and sets of keys of any bytes: the set stands before the first line end, the token behind it. Without a private key
//! nothing is signed.

use barnabas_auth::jwt::{KeySet, TokenRules};

/// Everybody knows it: only whoever has its other half signs.
const KEYS: &[u8] = br#"{"keys":[{"kty":"EC","crv":"P-256","kid":"a",
    "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

/// One input.
pub(crate) fn run(bytes: &[u8]) {
    let (set, token) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()));
    let _ = KeySet::read(set);
    let rules = TokenRules {
        audiences: Vec::new(),
        issuer: None,
        clock_skew_seconds: 30,
        scope_claim: "scope".to_owned(),
        subject_claim: "sub".to_owned(),
    };
    let known = KeySet::read(KEYS).expect("the example of RFC 7515 is a key");
    if let Ok(token) = std::str::from_utf8(token.get(1..).unwrap_or_default()) {
        // Before RFC 7515's own token expires and after: what it signs has neither `iat` nor `sub`.
        for now_ms in [1_300_000_000_000, 1_700_000_000_000] {
            assert!(rules.check(token, &known, now_ms).is_err());
        }
    }
}
