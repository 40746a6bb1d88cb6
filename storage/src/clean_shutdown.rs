//! `.kafka_cleanshutdown`: its presence says that the last stop was clean.
//!
//! Where it differs from Apache Kafka: the directory is synced after the file is removed and before any log is opened,
//! else a crash could bring the file back and have recovery skipped.

use std::io;
use std::path::Path;

use crate::seam::Disk;
use crate::whole_file;

/// Its name.
pub(crate) const NAME: &str = ".kafka_cleanshutdown";
const OURS: &[u8] = br#"{"version":0,"brokerEpoch":-1}"#;

/// Removes the file, durably. True when it was there.
pub(crate) fn take(disk: &dyn Disk, dir: &Path) -> io::Result<bool> {
    match disk.remove_file(&dir.join(NAME)) {
        Ok(()) => disk.sync_dir(dir).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// True when the file is there.
pub(crate) fn is_there(disk: &dyn Disk, dir: &Path) -> bool {
    disk.exists(&dir.join(NAME))
}

/// True when the file is there and nothing in it says that Apache Kafka wrote it: Kafka writes an epoch of its broker.
pub(crate) fn is_ours(disk: &dyn Disk, dir: &Path) -> bool {
    let Ok(Some(bytes)) = whole_file::read(disk, &dir.join(NAME)) else { return false };
    let content: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
    let epoch = content.and_then(|content| content.get("brokerEpoch").and_then(serde_json::Value::as_i64));
    epoch.is_none_or(|epoch| epoch < 0)
}

/// True when the file is there and not as a stop of ours or of Kafka's writes it.
pub(crate) fn is_damaged(disk: &dyn Disk, dir: &Path) -> bool {
    let Ok(Some(bytes)) = whole_file::read(disk, &dir.join(NAME)) else { return false };
    let content: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
    let epoch = content.and_then(|content| content.get("brokerEpoch").and_then(serde_json::Value::as_i64));
    epoch.is_none() || (epoch.is_some_and(|epoch| epoch < 0) && bytes != OURS)
}

/// The last thing that a clean stop writes. The broker epoch of Kafka's file is for a restart with the same epoch
/// (KIP-966), which we do not claim: -1 is Kafka's word for none.
pub(crate) fn write(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    whole_file::replace(disk, &dir.join(NAME), OURS)
}
