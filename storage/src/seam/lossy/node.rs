//! A file or directory of the test disk: what programs see, what is durable, and what lies between.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::seam::rng::{Rng, SeededRng};

/// What a directory entry leads to.
#[derive(Clone, Debug)]
pub(super) enum Node {
    File(Arc<Mutex<FileNode>>),
    Dir(Arc<Mutex<DirNode>>),
}

/// One file.
#[derive(Clone, Debug, Default)]
pub(super) struct FileNode {
    /// What a read sees: the page cache.
    pub(super) seen: Vec<u8>,
    /// What is on the platter for certain.
    pub(super) durable: Vec<u8>,
    /// What was done since the last sync, in order.
    unsynced: Vec<FileChange>,
    pub(super) modified_ms: i64,
}

#[derive(Clone, Debug)]
enum FileChange {
    Write { position: usize, bytes: Vec<u8> },
    SetLen(usize),
}

/// One directory.
#[derive(Debug, Default)]
pub(super) struct DirNode {
    pub(super) seen: BTreeMap<String, Node>,
    pub(super) durable: BTreeMap<String, Node>,
    unsynced: Vec<DirChange>,
}

/// One atomic change of a directory: names that go, and a name that comes (in a rename both).
#[derive(Clone, Debug)]
struct DirChange {
    removed: Option<String>,
    added: Option<(String, Node)>,
}

/// How much of the unsynced state a crash leaves.
#[derive(Clone, Copy)]
pub(super) enum Survival {
    Nothing,
    Everything,
    /// Each sector and each directory change by a coin.
    Some {
        sector: usize,
    },
}

impl FileNode {
    pub(super) fn write(&mut self, position: usize, bytes: &[u8]) {
        put(&mut self.seen, position, bytes);
        self.unsynced.push(FileChange::Write { position, bytes: bytes.to_vec() });
    }

    pub(super) fn set_len(&mut self, len: usize) {
        self.seen.resize(len, 0);
        self.unsynced.push(FileChange::SetLen(len));
    }

    /// Applies the changes to the durable image rather than copying what is seen: after a failed sync both differ, and
    /// a later sync does not bring back what the failed one lost.
    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            match change {
                FileChange::Write { position, bytes } => put(&mut self.durable, position, &bytes),
                FileChange::SetLen(len) => self.durable.resize(len, 0),
            }
        }
    }

    /// A sync that fails: some of the changes are durable, the rest is lost, and all count as clean from now on.
    pub(super) fn sync_and_lose(&mut self, rng: &SeededRng) {
        self.durable = self.after_crash(Survival::Some { sector: 512 }, rng);
        self.unsynced.clear();
    }

    pub(super) fn after_crash(&self, survival: Survival, rng: &SeededRng) -> Vec<u8> {
        let sector = match survival {
            Survival::Nothing => return self.durable.clone(),
            Survival::Everything => usize::MAX,
            Survival::Some { sector } => sector,
        };
        let all = matches!(survival, Survival::Everything);
        let mut image = self.durable.clone();
        let mut len = image.len();
        // The length is a piece of metadata that was written back at some moment.
        let length_changes = if all { self.unsynced.len() } else { below(rng, self.unsynced.len() + 1) };
        for (index, change) in self.unsynced.iter().enumerate() {
            match change {
                FileChange::Write { position, bytes } => {
                    if index < length_changes {
                        len = len.max(position + bytes.len());
                    }
                    for (at, piece) in sectors(*position, bytes, sector) {
                        if all || rng.next_u64().is_multiple_of(2) {
                            put(&mut image, at, piece);
                        }
                    }
                }
                FileChange::SetLen(new_len) if index < length_changes => {
                    len = *new_len;
                    image.resize(len, 0);
                }
                // What was written after a cut that did not happen cannot be there either.
                FileChange::SetLen(_) => break,
            }
        }
        image.resize(len, 0);
        image
    }
}

