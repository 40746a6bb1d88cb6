//! A text of a peer's in an event.

use crate::limits::AUDIT_TEXT_BYTES_MAX;

/// A text of a peer's, cut to a bounded length.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text(String);

impl Text {
    /// Takes as much of a text as an event may hold.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.len() <= AUDIT_TEXT_BYTES_MAX {
            return Self(text.to_owned());
        }
        let end = (0..=AUDIT_TEXT_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        Self(format!("{}...", text.get(..end).unwrap_or_default()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
