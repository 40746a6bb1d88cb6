//! Java's properties syntax, as `java.util.Properties` reads it: comments, three separators, escapes, continued lines.
//! Where it differs: the text is UTF-8, not ISO-8859-1.

/// One assignment of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The line it begins on, from 1.
    pub line: usize,
    /// The key, unescaped.
    pub key: String,
    /// The value, unescaped.
    pub value: String,
}

/// An escape that Java refuses too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: \\u must be followed by four hexadecimal digits of a character")]
pub struct MalformedEscape {
    /// The line its assignment begins on, from 1.
    pub line: usize,
}

/// Reads a file's text. Malformed assignments do not hide the good ones.
pub fn parse(text: &str) -> Vec<Result<Property, MalformedEscape>> {
    logical_lines(text).into_iter().map(|(line, logical)| parse_line(line, &logical)).collect()
}

/// One assignment as a line that [`parse`] reads back.
#[must_use]
pub fn write(key: &str, value: &str) -> String {
    format!("{}={}\n", escape(key, true), escape(value, false))
}

/// Blanks end a key, and are dropped before a value; separators end a key; signs of a comment begin a line.
fn escape(text: &str, is_key: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        match c {
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\u{c}' => escaped.push_str("\\f"),
            '\\' => escaped.push_str("\\\\"),
            ' ' if is_key || at == 0 => escaped.push_str("\\ "),
            '=' | ':' | '#' | '!' if is_key => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Joins continued lines, drops comments and blank lines; each with the number of its first natural line.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, natural) in natural_lines(text).enumerate() {
        let content = natural.trim_start_matches(is_blank);
        if open.is_none() && (content.is_empty() || content.starts_with(['#', '!'])) {
            continue;
        }
        let (first, mut logical) = open.take().unwrap_or((index + 1, String::new()));
        let backslashes = content.chars().rev().take_while(|c| *c == '\\').count();
        let continued = backslashes % 2 == 1;
        logical.push_str(if continued { content.strip_suffix('\\').unwrap_or(content) } else { content });
        if continued {
            open = Some((first, logical));
        } else {
            lines.push((first, logical));
        }
    }
    lines.extend(open);
    lines
}

/// Lines end with LF, CR or CR LF.
fn natural_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

fn parse_line(line: usize, logical: &str) -> Result<Property, MalformedEscape> {
    let (key, rest) = split_key(logical);
    let rest = rest.trim_start_matches(is_blank);
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start_matches(is_blank);
    let unescape = |text| unescape(text).ok_or(MalformedEscape { line });
    Ok(Property { line, key: unescape(key)?, value: unescape(value)? })
}

/// The key ends at the first separator or blank without a backslash before it.
fn split_key(logical: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in logical.char_indices() {
        if !escaped && (matches!(c, '=' | ':') || is_blank(c)) {
            return logical.split_at(at);
        }
        escaped = c == '\\' && !escaped;
    }
    (logical, "")
}

/// `None` when an escape is malformed. A pair of surrogate escapes makes one character, as in Java.
fn unescape(text: &str) -> Option<String> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    let mut buffer = [0; 2];
    while let Some(c) = chars.next() {
        let plain = if c == '\\' { chars.next().unwrap_or('\\') } else { c };
        match (c, plain) {
            ('\\', 'u') => {
                let digits: String = chars.by_ref().take(4).collect();
                let is_hex = digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                units.push(is_hex.then(|| u16::from_str_radix(&digits, 16).ok()).flatten()?);
            }
            ('\\', 't') => units.push(u16::from(b'\t')),
            ('\\', 'n') => units.push(u16::from(b'\n')),
            ('\\', 'r') => units.push(u16::from(b'\r')),
            ('\\', 'f') => units.push(0xc),
            (_, other) => units.extend_from_slice(other.encode_utf16(&mut buffer)),
        }
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &str) -> Vec<(usize, String, String)> {
        parse(text).into_iter().map(|read| read.unwrap()).map(|one| (one.line, one.key, one.value)).collect()
    }

    fn pair(line: usize, key: &str, value: &str) -> (usize, String, String) {
        (line, key.to_owned(), value.to_owned())
    }

    #[test]
    fn three_separators_are_read() {
        assert_eq!(
            pairs("a=1\nb : 2\nc 3\nd"),
            [pair(1, "a", "1"), pair(2, "b", "2"), pair(3, "c", "3"), pair(4, "d", "")]
        );
    }

    #[test]
    fn a_value_keeps_its_separators() {
        assert_eq!(pairs("listeners=PLAINTEXT://:9092"), [pair(1, "listeners", "PLAINTEXT://:9092")]);
    }

    #[test]
    fn comments_and_blank_lines_are_skipped_and_counted() {
        assert_eq!(pairs("# a=1\n\n  ! b=2 \\\r\n\tc=3\r"), [pair(4, "c", "3")]);
    }

    #[test]
    fn a_continued_line_drops_the_blanks_of_the_next() {
        assert_eq!(pairs("a=1,\\\n   2,\\\n   3\nb=4"), [pair(1, "a", "1,2,3"), pair(4, "b", "4")]);
    }

    #[test]
    fn an_even_number_of_backslashes_continues_nothing() {
        assert_eq!(pairs("a=C:\\\\\nb=2"), [pair(1, "a", "C:\\"), pair(2, "b", "2")]);
    }

    #[test]
    fn escapes_are_read() {
        assert_eq!(pairs(r"a\ b\=c=\t\u0041\ud83d\ude00\q"), [pair(1, "a b=c", "\tA😀q")]);
    }

    #[test]
    fn a_malformed_escape_names_its_line_and_hides_nothing_else() {
        let read = parse("a=1\nb=\\u00g1\nc=3");
        assert_eq!(read[1], Err(MalformedEscape { line: 2 }));
        assert!(read[0].is_ok() && read[2].is_ok());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = parse(&text);
        }

        #[test]
        fn text_made_of_the_grammar_does_not_panic(text in r"[ab=:\\u0d8\n\r\t !#]{0,60}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_written_comes_back(key in any::<String>(), value in any::<String>()) {
            prop_assume!(!key.is_empty());
            let read = parse(&write(&key, &value));
            prop_assert_eq!(read, vec![Ok(Property { line: 1, key, value })]);
        }

        #[test]
        fn what_is_escaped_comes_back(key in "[a-zA-Z.=: \\\\#]{1,12}", value in any::<String>()) {
            let escape = |text: &str| -> String {
                text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
            };
            let read = parse(&format!("{}={}", escape(&key), escape(&value)));
            prop_assert_eq!(read, vec![Ok(Property { line: 1, key, value })]);
        }
    }
}
