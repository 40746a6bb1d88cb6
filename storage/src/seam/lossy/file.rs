//! An open file of the test disk.

use std::io::{self, IoSlice};
use std::sync::Arc;

use parking_lot::Mutex;

use super::node::FileNode;
use super::{Fault, OpKind, Shared, Verdict};
use crate::seam::disk::{DiskFile, sync_error};

pub(super) struct LossyFile {
    shared: Arc<Shared>,
    node: Arc<Mutex<FileNode>>,
    writable: bool,
}

impl std::fmt::Debug for LossyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LossyFile").field("len", &self.node.lock().seen.len()).finish_non_exhaustive()
    }
}

impl LossyFile {
    pub(super) fn new(shared: Arc<Shared>, node: Arc<Mutex<FileNode>>, writable: bool) -> Self {
        Self { shared, node, writable }
    }

    fn writable(&self) -> io::Result<()> {
        if self.writable { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }
}

impl DiskFile for LossyFile {
    fn write_all_at(&self, pieces: &[IoSlice<'_>], position: u64) -> io::Result<()> {
        self.writable()?;
        let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
        let position = usize::try_from(position).map_err(io::Error::other)?;
        let verdict = self.shared.begin(OpKind::Write)?;
        let mut file = self.node.lock();
        file.modified_ms = self.shared.clock.now().0;
        match verdict {
            Verdict::Go => file.write(position, &bytes),
            Verdict::Fail(fault) => {
                if matches!(fault, Fault::ShortWrite | Fault::ShortWriteNoSpace) {
                    file.write(position, &bytes[..bytes.len() / 2]);
                }
                return Err(fault.error());
            }
        }
        Ok(())
    }

    fn read_exact_at(&self, into: &mut [u8], position: u64) -> io::Result<()> {
        self.shared.begin_or_fail(OpKind::Read)?;
        let file = self.node.lock();
        let start = usize::try_from(position).map_err(io::Error::other)?;
        let end = start.checked_add(into.len()).ok_or(io::ErrorKind::InvalidInput)?;
        let bytes = file.seen.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        into.copy_from_slice(bytes);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.node.lock().seen.len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.writable()?;
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.shared.begin_or_fail(OpKind::SetLen)?;
        let mut file = self.node.lock();
        file.modified_ms = self.shared.clock.now().0;
        file.set_len(len);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        match self.shared.begin(OpKind::SyncData)? {
            Verdict::Go => {
                self.node.lock().sync();
                self.shared.synced();
                Ok(())
            }
            Verdict::Fail(fault) => {
                let control = self.shared.control.lock();
                if !control.crashed {
                    self.node.lock().sync_and_lose(&control.rng);
                }
                Err(sync_error(fault.error()))
            }
        }
    }

    fn modified_ms(&self) -> io::Result<i64> {
        Ok(self.node.lock().modified_ms)
    }

    fn as_std(&self) -> Option<&std::fs::File> {
        None
    }
}
