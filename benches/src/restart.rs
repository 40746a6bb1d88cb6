//! The start after `kill -9` with much in the log.

use std::time::{Duration, Instant};

use barnabas_broker::bench::{Limit, consume, produce};

use crate::load::Load;
use crate::peer::Programs;
use crate::running::Running;
use crate::table::{Better, Figures};
use crate::workload::fetch_options;
use crate::{Outcome, cache};

/// Large batches, so that the log is written soon.
const LOAD: Load = Load { record_bytes: 1024, batch_kib: 512, partitions: 16, connections: 4, acks: -1 };
/// How long the first record may take after the first Metadata.
const RECORD_DEADLINE: Duration = Duration::from_secs(300);
/// Written at the end in small batches, so that the kill meets what every broker has under way.
const TAIL_MEGABYTES: u64 = 50;

/// Writes `gib` of log, kills the broker, and takes the times of its next start.
pub(crate) fn measure(running: &mut Running, programs: &Programs, gib: u64, figures: &mut Figures) -> Outcome<()> {
    let first = running.ready;
    let all = Limit { bytes: Some(gib << 30), ..Limit::default() };
    produce::run(&produce::Options { limit: all, ..LOAD.options(&running.bootstrap, 0) })?;
    cache::write_back(&running.data())?;
    let small = produce::Options { batch_bytes: 16 << 10, ..LOAD.options(&running.bootstrap, TAIL_MEGABYTES) };
    produce::run(&small)?;
    running.kill();
    running.start_again(programs)?;
    let record = first_record(running)?;
    figures.note("exec to the first answered Metadata on an empty directory, ms", Better::Less, millis(first));
    figures.note(
        format!("after kill -9 with {gib} GiB of log: exec to the first answered Metadata, ms"),
        Better::Less,
        millis(running.ready),
    );
    figures.note("- exec to the first fetched record, ms", Better::Less, millis(record));
    figures.note("- broker CPU s until then", Better::Less, running.usage()?.cpu_seconds);
    figures.note("- memory then, MiB", Better::Less, running.usage()?.resident_mib);
    Ok(())
}

/// From exec until a consumer has a record.
fn first_record(running: &Running) -> Outcome<Duration> {
    let one = Limit { records: Some(1), ..Limit::default() };
    let options = consume::Options { connections: 1, limit: one, ..fetch_options(&running.bootstrap, &LOAD) };
    let since = Instant::now();
    loop {
        match consume::run(&options) {
            Ok(done) if done.records > 0 => return Ok(running.started.elapsed()),
            Err(error) if since.elapsed() > RECORD_DEADLINE => return Err(error.into()),
            Ok(_) | Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
