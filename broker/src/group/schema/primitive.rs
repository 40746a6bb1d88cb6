//! Reading and writing the primitive types of Kafka's record schemas.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::unsigned_varint;

/// Why a record of `__consumer_offsets` could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The record ends within a field.
    #[error("the record ends within a field")]
    Truncated,
    /// A length is negative where null is not allowed, or larger than the record.
    #[error("a length does not fit the record")]
    BadLength,
    /// Text that is not UTF-8.
    #[error("a text field is not UTF-8")]
    NotUtf8,
    /// A version that this program does not read.
    #[error("version {0} of this record is not known")]
    UnknownVersion(i16),
    /// A text too long for its 16-bit length.
    #[error("a text of {0} bytes does not fit its field")]
    TooLong(usize),
}

/// Reads fields from the front of a record, in the classic or the flexible encoding.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    flexible: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, flexible: false }
    }

    /// Lengths are compact and structures end with tagged fields from here on.
    pub(super) fn set_flexible(&mut self, flexible: bool) {
        self.flexible = flexible;
    }

    pub(super) fn int16(&mut self) -> Result<i16, SchemaError> {
        self.rest.try_get_i16().map_err(|_| SchemaError::Truncated)
    }

    pub(super) fn int32(&mut self) -> Result<i32, SchemaError> {
        self.rest.try_get_i32().map_err(|_| SchemaError::Truncated)
    }

    pub(super) fn int64(&mut self) -> Result<i64, SchemaError> {
        self.rest.try_get_i64().map_err(|_| SchemaError::Truncated)
    }

    pub(super) fn nullable_text(&mut self) -> Result<Option<Arc<str>>, SchemaError> {
        let length = if self.flexible { self.compact_length()? } else { classic_length(self.int16()?.into())? };
        let Some(length) = length else { return Ok(None) };
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| SchemaError::NotUtf8)?;
        Ok(Some(Arc::from(text)))
    }

    pub(super) fn text(&mut self) -> Result<Arc<str>, SchemaError> {
        self.nullable_text()?.ok_or(SchemaError::BadLength)
    }

    /// Copies, so that the log's buffer is not kept.
    pub(super) fn bytes(&mut self) -> Result<Bytes, SchemaError> {
        let length = if self.flexible { self.compact_length()? } else { classic_length(self.int32()?)? };
        Ok(Bytes::copy_from_slice(self.take(length.ok_or(SchemaError::BadLength)?)?))
    }

    /// An array's length; every element takes at least one byte, so a larger claim is refused.
    pub(super) fn array(&mut self) -> Result<usize, SchemaError> {
        let length = if self.flexible { self.compact_length()? } else { classic_length(self.int32()?)? };
        let length = length.ok_or(SchemaError::BadLength)?;
        if length > self.rest.len() { Err(SchemaError::BadLength) } else { Ok(length) }
    }

    /// Skips the tagged fields that end a structure in the flexible encoding; nothing in the classic one.
    pub(super) fn skip_tags(&mut self) -> Result<(), SchemaError> {
        self.tags(|_, _| Ok(()))
    }

    /// Shows the tagged fields that end a structure in the flexible encoding; none in the classic one.
    pub(super) fn tags(
        &mut self,
        mut field: impl FnMut(u32, &'a [u8]) -> Result<(), SchemaError>,
    ) -> Result<(), SchemaError> {
        if !self.flexible {
            return Ok(());
        }
        for _ in 0..self.unsigned_varint()? {
            let tag = self.unsigned_varint()?;
            let length = usize::try_from(self.unsigned_varint()?).map_err(|_| SchemaError::BadLength)?;
            field(tag, self.take(length)?)?;
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], SchemaError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(SchemaError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn compact_length(&mut self) -> Result<Option<usize>, SchemaError> {
        match self.unsigned_varint()?.checked_sub(1) {
            None => Ok(None),
            Some(length) => Ok(Some(usize::try_from(length).map_err(|_| SchemaError::BadLength)?)),
        }
    }

    fn unsigned_varint(&mut self) -> Result<u32, SchemaError> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.rest.try_get_u8().map_err(|_| SchemaError::Truncated)?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(SchemaError::BadLength)
    }
}

fn classic_length(length: i32) -> Result<Option<usize>, SchemaError> {
    if length == -1 {
        return Ok(None);
    }
    usize::try_from(length).map(Some).map_err(|_| SchemaError::BadLength)
}

/// Writes text with a 16-bit length; null as -1.
pub(super) fn put_nullable_text(into: &mut BytesMut, text: Option<&str>) -> Result<(), SchemaError> {
    let Some(text) = text else {
        into.put_i16(-1);
        return Ok(());
    };
    into.put_i16(i16::try_from(text.len()).map_err(|_| SchemaError::TooLong(text.len()))?);
    into.put_slice(text.as_bytes());
    Ok(())
}

/// Writes text with a 16-bit length.
pub(super) fn put_text(into: &mut BytesMut, text: &str) -> Result<(), SchemaError> {
    put_nullable_text(into, Some(text))
}

/// Writes text with a compact length. It is no longer than with a 16-bit one: Kafka reads no more.
pub(super) fn put_compact_text(into: &mut BytesMut, text: &str) -> Result<(), SchemaError> {
    let length = i16::try_from(text.len()).map_err(|_| SchemaError::TooLong(text.len()))?;
    unsigned_varint::put(into, u32::from(length.unsigned_abs()) + 1);
    into.put_slice(text.as_bytes());
    Ok(())
}

/// Writes bytes with a 32-bit length.
pub(super) fn put_bytes(into: &mut BytesMut, bytes: &[u8]) -> Result<(), SchemaError> {
    into.put_i32(i32::try_from(bytes.len()).map_err(|_| SchemaError::TooLong(bytes.len()))?);
    into.put_slice(bytes);
    Ok(())
}
