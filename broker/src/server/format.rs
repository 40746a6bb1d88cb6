//! Formatting log directories before the first start: whose they are, and the users that the cluster begins with.

use std::path::{Path, PathBuf};

use barnabas_config::{Config, key};
use barnabas_raft::Controller;
use barnabas_raft::metadata::scram::UserScramCredentialRecord;
use barnabas_storage::LogDir;
use barnabas_storage::log_dir::MetaProperties;
use barnabas_storage::seam::Seams;

use super::{IdentityError, StartError, controller_options, identity, lock_metadata};

/// What directories are formatted with.
#[derive(Debug)]
pub struct FormatOptions {
    /// The cluster's id; made when nobody says it and no directory has one.
    pub cluster_id: Option<String>,
    /// Directories that are formatted already are passed over.
    pub ignore_formatted: bool,
    /// Users that the cluster begins with.
    pub users: Vec<UserScramCredentialRecord>,
}

/// What was done.
#[derive(Debug)]
pub struct Formatted {
    /// The cluster's id.
    pub cluster_id: String,
    /// Directories that were formatted; the first of all log directories holds the metadata.
    pub directories: Vec<PathBuf>,
}

/// Why nothing was formatted, or not everything.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// It would not be its first start any more.
    #[error(
        "Log directory {0} is already formatted. Use --ignore-formatted to ignore this directory and format the others."
    )]
    AlreadyFormatted(PathBuf),
    /// Users are in the metadata, which is there already.
    #[error("the metadata in {0} is there already: users are added with `barnabas users create` while the broker runs")]
    UsersTooLate(PathBuf),
    /// A directory could not be read or written, or is another's.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A broker runs on them, or the settings are wrong.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Writes `meta.properties` into every log directory that has none, and, where there are users, the first metadata.
///
/// # Errors
/// See [`FormatError`]. All directories are looked at before the first is written.
pub async fn format(config: &Config, seams: Seams, options: FormatOptions) -> Result<Formatted, FormatError> {
    let paths: Vec<PathBuf> = config.read(&key::LOG_DIRS).into_iter().map(PathBuf::from).collect();
    let found = metas(&seams, &paths)?;
    if let Some((path, _)) = found.iter().find(|(_, meta)| meta.is_some()).filter(|_| !options.ignore_formatted) {
        return Err(FormatError::AlreadyFormatted((*path).to_owned()));
    }
    let is_late = found.first().is_some_and(|(_, meta)| meta.is_some());
    if let Some(first) = paths.first().filter(|_| is_late && !options.users.is_empty()) {
        return Err(FormatError::UsersTooLate(first.clone()));
    }
    let directories = found.iter().filter(|(_, meta)| meta.is_none()).map(|(path, _)| (*path).to_owned()).collect();
    let meta = identity::establish_as(&seams, config, &paths, options.cluster_id)?;
    if !options.users.is_empty() {
        write_users(&seams, config, &paths, &meta, options.users).await?;
    }
    Ok(Formatted { cluster_id: meta.cluster_id, directories })
}

type Found<'a> = Vec<(&'a Path, Option<MetaProperties>)>;

fn metas<'a>(seams: &Seams, paths: &'a [PathBuf]) -> Result<Found<'a>, FormatError> {
    let read = |path: &'a PathBuf| {
        let meta = LogDir::read_meta(seams, path);
        Ok((path.as_path(), meta.map_err(|error| IdentityError::Directory(path.clone(), error))?))
    };
    paths.iter().map(read).collect()
}

/// The cluster's first entries, as a first start would write them, with the users among them.
async fn write_users(
    seams: &Seams,
    config: &Config,
    paths: &[PathBuf],
    meta: &MetaProperties,
    users: Vec<UserScramCredentialRecord>,
) -> Result<(), FormatError> {
    let _lock = lock_metadata(seams, paths)?;
    let mut options = controller_options(seams, config, paths, meta).map_err(StartError::from)?;
    options.first_users.extend(users);
    let controller = Controller::open(seams.clone(), options).await.map_err(StartError::from)?;
    controller.close().await;
    Ok(())
}