impl DirNode {
    pub(super) fn change(&mut self, removed: Option<&str>, added: Option<(&str, Node)>) {
        let change =
            DirChange { removed: removed.map(str::to_owned), added: added.map(|(name, node)| (name.to_owned(), node)) };
        change.apply(&mut self.seen);
        self.unsynced.push(change);
    }

    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// The same once more, with what is unsynced. `copied` has what was met before, by address.
    pub(super) fn copy(&self, copied: &mut BTreeMap<usize, Node>) -> Self {
        let mut all = |entries: &BTreeMap<String, Node>| {
            entries.iter().map(|(name, node)| (name.clone(), node.copy(copied))).collect()
        };
        let (seen, durable) = (all(&self.seen), all(&self.durable));
        let change = |change: &DirChange| DirChange {
            removed: change.removed.clone(),
            added: change.added.as_ref().map(|(name, node)| (name.clone(), node.copy(copied))),
        };
        Self { seen, durable, unsynced: self.unsynced.iter().map(change).collect() }
    }

    /// Builds the directory (and all below it) as a crash leaves it, with nothing unsynced.
    pub(super) fn after_crash(&self, survival: Survival, rng: &SeededRng) -> Self {
        let mut left = self.durable.clone();
        let mut lost_names = BTreeSet::new();
        for change in &self.unsynced {
            let survives = match survival {
                Survival::Nothing => false,
                Survival::Everything => true,
                Survival::Some { .. } => rng.next_u64().is_multiple_of(2),
            };
            // Changes of one name keep their order: a lost one takes the later ones with it.
            if survives && !change.names().any(|name| lost_names.contains(name)) {
                change.apply(&mut left);
            } else {
                lost_names.extend(change.names().map(str::to_owned));
            }
        }
        let entries: BTreeMap<String, Node> =
            left.into_iter().map(|(name, node)| (name, node.after_crash(survival, rng))).collect();
        Self { seen: entries.clone(), durable: entries, unsynced: Vec::new() }
    }
}

impl DirChange {
    fn apply(&self, entries: &mut BTreeMap<String, Node>) {
        if let Some(name) = &self.removed {
            entries.remove(name);
        }
        if let Some((name, node)) = &self.added {
            entries.insert(name.clone(), node.clone());
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.removed.as_deref().into_iter().chain(self.added.as_ref().map(|(name, _)| name.as_str()))
    }
}

impl Node {
    fn copy(&self, copied: &mut BTreeMap<usize, Self>) -> Self {
        let address = match self {
            Self::File(file) => Arc::as_ptr(file).addr(),
            Self::Dir(dir) => Arc::as_ptr(dir).addr(),
        };
        if let Some(copy) = copied.get(&address) {
            return copy.clone();
        }
        let copy = match self {
            Self::File(file) => Self::File(Arc::new(Mutex::new(file.lock().clone()))),
            Self::Dir(dir) => Self::Dir(Arc::new(Mutex::new(dir.lock().copy(copied)))),
        };
        copied.insert(address, copy.clone());
        copy
    }

    fn after_crash(&self, survival: Survival, rng: &SeededRng) -> Self {
        match self {
            Self::File(file) => {
                let file = file.lock();
                let image = file.after_crash(survival, rng);
                Self::File(Arc::new(Mutex::new(FileNode {
                    seen: image.clone(),
                    durable: image,
                    unsynced: Vec::new(),
                    modified_ms: file.modified_ms,
                })))
            }
            Self::Dir(dir) => Self::Dir(Arc::new(Mutex::new(dir.lock().after_crash(survival, rng)))),
        }
    }
}

fn put(image: &mut Vec<u8>, position: usize, bytes: &[u8]) {
    let end = position + bytes.len();
    if image.len() < end {
        image.resize(end, 0);
    }
    image[position..end].copy_from_slice(bytes);
}

/// Cuts a write where the file's sectors end.
fn sectors(position: usize, bytes: &[u8], sector: usize) -> impl Iterator<Item = (usize, &[u8])> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = position + done;
        let len = (sector - at % sector).min(bytes.len() - done);
        let piece = &bytes[done..done + len];
        done += len;
        (len > 0).then_some((at, piece))
    })
}

fn below(rng: &SeededRng, bound: usize) -> usize {
    usize::try_from(rng.next_u64() % bound as u64).unwrap_or(0)
}
