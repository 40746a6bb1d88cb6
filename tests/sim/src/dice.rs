//! Draws from the seed.

use barnabas_storage::seam::{Rng as _, SeededRng};

/// A stream of draws. Streams of different names are independent, so that a draw more in one moves none of the others.
pub(crate) struct Dice(SeededRng);

impl Dice {
    /// The stream of this name.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        let start = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(SeededRng::new(name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, start)))
    }

    /// 64 bits.
    pub(crate) fn bits(&self) -> u64 {
        self.0.next_u64()
    }

    /// A number from `range`.
    pub(crate) fn within(&self, range: std::ops::RangeInclusive<u64>) -> u64 {
        range.start() + self.bits() % (range.end() - range.start() + 1)
    }

    /// True once in so many draws.
    pub(crate) fn one_in(&self, many: u64) -> bool {
        self.bits().is_multiple_of(many)
    }

    /// One of them.
    pub(crate) fn pick<T: Copy>(&self, of: &[T]) -> T {
        let index = self.bits() % of.len() as u64;
        of[usize::try_from(index).expect("invariant: below a length")]
    }
}
