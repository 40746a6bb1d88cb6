//! The effective broker settings, after files, environment and command line.

use crate::key::Key;

/// The effective broker settings.
#[derive(Clone, Debug)]
pub struct Config {
    _private: (),
}

/// A type that a setting's text is read into. Implemented for bool, i64, f64, String, `Option<String>`, `Vec<String>`.
pub trait Value: Sized {
    /// Reads the text, already validated by the table.
    fn read(text: &str) -> Self;
}

impl Config {
    /// The value of one setting. The text was validated when the configuration was built, so this cannot fail.
    #[must_use]
    pub fn read<T: Value>(&self, _key: &Key<T>) -> T {
        todo!()
    }
}
