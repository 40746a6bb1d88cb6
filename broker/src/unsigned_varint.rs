//! The unsigned varint of flexible versions (KIP-482): seven bits a byte, the lowest first, with a bit in front that says whether more
//! follow.

use bytes::{BufMut, BytesMut};

/// Writes a value in as few bytes as it takes.
pub(crate) fn put(into: &mut BytesMut, mut value: u32) {
    while value >= 0x80 {
        into.put_u8(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    into.put_u8(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_bits_a_byte_the_lowest_first() {
        let written = |value| {
            let mut into = BytesMut::new();
            put(&mut into, value);
            into.to_vec()
        };
        assert_eq!(written(0), [0]);
        assert_eq!(written(127), [0x7f]);
        assert_eq!(written(128), [0x80, 1]);
        assert_eq!(written(300), [0xac, 2]);
        assert_eq!(written(u32::MAX), [0xff, 0xff, 0xff, 0xff, 0x0f]);
    }
}
