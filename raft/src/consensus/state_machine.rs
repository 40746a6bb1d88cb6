//! The state machine: the image, and where in the log it stands. Applied images go to the publisher.

use std::io;
use std::sync::Arc;

use barnabas_storage::seam::Spawn;
use futures_util::{Stream, StreamExt as _};
use openraft::entry::{EntryPayload, RaftEntry as _};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{OptionalSend, RaftSnapshotBuilder, Snapshot};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::snapshot::{self, SnapshotFile};
use super::type_config::{LogId, RaftEntry, SnapshotMeta, StoredMembership, TypeConfig};
use crate::error::OpenError;
use crate::metadata::{MetadataImage, Touched};
use crate::publisher::Publications;
use crate::wal::Wal;

type MetadataSnapshot = openraft::type_config::alias::SnapshotOf<TypeConfig, Vec<u8>>;

/// The committed state, shared with the controller, which evaluates against it.
#[derive(Default)]
pub(crate) struct Applied {
    pub(crate) image: MetadataImage,
    last: Option<LogId>,
    membership: StoredMembership,
}

/// The state machine.
pub(crate) struct StateMachine {
    applied: Arc<Mutex<Applied>>,
    publications: Arc<Publications>,
    file: SnapshotFile,
    spawn: Arc<dyn Spawn>,
}

impl StateMachine {
    /// As the snapshot says, when there is one; the log goes on from there.
    ///
    /// # Errors
    /// `Damaged` when the snapshot is, or when the log begins behind it.
    pub(crate) fn open(
        publications: Arc<Publications>,
        file: SnapshotFile,
        spawn: Arc<dyn Spawn>,
        wal: &Wal,
    ) -> Result<Self, OpenError> {
        let applied = file.load()?.map_or_else(Applied::default, |(meta, image)| {
            publications.offer(&image, image.everything());
            Applied { image, last: meta.last_log_id, membership: meta.last_membership }
        });
        let (purged, vote) = wal.read(|state| (state.purged(), state.vote()));
        if applied.last < purged {
            return Err(file.damaged("it is missing or older than the metadata log"));
        }
        if applied.last.is_some() && vote.is_none() {
            return Err(file.damaged("the metadata log that belongs to it is missing"));
        }
        Ok(Self { applied: Arc::new(Mutex::new(applied)), publications, file, spawn })
    }

    /// The committed state.
    pub(crate) fn applied(&self) -> Arc<Mutex<Applied>> {
        Arc::clone(&self.applied)
    }

    fn apply_one(&self, entry: RaftEntry) {
        let mut applied = self.applied.lock();
        let id = entry.log_id();
        let mut touched = Touched::default();
        match entry.payload {
            EntryPayload::Blank => applied.image.skip(id.index),
            EntryPayload::Normal(proposal) => applied.image.apply(id.index, &proposal.0, &mut touched),
            EntryPayload::Membership(membership) => {
                applied.membership = StoredMembership::new(Some(id), membership);
                applied.image.skip(id.index);
            }
        }
        applied.last = Some(id);
        self.publications.offer(&applied.image, touched);
    }

    fn builder(&self) -> Builder {
        let applied = self.applied.lock();
        let meta = SnapshotMeta { last_log_id: applied.last, last_membership: applied.membership.clone() };
        Builder { meta, image: applied.image.clone(), file: self.file.clone(), spawn: Arc::clone(&self.spawn) }
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = Vec<u8>;
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        let applied = self.applied.lock();
        Ok((applied.last, applied.membership.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> Result<(), io::Error>
    where
        S: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        while let Some(next) = entries.next().await {
            let (entry, responder) = next?;
            self.apply_one(entry);
            if let Some(responder) = responder {
                responder.send(());
            }
        }
        Ok(())
    }

    async fn try_create_snapshot_builder(&mut self, _force: bool) -> Option<Builder> {
        Some(self.builder())
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        self.builder()
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: Vec<u8>) -> Result<(), io::Error> {
        let (_, image) = snapshot::decode(&snapshot).map_err(io::Error::other)?;
        on_thread(&self.spawn, &self.file, snapshot).await?;
        let mut applied = self.applied.lock();
        let mut touched = applied.image.everything();
        touched.merge(image.everything());
        self.publications.offer(&image, touched);
        *applied = Applied { image, last: meta.last_log_id, membership: meta.last_membership.clone() };
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<MetadataSnapshot>, io::Error> {
        let Some(bytes) = self.file.read()? else { return Ok(None) };
        let (meta, _) = snapshot::decode(&bytes).map_err(io::Error::other)?;
        Ok(Some(Snapshot { meta, snapshot: bytes }))
    }
}

/// Writes one image as the snapshot.
pub(crate) struct Builder {
    meta: SnapshotMeta,
    image: MetadataImage,
    file: SnapshotFile,
    spawn: Arc<dyn Spawn>,
}

impl RaftSnapshotBuilder<TypeConfig> for Builder {
    type SnapshotData = Vec<u8>;

    async fn build_snapshot(&mut self) -> Result<MetadataSnapshot, io::Error> {
        let bytes = snapshot::encode(&self.meta, &self.image);
        on_thread(&self.spawn, &self.file, bytes.clone()).await?;
        Ok(Snapshot { meta: self.meta.clone(), snapshot: bytes })
    }
}

/// Writes the snapshot off the async workers.
async fn on_thread(spawn: &Arc<dyn Spawn>, file: &SnapshotFile, bytes: Vec<u8>) -> io::Result<()> {
    let (written, waiting) = oneshot::channel();
    let file = file.clone();
    let write = move || {
        // Nobody waits any more when raft was shut down meanwhile.
        let _ = written.send(file.write(&bytes));
    };
    spawn.thread("metadata-snapshot", Box::new(write))?;
    waiting.await.map_err(|_| io::Error::other("the thread that wrote the snapshot panicked"))?
}
