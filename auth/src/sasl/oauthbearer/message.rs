//! The client's first message, in Kafka's grammar (`OAuthBearerClientInitialResponse.java`). Reading trusts nothing: no byte
//! sequence panics.
//!
//! ```text
//! n,[a=AUTHORIZATION-ID],\x01auth=Bearer TOKEN\x01[NAME=VALUE\x01 ...]\x01
//! ```

use std::fmt;

use super::{OauthBearerError, SEPARATOR};

/// Longest message that is read, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// What the client says.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientInitial {
    /// Whom it wants to act as; "" for itself.
    pub authorization_id: String,
    /// Its token.
    pub token: String,
}

/// The token is not shown.
impl fmt::Debug for ClientInitial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientInitial").field("authorization_id", &self.authorization_id).finish_non_exhaustive()
    }
}

impl ClientInitial {
    /// Reads the message. SASL extensions (KIP-342) have to be well formed, and are not kept: nobody here reads them.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn read(message: &[u8]) -> Result<Self, OauthBearerError> {
        read(message).ok_or(OauthBearerError::Malformed)
    }
}

fn read(message: &[u8]) -> Option<ClientInitial> {
    if message.len() > MESSAGE_BYTES_MAX {
        return None;
    }
    let message = std::str::from_utf8(message).ok()?;
    let separator = char::from(SEPARATOR);
    let (head, pairs) = message.split_once(separator)?;
    let authorization_id = match head.strip_prefix("n,")?.strip_suffix(',')? {
        "" => String::new(),
        id => name(id.strip_prefix("a=")?)?,
    };
    // Each pair ends with a separator, and the message with another one.
    let pairs = pairs.strip_suffix(separator)?;
    let mut token = None;
    for pair in pairs.strip_suffix(separator)?.split(separator) {
        let (key, value) = pair.split_once('=')?;
        if !is_key(key) || !is_value(value) {
            return None;
        }
        if key == "auth" && token.replace(bearer(value)?).is_some() {
            return None;
        }
    }
    Some(ClientInitial { authorization_id, token: token?.to_owned() })
}

/// A `saslname`: `=2C` stands for a comma, `=3D` for an equals sign, and no other `=` may be.
fn name(escaped: &str) -> Option<String> {
    let is_plain = escaped.bytes().all(|byte| (0x01..=0x7f).contains(&byte) && byte != b',');
    let unescaped = escaped.replace("=2C", ",");
    let lone = unescaped.replace("=3D", "").contains('=');
    (is_plain && !escaped.is_empty() && !lone).then(|| unescaped.replace("=3D", "="))
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_value(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| matches!(byte, 0x21..=0x7e | b' ' | b'\t' | b'\r' | b'\n'))
}

/// The token of `Bearer TOKEN`.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    let is_token = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && is_token).then_some(token)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(message: &str) -> Option<String> {
        ClientInitial::read(message.as_bytes()).ok().map(|read| read.token)
    }

    #[test]
    fn what_kafkas_grammar_takes_is_read() {
        assert_eq!(token("n,,\x01auth=Bearer a.b-c_d\x01\x01").as_deref(), Some("a.b-c_d"));
        assert_eq!(token("n,,\x01auth=bEARER   abc\x01\x01").as_deref(), Some("abc"));
        assert_eq!(token("n,,\x01logicalCluster=lkc = 1\x01auth=Bearer abc\x01x=y\x01\x01").as_deref(), Some("abc"));
        let read = ClientInitial::read(b"n,a=us=2Cer=3D,\x01auth=Bearer abc\x01\x01").unwrap();
        assert_eq!(read.authorization_id, "us,er=");
    }

    #[test]
    fn everything_else_is_refused() {
        for message in [
            "",
            "\x01",
            "n,,\x01\x01",
            "n,,\x01auth=Bearer abc\x01",
            "n,,auth=Bearer abc\x01\x01",
            "y,,\x01auth=Bearer abc\x01\x01",
            "p=tls-unique,,\x01auth=Bearer abc\x01\x01",
            "n,a=,\x01auth=Bearer abc\x01\x01",
            "n,a=b=c,\x01auth=Bearer abc\x01\x01",
            "n,a=b,c,\x01auth=Bearer abc\x01\x01",
            "n,b=c,\x01auth=Bearer abc\x01\x01",
            "n,,\x01auth=Basic abc\x01\x01",
            "n,,\x01auth=Bearer\x01\x01",
            "n,,\x01auth=Bearer \x01\x01",
            "n,,\x01auth=Bearer a b\x01\x01",
            "n,,\x01auth=Bearer a\u{e4}\x01\x01",
            "n,,\x01host=a\x01\x01",
            "n,,\x01auth=Bearer abc\x01auth=Bearer def\x01\x01",
            "n,,\x01auth=Bearer abc\x01a1=b\x01\x01",
            "n,,\x01auth=Bearer abc\x01a=\x01\x01",
            "n,,\x01auth=Bearer abc\x01\x01\x01",
            "n,,\x01auth=Bearer abc\x01\x01x",
        ] {
            assert_eq!(token(message), None, "{message:?}");
        }
        let long = format!("n,,\x01auth=Bearer {}\x01\x01", "a".repeat(MESSAGE_BYTES_MAX));
        assert_eq!(token(&long), None);
    }

    #[test]
    fn a_token_is_never_shown() {
        let read = ClientInitial::read(b"n,,\x01auth=Bearer secret\x01\x01").unwrap();
        assert!(!format!("{read:?}").contains("secret"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(message in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = ClientInitial::read(&message);
        }

        #[test]
        fn no_pieces_of_a_message_panic(pieces in prop::collection::vec("n,|a=|,|\x01|auth=|Bearer |a|=2C|\u{e4}", 0..12)) {
            let _ = ClientInitial::read(pieces.concat().as_bytes());
        }
    }
}
