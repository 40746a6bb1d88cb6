//! What there is of log directories.

use barnabas_storage::LogDir;

use super::Exposition;
use crate::broker::Broker;

pub(super) fn put(broker: &Broker, text: &mut Exposition) {
    let offline = broker.partitions.log_dirs().filter(|dir| dir.is_offline()).count();
    let help = "Log directories that are offline after a disk error.";
    text.single("kafka_log_logmanager_offlinelogdirectorycount", help, offline);
    let mut of_each = |name, help, value: &dyn Fn(&LogDir) -> u64| {
        text.family(name, help);
        for dir in broker.partitions.log_dirs() {
            text.sample(&[("directory", &dir.path().display().to_string())], value(dir));
        }
    };
    let is_full = |dir: &LogDir| u64::from(!dir.is_offline() && !dir.has_room());
    of_each("barnabas_log_directory_full", "1 while records are refused because the disk is full.", &is_full);
    let help = "Bytes of the logs of deleted topics that can be brought back.";
    of_each("barnabas_kept_bytes", help, &LogDir::kept_bytes);
    let help = "Bytes of the journal that a start would have to read.";
    of_each("barnabas_journal_live_bytes", help, &|dir| dir.journal_bytes().0);
    let help = "Bytes that the live part of the journal may become before producers wait; it grows up to a bound.";
    of_each("barnabas_journal_capacity_bytes", help, &|dir| dir.journal_bytes().1);
}
