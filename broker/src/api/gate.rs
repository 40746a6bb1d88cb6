//! The gate: walks a request by its SHAPE before the codec sees a byte, because the codec reserves memory for whatever
//! count a peer claims (design decision 8).
//!
//! What has passed holds:
//! 1. Every count fits the bytes that are left, each element taken at its least size.
//! 2. Lengths are not negative, except the one null where null is allowed; varints are in their shortest form.
//! 3. Strings are UTF-8 and no longer than Kafka allows.
//! 4. A known tagged field is of this version and has exactly the size it says.
//! 5. Elements and unknown tags stay below their bounds. What trails the body is cut off: Kafka does not look at it, and
//!    librdkafka sends it (2.16, three bytes after a Metadata v13 for all topics).
//! 6. Nesting is that of the SHAPE, which is static.

use bytes::{Buf, Bytes};

use super::CloseReason;
use super::shape::{Field, Kind, Shape};
use crate::limits::{REQUEST_ELEMENTS_MAX, REQUEST_UNKNOWN_TAGS_MAX, STRING_BYTES_MAX};

/// Bytes of key, version and correlation id: the part of a header that is the same in every version.
pub const HEADER_PREFIX: usize = 8;

/// What the first eight bytes of a frame say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// API key.
    pub key: i16,
    /// API version.
    pub version: i16,
    /// Goes back with the answer.
    pub correlation_id: i32,
}

impl Prefix {
    /// Reads the first eight bytes.
    #[must_use]
    pub fn read(bytes: &[u8; HEADER_PREFIX]) -> Self {
        let mut from = bytes.as_slice();
        Self { key: from.get_i16(), version: from.get_i16(), correlation_id: from.get_i32() }
    }
}

/// Why a header or body was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {at}")]
pub struct Malformed {
    /// Position in what was walked.
    pub at: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

impl From<Malformed> for CloseReason {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// Splits a frame into the client id ("" for null) and the body. Header version 2 (`flexible`) adds a block of tags;
/// the client id keeps its 16-bit length in both.
///
/// # Errors
/// When the header is cut short or not in its form.
pub fn split_header(frame: &Bytes, flexible: bool) -> Result<(Bytes, Bytes), Malformed> {
    let mut walk = Walk::new(frame, 0, false);
    walk.take(HEADER_PREFIX)?;
    let from = walk.at;
    let client_id = match walk.text(true)? {
        0 => Bytes::new(),
        length => frame.slice(from + 2..from + 2 + length),
    };
    if flexible {
        walk.flexible = true;
        walk.tags(&[])?;
    }
    Ok((client_id, frame.slice(walk.at..)))
}

/// Walks a request body and gives it without what trails it, and how many elements its arrays have together.
///
/// # Errors
/// The first place where the body does not fit the shape.
pub fn whole_body(shape: &Shape, version: i16, bytes: &Bytes) -> Result<(Bytes, usize), Malformed> {
    let mut walk = Walk::new(bytes, version, version >= shape.flexible);
    walk.fields(shape.fields)?;
    Ok((bytes.slice(..walk.at), walk.elements))
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    version: i16,
    flexible: bool,
    elements: usize,
    unknown_tags: usize,
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8], version: i16, flexible: bool) -> Self {
        Self { bytes, at: 0, version, flexible, elements: 0, unknown_tags: 0 }
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn wrong(&self, reason: &'static str) -> Malformed {
        Malformed { at: self.at, reason }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.get(..count));
        let taken = taken.ok_or_else(|| self.wrong("the bytes end early"))?;
        self.at += count;
        Ok(taken)
    }

    fn fields(&mut self, fields: &'static [Field]) -> Result<(), Malformed> {
        let version = self.version;
        for field in fields.iter().filter(|field| field.tag.is_none() && field.is_in(version)) {
            self.kind(&field.kind, field.nullable <= version)?;
        }
        if self.flexible { self.tags(fields) } else { Ok(()) }
    }

    fn kind(&mut self, kind: &'static Kind, nullable: bool) -> Result<(), Malformed> {
        match kind {
            Kind::Fixed(size) => self.take(*size).map(|_| ()),
            Kind::Text => self.text(nullable).map(|_| ()),
            Kind::Bytes => match self.length(nullable)? {
                Some(length) => self.take(length).map(|_| ()),
                None => Ok(()),
            },
            Kind::Array(Kind::Fixed(size)) => {
                let count = self.count(*size, nullable)?;
                self.take(count * size).map(|_| ())
            }
            Kind::Array(element) => {
                let count = self.count(self.least(element), nullable)?;
                (0..count).try_for_each(|_| self.kind(element, false))
            }
            Kind::Structs(fields) => {
                let count = self.count(self.least_of_fields(fields), nullable)?;
                (0..count).try_for_each(|_| self.fields(fields))
            }
            Kind::Struct(fields) => {
                if nullable && !self.present()? {
                    return Ok(());
                }
                self.fields(fields)
            }
        }
    }

