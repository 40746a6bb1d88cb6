//! The primitive values that records and snapshots are written with. Reading trusts nothing: no byte sequence panics,
//! and nothing is reserved beyond the bytes that are there.
//!
//! Integers are LEB128 varints (signed ones zigzag first), text and lists carry their length first, UUIDs are 16
//! bytes, an optional value is preceded by a byte 0 or 1.

use uuid::Uuid;

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside a value.
    #[error("the bytes end inside a value")]
    Truncated,
    /// A varint is longer than its type or not in its shortest form.
    #[error("a varint is too long")]
    Varint,
    /// A number does not fit its field, a flag is neither 0 nor 1.
    #[error("a value is out of range")]
    Range,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
    /// Bytes follow the last field.
    #[error("bytes follow the last field")]
    Trailing,
    /// The bytes are not those that were written.
    #[error("the checksum is wrong: the bytes are damaged")]
    Checksum,
    /// A kind or version this program does not know: a newer one wrote it.
    #[error("{what} {kind} version {version} is unknown: it was written by a newer version of Barnabas")]
    Unknown {
        /// `record`, `entry`, `snapshot`.
        what: &'static str,
        /// Which kind.
        kind: u64,
        /// Which version of it.
        version: u64,
    },
}

/// Takes values off the front of a slice.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from the front.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Takes exactly `count` bytes.
    ///
    /// # Errors
    /// `Truncated`.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// `Truncated`.
    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.rest.split_first().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    /// An unsigned varint.
    ///
    /// # Errors
    /// `Truncated` or `Varint`.
    pub fn unsigned(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(DecodeError::Varint);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 { Err(DecodeError::Varint) } else { Ok(value) };
            }
        }
        Err(DecodeError::Varint)
    }

    /// A signed varint.
    ///
    /// # Errors
    /// `Truncated` or `Varint`.
    pub fn signed(&mut self) -> Result<i64, DecodeError> {
        let zigzag = self.unsigned()?;
        Ok((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
    }

    /// A signed varint that fits 32 bits.
    ///
    /// # Errors
    /// As [`Reader::signed`], or `Range`.
    pub fn int32(&mut self) -> Result<i32, DecodeError> {
        i32::try_from(self.signed()?).map_err(|_| DecodeError::Range)
    }

    /// A flag.
    ///
    /// # Errors
    /// `Truncated` or `Range`.
    pub fn flag(&mut self) -> Result<bool, DecodeError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            2.. => Err(DecodeError::Range),
        }
    }

    /// A length-prefixed run of bytes.
    ///
    /// # Errors
    /// `Truncated` or `Varint`.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = usize::try_from(self.unsigned()?).map_err(|_| DecodeError::Truncated)?;
        self.take(length)
    }

    /// A text.
    ///
    /// # Errors
    /// As [`Reader::bytes`], or `Text`.
    pub fn text(&mut self) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| DecodeError::Text)
    }

    /// A UUID.
    ///
    /// # Errors
    /// `Truncated`.
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        Uuid::from_slice(self.take(16)?).map_err(|_| DecodeError::Truncated)
    }

    /// An optional value.
    ///
    /// # Errors
    /// Those of `read`, or of the flag.
    pub fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    /// A list. The claimed count reserves nothing: every element takes at least one byte.
    ///
    /// # Errors
    /// Those of `read`, or `Truncated`.
    pub fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.unsigned()?;
        if count > self.rest.len() as u64 {
            return Err(DecodeError::Truncated);
        }
        (0..count).map(|_| read(self)).collect()
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// `Trailing`.
    pub fn end(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Trailing) }
    }
}

/// Puts values at the end of a buffer.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// What was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Raw bytes.
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// One byte.
    pub fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// An unsigned varint.
    pub fn unsigned(&mut self, mut value: u64) {
        while value > 0x7f {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// A signed varint.
    pub fn signed(&mut self, value: i64) {
        self.unsigned((value << 1).cast_unsigned() ^ (value >> 63).cast_unsigned());
    }

    /// A flag.
    pub fn flag(&mut self, value: bool) {
        self.byte(u8::from(value));
    }

    /// A length-prefixed run of bytes.
    pub fn bytes(&mut self, value: &[u8]) {
        self.unsigned(value.len() as u64);
        self.put(value);
    }

    /// A text.
    pub fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    /// A UUID.
    pub fn uuid(&mut self, value: Uuid) {
        self.put(value.as_bytes());
    }

    /// An optional value.
    pub fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// A list.
    pub fn list<T>(&mut self, values: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.unsigned(values.len() as u64);
        for value in values {
            write(self, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_and_texts_come_back(unsigned: u64, signed: i64, text: String, list: Vec<i64>) {
            let mut writer = Writer::default();
            writer.unsigned(unsigned);
            writer.signed(signed);
            writer.text(&text);
            writer.list(&list, |writer, value| writer.signed(*value));
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.unsigned(), Ok(unsigned));
            prop_assert_eq!(reader.signed(), Ok(signed));
            prop_assert_eq!(reader.text(), Ok(text.as_str()));
            prop_assert_eq!(reader.list(Reader::signed), Ok(list));
            prop_assert_eq!(reader.end(), Ok(()));
        }
    }

    #[test]
    fn a_list_that_claims_more_than_there_is_reserves_nothing() {
        let mut writer = Writer::default();
        writer.unsigned(u64::MAX);
        let bytes = writer.into_bytes();
        assert_eq!(Reader::new(&bytes).list(Reader::unsigned), Err(DecodeError::Truncated));
    }

    #[test]
    fn a_varint_in_a_longer_form_is_refused() {
        assert_eq!(Reader::new(&[0x80, 0x00]).unsigned(), Err(DecodeError::Varint));
        assert_eq!(Reader::new(&[0xff; 11]).unsigned(), Err(DecodeError::Varint));
    }
}
