//! Zig-zag varints, as records carry them.

use bytes::{BufMut as _, BytesMut};

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Writes a 32-bit number (the zig-zag form of a sign-extended number is the same in 32 and 64 bits).
pub(crate) fn put_varint(into: &mut BytesMut, value: i32) {
    put_varlong(into, i64::from(value));
}

/// Writes a 64-bit number.
pub(crate) fn put_varlong(into: &mut BytesMut, value: i64) {
    let mut rest = zigzag(value);
    while rest >= 0x80 {
        into.put_u8((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    into.put_u8(rest as u8);
}

/// Bytes that [`put_varint`] writes.
pub(crate) fn varint_len(value: i32) -> usize {
    varlong_len(i64::from(value))
}

/// Bytes that [`put_varlong`] writes.
pub(crate) fn varlong_len(value: i64) -> usize {
    (64 - (zigzag(value) | 1).leading_zeros() as usize).div_ceil(7)
}

/// Takes a 32-bit number from the front; `None` when the bytes end early or the number does not fit.
#[inline(always)] // five a record: left to the compiler, a change elsewhere has it called
pub(crate) fn take_varint(from: &mut &[u8]) -> Option<i32> {
    i32::try_from(take_varlong(from)?).ok()
}

/// Takes a 64-bit number from the front; `None` when the bytes end early or it is longer than ten bytes.
#[inline(always)]
pub(crate) fn take_varlong(from: &mut &[u8]) -> Option<i64> {
    match *from {
        [first, rest @ ..] if *first < 0x80 => {
            *from = rest;
            Some(unzigzag(u64::from(*first)))
        }
        // Lengths and deltas of ordinary records: 64 to 8191.
        [first, second, rest @ ..] if *second < 0x80 => {
            *from = rest;
            Some(unzigzag(u64::from(*first & 0x7f) | u64::from(*second) << 7))
        }
        _ => take_long_form(from),
    }
}

#[cold]
fn take_long_form(from: &mut &[u8]) -> Option<i64> {
    let mut value = 0u64;
    for (index, &byte) in from.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(index).ok()?)?;
        if byte < 0x80 {
            *from = &from[index + 1..];
            return Some(unzigzag(value));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values_have_known_bytes() {
        for (value, bytes) in [
            (0i64, &[0u8][..]),
            (-1, &[1]),
            (1, &[2]),
            (63, &[0x7e]),
            (-64, &[0x7f]),
            (64, &[0x80, 0x01]),
            (i64::from(i32::MAX), &[0xfe, 0xff, 0xff, 0xff, 0x0f]),
            (i64::from(i32::MIN), &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        ] {
            let mut out = BytesMut::new();
            put_varlong(&mut out, value);
            assert_eq!(&out[..], bytes, "{value}");
            assert_eq!(varlong_len(value), bytes.len());
        }
    }

    #[test]
    fn an_endless_varint_is_refused() {
        assert_eq!(take_varlong(&mut &[0xff; 11][..]), None);
        assert_eq!(take_varlong(&mut &[0x80, 0x80][..]), None);
        assert_eq!(take_varint(&mut &[0xff, 0xff, 0xff, 0xff, 0x1f][..]), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value: i64, rest: Vec<u8>) {
            let mut out = BytesMut::new();
            put_varlong(&mut out, value);
            prop_assert_eq!(out.len(), varlong_len(value));
            out.extend_from_slice(&rest);
            let mut input = &out[..];
            prop_assert_eq!(take_varlong(&mut input), Some(value));
            prop_assert_eq!(input, &rest[..]);
        }
    }
}
