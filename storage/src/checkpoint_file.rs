//! Kafka's offset checkpoints: a version, a count, and a line `topic partition offset` each.
//!
//! `recovery-point-offset-checkpoint`, `log-start-offset-checkpoint` and `replication-offset-checkpoint` are written at a
//! clean stop, for Apache Kafka to open the directory, and read when it was Kafka that stopped last. While Barnabas
//! runs, the manifest has these positions.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use crate::ids::{Offset, PartitionIndex};
use crate::seam::Disk;
use crate::whole_file;

/// The first offset that is not known to be on disk.
pub(crate) const RECOVERY_POINT: &str = "recovery-point-offset-checkpoint";
/// The log start offset, of logs where it is not the base offset of the first segment.
pub(crate) const LOG_START: &str = "log-start-offset-checkpoint";
/// The high watermark.
pub(crate) const HIGH_WATERMARK: &str = "replication-offset-checkpoint";

/// Offsets by topic name and partition.
pub(crate) type Offsets = HashMap<(String, PartitionIndex), Offset>;

/// Writes one of the files.
pub(crate) fn write(disk: &dyn Disk, path: &Path, lines: &[(&str, PartitionIndex, Offset)]) -> io::Result<()> {
    let mut text = format!("0\n{}\n", lines.len());
    for (topic, partition, offset) in lines {
        let _ = writeln!(text, "{topic} {partition} {offset}");
    }
    whole_file::replace(disk, path, text.as_bytes())
}

/// Reads one of the files. One that is absent or damaged counts as empty: the offsets in it only save work, and
/// recovery finds the truth in the segments.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> io::Result<Offsets> {
    let Some(bytes) = whole_file::read(disk, path)? else { return Ok(Offsets::new()) };
    let offsets = std::str::from_utf8(&bytes).ok().and_then(parse);
    if offsets.is_none() {
        tracing::warn!(
            file = %path.display(),
            "the checkpoint file is damaged; nothing need be done: the segments tell what it told"
        );
    }
    Ok(offsets.unwrap_or_default())
}

pub(crate) fn parse(text: &str) -> Option<Offsets> {
    // Without the end of its last line that line may be short of digits.
    let mut lines = text.strip_suffix('\n')?.lines();
    if lines.next()? != "0" {
        return None;
    }
    let count: usize = lines.next()?.parse().ok()?;
    let offsets = lines.map(parse_line).collect::<Option<Offsets>>()?;
    (offsets.len() == count).then_some(offsets)
}

fn parse_line(line: &str) -> Option<((String, PartitionIndex), Offset)> {
    let mut words = line.split(' ');
    let topic = words.next()?.to_owned();
    let partition = PartitionIndex(words.next()?.parse().ok()?);
    let offset = Offset(words.next()?.parse().ok()?);
    words.next().is_none().then_some(((topic, partition), offset))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::seam::{LossyDisk, ManualClock};

    #[test]
    fn without_the_end_of_its_last_line_it_is_damaged() {
        assert_eq!(parse("0\n1\na 0 12\n").and_then(|read| read.values().next().copied()), Some(Offset(12)));
        for cut in ["0\n1\na 0 12", "0\n1\na 0 1", "0\n0"] {
            assert_eq!(parse(cut), None, "{cut:?}");
        }
    }

    #[test]
    fn it_reads_what_it_writes_in_kafkas_form() {
        let disk = LossyDisk::new(Arc::new(ManualClock::default()));
        let path = Path::new("/recovery-point-offset-checkpoint");
        let lines = [("a", PartitionIndex(0), Offset(7)), ("b.c", PartitionIndex(12), Offset(0))];
        write(&disk, path, &lines).unwrap();
        assert_eq!(whole_file::read(&disk, path).unwrap().unwrap(), b"0\n2\na 0 7\nb.c 12 0\n");
        let read = read(&disk, path).unwrap();
        assert_eq!(read.get(&("b.c".to_owned(), PartitionIndex(12))), Some(&Offset(0)));
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn a_damaged_file_counts_as_absent() {
        for text in ["", "1\n0\n", "0\n2\na 0 7\n", "0\n1\na 0\n", "0\n1\na 0 7 8\n", "0\nx\n"] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }
}
