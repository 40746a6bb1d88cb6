//! Making partitions: many at once share their syncs.

use std::path::Path;
use std::sync::Arc;

use super::{LogDir, empty, layout};
use crate::error::LogDirError;
use crate::ids::{PartitionIndex, TopicId};
use crate::journal::{JournalSink as _, JournalledLog, LogKey};
use crate::log::Log;
use crate::options::LogOptions;
use crate::parallel;

impl LogDir {
    /// Makes several partitions of a topic, as [`LogDir::create_log`] does one: together they need few syncs. Those that
    /// are there already stay as they are.
    ///
    /// # Errors
    /// See [`LogDirError`]; then some may have been made.
    pub fn create_logs(
        &self,
        topic: &str,
        topic_id: TopicId,
        partitions: &[PartitionIndex],
        options: &LogOptions,
    ) -> Result<(), LogDirError> {
        let _changing = self.changing.lock();
        self.check_open()?;
        let mut missing = Vec::new();
        for &partition in partitions.iter().filter(|partition| self.log(topic_id, **partition).is_none()) {
            self.check_not_refused(topic, topic_id, partition)?;
            let key = LogKey { topic_id, partition };
            if self.journal.checkpointer.has_grave(key) {
                // The ring may still hold batches of a deleted log of the same id: they must not come back (JRN-3).
                self.journal.record(empty(key))?;
            }
            missing.push(key);
        }
        for log in self.make(topic, &missing, options)? {
            self.take_in(log);
        }
        Ok(())
    }

    /// Makes their directories, durably.
    fn make(&self, topic: &str, keys: &[LogKey], options: &LogOptions) -> Result<Vec<Arc<Log>>, LogDirError> {
        let make = {
            let (context, topic, options) = (self.context.clone(), topic.to_owned(), options.clone());
            move |key: LogKey| {
                let dir = context.log_dir.join(layout::partition(&topic, key.partition));
                Log::create(&context, &dir, &topic, key.topic_id, key.partition, options.clone())
            }
        };
        let spawn = &*self.context.seams.spawn;
        let made = parallel::each(spawn, "log-creation", parallel::SYNCING_THREADS, keys.to_vec(), make);
        let failed = |act, path: &Path, source| self.journal.disk_error(act, path, source);
        let made: Vec<Arc<Log>> = made.into_iter().collect::<Result<_, _>>().map_err(|error| match error {
            LogDirError::Io { act, path, source } => failed(act, &path, source),
            other => other,
        })?;
        self.context.seams.disk.sync_dir(&self.path).map_err(|error| failed("sync", &self.path, error))?;
        Ok(made)
    }

    fn take_in(&self, log: Arc<Log>) {
        let key = LogKey { topic_id: log.topic_id(), partition: log.partition() };
        self.journal.checkpointer.list(empty(key));
        let member: Arc<dyn JournalledLog> = log.clone();
        self.journal.add_log(&member);
        self.logs.write().insert(key, log);
    }

    /// A partition whose files were found damaged at the start, or gone, is not made anew in silence.
    ///
    /// # Errors
    /// `Malformed`, with what was found, for such a partition.
    pub fn check_not_refused(
        &self,
        topic: &str,
        topic_id: TopicId,
        partition: PartitionIndex,
    ) -> Result<(), LogDirError> {
        let dir = self.path.join(layout::partition(topic, partition));
        match self.refused.reason(&dir, LogKey { topic_id, partition }) {
            Some(reason) => Err(LogDirError::Malformed { file: dir, reason }),
            None => Ok(()),
        }
    }
}
