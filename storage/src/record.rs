//! One record's bytes: taking it apart without copying.
//!
//! Must not know: batches, compression.

use crate::varint::{take_varint, take_varlong};

/// A record as it lies in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawRecord<'a> {
    /// Its timestamp minus the batch's base timestamp.
    pub(crate) timestamp_delta: i64,
    /// Its offset minus the batch's base offset.
    pub(crate) offset_delta: i32,
    /// The key.
    pub(crate) key: Option<&'a [u8]>,
    /// The value.
    pub(crate) value: Option<&'a [u8]>,
}

/// Takes the next record from the front of `from`. Every length is checked against the record's own end, which is
/// checked against the bytes that are there.
#[inline]
pub(crate) fn take_record<'a>(from: &mut &'a [u8]) -> Result<RawRecord<'a>, &'static str> {
    let length = take_varint(from).and_then(|length| usize::try_from(length).ok()).ok_or("bad record length")?;
    let (mut body, rest) = from.split_at_checked(length).ok_or("a record ends after its batch")?;
    *from = rest;
    let (_attributes, fields) = body.split_first().ok_or("an empty record")?;
    body = fields;
    let timestamp_delta = take_varlong(&mut body).ok_or("bad timestamp delta")?;
    let offset_delta = take_varint(&mut body).ok_or("bad offset delta")?;
    let key = take_nullable(&mut body).ok_or("bad key length")?;
    let value = take_nullable(&mut body).ok_or("bad value length")?;
    // Most records end with a count of 0.
    if body != [0] {
        skip_headers(&mut body)?;
        if !body.is_empty() {
            return Err("a record has bytes after its headers");
        }
    }
    Ok(RawRecord { timestamp_delta, offset_delta, key, value })
}

/// As [`take_record`], with the keys of its headers: for people who look, not for the way of a record.
pub(crate) fn take_record_with_headers<'a>(
    from: &mut &'a [u8],
) -> Result<(RawRecord<'a>, Vec<&'a [u8]>), &'static str> {
    let mut whole = *from;
    let raw = take_record(from)?;
    // The fields were checked by now: only the headers are new.
    take_varint(&mut whole).ok_or("bad record length")?;
    let (_attributes, mut body) = whole.split_first().ok_or("an empty record")?;
    take_varlong(&mut body).ok_or("bad timestamp delta")?;
    take_varint(&mut body).ok_or("bad offset delta")?;
    take_nullable(&mut body).ok_or("bad key length")?;
    take_nullable(&mut body).ok_or("bad value length")?;
    let count = take_varint(&mut body).ok_or("bad header count")?;
    let mut keys = Vec::new();
    for _ in 0..count {
        keys.push(take_nullable(&mut body).flatten().ok_or("bad header key")?);
        take_nullable(&mut body).ok_or("bad header value")?;
    }
    Ok((raw, keys))
}

fn skip_headers(body: &mut &[u8]) -> Result<(), &'static str> {
    let count = take_varint(body).ok_or("bad header count")?;
    if count < 0 {
        return Err("bad header count");
    }
    for _ in 0..count {
        take_nullable(body).flatten().ok_or("bad header key")?;
        take_nullable(body).ok_or("bad header value")?;
    }
    Ok(())
}

/// A length and so many bytes; a negative length is null. The outer `None` is damage.
#[inline(always)]
#[allow(clippy::option_option, reason = "null and damaged are different answers")]
fn take_nullable<'a>(from: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = take_varint(from)?;
    let Ok(length) = usize::try_from(length) else { return Some(None) };
    let (field, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(Some(field))
}
