//! What a child process costs: CPU seconds and resident memory, from /proc.

use std::fs;
use std::process::Child;

use crate::Outcome;

/// Clock ticks a second in /proc (USER_HZ), 100 on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds that the process has used, in user and system mode.
pub(crate) fn cpu_seconds(child: &Child) -> Outcome<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id()))?;
    // The name, in brackets, may hold spaces: count fields after it.
    let after = stat.rsplit_once(')').ok_or("a strange /proc stat")?.1;
    let ticks: f64 = after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS_PER_SECOND)
}

/// Resident memory in MiB.
pub(crate) fn resident_mib(child: &Child) -> Outcome<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    let kib: f64 = line.split_whitespace().nth(1).ok_or("no VmRSS")?.parse()?;
    Ok(kib / 1024.0)
}
