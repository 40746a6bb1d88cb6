//! The process, under the names of Prometheus' own clients.

use procfs::ProcResult;
use procfs::process::{LimitValue, Process};

use super::Exposition;
use crate::broker::Broker;

/// What cannot be told is left out.
pub(super) fn put(broker: &Broker, text: &mut Exposition) {
    if let Err(error) = of_this_process(text) {
        tracing::debug!(broker = broker.id.0, "/proc tells nothing of this process: {error}");
    }
}

fn of_this_process(text: &mut Exposition) -> ProcResult<()> {
    let process = Process::myself()?;
    text.single("process_open_fds", "Files and sockets that are open.", process.fd_count()?);
    if let LimitValue::Value(files) = process.limits()?.max_open_files.soft_limit {
        text.single("process_max_fds", "Files and sockets that may be open.", files);
    }
    let (stat, ticks) = (process.stat()?, procfs::ticks_per_second() as f64);
    let pages = stat.rss.saturating_mul(procfs::page_size());
    text.single("process_resident_memory_bytes", "Memory, pages of mapped logs included.", pages);
    text.single("process_virtual_memory_bytes", "Address space.", stat.vsize);
    text.single("process_threads", "Threads.", stat.num_threads);
    text.counters("process_cpu_seconds_total", "Seconds of processors, also the system's.");
    text.sample(&[], format!("{:.2}", (stat.utime + stat.stime) as f64 / ticks));
    Ok(())
}
