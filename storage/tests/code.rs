//! Code of this program that is given back. A program of its own: what other tests run at the same time would come back at once.
#![allow(clippy::disallowed_methods, reason = "the kernel's own account, not a file of ours")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use barnabas_storage::give_back_code;

/// A page is at least so long.
const PAGE: u64 = 4096;

/// The map of this program's code: where it begins and ends, and how many kilobytes of it are in memory.
fn code() -> (u64, u64, usize) {
    let program = fs::read_link("/proc/self/exe").expect("the program's path");
    let smaps = fs::read_to_string("/proc/self/smaps").expect("the maps of this process");
    let is_code = |line: &&str| line.contains(" r-xp ") && line.ends_with(&*program.to_string_lossy());
    let mut lines = smaps.lines().skip_while(|line| !is_code(line));
    let range = lines.next().and_then(|line| line.split(' ').next()?.split_once('-')).expect("a map of code");
    let [start, end] = [range.0, range.1].map(|bound| u64::from_str_radix(bound, 16).expect("an address"));
    let resident = lines.find_map(|line| line.strip_prefix("Rss:")?.split_whitespace().next()?.parse().ok());
    (start, end, resident.expect("its size in memory"))
}

#[test]
fn code_that_was_given_back_is_no_memory_of_this_process_until_it_runs_again() {
    let (start, end, _) = code();
    let memory = File::open("/proc/self/mem").expect("the memory of this process");
    let touch = |page| memory.read_exact_at(&mut [0], page).expect("a page of code");
    (start..end).step_by(usize::try_from(PAGE).expect("fits")).for_each(touch);
    let (.., before) = code();
    assert_eq!(before as u64, (end - start) / 1024);
    assert!(give_back_code());
    let (.., after) = code();
    assert!((1..before).contains(&after), "{after} KiB of {before}");
}
