//! `barnabas-manifest`: up to where each log is durable without the journal, and where a replay of the journal begins
//! (JOURNAL.md, "Files"). Text, so that it can be read in an emergency; the last line is a checksum.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::LogDirError;
use crate::ids::{Offset, PartitionIndex, TopicId};
use crate::journal::ring::{Place, Tail};
use crate::journal::{LogCheckpoint, LogKey};
use crate::seam::Disk;
use crate::whole_file;

const NAME: &str = "barnabas-manifest";
const VERSION: &str = "1";

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The directory it belongs to.
    pub(crate) directory: TopicId,
    /// The session whose rounds are to be replayed.
    pub(crate) session: u64,
    /// The last stop was clean: there is nothing to replay.
    pub(crate) clean: bool,
    /// Where the replay begins.
    pub(crate) tail: Tail,
    /// The logs. One that is missing has no checkpoint yet: it is replayed from the tail.
    pub(crate) logs: BTreeMap<LogKey, ManifestLog>,
}

/// One log's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ManifestLog {
    /// Rounds below this one are not replayed into this log, even when they are live for others.
    pub(crate) replay_from: u64,
    /// Up to where it is durable.
    pub(crate) checkpoint: LogCheckpoint,
}

impl Manifest {
    /// Reads the file; `None` when there is none.
    pub(crate) fn read(disk: &dyn Disk, dir: &Path) -> Result<Option<Self>, LogDirError> {
        let path = Self::path(dir);
        let bytes = whole_file::read(disk, &path);
        let bytes = bytes.map_err(|source| LogDirError::Io { act: "read", path: path.clone(), source })?;
        let Some(bytes) = bytes else { return Ok(None) };
        let manifest = std::str::from_utf8(&bytes).map_err(|_| "it is not text").and_then(Self::parse);
        manifest.map(Some).map_err(|reason| LogDirError::Malformed { file: path, reason: reason.to_owned() })
    }

    /// Writes the file, durably.
    pub(crate) fn write(&self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        whole_file::replace(disk, &Self::path(dir), self.render().as_bytes())
    }

    /// Where it is.
    pub(crate) fn path(dir: &Path) -> PathBuf {
        dir.join(NAME)
    }

    fn render(&self) -> String {
        let Self { directory, session, clean, tail, logs } = self;
        let state = if *clean { "clean" } else { "running" };
        let mut text = format!(
            "{NAME} {VERSION}\ndirectory {directory} session {session:016x} state {state}\ntail {} {} {}\n",
            tail.round, tail.place.file, tail.place.position
        );
        for log in logs.values() {
            let LogCheckpoint {
                topic_id,
                partition,
                log_start,
                recovery_point,
                segment_base,
                position,
                high_watermark,
            } = &log.checkpoint;
            let _ = writeln!(
                text,
                "log {topic_id} {partition} {} {log_start} {recovery_point} {segment_base} {position} {high_watermark}",
                log.replay_from
            );
        }
        let crc = crc32c::crc32c(text.as_bytes());
        let _ = writeln!(text, "crc {crc:08x}");
        text
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        const DAMAGED: &str = "the manifest is damaged: restore it, or restore the directory from a replica";
        let mut lines = text.lines();
        match lines.next().and_then(|line| line.strip_prefix(NAME)) {
            Some(version) if version.trim() == VERSION => {}
            Some(_) => {
                return Err("the manifest has another version: start the program that wrote it, stop it cleanly");
            }
            None => return Err(DAMAGED),
        }
        let body = text.rfind("crc ").filter(|at| text[..*at].ends_with('\n')).ok_or(DAMAGED)?;
        if text[body..].trim_end() != format!("crc {:08x}", crc32c::crc32c(&text.as_bytes()[..body])) {
            return Err(DAMAGED);
        }
        Self::parse_body(lines).ok_or(DAMAGED)
    }

    fn parse_body<'a>(mut lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut identity = lines.next()?.split(' ');
        let directory = TopicId::parse(identity.nth(1)?)?;
        let session = u64::from_str_radix(identity.nth(1)?, 16).ok()?;
        let clean = identity.nth(1)? == "clean";
        let mut tail = lines.next()?.split(' ').skip(1);
        let tail =
            Tail { round: number(&mut tail)?, place: Place { file: number(&mut tail)?, position: number(&mut tail)? } };
        let logs = lines.take_while(|line| line.starts_with("log ")).map(parse_log).collect::<Option<_>>()?;
        Some(Self { directory, session, clean, tail, logs })
    }
}

fn parse_log(line: &str) -> Option<(LogKey, ManifestLog)> {
    let mut words = line.split(' ').skip(1);
    let key = LogKey { topic_id: TopicId::parse(words.next()?)?, partition: PartitionIndex(number(&mut words)?) };
    let replay_from = number(&mut words)?;
    let checkpoint = LogCheckpoint {
        topic_id: key.topic_id,
        partition: key.partition,
        log_start: Offset(number(&mut words)?),
        recovery_point: Offset(number(&mut words)?),
        segment_base: Offset(number(&mut words)?),
        position: number(&mut words)?,
        high_watermark: Offset(number(&mut words)?),
    };
    Some((key, ManifestLog { replay_from, checkpoint }))
}

fn number<'a, T: FromStr>(words: &mut impl Iterator<Item = &'a str>) -> Option<T> {
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn sample() -> Manifest {
        let log = |partition: i32| {
            let key = LogKey { topic_id: TopicId(Uuid::from_u128(77)), partition: PartitionIndex(partition) };
            let checkpoint = LogCheckpoint {
                topic_id: key.topic_id,
                partition: key.partition,
                log_start: Offset(3),
                recovery_point: Offset(40),
                segment_base: Offset(30),
                position: 4711,
                high_watermark: Offset(39),
            };
            (key, ManifestLog { replay_from: 12, checkpoint })
        };
        Manifest {
            directory: TopicId(Uuid::from_u128(9)),
            session: 0xdead_beef,
            clean: false,
            tail: Tail { round: 12, place: Place { file: 1, position: 8192 } },
            logs: [log(0), log(7)].into(),
        }
    }

    #[test]
    fn it_reads_back() {
        for clean in [false, true] {
            let manifest = Manifest { clean, ..sample() };
            assert_eq!(Manifest::parse(&manifest.render()), Ok(manifest));
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let text = sample().render();
        for at in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[at] = if damaged[at] == b'1' { b'2' } else { b'1' };
            let damaged = String::from_utf8(damaged).unwrap();
            assert!(Manifest::parse(&damaged).is_err(), "byte {at}: {damaged}");
        }
        assert!(Manifest::parse(&text[..text.len() - 30]).is_err());
    }
}
