//! The encoding of certificates, DER, as far as names need it: elements one after the other, each with a tag and a length.
//!
//! Invariants: nothing is allocated, nothing beyond the input is read, and every input ends in an element or an error.

/// Bytes that are not DER, or not the structure that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate is malformed: {0}")]
pub struct Malformed(pub &'static str);

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const BOOLEAN: u8 = 0x01;

/// One element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// With tag and length.
    pub(crate) whole: &'a [u8],
}

/// Elements that stand one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element, of whatever tag.
    pub(crate) fn next(&mut self) -> Result<Element<'a>, Malformed> {
        let (tag, rest) = self.0.split_first().ok_or(Malformed("an element is missing"))?;
        if tag & 0x1f == 0x1f {
            return Err(Malformed("a tag has more than one byte"));
        }
        let (length, rest) = length(rest)?;
        let content = rest.get(..length).ok_or(Malformed("an element is longer than what it is in"))?;
        let after = rest.get(length..).unwrap_or_default();
        let whole = self.0.get(..self.0.len() - after.len()).unwrap_or_default();
        self.0 = after;
        Ok(Element { tag: *tag, content, whole })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8, what: &'static str) -> Result<Element<'a>, Malformed> {
        let next = self.next()?;
        if next.tag == tag { Ok(next) } else { Err(Malformed(what)) }
    }

    /// The next element when it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Malformed> {
        if self.0.first() == Some(&tag) { self.next().map(Some) } else { Ok(None) }
    }
}

/// A length in its shortest form, of at most four bytes, and what follows it.
fn length(bytes: &[u8]) -> Result<(usize, &[u8]), Malformed> {
    const WRONG: Malformed = Malformed("a length is not in its shortest form");
    let (first, rest) = bytes.split_first().ok_or(Malformed("a length is missing"))?;
    let count = usize::from(*first);
    if count < 0x80 {
        return Ok((count, rest));
    }
    let count = count & 0x7f;
    let digits = rest.get(..count).filter(|digits| (1..=4).contains(&digits.len())).ok_or(WRONG)?;
    let length = digits.iter().fold(0_u64, |length, digit| length << 8 | u64::from(*digit));
    if length < 0x80 || digits.first() == Some(&0) {
        return Err(WRONG);
    }
    let length = usize::try_from(length).map_err(|_| WRONG)?;
    Ok((length, rest.get(count..).unwrap_or_default()))
}
