//! kafka-dump-log. Where it differs: keys and values are shown as text only; there are no decoders.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use barnabas_storage::batch::BatchHeader;
use barnabas_storage::compression::Codec;
use barnabas_storage::dump::{self, DumpedBatch, DumpedProducer, DumpedRecord, SegmentDump};
use barnabas_storage::seam::{Disk, Seams};
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::remark::say;

/// Looked at of a file when nobody says how much; a segment is never longer.
const BYTES_MAX: u32 = i32::MAX.unsigned_abs();

/// kafka-dump-log, as of Apache Kafka 4.3.
#[derive(Debug, Parser)]
#[command(name = "kafka-dump-log", version, infer_long_args = true)]
#[allow(clippy::struct_excessive_bools, reason = "the tool's options")]
pub(super) struct Arguments {
    /// The files, separated by commas.
    #[arg(long, required = true, value_delimiter = ',')]
    files: Vec<PathBuf>,
    /// Print the contents of records.
    #[arg(long)]
    print_data_log: bool,
    /// Print records, not only batches; --print-data-log does, too.
    #[arg(long)]
    deep_iteration: bool,
    /// Only verify indexes, without printing them.
    #[arg(long)]
    verify_index_only: bool,
    /// Only check whether an index would be taken at a start.
    #[arg(long)]
    index_sanity_check: bool,
    /// Print the contents of records without their metadata.
    #[arg(long)]
    skip_record_metadata: bool,
    /// The largest batch that an index may point at.
    #[arg(long, default_value_t = 5 << 20)]
    max_message_size: u32,
    /// How much of a log file is looked at.
    #[arg(long, default_value_t = BYTES_MAX)]
    max_bytes: u32,
}

/// Problems of all files, told at the end.
#[derive(Default)]
struct Problems {
    index: BTreeMap<PathBuf, Vec<String>>,
    times: BTreeMap<PathBuf, Vec<String>>,
    gaps: BTreeMap<PathBuf, Vec<String>>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let seams = Seams::system();
    let mut problems = Problems::default();
    let mut out = io::BufWriter::new(io::stdout().lock());
    for path in &arguments.files {
        match one(arguments, &*seams.disk, path, &mut problems, &mut out) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Done),
            done => done.map_err(|error| Failure::from(format!("read {}: {error}", path.display())))?,
        }
    }
    out.flush()?;
    for (head, found) in [
        ("Mismatches in :", &problems.index),
        ("Found timestamp mismatch in :", &problems.times),
        ("Non-consecutive offsets in ", &problems.gaps),
    ] {
        for (path, lines) in found {
            say(format_args!("{head}{}\n  {}", path.display(), lines.join("\n  ")));
        }
    }
    Ok(Exit::Done)
}

fn one(
    arguments: &Arguments,
    disk: &dyn Disk,
    path: &Path,
    problems: &mut Problems,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "Dumping {}", path.display())?;
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("log") => log(arguments, disk, path, problems, out),
        Some("index") => index(arguments, disk, path, problems, out),
        Some("timeindex") => times(arguments, disk, path, problems, out),
        Some("snapshot") => match dump::producers(disk, path)? {
            Some(found) => found.iter().try_for_each(|producer| writeln!(out, "{}", producer_line(producer))),
            None => {
                say(format_args!("Snapshot {} is corrupt", path.display()));
                Ok(())
            }
        },
        // Aborted transactions: 34 bytes each; there are none without transactions.
        Some("txnindex") => Ok(()),
        _ => {
            say(format_args!("Ignoring unknown file {}", path.display()));
            Ok(())
        }
    }
}

/// The offset that a segment's files are named by.
fn base_offset(path: &Path) -> io::Result<i64> {
    let stem = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split('.').next());
    let base = stem.and_then(|stem| stem.parse().ok());
    base.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "its name does not begin with an offset"))
}

fn log(
    arguments: &Arguments,
    disk: &dyn Disk,
    path: &Path,
    problems: &mut Problems,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "Log starting offset: {}", base_offset(path)?)?;
    let mut segment = SegmentDump::open(disk, path, arguments.max_bytes.into())?;
    let is_deep = arguments.deep_iteration || arguments.print_data_log;
    let mut last: Option<i64> = None;
    while let Some(batch) = segment.next_batch()? {
        writeln!(out, "{}", batch_line(&batch))?;
        if !is_deep {
            continue;
        }
        let records = batch.records().map_err(io::Error::other)?;
        for record in &records {
            let offset = record.offset.0;
            if let Some(last) = last.filter(|last| last.wrapping_add(1) != offset) {
                problems.gaps.entry(path.to_owned()).or_default().push(format!("{last} is followed by {offset}"));
            }
            last = Some(offset);
            writeln!(out, "{}", record_line(arguments, &batch.header, record))?;
        }
    }
    if segment.left() > 0 && arguments.max_bytes == BYTES_MAX {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        writeln!(out, "Found {} invalid bytes at the end of {name}", segment.left())?;
    }
    Ok(())
}

