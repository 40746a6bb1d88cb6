//! The snapshot file: an image as of one log id. Format: raft/FORMAT.md.
//!
//! Invariant: the file under the snapshot's name is always whole. It is written under another name, synced, renamed,
//! and the directory synced, before anybody relies on it.

use std::io;
use std::io::IoSlice;
use std::path::PathBuf;
use std::sync::Arc;

use barnabas_storage::seam::{Disk, OpenMode};

use super::encoding::{log_id, put_log_id, put_stored_membership, stored_membership};
use super::type_config::SnapshotMeta;
use crate::error::OpenError;
use crate::metadata::codec::{DecodeError, Reader, Writer};
use crate::metadata::{MetadataImage, Record};

const NAME: &str = "barnabas-metadata.snapshot";
const TEMPORARY: &str = "barnabas-metadata.snapshot.tmp";
const MAGIC: &[u8; 8] = b"BNBSMETA";
const FORMAT: u64 = 0;
const CRC: usize = 4;

/// Bytes of a snapshot.
pub(crate) fn encode(meta: &SnapshotMeta, image: &MetadataImage) -> Vec<u8> {
    let mut out = Writer::default();
    out.put(MAGIC);
    out.unsigned(FORMAT);
    out.optional(meta.last_log_id.as_ref(), put_log_id);
    put_stored_membership(&mut out, &meta.last_membership);
    out.list(&image.records(), |out, record| record.encode(out));
    let mut bytes = out.into_bytes();
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

/// What a snapshot says.
///
/// # Errors
/// What is wrong with the bytes.
pub(crate) fn decode(bytes: &[u8]) -> Result<(SnapshotMeta, MetadataImage), DecodeError> {
    let (body, crc) = bytes.split_last_chunk::<CRC>().ok_or(DecodeError::Truncated)?;
    let mut from = Reader::new(body);
    if from.take(MAGIC.len())? != MAGIC || crc32c::crc32c(body) != u32::from_le_bytes(*crc) {
        return Err(DecodeError::Checksum);
    }
    let version = from.unsigned()?;
    if version != FORMAT {
        return Err(DecodeError::Unknown { what: "snapshot", kind: 0, version });
    }
    let last_log_id = from.optional(log_id)?;
    let last_membership = stored_membership(&mut from)?;
    let records = from.list(Record::decode)?;
    from.end()?;
    let index = last_log_id.map_or(0, |id| id.index);
    let image = MetadataImage::from_records(index, &records);
    Ok((SnapshotMeta { last_log_id, last_membership }, image))
}

/// The one snapshot of a directory.
#[derive(Clone)]
pub(crate) struct SnapshotFile {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
}

impl SnapshotFile {
    pub(crate) fn new(disk: Arc<dyn Disk>, directory: PathBuf) -> Self {
        Self { disk, directory }
    }

    /// Makes these bytes the snapshot, durable when it returns.
    ///
    /// # Errors
    /// The system's; the old snapshot is still there then.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.directory.join(TEMPORARY);
        let file = self.disk.open(&temporary, OpenMode::Create)?;
        file.set_len(0)?;
        file.write_all_at(&[IoSlice::new(bytes)], 0)?;
        file.sync_data()?;
        self.disk.rename(&temporary, &self.directory.join(NAME))?;
        self.disk.sync_dir(&self.directory)
    }

    /// The snapshot's bytes, when there is one.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn read(&self) -> io::Result<Option<Vec<u8>>> {
        let path = self.directory.join(NAME);
        if !self.disk.exists(&path) {
            return Ok(None);
        }
        let file = self.disk.open(&path, OpenMode::Read)?;
        let mut bytes = vec![0; usize::try_from(file.len()?).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(Some(bytes))
    }

    /// What the snapshot says, when there is one.
    ///
    /// # Errors
    /// `Damaged`, or the system's.
    pub(crate) fn load(&self) -> Result<Option<(SnapshotMeta, MetadataImage)>, OpenError> {
        let Some(bytes) = self.read()? else { return Ok(None) };
        decode(&bytes).map(Some).map_err(|error| self.damaged(&error.to_string()))
    }

    /// The error of a snapshot that cannot be gone on from.
    pub(crate) fn damaged(&self, what: &str) -> OpenError {
        let reason = format!("{what}; restore the barnabas-metadata files from a copy, none may be deleted");
        OpenError::Damaged { file: self.directory.join(NAME), reason }
    }
}
