//! Which partition of `__consumer_offsets` keeps a group: Kafka's formula, so that either broker finds the other's data.

use barnabas_storage::PartitionIndex;

use super::ids::GroupId;

/// The partition, of `partitions`, that keeps `group`: Java's `String.hashCode` over UTF-16 units, without its sign
/// (and 0 for `i32::MIN`), modulo the number of partitions.
#[must_use]
pub fn partition_of(group: &GroupId, partitions: i32) -> PartitionIndex {
    let hash =
        group.as_str().encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    let positive = hash.checked_abs().unwrap_or(0);
    PartitionIndex(positive.checked_rem(partitions).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values by Java: `Utils.abs(s.hashCode()) % 50`.
    #[test]
    fn partition_is_that_of_javas_string_hash() {
        let cases = [
            ("", 0),
            ("a", 97 % 50),
            ("console-consumer-1", java_hash_of_ascii("console-consumer-1")),
            // hashCode of this text is Integer.MIN_VALUE, for which Kafka's abs is 0.
            ("polygenelubricants", 0),
            // Two UTF-16 units (0xD83D, 0xDE00): 55357 * 31 + 56832 = 1772899.
            ("\u{1F600}", 1_772_899 % 50),
            // One unit, not two bytes of UTF-8.
            ("\u{e9}", 233 % 50),
        ];
        for (group, expected) in cases {
            assert_eq!(partition_of(&GroupId::from(group), 50), PartitionIndex(expected), "{group:?}");
        }
    }

    fn java_hash_of_ascii(text: &str) -> i32 {
        let hash = text.bytes().fold(0_i64, |hash, byte| (hash * 31 + i64::from(byte)) & 0xffff_ffff);
        let signed = if hash >= 1 << 31 { hash - (1 << 32) } else { hash };
        i32::try_from(signed.abs() % 50).unwrap()
    }
}
