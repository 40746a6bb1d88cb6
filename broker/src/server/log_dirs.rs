//! Log directories: their options, and their opening, which recovers what they hold.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use barnabas_config::{Config, key};
use barnabas_raft::MetadataImage;
use barnabas_storage::LogDir;
use barnabas_storage::log_dir::{Belongs, LogDirOptions};
use barnabas_storage::seam::Seams;

use super::StartError;
use crate::http::Startup;
use crate::partition::log_options::log_options;
use crate::seam::Tasks;

fn options(config: &Config) -> LogDirOptions {
    let bytes = |key| u64::try_from(config.read::<i64>(key)).unwrap_or(0);
    let count = |key| usize::try_from(config.read::<i64>(key)).unwrap_or(1);
    let millis = |key| Duration::from_millis(bytes(key));
    LogDirOptions {
        journal_bytes_initial: bytes(&key::JOURNAL_BYTES_INITIAL),
        journal_bytes_max: bytes(&key::JOURNAL_BYTES_MAX),
        journal_batch_bytes_max: count(&key::JOURNAL_BATCH_BYTES_MAX),
        checkpoint_interval: millis(&key::LOG_CHECKPOINT_INTERVAL_MS),
        recovery_threads: count(&key::NUM_RECOVERY_THREADS_PER_DATA_DIR),
        free_bytes_min: bytes(&key::LOG_FREE_BYTES_MIN),
        retention_check_interval: millis(&key::LOG_RETENTION_CHECK_INTERVAL_MS),
        producer_id_expiration: millis(&key::PRODUCER_ID_EXPIRATION_MS),
        producer_id_check_interval: millis(&key::PRODUCER_ID_EXPIRATION_CHECK_INTERVAL_MS),
    }
}

/// Opens every log directory, off the async workers.
pub(super) async fn open(
    tasks: &Tasks,
    seams: &Seams,
    config: &Arc<Config>,
    paths: Vec<PathBuf>,
    image: Arc<MetadataImage>,
    startup: &Arc<Startup>,
) -> Result<Vec<Arc<LogDir>>, StartError> {
    let (seams, config, startup) = (seams.clone(), Arc::clone(config), Arc::clone(startup));
    let open_all = move || {
        let options = options(&config);
        let belongs = |name: &str, id, _| {
            startup.found_partition();
            match (image.topic_by_id(id), image.kept_topic(id)) {
                (Some(topic), _) if *topic.name != *name => Belongs::Elsewhere(topic.name.to_string()),
                (Some(topic), _) => Belongs::Here(log_options(&config, &topic.configs)),
                (None, Some(kept)) => {
                    let options = log_options(&config, &kept.topic.configs);
                    Belongs::Kept { topic: kept.topic.name.to_string(), options }
                }
                (None, None) => Belongs::Nowhere(image.topic(name).map(|topic| topic.id)),
            }
        };
        let open = |path: PathBuf| match LogDir::open(seams.clone(), &path, options.clone(), &belongs) {
            Ok((dir, report)) => {
                tracing::info!(path = %path.display(), ?report, "log directory opened");
                startup.opened_directory();
                Ok(dir)
            }
            Err(error) => Err(StartError::LogDir(path, error)),
        };
        paths.into_iter().map(open).collect()
    };
    tasks.blocking(open_all).await
}
