//! A test disk: a file system in memory that keeps, for each file and directory, what is durable apart from what is
//! only seen, and that fails and crashes on demand.
//!
//! A crash leaves any legal subset of what was not synced: writes are torn at 512 bytes or 4 KiB, a file may have grown
//! but hold zeros, and creations, renames and removals are undone when their directory was not synced. Operations are
//! counted, so that a test can crash at every one of them.

mod file;
mod node;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use self::file::LossyFile;
use self::node::{DirNode, FileNode, Node, Survival};
use super::clock::Clock;
use super::disk::{DirEntry, Disk, DiskFile, OpenMode, sync_error};
use super::rng::{Rng, SeededRng};

/// The kinds of operation that can be told to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OpKind {
    /// Opening a file, creating one.
    Open,
    /// `write_all_at`.
    Write,
    /// `set_len`.
    SetLen,
    /// `sync_data`.
    SyncData,
    /// `sync_dir`.
    SyncDir,
    /// `create_dir`.
    CreateDir,
    /// `rename`.
    Rename,
    /// `remove_file`, `remove_dir`.
    Remove,
    /// `read_exact_at`.
    Read,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// EIO, nothing done. A failed sync loses some of what it should have synced, as on Linux.
    Io,
    /// ENOSPC, nothing done.
    NoSpace,
    /// Half of the write is done, then EIO.
    ShortWrite,
    /// Half of the write is done, then ENOSPC.
    ShortWriteNoSpace,
}

/// The test disk. Clones share the same files.
#[derive(Clone)]
pub struct LossyDisk {
    shared: Arc<Shared>,
}

struct Shared {
    root: Arc<Mutex<DirNode>>,
    control: Mutex<Control>,
    clock: Arc<dyn Clock>,
}

struct Control {
    /// Operations that change something, so far.
    operations: u64,
    /// Operations of each kind, so far.
    by_kind: BTreeMap<OpKind, u64>,
    /// The operation that is the last: it may be done in part, everything after it fails.
    crash_at: Option<u64>,
    crashed: bool,
    faults: Vec<(OpKind, u64, Fault)>,
    after_sync: Option<Action>,
    locks: BTreeSet<PathBuf>,
    free_bytes: u64,
    total_bytes: u64,
    rng: SeededRng,
}

/// What a test does at a moment that no thread of its own could hit.
type Action = Box<dyn FnOnce() + Send>;

#[derive(Clone, Copy)]
enum Verdict {
    Go,
    Fail(Fault),
}

