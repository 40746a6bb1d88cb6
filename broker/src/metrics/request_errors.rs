//! Errors that answers told of, by API and Kafka's code, each partition or group of an answer for itself (as Kafka's
//! ErrorsPerSec, but that what went well is not counted as an error called NONE).
//!
//! Invariant: bounded by the APIs and codes that there are.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// How often each API told of each error.
#[derive(Debug, Default)]
pub struct RequestErrors(Mutex<BTreeMap<(i16, i16), u64>>);

impl RequestErrors {
    /// An answer of this API had this code; 0 is none.
    pub fn count(&self, key: i16, code: i16) {
        if code != 0 {
            *self.0.lock().entry((key, code)).or_default() += 1;
        }
    }

    /// API key, code, and how often.
    #[must_use]
    pub fn all(&self) -> Vec<(i16, i16, u64)> {
        self.0.lock().iter().map(|((key, code), count)| (*key, *code, *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_well_is_no_error() {
        let errors = RequestErrors::default();
        for (key, code) in [(0, 0), (0, 3), (1, 3), (0, 3)] {
            errors.count(key, code);
        }
        assert_eq!(errors.all(), [(0, 3, 2), (1, 3, 1)]);
    }
}
