//! Patterns of Kafka's rules of names: Java's, as far as the `regex` crate has them, whose time is linear in its input.
//!
//! It has no look-around and no back-references. `\d`, `\s` and `\w` are of ASCII, as in Java; there `.` is no line's end of
//! any kind, here it is everything but a line feed.

use regex::{Error, Regex, RegexBuilder};

use crate::rule_error::RuleError;

/// Text of a pattern, in bytes: what the crate makes of it before it looks at its memory is a multiple of that.
const TEXT_BYTES_MAX: usize = 8 << 10;
/// Memory that a pattern may take when it is compiled, in bytes.
const COMPILED_BYTES_MAX: usize = 512 << 10;
/// Rules that are read of one setting: together they bound the time and the memory of a start, and of a reload.
pub(crate) const RULES_MAX: usize = 100;
/// What a message says of a pattern that is too long to be said.
const BEGINNING_CHARS: usize = 40;

/// Compiles a pattern.
///
/// # Errors
/// It is too large, or what the crate says of it.
pub(crate) fn compile(pattern: &str) -> Result<Regex, RuleError> {
    build(pattern, |ascii| ascii)
}

/// The same pattern, for a whole text.
///
/// # Errors
/// As [`compile`].
pub(crate) fn compile_whole(pattern: &str) -> Result<Regex, RuleError> {
    build(pattern, |ascii| format!(r"\A(?:{ascii})\z"))
}

fn build(pattern: &str, framed: impl FnOnce(String) -> String) -> Result<Regex, RuleError> {
    let too_large = |bytes_max, what| {
        let beginning = pattern.chars().take(BEGINNING_CHARS).collect();
        RuleError::TooLarge { beginning, bytes_max, what }
    };
    if pattern.len() > TEXT_BYTES_MAX {
        return Err(too_large(TEXT_BYTES_MAX, "of text"));
    }
    let mut builder = RegexBuilder::new(&framed(with_classes_of_ascii(pattern)));
    builder.size_limit(COMPILED_BYTES_MAX).build().map_err(|reason| match reason {
        Error::CompiledTooBig(_) => too_large(COMPILED_BYTES_MAX, "of memory"),
        reason => RuleError::Pattern { pattern: pattern.to_owned(), reason: Box::new(reason) },
    })
}

/// Writes Java's classes out. One within brackets is nested there, which means the same.
fn with_classes_of_ascii(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' { chars.next() } else { None };
        match (escaped, escaped.and_then(class_of_ascii)) {
            (_, Some(class)) => written.push_str(class),
            (Some(escaped), None) => written.extend([c, escaped]),
            (None, None) => written.push(c),
        }
    }
    written
}

/// What a letter behind a backslash stands for.
const fn class_of_ascii(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\x20\t\n\x0B\f\r]",
        'S' => r"[^\x20\t\n\x0B\f\r]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_of_too_much_text_or_memory_is_refused_by_its_beginning() {
        let error = compile(&"a".repeat(TEXT_BYTES_MAX + 1)).unwrap_err().to_string();
        assert!(error.contains("more than 8192 bytes of text"), "{error}");
        assert!(error.len() < 200, "{error}");
        let error = compile_whole(r"\p{L}{2000}").unwrap_err().to_string();
        assert!(error.contains(r"'\p{L}{2000}' takes more than 524288 bytes of memory"), "{error}");
    }

    #[test]
    fn a_pattern_as_large_as_one_may_be_is_compiled() {
        compile_whole(&"a".repeat(TEXT_BYTES_MAX)).unwrap();
        let names: Vec<String> = (0..200).map(|n| format!("host-{n}\\.example\\.com")).collect();
        compile_whole(&format!("^CN=({}),.*$", names.join("|"))).unwrap();
        compile_whole(r"CN=([\w.-]{1,255}),(.{1,255}),O=(\S{1,64})").unwrap();
    }

    #[test]
    fn classes_are_of_ascii_within_brackets_and_without_and_a_backslash_stays_one() {
        let is_whole = |pattern: &str, text: &str| compile_whole(pattern).unwrap().is_match(text);
        for (pattern, ascii, other) in [
            (r"\d", "7", "٧"),
            (r"\w+", "ab_9", "é"),
            (r"[\w.-]+", "a.b-c", "é"),
            (r"\s", "\t", "\u{a0}"),
            (r"[^\W]", "a", "é"),
            (r"\D", "é", "7"),
            (r"[\S]", "\u{a0}", " "),
        ] {
            assert!(is_whole(pattern, ascii), "{pattern} {ascii}");
            assert!(!is_whole(pattern, other), "{pattern} {other}");
        }
        assert!(is_whole(r"\\d", r"\d"));
        assert!(is_whole(r"a\/b\.", "a/b."));
    }
}
