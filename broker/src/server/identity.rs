//! Who this node is: meta.properties of its log directories, written at the first start.

use std::path::{Path, PathBuf};

use barnabas_config::{Config, key};
use barnabas_storage::log_dir::MetaProperties;
use barnabas_storage::seam::Seams;
use barnabas_storage::{LogDir, LogDirError, TopicId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Why the directories were refused.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A directory could not be read or formatted.
    #[error("format or read {0}")]
    Directory(PathBuf, #[source] LogDirError),
    /// Two directories of different clusters.
    #[error(
        "{path} belongs to cluster {found}, not to {expected} as another log directory: name the right directories"
    )]
    OtherCluster {
        /// Which.
        path: PathBuf,
        /// Its cluster.
        found: String,
        /// The others'.
        expected: String,
    },
    /// A directory of another node.
    #[error(
        "{path} belongs to node.id {found}, the settings say {expected}: set node.id={found} or name another directory"
    )]
    OtherNode {
        /// Which.
        path: PathBuf,
        /// Its node.
        found: i32,
        /// The settings'.
        expected: i32,
    },
}

/// Reads the identity of every directory and formats those that have none. The cluster's id is made at the very first
/// start.
pub(super) fn establish(seams: &Seams, config: &Config, paths: &[PathBuf]) -> Result<MetaProperties, IdentityError> {
    establish_as(seams, config, paths, None)
}

/// As [`establish`], for a cluster whose id is known.
pub(super) fn establish_as(
    seams: &Seams,
    config: &Config,
    paths: &[PathBuf],
    cluster_id: Option<String>,
) -> Result<MetaProperties, IdentityError> {
    let node_id = i32::try_from(config.read(&key::NODE_ID)).unwrap_or(0);
    let mut found = Vec::new();
    for path in paths {
        let meta = LogDir::read_meta(seams, path);
        found.push((path, meta.map_err(|error| IdentityError::Directory(path.clone(), error))?));
    }
    let first = found.iter().find_map(|(_, meta)| meta.as_ref());
    let given = cluster_id.or_else(|| first.map(|meta| meta.cluster_id.clone()));
    let cluster_id = given.unwrap_or_else(|| new_cluster_id(seams));
    let mut own = None;
    for (path, meta) in &found {
        meta.as_ref().map_or(Ok(()), |meta| check(meta, path, &cluster_id, node_id))?;
    }
    for (path, meta) in found {
        let meta = meta.map_or_else(|| format(seams, path, &cluster_id, node_id), Ok)?;
        own = own.or(Some(meta));
    }
    Ok(own.expect("invariant: log.dirs names a directory"))
}

fn check(meta: &MetaProperties, path: &Path, cluster_id: &str, node_id: i32) -> Result<(), IdentityError> {
    if meta.cluster_id != cluster_id {
        let (found, expected) = (meta.cluster_id.clone(), cluster_id.to_owned());
        return Err(IdentityError::OtherCluster { path: path.to_owned(), found, expected });
    }
    if meta.node_id != node_id {
        return Err(IdentityError::OtherNode { path: path.to_owned(), found: meta.node_id, expected: node_id });
    }
    Ok(())
}

fn format(seams: &Seams, path: &Path, cluster_id: &str, node_id: i32) -> Result<MetaProperties, IdentityError> {
    let directory_id = TopicId(seams.rng.uuid());
    let meta = MetaProperties { cluster_id: cluster_id.to_owned(), node_id, directory_id };
    LogDir::format(seams, path, &meta).map_err(|error| IdentityError::Directory(path.to_owned(), error))?;
    tracing::info!(path = %path.display(), cluster_id, node_id, "log directory formatted");
    Ok(meta)
}

/// A random UUID in Kafka's form: 22 characters of base64url, never a leading `-`, which command lines take for an
/// option.
fn new_cluster_id(seams: &Seams) -> String {
    loop {
        let id = URL_SAFE_NO_PAD.encode(seams.rng.uuid().as_bytes());
        if !id.starts_with('-') {
            return id;
        }
    }
}
