//! The process, under the names of Prometheus' own clients.

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

use super::Exposition;

/// What the system says of this process in `/proc/self/stat` (proc_pid_stat(5)).
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    cpu_ticks: u64,
    threads: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    fn of(text: &str) -> Option<Self> {
        // The name may hold anything, also a bracket: what follows the last one is numbers.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // The first of them is the third of the manual.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: field(14)? + field(15)?,
            threads: field(20)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}

/// What cannot be told is left out.
#[allow(
    clippy::disallowed_methods,
    reason = "/proc is the system's word on the process: no disk, and no simulator has it"
)]
pub(super) fn put(text: &mut Exposition) {
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        // One of them is open to look.
        text.single("process_open_fds", "Files and sockets that are open.", files.count().saturating_sub(1));
    }
    if let Some(files) = getrlimit(Resource::Nofile).current {
        text.single("process_max_fds", "Files and sockets that may be open.", files);
    }
    let Some(stat) = std::fs::read_to_string("/proc/self/stat").ok().and_then(|stat| Stat::of(&stat)) else { return };
    let resident = stat.resident_pages.saturating_mul(page_size() as u64);
    text.single("process_resident_memory_bytes", "Memory, pages of mapped logs included.", resident);
    text.single("process_virtual_memory_bytes", "Address space.", stat.virtual_bytes);
    text.single("process_threads", "Threads.", stat.threads);
    text.counters("process_cpu_seconds_total", "Seconds of processors, also the system's.");
    text.sample(&[], format!("{:.2}", stat.cpu_ticks as f64 / clock_ticks_per_second() as f64));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_hold_brackets_and_spaces() {
        let text = "7 (a) b (c) S 1 7 7 0 -1 4194560 9 0 0 0 150 25 0 0 20 0 11 0 99 812556288 9135 1844 1 1";
        let stat = Stat { cpu_ticks: 175, threads: 11, virtual_bytes: 812_556_288, resident_pages: 9135 };
        assert_eq!(Stat::of(text), Some(stat));
        assert_eq!(Stat::of("7 (a) S 1"), None);
    }
}
