//! Segments mapped for reading: the one unsafe file of storage.
//!
//! A mapped range is only ever handed to the kernel (a vectored write to a socket), where an I/O error is an errno;
//! user space never touches it, where it would be SIGBUS (design decision 3, LOG-9). Nothing is written through a map.
//! What was sent is given back at once: its pages stay in the page cache, but are no memory of this process. So is the code that a
//! start runs through and nobody needs afterwards.
//!
//! Must not know: batches, offsets.

#![allow(unsafe_code, reason = "the one file that may: mincore, madvise, a slice over mapped memory")]

use std::fs::File;
use std::io::IoSlice;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use memmap2::{MmapOptions, MmapRaw};

/// Maps of this process at most; the kernel's default limit (`vm.max_map_count`) is 65,530. Beyond it reads are preads.
const MAPS_MAX: usize = 16_384;

/// A touched page brings others into the map: the large folio of the page cache that it belongs to, which is aligned in
/// the file and no larger than this ...
const FOLIO_MAX: usize = 2 << 20;
/// ... and its neighbours in the map.
const FAULT_AROUND: usize = 64 << 10;

static MAPS: AtomicUsize = AtomicUsize::new(0);

/// A segment's file, mapped in its whole future length at once: pages become readable as the file grows.
pub(crate) struct SegmentMap {
    map: MmapRaw,
}

impl SegmentMap {
    /// Maps `len` bytes, which may reach beyond the end of the file. `None` when the machine or [`MAPS_MAX`] does not
    /// allow it: that is never an error, the caller reads the file instead.
    pub(crate) fn new(file: &File, len: usize) -> Option<Arc<Self>> {
        if len == 0 || MAPS.fetch_add(1, Ordering::Relaxed) >= MAPS_MAX {
            MAPS.fetch_sub(usize::from(len != 0), Ordering::Relaxed);
            return None;
        }
        match MmapOptions::new().len(len).map_raw_read_only(file) {
            Ok(map) => Some(Arc::new(Self { map })),
            Err(_) => {
                MAPS.fetch_sub(1, Ordering::Relaxed);
                None
            }
        }
    }

    /// The range, when it lies within the map.
    pub(crate) fn range(self: &Arc<Self>, start: usize, len: usize) -> Option<MappedRange> {
        let end = start.checked_add(len)?;
        (end <= self.map.len()).then(|| MappedRange { map: Arc::clone(self), start, len })
    }
}

impl Drop for SegmentMap {
    fn drop(&mut self) {
        MAPS.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for SegmentMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SegmentMap({} bytes)", self.map.len())
    }
}

/// Mapped bytes that only the kernel may touch: an I/O error there is an errno, in user space it would be SIGBUS.
#[derive(Debug, Clone)]
pub struct MappedRange {
    map: Arc<SegmentMap>,
    start: usize,
    len: usize,
}

impl MappedRange {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes from `skip` on, for a vectored write to a socket and nothing else.
    #[must_use]
    pub fn io_slice(&self, skip: usize) -> IoSlice<'_> {
        self.io_part(skip, self.len)
    }

    /// At most `most` of the bytes from `skip` on, as [`MappedRange::io_slice`].
    #[must_use]
    pub fn io_part(&self, skip: usize, most: usize) -> IoSlice<'_> {
        let skip = skip.min(self.len);
        let len = (self.len - skip).min(most);
        // SAFETY: `SegmentMap::range` has checked that start + len lies within the map, which lives as long as `self`.
        // The range holds committed batches only (LOG-3), which are never written again while a reader may hold them,
        // so the shared slice sees no write.
        let bytes = unsafe { std::slice::from_raw_parts(self.map.map.as_ptr().add(self.start + skip), len) };
        IoSlice::new(bytes)
    }

    /// The kernel has sent these of the bytes: their pages leave this process's memory. Whoever sends them again, or at
    /// the same time, finds them in the page cache.
    pub fn sent(&self, bytes: Range<usize>) {
        if bytes.is_empty() || bytes.end > self.len {
            return;
        }
        let (from, to) = (self.start + bytes.start, self.start + bytes.end);
        let first = (from / FOLIO_MAX * FOLIO_MAX).saturating_sub(FAULT_AROUND);
        let end = (to.next_multiple_of(FOLIO_MAX) + FAULT_AROUND).min(self.map.map.len());
        // SAFETY: first is a multiple of the page size and the range lies within the live map, which is shared and
        // read-only: a page that is dropped from it is found again in the file. A failure loses nothing.
        let _ = unsafe {
            let address = self.map.map.as_mut_ptr().add(first);
            libc::madvise(address.cast(), end - first, libc::MADV_DONTNEED)
        };
    }

    /// True when every page of the range is in memory. A page may still go before it is sent: rare, and then the send
    /// waits for the disk.
    pub(crate) fn is_resident(&self) -> bool {
        let page = rustix::param::page_size();
        let first = self.start / page * page;
        let pages = (self.start + self.len - first).div_ceil(page);
        let mut states = vec![0u8; pages];
        // SAFETY: first is page-aligned and lies, as does the length, within the live map (maps start at a page);
        // `states` has a byte per page.
        let asked = unsafe {
            let address = self.map.map.as_mut_ptr().add(first);
            libc::mincore(address.cast(), self.start + self.len - first, states.as_mut_ptr())
        };
        asked == 0 && states.iter().all(|state| state & 1 == 1)
    }
}