fn timestamp_type(header: &BatchHeader) -> &'static str {
    if header.is_log_append_time() { "LogAppendTime" } else { "CreateTime" }
}

fn codec_name(header: &BatchHeader) -> &'static str {
    match header.codec() {
        Ok(Codec::None) => "none",
        Ok(Codec::Gzip) => "gzip",
        Ok(Codec::Snappy) => "snappy",
        Ok(Codec::Lz4) => "lz4",
        Ok(Codec::Zstd) => "zstd",
        Err(_) => "unknown",
    }
}

fn batch_line(batch: &DumpedBatch) -> String {
    let header = &batch.header;
    let horizon = if header.has_delete_horizon() {
        format!("OptionalLong[{}]", header.base_timestamp().0)
    } else {
        "OptionalLong.empty".to_owned()
    };
    format!(
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} producerEpoch: {} \
         partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: {horizon} position: {} {}: {} \
         size: {} magic: {} compresscodec: {} crc: {} isvalid: {}",
        header.base_offset().0,
        header.last_offset().0,
        header.record_count(),
        header.base_sequence(),
        header.last_sequence(),
        header.producer_id().0,
        header.producer_epoch().0,
        header.leader_epoch().0,
        header.is_transactional(),
        header.is_control(),
        batch.position,
        timestamp_type(header),
        header.max_timestamp().0,
        batch.size,
        header.magic(),
        codec_name(header),
        header.crc(),
        batch.is_valid
    )
}

fn record_line(arguments: &Arguments, header: &BatchHeader, record: &DumpedRecord) -> String {
    let size = |bytes: &Option<bytes::Bytes>| bytes.as_ref().map_or_else(|| "-1".to_owned(), |b| b.len().to_string());
    let mut line = "|".to_owned();
    if !arguments.skip_record_metadata {
        line += &format!(
            " offset: {} {}: {} keySize: {} valueSize: {} sequence: {} headerKeys: [{}]",
            record.offset.0,
            timestamp_type(header),
            record.timestamp.0,
            size(&record.key),
            size(&record.value),
            record.sequence,
            record.header_keys.join(",")
        );
    }
    if arguments.print_data_log && !header.is_control() {
        if let Some(key) = &record.key {
            line += &format!(" key: {}", String::from_utf8_lossy(key));
        }
        if let Some(value) = &record.value {
            line += &format!(" payload: {}", String::from_utf8_lossy(value));
        }
    }
    line
}

fn producer_line(producer: &DumpedProducer) -> String {
    let start = match producer.transaction_start.0 {
        none if none < 0 => "OptionalLong.empty".to_owned(),
        start => format!("OptionalLong[{start}]"),
    };
    let mut line = format!(
        "producerId: {} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: {start} lastTimestamp: {} ",
        producer.id.0, producer.epoch.0, producer.coordinator_epoch, producer.timestamp.0
    );
    if producer.last_offset.0 >= 0 {
        let first = producer.last_sequence.wrapping_sub(producer.offset_delta) & i32::MAX;
        line += &format!(
            "firstSequence: {first} lastSequence: {} lastOffset: {} offsetDelta: {} timestamp: {}",
            producer.last_sequence, producer.last_offset.0, producer.offset_delta, producer.timestamp.0
        );
    }
    line
}

/// The batch at a position of the log beside an index.
fn batch_at(batches: &[DumpedBatch], position: i32) -> Option<&DumpedBatch> {
    let position = u64::try_from(position).ok()?;
    batches.binary_search_by_key(&position, |batch| batch.position).ok().and_then(|at| batches.get(at))
}

/// Headers of all batches of the log beside an index.
fn batches_beside(disk: &dyn Disk, path: &Path) -> io::Result<Vec<DumpedBatch>> {
    let mut segment = SegmentDump::open(disk, &path.with_extension("log"), u64::MAX)?;
    let mut batches = Vec::new();
    while let Some(batch) = segment.next_batch()? {
        batches.push(batch.without_records());
    }
    Ok(batches)
}

