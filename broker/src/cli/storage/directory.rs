//! A log directory as `storage info` sees it.

use std::path::PathBuf;

use barnabas_config::{Config, key};
use barnabas_storage::LogDir;
use barnabas_storage::log_dir::MetaProperties;
use barnabas_storage::seam::Seams;

use crate::cli::failure::with_causes;

/// A log directory.
#[derive(Debug)]
pub(in crate::cli) struct LogDirectory {
    /// As the settings name it.
    pub(in crate::cli) path: PathBuf,
    /// Whether there is something.
    pub(in crate::cli) exists: bool,
    /// Whose it is.
    pub(in crate::cli) meta: Option<MetaProperties>,
    /// What is wrong with it alone.
    problem: Option<String>,
}

impl LogDirectory {
    /// Every directory of the settings, ordered.
    pub(in crate::cli) fn all(seams: &Seams, config: &Config) -> Vec<Self> {
        let mut paths: Vec<PathBuf> = config.read(&key::LOG_DIRS).into_iter().map(PathBuf::from).collect();
        paths.sort();
        paths.into_iter().map(|path| Self::look(seams, path)).collect()
    }

    fn look(seams: &Seams, path: PathBuf) -> Self {
        let shown = path.display();
        let exists = seams.disk.exists(&path) && seams.disk.list(&path).is_ok();
        let (meta, problem) = match LogDir::read_meta(seams, &path) {
            _ if !seams.disk.exists(&path) => (None, Some(format!("{shown} does not exist"))),
            _ if !exists => (None, Some(format!("{shown} is not a directory"))),
            Ok(None) => (None, Some(format!("{shown} is not formatted."))),
            Ok(meta) => (meta, None),
            Err(error) => (None, Some(with_causes(&error))),
        };
        Self { path, exists, meta, problem }
    }
}

/// What is wrong with each directory, in Kafka's words: alone, or beside the first.
pub(in crate::cli) fn problems(directories: &[LogDirectory]) -> Vec<Option<String>> {
    let first = directories.iter().find_map(|directory| directory.meta.as_ref());
    let beside = |meta: &MetaProperties| match first {
        Some(first) if first.cluster_id != meta.cluster_id => {
            Some("Mismatched cluster IDs between storage directories.".to_owned())
        }
        Some(first) if first.node_id != meta.node_id => {
            Some("Mismatched node IDs between storage directories.".to_owned())
        }
        _ => None,
    };
    directories.iter().map(|one| one.problem.clone().or_else(|| one.meta.as_ref().and_then(beside))).collect()
}

#[cfg(test)]
mod tests {
    use barnabas_storage::TopicId;

    use super::*;

    #[test]
    fn directories_are_formatted_of_one_cluster_and_of_one_node() {
        let seams = Seams::system();
        let temporary = tempfile::tempdir().unwrap();
        let formatted = |name: &str, cluster_id: &str, node_id| {
            let path = temporary.path().join(name);
            let directory_id = TopicId(seams.rng.uuid());
            let meta = MetaProperties { cluster_id: cluster_id.to_owned(), node_id, directory_id };
            LogDir::format(&seams, &path, &meta).unwrap();
            LogDirectory::look(&seams, path)
        };
        let (a, b) = (formatted("a", "c", 1), formatted("b", "c", 1));
        let (other_cluster, other_node) = (formatted("d", "x", 1), formatted("e", "c", 2));
        let absent = LogDirectory::look(&seams, temporary.path().join("f"));
        seams.disk.create_dir_all(&temporary.path().join("g")).unwrap();
        let empty = LogDirectory::look(&seams, temporary.path().join("g"));
        let found = problems(&[a, b, other_cluster, other_node, absent, empty]);
        assert_eq!((&found[0], &found[1]), (&None, &None));
        let says = |at: usize, text: &str| found[at].as_ref().is_some_and(|problem| problem.contains(text));
        assert!(says(2, "cluster IDs") && says(3, "node IDs") && says(4, "does not exist") && says(5, "not formatted"));
    }
}
