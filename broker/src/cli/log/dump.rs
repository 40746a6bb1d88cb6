//! `barnabas log dump`: what a segment's files hold.

use std::path::{Path, PathBuf};

use barnabas_storage::dump::{self, DumpedBatch, SegmentDump};
use barnabas_storage::seam::{Disk, Seams};

use super::{Exit, Failure, Output};
use crate::cli::output::{Cell, Column, Table, column, wide};
use crate::cli::remark::{remark, say};

/// What `dump` is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  barnabas log dump barnabas-data/orders-0/*.log --records\n  \
    barnabas log dump barnabas-data/orders-0/00000000000000000000.timeindex -o json")]
pub(super) struct Arguments {
    /// Files of partitions: .log, .index, .timeindex, .snapshot.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Also the records of the batches.
    #[arg(long)]
    records: bool,
    /// Begins with the batch or entry that holds this offset.
    #[arg(long, default_value_t = 0, value_name = "OFFSET")]
    from: i64,
    /// How many batches or entries are shown of a file.
    #[arg(long, default_value_t = 1000, value_name = "NUMBER")]
    limit: usize,
    #[command(flatten)]
    output: Output,
}

const BATCHES: &[Column] = &[
    wide("FILE", "file"),
    column("FIRST", "first_offset"),
    column("LAST", "last_offset"),
    column("RECORDS", "records"),
    column("POSITION", "position"),
    column("SIZE", "bytes"),
    column("CODEC", "codec"),
    column("TIME", "time"),
    column("VALID", "valid"),
    wide("EPOCH", "leader_epoch"),
    wide("PRODUCER", "producer_id"),
    wide("PRODUCER EPOCH", "producer_epoch"),
    wide("SEQUENCE", "first_sequence"),
    wide("TRANSACTIONAL", "transactional"),
    wide("CONTROL", "control"),
];
const RECORDS: &[Column] = &[
    wide("FILE", "file"),
    column("OFFSET", "offset"),
    column("TIME", "time"),
    column("KEY", "key"),
    column("VALUE", "value"),
    wide("HEADERS", "header_keys"),
    wide("SEQUENCE", "sequence"),
];
const OFFSETS: &[Column] = &[wide("FILE", "file"), column("OFFSET", "offset"), column("POSITION", "position")];
const TIMES: &[Column] = &[wide("FILE", "file"), column("TIME", "time"), column("OFFSET", "offset")];
const PRODUCERS: &[Column] = &[
    wide("FILE", "file"),
    column("PRODUCER", "producer_id"),
    column("EPOCH", "epoch"),
    column("SEQUENCE", "last_sequence"),
    column("OFFSET", "last_offset"),
    column("TIME", "time"),
];

/// Everything that was found.
struct Found {
    batches: Table,
    records: Table,
    offsets: Table,
    times: Table,
    producers: Table,
    /// Something is damaged.
    is_damaged: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let disk = Seams::system().disk;
    let mut found = Found {
        batches: Table::new(BATCHES),
        records: Table::new(RECORDS),
        offsets: Table::new(OFFSETS),
        times: Table::new(TIMES),
        producers: Table::new(PRODUCERS),
        is_damaged: false,
    };
    for path in &arguments.files {
        if !disk.exists(path) {
            return Err(Failure::not_found(format!("{} does not exist", path.display())));
        }
        let failed = |error| Failure::from(format!("read {}: {error}", path.display()));
        look(arguments, &*disk, path, &mut found).map_err(failed)?;
    }
    let Found { batches, records, offsets, times, producers, is_damaged } = &found;
    let all = [
        ("batches", batches),
        ("records", records),
        ("offset index", offsets),
        ("time index", times),
        ("producers", producers),
    ];
    let parts: Vec<_> = all.into_iter().filter(|(_, table)| !table.is_empty()).collect();
    if parts.is_empty() {
        remark("there is nothing in it");
    }
    arguments.output.show_all(&parts)?;
    Ok(if *is_damaged { Exit::Findings } else { Exit::Done })
}

