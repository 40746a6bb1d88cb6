//! How a shard comes from its log.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use barnabas_storage::ReadError;

use super::Shard;
use crate::group::classic::{ClassicGroup, Now};
use crate::group::log::{GroupLog, Record};
use crate::group::offsets::Offsets;
use crate::group::schema::{GroupMetadataValue, Key, OffsetCommitValue, SchemaError};
use crate::group::settings::GroupSettings;
use crate::group::timers::Timers;

impl Shard {
    /// Reads the log from its start to its end: the last record of each key counts. Every member gets a whole session.
    /// A record that cannot be read is passed over and told of. Blocks.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn load(
        log: Arc<dyn GroupLog>,
        settings: Arc<GroupSettings>,
        now: impl Fn() -> Now,
    ) -> Result<Self, ReadError> {
        let mut shard = Self {
            log: Arc::clone(&log),
            groups: HashMap::new(),
            offsets: Offsets::default(),
            timers: Timers::default(),
            writes: VecDeque::new(),
            parked: HashMap::new(),
            last_ticket: 0,
            next_retention_check: now().monotonic + settings.offsets_retention_check_interval,
            broken: false,
            settings,
        };
        let started = now();
        log.replay(&mut |record| {
            if let Err(error) = shard.replay(&record, started) {
                tracing::warn!(
                    %error,
                    key = ?record.key,
                    "a record of __consumer_offsets cannot be read and is passed over; look at the group's offsets"
                );
            }
        })?;
        let loaded = now();
        let ids: Vec<_> = shard.groups.keys().cloned().collect();
        for id in ids {
            shard.turn(&id, loaded, ClassicGroup::resume);
        }
        Ok(shard)
    }

    fn replay(&mut self, record: &Record, now: Now) -> Result<(), SchemaError> {
        match (Key::decode(&record.key)?, &record.value) {
            (Key::Offset(group, at), Some(value)) => {
                let value = OffsetCommitValue::decode(value)?;
                self.groups.entry(group.clone()).or_insert_with(|| ClassicGroup::new(group.clone(), now));
                self.offsets.put(&group, at, value);
            }
            (Key::Offset(group, at), None) => self.offsets.remove(&group, &at),
            (Key::Group(id), Some(value)) => {
                let value = GroupMetadataValue::decode(value)?;
                self.groups.insert(id.clone(), ClassicGroup::from_value(id, value, now));
            }
            (Key::Group(id), None) => {
                self.groups.remove(&id);
                if self.offsets.has_any(&id) {
                    self.groups.insert(id.clone(), ClassicGroup::new(id, now));
                }
            }
            (Key::Other(_), _) => {}
        }
        Ok(())
    }
}