fn index(
    arguments: &Arguments,
    disk: &dyn Disk,
    path: &Path,
    problems: &mut Problems,
    out: &mut dyn Write,
) -> io::Result<()> {
    let base = base_offset(path)?;
    let entries = dump::offset_index(disk, path)?;
    if entries.is_empty() {
        return writeln!(out, "{} is empty.", path.display());
    }
    if arguments.index_sanity_check {
        return sanity(disk, path, dump::OFFSET_ENTRY_LEN, out);
    }
    let batches = batches_beside(disk, path)?;
    for (relative, position) in entries {
        let offset = base.wrapping_add(relative.into());
        let found = batch_at(&batches, position).filter(|batch| batch.size <= arguments.max_message_size as usize);
        let last = found.map_or(-1, |batch| batch.header.last_offset().0);
        if last != offset {
            let line = format!("Index offset: {offset}, log offset: {last}");
            problems.index.entry(path.to_owned()).or_default().push(line);
        }
        if !arguments.verify_index_only {
            writeln!(out, "offset: {offset} position: {position}")?;
        }
    }
    Ok(())
}

fn sanity(disk: &dyn Disk, path: &Path, entry_len: u64, out: &mut dyn Write) -> io::Result<()> {
    if dump::is_sane(disk, path, entry_len)? {
        return writeln!(out, "{} passed sanity check.", path.display());
    }
    Err(io::Error::other("its length is no multiple of an entry's: a start makes it anew"))
}

fn times(
    arguments: &Arguments,
    disk: &dyn Disk,
    path: &Path,
    problems: &mut Problems,
    out: &mut dyn Write,
) -> io::Result<()> {
    let base = base_offset(path)?;
    if arguments.index_sanity_check {
        return sanity(disk, path, dump::TIME_ENTRY_LEN, out);
    }
    let entries = dump::time_index(disk, path)?;
    let batches = batches_beside(disk, path)?;
    for (timestamp, relative) in entries {
        let offset = base.wrapping_add(relative.into());
        let at = batches.partition_point(|batch| batch.header.last_offset().0 < offset);
        let found = batches.get(at).filter(|batch| batch.header.last_offset().0 == offset);
        match found {
            Some(batch) if batch.header.max_timestamp() != timestamp => {
                let of_log = batch.header.max_timestamp().0;
                let line = format!("Index timestamp: {}, log timestamp: {of_log}", timestamp.0);
                problems.times.entry(path.to_owned()).or_default().push(line);
            }
            Some(_) => {}
            None => say(format_args!(
                "The following indexed offsets are not found in the log.\nIndexed offset: {offset}, found log offset: {}",
                batches.get(at).map_or(-1, |batch| batch.header.last_offset().0)
            )),
        }
        if !arguments.verify_index_only {
            writeln!(out, "timestamp: {} offset: {offset}", timestamp.0)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use barnabas_storage::batch::BatchBuilder;
    use barnabas_storage::seam::OpenMode;
    use barnabas_storage::{LeaderEpoch, Offset, Timestamp};

    use super::*;

    fn dumped(options: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("00000000000000000007.log");
        let batch = BatchBuilder::new().record(Timestamp(5), Some(b"k"), Some(b"v")).at(Offset(7), LeaderEpoch(2));
        let disk = Seams::system().disk;
        let file = disk.open(&path, OpenMode::Create).unwrap();
        file.write_all_at(&[io::IoSlice::new(&batch.build())], 0).unwrap();
        let arguments = Arguments::try_parse_from(
            format!("kafka-dump-log --files {} {options}", path.display()).split_whitespace(),
        );
        let mut out = Vec::new();
        one(&arguments.unwrap(), &*disk, &path, &mut Problems::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn batches_and_records_have_kafkas_columns() {
        let batch = "baseOffset: 7 lastOffset: 7 count: 1 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 \
                     partitionLeaderEpoch: 2 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty \
                     position: 0 CreateTime: 5 size: 70 magic: 2 compresscodec: none crc: ";
        let text = dumped("--print-data-log");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "Log starting offset: 7");
        assert!(lines[2].starts_with(batch) && lines[2].ends_with("isvalid: true"), "{text}");
        assert_eq!(
            lines[3],
            "| offset: 7 CreateTime: 5 keySize: 1 valueSize: 1 sequence: -1 headerKeys: [] key: k payload: v"
        );
        assert_eq!(dumped("").lines().count(), 3);
        assert!(dumped("--print-data-log --skip-record-metadata").ends_with("| key: k payload: v\n"));
    }
}
