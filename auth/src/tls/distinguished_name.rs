//! A distinguished name as text, equal to Java's `X500Principal.getName()`: that text is a client's principal in Kafka, and
//! ACLs are written with it. RFC 2253: last part first, `,` between parts, `+` within one, nine keywords; whatever has
//! another type is its number and its bytes in hexadecimal.
//!
//! `names.tsv` holds what a JVM printed; `Names.java` beside it makes that file again.

use std::fmt::Write as _;

use super::der::{Element, Elements, Malformed, OBJECT_IDENTIFIER, SEQUENCE, SET};

/// Types that RFC 2253 knows by a keyword, by the content of their object identifiers.
const KEYWORDS: [(&[u8], &str); 9] = [
    (&[0x55, 0x04, 0x03], "CN"),
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x09], "STREET"),
    (&[0x55, 0x04, 0x0a], "O"),
    (&[0x55, 0x04, 0x0b], "OU"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01], "UID"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19], "DC"),
];

/// Tags of strings that are shown as text: `UTF8String`, `PrintableString`, `T61String`, `IA5String`, `GeneralString` and
/// `BMPString`. Java takes the bytes of each of them for UTF-8, and so do we.
const TEXTS: [u8; 6] = [0x0c, 0x13, 0x14, 0x16, 0x1b, 0x1e];

/// Prints a name given as DER: a SEQUENCE of relative distinguished names.
///
/// # Errors
/// When the bytes are no name.
pub fn print(name: &[u8]) -> Result<String, Malformed> {
    let mut outer = Elements::of(name);
    let mut parts = Elements::of(outer.expect(SEQUENCE, "a name is no sequence")?.content);
    if !outer.is_empty() {
        return Err(Malformed("something follows a name"));
    }
    let mut printed = Vec::new();
    while !parts.is_empty() {
        printed.push(relative(parts.expect(SET, "a part of a name is no set")?)?);
    }
    printed.reverse();
    Ok(printed.join(","))
}

/// One part, of one attribute or several.
fn relative(part: Element<'_>) -> Result<String, Malformed> {
    let mut attributes = Elements::of(part.content);
    let mut text = String::new();
    while !attributes.is_empty() {
        if !text.is_empty() {
            text.push('+');
        }
        let attribute = attributes.expect(SEQUENCE, "an attribute of a name is no sequence")?;
        let mut inner = Elements::of(attribute.content);
        let kind = inner.expect(OBJECT_IDENTIFIER, "an attribute of a name has no type")?;
        let value = inner.next()?;
        if !inner.is_empty() {
            return Err(Malformed("an attribute of a name has two values"));
        }
        attribute_to(&mut text, kind.content, value)?;
    }
    if text.is_empty() { Err(Malformed("a part of a name is empty")) } else { Ok(text) }
}

fn attribute_to(text: &mut String, kind: &[u8], value: Element<'_>) -> Result<(), Malformed> {
    let keyword = KEYWORDS.iter().find(|(oid, _)| *oid == kind).map(|(_, keyword)| *keyword);
    match keyword {
        Some(keyword) => text.push_str(keyword),
        None => object_identifier_to(text, kind)?,
    }
    text.push('=');
    if keyword.is_some() && TEXTS.contains(&value.tag) {
        escaped_to(text, &decoded(value.content));
    } else {
        text.push('#');
        for byte in value.whole {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
    }
    Ok(())
}

/// Numbers with dots between them.
fn object_identifier_to(text: &mut String, content: &[u8]) -> Result<(), Malformed> {
    const WRONG: Malformed = Malformed("the type of an attribute is no object identifier");
    if content.last().is_none_or(|last| last & 0x80 != 0) {
        return Err(WRONG);
    }
    let (mut arc, mut begins, mut is_first) = (0_u128, true, true);
    for byte in content {
        if begins && *byte == 0x80 {
            return Err(WRONG);
        }
        arc = arc.checked_mul(128).ok_or(WRONG)? + u128::from(byte & 0x7f);
        begins = byte & 0x80 == 0;
        if !begins {
            continue;
        }
        // The first two numbers share one: 40 times the first, which is 0, 1 or 2, and the second.
        let _ = if is_first {
            let first = (arc / 40).min(2);
            write!(text, "{first}.{}", arc - first * 40)
        } else {
            write!(text, ".{arc}")
        };
        (arc, is_first) = (0, false);
    }
    Ok(())
}

/// Bytes as UTF-8. Java puts one replacement where Rust puts one for each byte of a surrogate.
fn decoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut surrogate = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        surrogate = match (surrogate, chunk.invalid()) {
            (1, [0xa0..=0xbf]) if chunk.valid().is_empty() => 2,
            (2, [0x80..=0xbf]) if chunk.valid().is_empty() => 0,
            (_, []) => 0,
            (_, invalid) => {
                text.push(char::REPLACEMENT_CHARACTER);
                usize::from(invalid == [0xed])
            }
        };
    }
    text
}

/// A backslash before what has a meaning of its own, and before blanks at either end.
fn escaped_to(text: &mut String, value: &str) {
    let is_blank = |c: char| matches!(c, ' ' | '\r');
    let inner = value.trim_matches(is_blank);
    let lead = value.len() - value.trim_start_matches(is_blank).len();
    let trail = lead + inner.len();
    for (at, c) in value.char_indices() {
        if matches!(c, ',' | '=' | '+' | '<' | '>' | '#' | ';' | '"' | '\\') || at < lead || at >= trail {
            text.push('\\');
        }
        if c == '\0' { text.push_str("\\00") } else { text.push(c) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        (0..hexadecimal.len()).step_by(2).map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn every_name_is_printed_as_a_jvm_prints_it() {
        let rows = include_str!("names.tsv").lines().filter(|line| !line.starts_with('#'));
        let mut count = 0;
        for row in rows {
            let (der, name) = row.split_once('\t').unwrap();
            let name = String::from_utf8(bytes(name)).unwrap();
            assert_eq!(print(&bytes(der)).as_deref(), Ok(name.as_str()), "{der}");
            count += 1;
        }
        assert!(count > 400, "{count} rows");
    }

    #[test]
    fn a_value_cannot_pass_for_two() {
        let value = br#"x,CN=admin+OU=y,CN=root\,CN=z"<>"#;
        let length = u8::try_from(value.len()).unwrap();
        let heads = [0x30, length + 11, 0x31, length + 9, 0x30, length + 7, 0x06, 3, 0x55, 0x04, 0x0a, 0x0c, length];
        let printed = print(&[&heads[..], value].concat());
        assert_eq!(printed.ok().as_deref(), Some(r#"O=x\,CN\=admin\+OU\=y\,CN\=root\\\,CN\=z\"\<\>"#));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(garbage in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = print(&garbage);
        }

        #[test]
        fn no_damage_to_a_name_makes_it_panic(at in 0_usize..60, byte in any::<u8>(), cut in 0_usize..60) {
            let mut name = bytes("3039310b3009060355040613024445310e300c060355040a0c05412c20422b311a3018060a0992268993f22c64011916\
                                  0a6578616d706c652e636f");
            if let Some(place) = name.get_mut(at) { *place = byte; }
            name.truncate(name.len() - cut.min(name.len()));
            let _ = print(&name);
        }
    }
}
