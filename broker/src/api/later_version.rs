//! A version of an API that Kafka serves and the codec does not read yet. Its requests are read by a file of ours, into
//! the codec's own types; its answers are written by the codec, in the form of a version that it has, or by that file.
//!
//! What is read here has passed the gate, and still nothing is reserved for what a count claims.

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::protocol::{Request, StrBytes};
use uuid::Uuid;

use crate::unsigned_varint;

/// Why a message was not read or written: whatever the codec says.
pub type CodecError = Box<dyn std::error::Error + Send + Sync>;

/// One version above the codec's.
pub struct LaterVersion<R: Request> {
    /// The version.
    pub version: i16,
    /// Reads a request.
    pub decode: fn(&mut Bytes) -> Result<R, CodecError>,
    /// How answers are written.
    pub answer: Answer<R::Response>,
    /// Writes a request, for tests.
    #[cfg(test)]
    pub encode: fn(&R) -> Result<Bytes, CodecError>,
}

/// How the answers of a later version are written.
pub enum Answer<A> {
    /// By the codec, in the form of this version.
    As(i16),
    /// By a function of ours.
    By(fn(&A) -> Result<Bytes, CodecError>),
}

/// Writes the length of a compact array.
///
/// # Errors
/// When it has more elements than a length can say.
pub fn put_count(into: &mut BytesMut, count: usize) -> Result<(), CodecError> {
    unsigned_varint::put(into, u32::try_from(count)?.checked_add(1).ok_or("an array is too long")?);
    Ok(())
}

/// A message in the form of a version that the codec has.
#[cfg(test)]
pub(crate) fn written<M: kafka_protocol::protocol::Encodable>(message: &M, version: i16) -> Result<Bytes, CodecError> {
    let mut into = BytesMut::new();
    message.encode(&mut into, version)?;
    Ok(into.freeze())
}

/// A structure's bytes, read field by field in the flexible encoding.
pub struct Fields<'a>(pub &'a mut Bytes);

impl Fields<'_> {
    /// One that reads itself, by the codec for example.
    ///
    /// # Errors
    /// Its own.
    pub fn of<T, E: Into<CodecError>>(
        &mut self,
        read: impl FnOnce(&mut Bytes) -> Result<T, E>,
    ) -> Result<T, CodecError> {
        read(self.0).map_err(Into::into)
    }

    /// A bool.
    ///
    /// # Errors
    /// When the bytes end early; so with all the others.
    pub fn boolean(&mut self) -> Result<bool, CodecError> {
        Ok(self.0.try_get_u8()? != 0)
    }

    /// An int32.
    ///
    /// # Errors
    /// As [`Fields::boolean`].
    pub fn int32(&mut self) -> Result<i32, CodecError> {
        Ok(self.0.try_get_i32()?)
    }

    /// A uuid.
    ///
    /// # Errors
    /// As [`Fields::boolean`].
    pub fn uuid(&mut self) -> Result<Uuid, CodecError> {
        let mut bytes = [0; 16];
        self.0.try_copy_to_slice(&mut bytes)?;
        Ok(Uuid::from_bytes(bytes))
    }

    /// A string.
    ///
    /// # Errors
    /// Also when it is null or not UTF-8.
    pub fn text(&mut self) -> Result<StrBytes, CodecError> {
        self.nullable_text()?.ok_or_else(|| "a text is null".into())
    }

    /// A string that may be null.
    ///
    /// # Errors
    /// Also when it is not UTF-8.
    pub fn nullable_text(&mut self) -> Result<Option<StrBytes>, CodecError> {
        let Some(length) = self.varint()?.checked_sub(1) else { return Ok(None) };
        Ok(Some(StrBytes::try_from(self.take(length)?)?))
    }

    /// An array.
    ///
    /// # Errors
    /// Also when it is null, and those of its elements.
    pub fn array<T>(
        &mut self,
        element: impl FnMut(&mut Fields<'_>) -> Result<T, CodecError>,
    ) -> Result<Vec<T>, CodecError> {
        self.nullable_array(element)?.ok_or_else(|| "an array is null".into())
    }

    /// An array that may be null.
    ///
    /// # Errors
    /// Also those of its elements.
    pub fn nullable_array<T>(
        &mut self,
        mut element: impl FnMut(&mut Fields<'_>) -> Result<T, CodecError>,
    ) -> Result<Option<Vec<T>>, CodecError> {
        let Some(count) = self.varint()?.checked_sub(1) else { return Ok(None) };
        (0..count).map(|_| element(self)).collect::<Result<_, _>>().map(Some)
    }

    /// The tagged fields that end a structure, passed over: these versions have none that are known.
    ///
    /// # Errors
    /// As [`Fields::boolean`].
    pub fn end(&mut self) -> Result<(), CodecError> {
        for _ in 0..self.varint()? {
            self.varint()?;
            let size = self.varint()?;
            self.take(size)?;
        }
        Ok(())
    }

    fn take(&mut self, length: u32) -> Result<Bytes, CodecError> {
        let length = usize::try_from(length)?;
        if length > self.0.len() {
            return Err("the bytes end early".into());
        }
        Ok(self.0.split_to(length))
    }

    fn varint(&mut self) -> Result<u32, CodecError> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.0.try_get_u8()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a varint is longer than five bytes".into())
    }
}
