//! PLAIN (RFC 4616): the client's one message. Who it is is found out by whoever keeps the passwords.

use std::fmt;

/// Longest message that is read.
pub const MESSAGE_BYTES_MAX: usize = 16 << 10;

/// What the client says.
#[derive(Clone, PartialEq, Eq)]
pub struct PlainMessage {
    /// Whom it wants to act as; "" for itself.
    pub authorization_id: String,
    /// Who it says it is.
    pub user: String,
    /// Its password.
    pub password: String,
}

/// The password is not shown.
impl fmt::Debug for PlainMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainMessage").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Why a message is refused before any password is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlainError {
    /// Not three texts of UTF-8 with a zero between them, or too long.
    #[error("the message is malformed")]
    Malformed,
    /// No user name.
    #[error("no user name is given")]
    NoUser,
    /// No password.
    #[error("no password is given")]
    NoPassword,
}

impl PlainMessage {
    /// Reads the message: three texts, as in Kafka; a password with a zero in it would be a fourth.
    ///
    /// # Errors
    /// See [`PlainError`].
    pub fn read(message: &[u8]) -> Result<Self, PlainError> {
        if message.len() > MESSAGE_BYTES_MAX {
            return Err(PlainError::Malformed);
        }
        let message = std::str::from_utf8(message).map_err(|_| PlainError::Malformed)?;
        let mut parts = message.splitn(3, '\0');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (authorization_id, user, password) = (next(), next(), next());
        if password.contains('\0') {
            return Err(PlainError::Malformed);
        }
        if user.is_empty() {
            return Err(PlainError::NoUser);
        }
        if password.is_empty() {
            return Err(PlainError::NoPassword);
        }
        Ok(Self { authorization_id, user, password })
    }

    /// Whether the client wants to act as somebody else, which nobody may.
    #[must_use]
    pub fn is_for_another(&self) -> bool {
        !self.authorization_id.is_empty() && self.authorization_id != self.user
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn three_texts_are_read_and_everything_else_is_refused() {
        let read = PlainMessage::read(b"\0alice\0secret").unwrap();
        assert_eq!((&*read.user, &*read.password, read.is_for_another()), ("alice", "secret", false));
        assert!(!PlainMessage::read(b"alice\0alice\0secret").unwrap().is_for_another());
        assert!(PlainMessage::read(b"root\0alice\0secret").unwrap().is_for_another());
        assert_eq!(PlainMessage::read(b"\0alice\0a\0b"), Err(PlainError::Malformed));
        assert_eq!(PlainMessage::read(b""), Err(PlainError::NoUser));
        assert_eq!(PlainMessage::read(b"alice\0secret"), Err(PlainError::NoPassword));
        assert_eq!(PlainMessage::read(b"\0\0secret"), Err(PlainError::NoUser));
        assert_eq!(PlainMessage::read(b"\0alice\0"), Err(PlainError::NoPassword));
        assert_eq!(PlainMessage::read(b"\0alice\0\xff"), Err(PlainError::Malformed));
        assert_eq!(PlainMessage::read(&[b'a'; MESSAGE_BYTES_MAX + 1]), Err(PlainError::Malformed));
    }

    #[test]
    fn a_password_is_never_shown() {
        assert!(!format!("{:?}", PlainMessage::read(b"\0alice\0secret")).contains("secret"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(message in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = PlainMessage::read(&message);
        }
    }
}