impl LossyDisk {
    /// An empty disk with a root directory. Modification times come from `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_root(Arc::default(), clock)
    }

    fn with_root(root: Arc<Mutex<DirNode>>, clock: Arc<dyn Clock>) -> Self {
        let control = Control {
            operations: 0,
            by_kind: BTreeMap::new(),
            crash_at: None,
            crashed: false,
            faults: Vec::new(),
            after_sync: None,
            locks: BTreeSet::new(),
            free_bytes: 1 << 40,
            total_bytes: 1 << 40,
            rng: SeededRng::new(0),
        };
        Self { shared: Arc::new(Shared { root, control: Mutex::new(control), clock }) }
    }

    /// How many operations that change something (all but reads and lists) were asked for so far.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.shared.control.lock().operations
    }

    /// How many operations of one kind were asked for so far.
    #[must_use]
    pub fn operations_of(&self, kind: OpKind) -> u64 {
        self.shared.control.lock().by_kind.get(&kind).copied().unwrap_or(0)
    }

    /// Lets power fail during operation number `operation` (the first one is 1): it and all later ones return an error.
    /// [`LossyDisk::crash`] then gives what is left.
    pub fn crash_at(&self, operation: u64) {
        self.shared.control.lock().crash_at = Some(operation);
    }

    /// True when the operation named by [`LossyDisk::crash_at`] was reached.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.shared.control.lock().crashed
    }

    /// Fails the `nth` operation of this kind from now (1 is the next one), once.
    pub fn fail_nth(&self, kind: OpKind, nth: u64, fault: Fault) {
        let mut control = self.shared.control.lock();
        let so_far = control.by_kind.get(&kind).copied().unwrap_or(0);
        control.faults.push((kind, so_far + nth, fault));
    }

    /// Runs `action` right after the next `sync_data`, on the thread that asked for it.
    pub fn after_next_sync(&self, action: impl FnOnce() + Send + 'static) {
        self.shared.control.lock().after_sync = Some(Box::new(action));
    }

    /// Takes back what [`LossyDisk::fail_nth`] has ordered and has not come yet.
    pub fn clear_faults(&self) {
        self.shared.control.lock().faults.clear();
    }

    /// What [`Disk::total_bytes`] says.
    pub fn set_total_bytes(&self, bytes: u64) {
        self.shared.control.lock().total_bytes = bytes;
    }

    /// What [`Disk::free_bytes`] says.
    pub fn set_free_bytes(&self, bytes: u64) {
        self.shared.control.lock().free_bytes = bytes;
    }

    /// The power fails: this disk is dead from now on, the one returned holds a legal remainder that `seed` picks.
    #[must_use]
    pub fn crash(&self, seed: u64) -> Self {
        self.shared.control.lock().crashed = true;
        self.fork(seed)
    }

    /// What [`LossyDisk::crash`] would give now; this disk goes on.
    #[must_use]
    pub fn fork(&self, seed: u64) -> Self {
        let rng = SeededRng::new(seed);
        let survival = match rng.next_u64() % 8 {
            0 => Survival::Nothing,
            1 => Survival::Everything,
            2..=4 => Survival::Some { sector: 512 },
            _ => Survival::Some { sector: 4096 },
        };
        self.leave(survival, &rng)
    }

    /// The process is killed: the page cache survives, and what was not synced still is not.
    #[must_use]
    pub fn kill(&self) -> Self {
        self.shared.control.lock().crashed = true;
        let root = self.shared.root.lock().copy(&mut BTreeMap::new());
        Self::with_root(Arc::new(Mutex::new(root)), Arc::clone(&self.shared.clock))
    }

    fn leave(&self, survival: Survival, rng: &SeededRng) -> Self {
        let root = self.shared.root.lock().after_crash(survival, rng);
        Self::with_root(Arc::new(Mutex::new(root)), Arc::clone(&self.shared.clock))
    }

    fn dir(&self, path: &Path) -> io::Result<Arc<Mutex<DirNode>>> {
        let mut dir = Arc::clone(&self.shared.root);
        for component in path.components() {
            let Component::Normal(name) = component else { continue };
            let next = dir.lock().seen.get(&*name.to_string_lossy()).cloned();
            match next {
                Some(Node::Dir(found)) => dir = found,
                Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None => return Err(io::ErrorKind::NotFound.into()),
            }
        }
        Ok(dir)
    }

    fn parent_and_name(&self, path: &Path) -> io::Result<(Arc<Mutex<DirNode>>, String)> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy().into_owned();
        Ok((self.dir(path.parent().unwrap_or_else(|| Path::new("")))?, name))
    }

    fn node(&self, path: &Path) -> Option<Node> {
        if path.components().all(|component| !matches!(component, Component::Normal(_))) {
            return Some(Node::Dir(Arc::clone(&self.shared.root)));
        }
        let (parent, name) = self.parent_and_name(path).ok()?;
        parent.lock().seen.get(&name).cloned()
    }
}

impl Shared {
    fn synced(&self) {
        let action = self.control.lock().after_sync.take();
        action.into_iter().for_each(|action| action());
    }

    /// Counts an operation and says whether it may go on.
    fn begin(&self, kind: OpKind) -> io::Result<Verdict> {
        let mut control = self.control.lock();
        if control.crashed {
            return Err(io::Error::other("the test disk has crashed"));
        }
        let count = control.by_kind.entry(kind).or_default();
        *count += 1;
        let count = *count;
        if kind != OpKind::Read {
            control.operations += 1;
            if control.crash_at.is_some_and(|at| control.operations >= at) {
                control.crashed = true;
                // The dying operation is done as far as the page cache goes: a crash keeps any subset of it.
                return Ok(Verdict::Fail(Fault::ShortWrite));
            }
        }
        let fault = control.faults.iter().position(|(of, at, _)| *of == kind && *at == count);
        Ok(fault.map_or(Verdict::Go, |index| Verdict::Fail(control.faults.swap_remove(index).2)))
    }

