//! Where the process gets its entropy from: the seed. The hash maps of std, tokio's and openraft's generators all ask the
//! system through this one symbol, which ours takes the place of.

use std::ffi::{c_int, c_uint, c_void};
use std::sync::atomic::{AtomicU64, Ordering};

static STATE: AtomicU64 = AtomicU64::new(0);

/// All entropy comes from `seed` from now on.
pub(crate) fn begin(seed: u64) {
    STATE.store(seed, Ordering::SeqCst);
}

fn next() -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut mixed = STATE.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The system's call, by its own name.
///
/// # Safety
/// As the system's: `into` points to `length` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(into: *mut c_void, length: usize, _flags: c_uint) -> isize {
    // SAFETY: the caller's promise.
    let into = unsafe { std::slice::from_raw_parts_mut(into.cast::<u8>(), length) };
    for piece in into.chunks_mut(8) {
        piece.copy_from_slice(&next().to_le_bytes()[..piece.len()]);
    }
    isize::try_from(length).unwrap_or(isize::MAX)
}

/// Whoever makes the call without the C library's name for it still gets the seed's numbers.
///
/// # Safety
/// As the system's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getentropy(into: *mut c_void, length: usize) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { getrandom(into, length, 0) };
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_maps_of_std_get_their_keys_from_the_seed() {
        use std::hash::{BuildHasher as _, RandomState};
        let hash = |seed| {
            begin(seed);
            std::thread::spawn(|| RandomState::new().hash_one(7)).join().unwrap()
        };
        assert_eq!(hash(1), hash(1));
        assert_ne!(hash(1), hash(2));
    }
}
