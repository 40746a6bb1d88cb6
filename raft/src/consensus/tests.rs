//! openraft's own suite over our stores, and the snapshot file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use barnabas_storage::Timestamp;
use barnabas_storage::seam::{LossyDisk, ManualClock, Seams, SeededRng, SystemSpawn};
use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};
use proptest::prelude::*;

use super::log_store::LogStore;
use super::snapshot::{self, SnapshotFile};
use super::state_machine::StateMachine;
use super::type_config::{SnapshotMeta, TypeConfig};
use crate::metadata::cluster::ClusterRecord;
use crate::metadata::{Entry, MetadataImage, Touched};
use crate::publisher::Publications;
use crate::wal::Wal;

fn disk() -> LossyDisk {
    LossyDisk::new(Arc::new(ManualClock::at(Timestamp(0))))
}

fn seams(disk: &LossyDisk) -> Seams {
    Seams {
        disk: Arc::new(disk.clone()),
        clock: Arc::new(ManualClock::at(Timestamp(0))),
        rng: Arc::new(SeededRng::new(7)),
        spawn: Arc::new(SystemSpawn),
    }
}

struct Stores;

impl StoreBuilder<TypeConfig, LogStore, StateMachine> for Stores {
    async fn build(&self) -> Result<((), LogStore, StateMachine), StorageError<TypeConfig>> {
        let seams = seams(&disk());
        let wal = Arc::new(Wal::open(&seams, PathBuf::from("/"), 4096).expect("opens"));
        let file = SnapshotFile::new(Arc::clone(&seams.disk), PathBuf::from("/"));
        let publications = Arc::new(Publications::new());
        let machine = StateMachine::open(publications, file, Arc::clone(&seams.spawn), &wal).expect("opens");
        Ok(((), LogStore::new(wal), machine))
    }
}

#[tokio::test]
async fn our_stores_pass_openrafts_suite() {
    Suite::test_all(Stores).await.expect("every case passes");
}

fn image() -> MetadataImage {
    let mut image = MetadataImage::default();
    let records = vec![ClusterRecord { cluster_id: "c".to_owned() }.into()];
    image.apply(3, &Entry { timestamp: Timestamp(1), records }, &mut Touched::default());
    image
}

#[test]
fn a_snapshot_comes_back_and_replaces_the_one_before() {
    let file = SnapshotFile::new(Arc::new(disk()), PathBuf::from("/"));
    assert!(file.load().expect("reads").is_none());
    file.write(&snapshot::encode(&SnapshotMeta::default(), &MetadataImage::default())).expect("written");
    file.write(&snapshot::encode(&SnapshotMeta::default(), &image())).expect("written");
    let (meta, loaded) = file.load().expect("reads").expect("is there");
    assert_eq!((meta, loaded.cluster_id()), (SnapshotMeta::default(), "c"));
}

#[test]
fn a_crash_at_any_operation_of_a_snapshot_leaves_the_old_or_the_new_one() {
    let (old, new) = (MetadataImage::default(), image());
    let write = |disk: &LossyDisk, image: &MetadataImage| {
        let file = SnapshotFile::new(Arc::new(disk.clone()), PathBuf::from("/"));
        file.write(&snapshot::encode(&SnapshotMeta::default(), image))
    };
    let counted = disk();
    write(&counted, &old).expect("written");
    let before = counted.operations();
    write(&counted, &new).expect("written");
    for operation in before + 1..=counted.operations() {
        for seed in 0..16 {
            let disk = disk();
            write(&disk, &old).expect("written");
            disk.crash_at(operation);
            let written = write(&disk, &new).is_ok();
            let left = SnapshotFile::new(Arc::new(disk.crash(seed)), PathBuf::from("/"));
            let (_, loaded) = left.load().expect("whole").expect("one of them is there");
            let is_new = loaded.cluster_id() == "c";
            assert!(is_new || (!written && loaded.cluster_id().is_empty()), "operation {operation}, seed {seed}");
        }
    }
}

#[test]
fn a_damaged_snapshot_is_refused_at_every_byte() {
    let whole = snapshot::encode(&SnapshotMeta::default(), &image());
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        assert!(snapshot::decode(&damaged).is_err(), "byte {at}");
        assert!(snapshot::decode(&whole[..at]).is_err(), "cut at {at}");
    }
}

proptest! {
    #[test]
    fn hostile_snapshots_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), sealed: bool) {
        let mut bytes = bytes;
        if sealed {
            bytes.splice(0..0, *b"BNBSMETA");
            bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        }
        let _ = snapshot::decode(&bytes);
    }
}

#[test]
fn a_snapshot_without_its_log_is_refused() {
    let disk = disk();
    let seams = seams(&disk);
    let file = SnapshotFile::new(Arc::clone(&seams.disk), PathBuf::from("/"));
    let leader_id = openraft::impls::leader_id_adv::LeaderId { term: 1, node_id: 1 };
    let last_log_id = Some(openraft::LogId { leader_id, index: 3 });
    let meta = SnapshotMeta { last_log_id, ..SnapshotMeta::default() };
    file.write(&snapshot::encode(&meta, &image())).expect("written");
    let wal = Wal::open(&seams, Path::new("/").to_owned(), 4096).expect("opens");
    let opened = StateMachine::open(Arc::new(Publications::new()), file, Arc::clone(&seams.spawn), &wal);
    assert!(matches!(opened, Err(crate::OpenError::Damaged { .. })));
    wal.close();
}