    fn begin_or_fail(&self, kind: OpKind) -> io::Result<()> {
        match self.begin(kind)? {
            Verdict::Go => Ok(()),
            Verdict::Fail(fault) => Err(fault.error()),
        }
    }
}

impl Fault {
    fn error(self) -> io::Error {
        match self {
            Self::Io | Self::ShortWrite => io::Error::from_raw_os_error(libc::EIO),
            Self::NoSpace | Self::ShortWriteNoSpace => io::Error::from_raw_os_error(libc::ENOSPC),
        }
    }
}

impl Disk for LossyDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let (parent, name) = self.parent_and_name(path)?;
        let found = parent.lock().seen.get(&name).cloned();
        let node = match (found, mode) {
            (Some(Node::Dir(_)), _) => return Err(io::ErrorKind::IsADirectory.into()),
            (Some(Node::File(_)), OpenMode::CreateNew) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Some(Node::File(file)), _) => file,
            (None, OpenMode::Read | OpenMode::ReadWrite) => return Err(io::ErrorKind::NotFound.into()),
            (None, OpenMode::Create | OpenMode::CreateNew) => {
                self.shared.begin_or_fail(OpKind::Open)?;
                let file = Arc::new(Mutex::new(FileNode::default()));
                file.lock().modified_ms = self.shared.clock.now().0;
                parent.lock().change(None, Some((&name, Node::File(Arc::clone(&file)))));
                file
            }
        };
        Ok(Arc::new(LossyFile::new(Arc::clone(&self.shared), node, mode != OpenMode::Read)))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let (parent, name) = self.parent_and_name(path)?;
        if parent.lock().seen.contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.shared.begin_or_fail(OpKind::CreateDir)?;
        parent.lock().change(None, Some((&name, Node::Dir(Arc::default()))));
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let dir = self.dir(path)?;
        let dir = dir.lock();
        let entry =
            |(name, node): (&String, &Node)| DirEntry { name: name.clone(), is_dir: matches!(node, Node::Dir(_)) };
        Ok(dir.seen.iter().map(entry).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from_dir, from_name) = self.parent_and_name(from)?;
        let (to_dir, to_name) = self.parent_and_name(to)?;
        let node = from_dir.lock().seen.get(&from_name).cloned().ok_or(io::ErrorKind::NotFound)?;
        self.shared.begin_or_fail(OpKind::Rename)?;
        if Arc::ptr_eq(&from_dir, &to_dir) {
            from_dir.lock().change(Some(&from_name), Some((&to_name, node)));
        } else {
            to_dir.lock().change(None, Some((&to_name, node)));
            from_dir.lock().change(Some(&from_name), None);
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let (parent, name) = self.parent_and_name(path)?;
        match parent.lock().seen.get(&name) {
            Some(Node::File(_)) => {}
            Some(Node::Dir(_)) => return Err(io::ErrorKind::IsADirectory.into()),
            None => return Err(io::ErrorKind::NotFound.into()),
        }
        self.shared.begin_or_fail(OpKind::Remove)?;
        parent.lock().change(Some(&name), None);
        Ok(())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let (parent, name) = self.parent_and_name(path)?;
        if !self.dir(path)?.lock().seen.is_empty() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        self.shared.begin_or_fail(OpKind::Remove)?;
        parent.lock().change(Some(&name), None);
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let dir = self.dir(path)?;
        self.shared.begin_or_fail(OpKind::SyncDir).map_err(sync_error)?;
        dir.lock().sync();
        Ok(())
    }

    fn exists(&self, path: &Path) -> bool {
        self.node(path).is_some()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        if !self.exists(path) {
            self.open(path, OpenMode::Create)?;
        }
        if !self.shared.control.lock().locks.insert(path.to_path_buf()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(LossyLock { shared: Arc::clone(&self.shared), path: path.to_path_buf() }))
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        Ok(self.shared.control.lock().free_bytes)
    }

    fn total_bytes(&self, _path: &Path) -> io::Result<u64> {
        Ok(self.shared.control.lock().total_bytes)
    }
}

struct LossyLock {
    shared: Arc<Shared>,
    path: PathBuf,
}

impl Drop for LossyLock {
    fn drop(&mut self) {
        self.shared.control.lock().locks.remove(&self.path);
    }
}

#[cfg(test)]
mod tests;