    /// A string; its length, 0 for null.
    fn text(&mut self, nullable: bool) -> Result<usize, Malformed> {
        let length = if self.flexible { self.length(nullable)? } else { self.short_length(nullable)? };
        let length = length.unwrap_or(0);
        if length > STRING_BYTES_MAX {
            return Err(self.wrong("a string is longer than 32767 bytes"));
        }
        let bytes = self.take(length)?;
        if std::str::from_utf8(bytes).is_ok() { Ok(length) } else { Err(self.wrong("a string is not UTF-8")) }
    }

    /// The byte before a structure that may be null: 1 for present, -1 for null.
    fn present(&mut self) -> Result<bool, Malformed> {
        match self.take(1)? {
            [1] => Ok(true),
            [0xff] => Ok(false),
            _ => Err(self.wrong("the mark of a structure is neither 1 nor -1")),
        }
    }

    /// Number of elements of an array, 0 for null, each at least `least` bytes long.
    fn count(&mut self, least: usize, nullable: bool) -> Result<usize, Malformed> {
        let count = self.length(nullable)?.unwrap_or(0);
        if count > self.left() / least.max(1) {
            return Err(self.wrong("an array claims more elements than bytes are left"));
        }
        self.elements += count;
        if self.elements > REQUEST_ELEMENTS_MAX {
            return Err(self.wrong("the request has too many elements"));
        }
        Ok(count)
    }

    /// The length of bytes or an array; `None` for null.
    fn length(&mut self, nullable: bool) -> Result<Option<usize>, Malformed> {
        let length = if self.flexible { i64::from(self.varint()?) - 1 } else { i64::from(self.take(4)?.get_i32()) };
        self.not_negative(length, nullable)
    }

    /// The length of a string outside flexible versions; `None` for null.
    fn short_length(&mut self, nullable: bool) -> Result<Option<usize>, Malformed> {
        let length = i64::from(self.take(2)?.get_i16());
        self.not_negative(length, nullable)
    }

    fn not_negative(&self, length: i64, nullable: bool) -> Result<Option<usize>, Malformed> {
        match usize::try_from(length) {
            Ok(length) => Ok(Some(length)),
            Err(_) if length == -1 && nullable => Ok(None),
            Err(_) if length == -1 => Err(self.wrong("null is not allowed")),
            Err(_) => Err(self.wrong("a length is negative")),
        }
    }

    /// An unsigned varint in its shortest form.
    fn varint(&mut self) -> Result<u32, Malformed> {
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = self.take(1)?.get_u8();
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(self.wrong("a varint is not in its shortest form"));
                }
                return u32::try_from(value).map_err(|_| self.wrong("a varint is above 32 bits"));
            }
        }
        Err(self.wrong("a varint is longer than five bytes"))
    }

    /// The block of tagged fields that ends every structure of a flexible version.
    fn tags(&mut self, fields: &'static [Field]) -> Result<(), Malformed> {
        for _ in 0..self.varint()? {
            let tag = self.varint()?;
            let size = self.varint()? as usize;
            if size > self.left() {
                return Err(self.wrong("the bytes end early"));
            }
            let end = self.at + size;
            match fields.iter().find(|field| field.tag == Some(tag)) {
                Some(field) if !field.is_in(self.version) => {
                    return Err(self.wrong("a tag is not of this version"));
                }
                Some(field) => self.kind(&field.kind, field.nullable <= self.version)?,
                None => {
                    self.unknown_tags += 1;
                    self.take(size)?;
                }
            }
            if self.unknown_tags > REQUEST_UNKNOWN_TAGS_MAX {
                return Err(self.wrong("the request has too many unknown tags"));
            }
            if self.at != end {
                return Err(self.wrong("a tagged field has not the size it says"));
            }
        }
        Ok(())
    }

    /// The least number of bytes that a value of this kind takes.
    fn least(&self, kind: &Kind) -> usize {
        match kind {
            Kind::Fixed(size) => *size,
            Kind::Text if !self.flexible => 2,
            Kind::Bytes | Kind::Array(_) | Kind::Structs(_) if !self.flexible => 4,
            Kind::Text | Kind::Bytes | Kind::Array(_) | Kind::Structs(_) => 1,
            Kind::Struct(fields) => self.least_of_fields(fields),
        }
    }

    fn least_of_fields(&self, fields: &[Field]) -> usize {
        let untagged = fields.iter().filter(|field| field.tag.is_none() && field.is_in(self.version));
        let sum: usize =
            untagged.map(|field| if field.is_marked(self.version) { 1 } else { self.least(&field.kind) }).sum();
        sum + usize::from(self.flexible)
    }
}

#[cfg(test)]
mod tests;
