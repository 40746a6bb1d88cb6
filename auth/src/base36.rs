//! Numbers of 130 bits in base 36: the form of the salts and nonces of Kafka's tools and brokers.

/// Bits of a salt or nonce, as Kafka takes them.
const BITS: usize = 130;
const BYTES: usize = BITS.div_ceil(8);
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The first 130 bits of `bytes` (zeros where they end before) as a number in base 36: up to 26 characters.
#[must_use]
pub fn of_130_bits(bytes: &[u8]) -> String {
    let mut number = [0_u8; BYTES];
    for (into, from) in number.iter_mut().zip(bytes) {
        *into = *from;
    }
    number[0] &= 0xff >> (BYTES * 8 - BITS);
    let mut digits: Vec<u8> = Vec::new();
    while number.iter().any(|byte| *byte != 0) || digits.is_empty() {
        let mut rest = 0_u16;
        for byte in &mut number {
            let value = rest << 8 | u16::from(*byte);
            *byte = (value / 36) as u8;
            rest = value % 36;
        }
        digits.extend(DIGITS.get(usize::from(rest)));
    }
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_java_writes_them() {
        assert_eq!(of_130_bits(&[]), "0");
        let mut one = [0; BYTES];
        one[BYTES - 1] = 1;
        assert_eq!(of_130_bits(&one), "1");
        one[BYTES - 1] = 36;
        assert_eq!(of_130_bits(&one), "10");
        // new BigInteger("1361129467683753853853498429727072845823"), 2^130 - 1, by toString(36).
        assert_eq!(of_130_bits(&[0xff; 64]), "1omfro7zwmumr3umxudzyj6scf");
    }
}
