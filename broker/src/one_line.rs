//! Texts that peers choose, in lines of the log: a name with an end of line in it must not begin a line that looks like ours.

use std::fmt::{self, Display, Write};

/// Shows a text with its control characters escaped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneLine<T>(pub(crate) T);

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.to_string().chars() {
            if letter.is_control() {
                write!(f, "{}", letter.escape_default())?;
            } else {
                f.write_char(letter)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_nothing_else_is() {
        let shown = OneLine("User:\u{fc}lf \"a\\b\"\r\n\u{1b}[31mforged\u{85}").to_string();
        assert_eq!(shown, "User:\u{fc}lf \"a\\b\"\\r\\n\\u{1b}[31mforged\\u{85}");
    }
}