fn look(arguments: &Arguments, disk: &dyn Disk, path: &Path, found: &mut Found) -> std::io::Result<()> {
    let file = || Cell::text(path.to_string_lossy());
    let base = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<i64>().ok()).unwrap_or(0);
    let offset = |relative: i32| base.wrapping_add(relative.into());
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("index") => {
            let entries = dump::offset_index(disk, path)?.into_iter();
            let shown = entries.filter(|(relative, _)| offset(*relative) >= arguments.from).take(arguments.limit);
            shown.for_each(|(relative, position)| {
                found.offsets.row(vec![file(), Cell::Number(offset(relative)), Cell::Number(position.into())]);
            });
        }
        Some("timeindex") => {
            let entries = dump::time_index(disk, path)?.into_iter();
            let shown = entries.filter(|(_, relative)| offset(*relative) >= arguments.from).take(arguments.limit);
            shown.for_each(|(timestamp, relative)| {
                found.times.row(vec![file(), Cell::Time(timestamp.0), Cell::Number(offset(relative))]);
            });
        }
        Some("snapshot") => match dump::producers(disk, path)? {
            None => {
                say(format_args!("{} is damaged: a start makes it anew from the log", path.display()));
                found.is_damaged = true;
            }
            Some(producers) => producers.iter().take(arguments.limit).for_each(|producer| {
                found.producers.row(vec![
                    file(),
                    Cell::Number(producer.id.0),
                    Cell::Number(producer.epoch.0.into()),
                    Cell::Number(producer.last_sequence.into()),
                    Cell::Number(producer.last_offset.0),
                    Cell::Time(producer.timestamp.0),
                ]);
            }),
        },
        _ => segment(arguments, disk, path, found)?,
    }
    Ok(())
}

fn segment(arguments: &Arguments, disk: &dyn Disk, path: &Path, found: &mut Found) -> std::io::Result<()> {
    let mut dump = SegmentDump::open(disk, path, u64::MAX)?;
    let mut shown = 0;
    while let Some(batch) = dump.next_batch()? {
        if batch.header.last_offset().0 < arguments.from {
            continue;
        }
        if shown == arguments.limit {
            remark(format_args!("{}: there is more; --from {} goes on", path.display(), batch.header.base_offset().0));
            return Ok(());
        }
        shown += 1;
        found.is_damaged |= !batch.is_valid;
        found.batches.row(batch_row(path, &batch));
        if arguments.records {
            records(path, &batch, found);
        }
    }
    if dump.left() > 0 {
        say(format_args!(
            "{}: {} bytes behind the last batch are none; see `barnabas log verify`",
            path.display(),
            dump.left()
        ));
        found.is_damaged = true;
    }
    Ok(())
}

fn batch_row(path: &Path, batch: &DumpedBatch) -> Vec<Cell> {
    let header = &batch.header;
    let codec = header.codec().map_or_else(|number| format!("unknown ({number})"), |codec| format!("{codec:?}"));
    vec![
        Cell::text(path.to_string_lossy()),
        Cell::Number(header.base_offset().0),
        Cell::Number(header.last_offset().0),
        Cell::Number(header.record_count().into()),
        Cell::Number(i64::try_from(batch.position).unwrap_or(i64::MAX)),
        Cell::Bytes(i64::try_from(batch.size).unwrap_or(i64::MAX)),
        Cell::Text(codec.to_lowercase()),
        Cell::Time(header.max_timestamp().0),
        Cell::Flag(batch.is_valid),
        Cell::Number(header.leader_epoch().0.into()),
        Cell::Number(header.producer_id().0),
        Cell::Number(header.producer_epoch().0.into()),
        Cell::Number(header.base_sequence().into()),
        Cell::Flag(header.is_transactional()),
        Cell::Flag(header.is_control()),
    ]
}

fn records(path: &Path, batch: &DumpedBatch, found: &mut Found) {
    let records = match batch.records() {
        Ok(records) => records,
        Err(error) => {
            say(format_args!("{}: the records at byte {}: {error}", path.display(), batch.position));
            found.is_damaged = true;
            return;
        }
    };
    let text = |bytes: &Option<bytes::Bytes>| {
        Cell::optional(bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
    };
    for record in &records {
        found.records.row(vec![
            Cell::text(path.to_string_lossy()),
            Cell::Number(record.offset.0),
            Cell::Time(record.timestamp.0),
            text(&record.key),
            text(&record.value),
            Cell::list(&record.header_keys),
            Cell::Number(record.sequence.into()),
        ]);
    }
}
