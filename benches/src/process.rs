//! What a process has used: CPU seconds and memory, from /proc.

use std::fs;

use crate::Outcome;

/// Clock ticks a second in /proc (USER_HZ), 100 on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process has used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// In user and system mode.
    pub(crate) cpu_seconds: f64,
    /// All resident memory, mapped files included.
    pub(crate) resident_mib: f64,
    /// What of it is the process's own: the kernel cannot take it back by dropping pages of files.
    pub(crate) anonymous_mib: f64,
}

/// How often threads gave the processor up, or had to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Switches {
    pub(crate) voluntary: u64,
    pub(crate) forced: u64,
}

impl Switches {
    /// What was added since `earlier`; threads that ended meanwhile took their counts with them.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            voluntary: self.voluntary.saturating_sub(earlier.voluntary),
            forced: self.forced.saturating_sub(earlier.forced),
        }
    }
}

/// Those of all threads of the process so far.
pub(crate) fn context_switches(pid: u32) -> Outcome<Switches> {
    let mut all = Switches::default();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let status = fs::read_to_string(thread?.path().join("status")).unwrap_or_default();
        let count = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0)
        };
        all.voluntary += count("voluntary_ctxt_switches:");
        all.forced += count("nonvoluntary_ctxt_switches:");
    }
    Ok(all)
}

/// Reads it.
pub(crate) fn usage(pid: u32) -> Outcome<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in brackets, may hold spaces: count fields after it.
    let after = stat.rsplit_once(')').ok_or("a strange /proc stat")?.1;
    let ticks: f64 = after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    Ok(Usage {
        cpu_seconds: ticks / TICKS_PER_SECOND,
        resident_mib: mib(&status, "VmRSS:")?,
        anonymous_mib: mib(&status, "RssAnon:")?,
    })
}

/// Programs that wanted a processor in the last minute, on average: a figure taken beside others says so.
pub(crate) fn machine_load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn mib(status: &str, name: &str) -> Outcome<f64> {
    let line = status.lines().find(|line| line.starts_with(name)).ok_or_else(|| format!("no {name} in /proc"))?;
    let kib: f64 = line.split_whitespace().nth(1).unwrap_or_default().parse()?;
    Ok(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_use_is_read_and_anonymous_memory_is_a_part_of_the_resident() {
        let usage = usage(std::process::id()).unwrap();
        assert!(usage.resident_mib > usage.anonymous_mib && usage.anonymous_mib > 0.0, "{usage:?}");
    }
}
