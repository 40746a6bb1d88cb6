//! The client's two messages, in Kafka's grammar (`ScramMessages.java`): RFC 5802 without channel binding, names of ASCII
//! characters, unknown extensions passed over, `m=` tolerated. Reading trusts nothing: no byte sequence panics.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::ScramError;

/// Longest message that is read. Kafka has no bound below its frames'; real messages take some hundred bytes.
pub const MESSAGE_BYTES_MAX: usize = 16 << 10;

/// What the client begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFirst {
    /// The user's name, or a delegation token's id.
    pub user: String,
    /// Whether `user` is a token's id (the extension `tokenauth=true`, KIP-48).
    pub is_token: bool,
    /// The client's nonce.
    pub nonce: String,
    /// The message without its header, byte for byte: a part of what is signed.
    pub bare: String,
}

/// What the client ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFinal {
    /// Both nonces.
    pub nonce: String,
    /// The message up to its proof, byte for byte: a part of what is signed.
    pub without_proof: String,
    /// The proof.
    pub proof: Vec<u8>,
}

impl ClientFirst {
    /// Reads the first message. An authorization id has to be the user's name.
    ///
    /// # Errors
    /// `Malformed`, `AuthorizationId`.
    pub fn read(message: &[u8]) -> Result<Self, ScramError> {
        let message = text(message)?;
        let rest = message.strip_prefix("n,").ok_or(ScramError::Malformed)?;
        let (authorization_id, bare) = rest.split_once(',').ok_or(ScramError::Malformed)?;
        let authorization_id = match authorization_id {
            "" => None,
            given => Some(name(attribute(given, "a=")?)?),
        };
        let mut fields = bare.split(',').peekable();
        if let Some(reserved) = fields.peek().and_then(|field| field.strip_prefix("m=")) {
            not_empty(reserved)?;
            fields.next();
        }
        let user = name(attribute(fields.next().unwrap_or_default(), "n=")?)?;
        let nonce = nonce(fields.next().unwrap_or_default())?;
        let is_token = is_token(fields)?;
        if authorization_id.is_some_and(|id| id != user) {
            return Err(ScramError::AuthorizationId);
        }
        Ok(Self { user, is_token, nonce: nonce.to_owned(), bare: bare.to_owned() })
    }
}

impl ClientFinal {
    /// Reads the last message. What it says of channel binding is signed but not looked at, as in Kafka: there is none.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn read(message: &[u8]) -> Result<Self, ScramError> {
        let message = text(message)?;
        let (without_proof, proof) = message.rsplit_once(",p=").ok_or(ScramError::Malformed)?;
        let mut fields = without_proof.split(',');
        decode(attribute(fields.next().unwrap_or_default(), "c=")?)?;
        let nonce = nonce(fields.next().unwrap_or_default())?;
        fields.try_for_each(|field| extension(field).map(drop))?;
        Ok(Self { nonce: nonce.to_owned(), without_proof: without_proof.to_owned(), proof: decode(proof)? })
    }
}

/// Characters 0x01 to 0x7f.
fn text(message: &[u8]) -> Result<&str, ScramError> {
    if message.len() > MESSAGE_BYTES_MAX || !message.iter().all(|byte| (0x01..=0x7f).contains(byte)) {
        return Err(ScramError::Malformed);
    }
    std::str::from_utf8(message).map_err(|_| ScramError::Malformed)
}

fn attribute<'a>(field: &'a str, prefix: &str) -> Result<&'a str, ScramError> {
    field.strip_prefix(prefix).ok_or(ScramError::Malformed)
}

fn not_empty(value: &str) -> Result<&str, ScramError> {
    if value.is_empty() { Err(ScramError::Malformed) } else { Ok(value) }
}

/// A `saslname`: `=2C` stands for a comma, `=3D` for an equals sign, and no other `=` may be.
fn name(escaped: &str) -> Result<String, ScramError> {
    let mut parts = not_empty(escaped)?.split('=');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (character, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            (None, None) => return Err(ScramError::Malformed),
        };
        name.push(character);
        name.push_str(rest);
    }
    Ok(name)
}

/// Printable characters.
fn nonce(field: &str) -> Result<&str, ScramError> {
    let nonce = not_empty(attribute(field, "r=")?)?;
    if nonce.bytes().all(|byte| byte.is_ascii_graphic()) { Ok(nonce) } else { Err(ScramError::Malformed) }
}

