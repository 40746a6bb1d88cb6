//! Clients' metrics (KIP-714). So far only what a subscription is checked by: nothing is asked of clients yet.

use regex_automata::meta::Regex;

/// Whether a text is a regular expression that a client can be chosen by. Java's syntax, as far as it can be matched in
/// linear time.
pub(crate) fn is_pattern(text: &str) -> bool {
    Regex::new(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_regular_expressions() {
        assert!(is_pattern("x.*") && is_pattern("") && is_pattern("(?i)a|b"));
        assert!(!is_pattern("[") && !is_pattern("(") && !is_pattern(r"(a)\1"));
    }
}