/// The pages of this program's code leave its memory; what runs again is found again in the page cache. The kernel maps sixteen
/// pages for each that is touched, so a start brings most of a program into memory, to run through a little of it once. False
/// where the kernel does not tell where the code is.
pub fn give_back_code() -> bool {
    let here = give_back_code as *const ();
    #[allow(clippy::disallowed_methods, reason = "the kernel's own account, not a file of ours")]
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let Some(code) = code_around(here.addr(), &maps) else { return false };
    // SAFETY: the range is a map of the program's file, begins and ends at a page, and cannot be written: no page of it differs
    // from the file, where it is found again by whoever runs in it, now or later.
    unsafe { libc::madvise(here.with_addr(code.start).cast_mut().cast(), code.len(), libc::MADV_DONTNEED) == 0 }
}

/// The map of code that an address lies in, of those that `/proc/PID/maps` lists.
fn code_around(address: usize, maps: &str) -> Option<Range<usize>> {
    maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let range = usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
        (range.contains(&address) && rest.starts_with("r-xp ")).then_some(range)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::FileExt as _;

    use super::*;

    /// Kilobytes of a map that count as this process's memory.
    fn resident_kilobytes(map: &SegmentMap) -> usize {
        resident_from(map.map.as_ptr().addr())
    }

    #[allow(clippy::disallowed_methods, reason = "the kernel's own account, not a file of ours")]
    fn resident_from(start: usize) -> usize {
        let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let start = format!("{start:x}-");
        let rss = smaps.lines().skip_while(|line| !line.starts_with(&start)).find(|line| line.starts_with("Rss:"));
        rss.unwrap().split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    #[test]
    fn what_was_sent_is_no_memory_of_this_process_any_more() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 9 << 20]).unwrap();
        let map = SegmentMap::new(&file, 16 << 20).unwrap();
        let range = map.range(5000, 8 << 20).unwrap();
        let mut socket = tempfile::tempfile().unwrap();
        socket.write_all(&range.io_slice(0)).unwrap();
        let touched = resident_kilobytes(&map);
        assert!(touched >= 8 << 10, "{touched}");
        range.sent(0..1 << 20);
        let rest = resident_kilobytes(&map);
        assert!((4 << 10..touched - 1000).contains(&rest), "{rest}");
        range.sent(1 << 20..range.len());
        assert_eq!(resident_kilobytes(&map), 0);
        socket.write_all(&range.io_slice(0)).unwrap();
        assert!(resident_kilobytes(&map) >= 8 << 10, "what is sent again is there again");
        range.sent(0..usize::MAX);
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the kernel's own account, not a file of ours")]
    fn code_that_was_given_back_is_no_memory_of_this_process_until_it_runs_again() {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let code = code_around((give_back_code as *const ()).addr(), &maps).unwrap();
        for page in code.clone().step_by(FAULT_AROUND) {
            // Read by the kernel, so that every page is mapped.
            let bytes = std::fs::File::open("/proc/self/mem").and_then(|memory| memory.read_at(&mut [0], page as u64));
            assert_eq!(bytes.unwrap(), 1);
        }
        let before = resident_from(code.start);
        assert!(before > code.len() / 1024 / 2, "{before} KiB of {} bytes", code.len());
        // Other tests run meanwhile, and bring code back.
        let is_given_back = |_| give_back_code() && resident_from(code.start) < before / 2;
        assert!((0..50).any(is_given_back));
    }

    #[test]
    fn code_is_the_map_that_may_be_run_and_not_written() {
        let maps = "1000-3000 r--p 0 fe:00 1 /b\n3000-6000 r-xp 2000 fe:00 1 /b\n6000-7000 rw-p 5000 fe:00 1 /b\nx\n";
        assert_eq!(code_around(0x3000, maps), Some(0x3000..0x6000));
        assert_eq!(code_around(0x5fff, maps), Some(0x3000..0x6000));
        assert_eq!([0x2fff, 0x6000, 0x9000].map(|address| code_around(address, maps)), [None, None, None]);
    }

    #[test]
    fn a_map_sees_what_the_file_gains_later() {
        let mut file = tempfile::tempfile().unwrap();
        let map = SegmentMap::new(&file, 1 << 20).unwrap();
        file.write_all(b"hello world").unwrap();
        let range = map.range(6, 5).unwrap();
        assert_eq!(&*range.io_slice(0), b"world");
        assert_eq!(&*range.io_slice(3), b"ld");
        assert!(range.io_slice(9).is_empty());
        assert!(range.is_resident());
        assert!(map.range(1 << 20, 1).is_none());
        assert!(map.range(usize::MAX, 2).is_none());
    }
}