fn extension(field: &str) -> Result<(&str, &str), ScramError> {
    let (key, value) = field.split_once('=').ok_or(ScramError::Malformed)?;
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(ScramError::Malformed);
    }
    Ok((key, not_empty(value)?))
}

/// The one extension that means something. Of several the last counts.
fn is_token<'a>(extensions: impl Iterator<Item = &'a str>) -> Result<bool, ScramError> {
    let mut is_token = false;
    for field in extensions {
        let (key, value) = extension(field)?;
        if key == "tokenauth" {
            is_token = value.eq_ignore_ascii_case("true");
        }
    }
    Ok(is_token)
}

fn decode(text: &str) -> Result<Vec<u8>, ScramError> {
    STANDARD.decode(text).map_err(|_| ScramError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(message: &str) -> Result<(String, bool, String), ScramError> {
        ClientFirst::read(message.as_bytes()).map(|first| (first.user, first.is_token, first.nonce))
    }

    #[test]
    fn first_messages_are_read_as_kafka_reads_them() {
        let read = |user: &str, is_token, nonce: &str| Ok((user.to_owned(), is_token, nonce.to_owned()));
        assert_eq!(first("n,,n=user,r=abc"), read("user", false, "abc"));
        assert_eq!(first("n,a=user,n=user,r=abc"), read("user", false, "abc"));
        assert_eq!(first("n,,n=us=2Cer=3D,r=a=b"), read("us,er=", false, "a=b"));
        assert_eq!(first("n,a=us=2Cer,n=us=2Cer,r=a"), read("us,er", false, "a"));
        assert_eq!(first("n,,m=x=,n=user,r=abc,ext=1,other=a=b"), read("user", false, "abc"));
        assert_eq!(first("n,,n=id,r=abc,tokenauth=true"), read("id", true, "abc"));
        assert_eq!(first("n,,n=id,r=abc,tokenauth=TRUE,x=y"), read("id", true, "abc"));
        assert_eq!(first("n,,n=id,r=abc,tokenauth=true,tokenauth=no"), read("id", false, "abc"));
    }

    #[test]
    fn what_is_signed_is_what_came() {
        let read = ClientFirst::read(b"n,a=u,n=u,r=abc,tokenauth=true,x=y").unwrap();
        assert_eq!(read.bare, "n=u,r=abc,tokenauth=true,x=y");
        let read = ClientFinal::read(b"c=biws,r=abcdef,ext=1,p=AAEC").unwrap();
        assert_eq!((&*read.without_proof, read.proof), ("c=biws,r=abcdef,ext=1", vec![0, 1, 2]));
    }

    #[test]
    fn messages_that_kafka_refuses_are_refused() {
        for message in [
            "",
            "n",
            "n,",
            "n,,",
            "n,,x",
            "n,a,n=u,r=a",
            "y,,n=u,r=a",
            "p=tls-unique,,n=u,r=a",
            "n,,n=user,",
            "n,,,r=a",
            "n,,n=,r=a",
            "n,,n=u,r=",
            "n,,n=u,r=a b",
            "n,,n=u,r=a,",
            "n,,n=u,r=a,x",
            "n,,n=u,r=a,x=",
            "n,,n=u,r=a,x1=y",
            "n,,n=u=2c,r=a",
            "n,,n=u=,r=a",
            "n,,n=\u{e4},r=a",
            "n,,n=u\0,r=a",
            "n,,m=,n=u,r=a",
            "n,a=,n=u,r=a",
            " n,,n=u,r=a",
        ] {
            assert_eq!(first(message), Err(ScramError::Malformed), "{message:?}");
        }
        for message in [
            "",
            "c=biws",
            "c=biws,x",
            "c=biws,r=abc",
            "c=biws,r=abc,p",
            "c=biws,r=abc,p=%",
            "c=!,r=abc,p=AAEC",
            "c=biws,r=,p=AAEC",
            "r=abc,c=biws,p=AAEC",
            "c=biws,r=abc,x,p=AAEC",
            "c=biws,r=abc,p=AAEC,x=y",
        ] {
            assert_eq!(ClientFinal::read(message.as_bytes()), Err(ScramError::Malformed), "{message:?}");
        }
        assert_eq!(ClientFirst::read(&[b'a'; MESSAGE_BYTES_MAX + 1]), Err(ScramError::Malformed));
    }

    #[test]
    fn nobody_acts_as_somebody_else() {
        assert_eq!(first("n,a=root,n=user,r=abc"), Err(ScramError::AuthorizationId));
    }
}
