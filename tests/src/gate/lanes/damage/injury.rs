//! What is damaged, and how: one thing at random, in a file of one of the kinds that a data directory has.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use barnabas_tests::harness::dice::Dice;

/// Zeroed at a time, as a disk loses them.
const PAGE: u64 = 4096;
/// The most bytes of garbage.
const GARBAGE: u64 = 8192;
/// Draws until one changes anything.
const DRAWS: usize = 1000;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Segment,
    OffsetIndex,
    TimeIndex,
    Snapshot,
    Checksums,
    LeaderEpochs,
    PartitionMetadata,
    Manifest,
    Journal,
    MetaProperties,
    MetadataLog,
    MetadataSnapshot,
    MetadataEnd,
    MetadataMark,
    CleanShutdown,
    KafkasCheckpoint,
    Reserve,
}

impl Kind {
    /// Of a file by its name; `None` for what holds nothing.
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        Some(match name {
            "leader-epoch-checkpoint" => Self::LeaderEpochs,
            "partition.metadata" => Self::PartitionMetadata,
            "barnabas-manifest" => Self::Manifest,
            "barnabas-reserve" => Self::Reserve,
            "barnabas-metadata.snapshot" => Self::MetadataSnapshot,
            "barnabas-metadata.end" => Self::MetadataEnd,
            "barnabas-metadata.synced" => Self::MetadataMark,
            "meta.properties" => Self::MetaProperties,
            ".kafka_cleanshutdown" => Self::CleanShutdown,
            _ if name.starts_with("barnabas-journal-") => Self::Journal,
            _ if name.ends_with(".wal") => Self::MetadataLog,
            _ if name.ends_with("-offset-checkpoint") => Self::KafkasCheckpoint,
            _ if name.ends_with(".log") => Self::Segment,
            _ if name.ends_with(".index") => Self::OffsetIndex,
            _ if name.ends_with(".timeindex") => Self::TimeIndex,
            _ if name.ends_with(".snapshot") => Self::Snapshot,
            _ if name.ends_with(".checksums") => Self::Checksums,
            _ => return None,
        })
    }

    /// A file of the whole directory: damage of it may keep the broker from starting.
    pub(super) fn is_of_root(self) -> bool {
        self >= Self::Manifest
    }
}

/// What is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Damage {
    FlippedBit,
    ZeroedPage,
    Cut,
    Garbage,
    Removed,
    Swapped,
    Replaced,
}

const DAMAGES: [Damage; 7] = [
    Damage::FlippedBit,
    Damage::ZeroedPage,
    Damage::Cut,
    Damage::Garbage,
    Damage::Removed,
    Damage::Swapped,
    Damage::Replaced,
];

/// One thing that was done.
pub(super) struct Injury {
    pub(super) kind: Kind,
    pub(super) damage: Damage,
    /// The file, and the other one of a swap.
    pub(super) files: Vec<PathBuf>,
    told: String,
}

impl fmt::Display for Injury {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

/// Damages one thing below `data`.
pub(super) fn hurt(data: &Path, dice: &mut Dice) -> io::Result<Injury> {
    let mut files = Vec::new();
    gather(data, &mut files)?;
    files.sort();
    let of = |path: &PathBuf| Kind::of(path).map(|kind| (kind, path.clone()));
    let files: Vec<(Kind, PathBuf)> = files.iter().filter_map(of).collect();
    let mut kinds: Vec<Kind> = files.iter().map(|(kind, _)| *kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for _ in 0..DRAWS {
        let Some(kind) = drawn(dice, &kinds).copied() else { break };
        let alike: Vec<&PathBuf> = files.iter().filter(|(of, _)| *of == kind).map(|(_, path)| path).collect();
        let Some(file) = drawn(dice, &alike).map(|path| path.to_path_buf()) else { break };
        let Some(damage) = drawn(dice, &DAMAGES).copied() else { break };
        let others: Vec<&PathBuf> = match alike.len() {
            // Nothing else is of this kind: something else is put in its place.
            1 => files.iter().map(|(_, path)| path).filter(|path| **path != file).collect(),
            _ => alike.into_iter().filter(|path| **path != file).collect(),
        };
        let Some(other) = drawn(dice, &others).map(|path| path.to_path_buf()) else { break };
        if let Some(injury) = inflict(data, kind, damage, &file, &other, dice)? {
            return Ok(injury);
        }
    }
    Err(io::Error::other("nothing here can be damaged"))
}

/// `None` when it would change nothing.
fn inflict(
    data: &Path,
    kind: Kind,
    damage: Damage,
    file: &Path,
    other: &Path,
    dice: &mut Dice,
) -> io::Result<Option<Injury>> {
    let len = fs::metadata(file)?.len();
    if len == 0 && !matches!(damage, Damage::Garbage | Damage::Removed) {
        return Ok(None);
    }
    let mut files = vec![file.to_path_buf()];
    let name = |path: &Path| path.strip_prefix(data).unwrap_or(path).display().to_string();
    let what = match damage {
        Damage::FlippedBit => {
            let (at, bit) = (dice.draw(0..len), dice.draw(0..8));
            let byte = bytes_at(file, at, 1)?[0] ^ (1 << bit);
            write_at(file, at, &[byte])?;
            format!("bit {bit} of byte {at} of {len} flipped in {}", name(file))
        }
        Damage::ZeroedPage => {
            let at = dice.draw(0..len.div_ceil(PAGE)) * PAGE;
            let size = PAGE.min(len - at);
            if bytes_at(file, at, size)?.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            write_at(file, at, &vec![0; usize::try_from(size).map_err(io::Error::other)?])?;
            format!("{size} bytes from {at} of {len} zeroed in {}", name(file))
        }
        Damage::Cut => {
            let to = dice.draw(0..len);
            File::options().write(true).open(file)?.set_len(to)?;
            format!("{} cut from {len} to {to} bytes", name(file))
        }
        Damage::Garbage => {
            let bytes: Vec<u8> = (0..dice.draw(1..GARBAGE)).map(|_| dice.draw(0..256) as u8).collect();
            File::options().append(true).open(file)?.write_all(&bytes)?;
            format!("{} bytes of garbage behind the {len} of {}", bytes.len(), name(file))
        }
        Damage::Removed => {
            fs::remove_file(file)?;
            format!("{} removed", name(file))
        }
        Damage::Swapped | Damage::Replaced => {
            let (ours, theirs) = (fs::read(file)?, fs::read(other)?);
            if ours == theirs {
                return Ok(None);
            }
            fs::write(file, theirs)?;
            if damage == Damage::Swapped {
                fs::write(other, ours)?;
                files.push(other.to_path_buf());
                format!("{} and {} swapped", name(file), name(other))
            } else {
                format!("{} replaced by {}", name(file), name(other))
            }
        }
    };
    Ok(Some(Injury { kind, damage, files, told: what }))
}

fn bytes_at(file: &Path, at: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
    File::open(file)?.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

fn write_at(file: &Path, at: u64, bytes: &[u8]) -> io::Result<()> {
    File::options().write(true).open(file)?.write_all_at(bytes, at)
}

fn drawn<'a, T>(dice: &mut Dice, of: &'a [T]) -> Option<&'a T> {
    if of.is_empty() { None } else { of.get(usize::try_from(dice.draw(0..of.len() as u64)).ok()?) }
}

fn gather(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() { gather(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// Copies a directory with all that is in it; what `to` held is gone.
pub(super) fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() {
            copy_tree(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
