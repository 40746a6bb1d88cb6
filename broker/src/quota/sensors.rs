//! What is remembered of clients that have quotas: a rate or a bucket for each of those who share one.
//!
//! Invariants:
//! 1. A user has at most [`SENSORS_PER_USER_MAX`] of each kind, all users together [`SENSORS_MAX`] and one for each kind;
//!    who finds no room shares a sensor with the others who found none.
//! 2. A sensor that nobody used for an hour is forgotten, at the latest when there is no room for another.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::rate::Rate;
use super::token_bucket::TokenBucket;
use super::{Client, Entitlement, QuotaKind, Windows};
use crate::metrics::Metrics;

/// Client ids of one user with a rate of their own, for each kind of quota.
pub const SENSORS_PER_USER_MAX: usize = 1024;
/// All sensors. One takes some 500 bytes.
const SENSORS_MAX: usize = 65_536;
/// Silence after which a sensor is forgotten, as in Kafka.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);

/// Who shares a sensor: the parts of a client that its quota looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Shared {
    kind: QuotaKind,
    user: Option<Box<str>>,
    id: Option<Box<str>>,
    /// Everybody who found no room.
    is_rest: bool,
}

/// One sensor: a rate, or tokens.
#[derive(Debug, Default)]
pub(super) struct Sensor {
    used: Duration,
    rate: Option<Rate>,
    bucket: TokenBucket,
}

impl Sensor {
    pub(super) fn rate(&mut self, windows: Windows) -> &mut Rate {
        self.rate.get_or_insert_with(|| Rate::new(windows))
    }

    pub(super) fn bucket(&mut self) -> &mut TokenBucket {
        &mut self.bucket
    }
}

/// Every sensor.
pub(super) struct Sensors {
    sensors: HashMap<Shared, Sensor>,
    /// How many each user has; `None` counts those of quotas that do not look at users.
    per_user: HashMap<(QuotaKind, Option<Box<str>>), usize>,
    swept: Duration,
    metrics: Arc<Metrics>,
}

impl Sensors {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { sensors: HashMap::new(), per_user: HashMap::new(), swept: Duration::ZERO, metrics }
    }

    /// Looks at the sensor of a client, which is made when there is none.
    pub(super) fn with<T>(
        &mut self,
        kind: QuotaKind,
        quota: &Entitlement,
        client: Client<'_>,
        now: Duration,
        look: impl FnOnce(&mut Sensor) -> T,
    ) -> T {
        let of = |is_looked_at: bool, name: &str| is_looked_at.then(|| Box::from(name));
        let (user, id) = (of(quota.per_user, client.user), of(quota.per_id, client.id));
        let mut shared = Shared { kind, user, id, is_rest: false };
        if !self.sensors.contains_key(&shared) {
            if !self.has_room(&shared) && now.saturating_sub(self.swept) >= Duration::from_secs(60) {
                self.sweep(now);
            }
            if self.has_room(&shared) {
                *self.per_user.entry((kind, shared.user.clone())).or_default() += 1;
                self.metrics.quota_sensors.increment();
            } else {
                shared = Shared { kind, user: None, id: None, is_rest: true };
            }
        }
        let sensor = self.sensors.entry(shared).or_default();
        sensor.used = now;
        look(sensor)
    }

    fn has_room(&self, shared: &Shared) -> bool {
        let of_user = self.per_user.get(&(shared.kind, shared.user.clone())).copied().unwrap_or(0);
        // Addresses are not chosen as freely as client ids.
        let most = if shared.kind == QuotaKind::Arrival { SENSORS_MAX / 2 } else { SENSORS_PER_USER_MAX };
        of_user < most && self.sensors.len() < SENSORS_MAX
    }

    fn sweep(&mut self, now: Duration) {
        self.swept = now;
        let (per_user, metrics) = (&mut self.per_user, &self.metrics);
        self.sensors.retain(|shared, sensor| {
            let stays = shared.is_rest || now.saturating_sub(sensor.used) < FORGOTTEN_AFTER;
            if !stays {
                metrics.quota_sensors.sub(1);
                let key = (shared.kind, shared.user.clone());
                if let Some(count) = per_user.get_mut(&key) {
                    *count -= 1;
                    if *count == 0 {
                        per_user.remove(&key);
                    }
                }
            }
            stays
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: Entitlement = Entitlement { value: 1.0, per_user: true, per_id: true };

    #[test]
    fn client_ids_beyond_the_bound_share_one_sensor_until_others_are_forgotten() {
        let metrics = Arc::new(Metrics::default());
        let mut sensors = Sensors::new(Arc::clone(&metrics));
        let touch = |sensors: &mut Sensors, id: usize, seconds: u64| {
            let (id, now) = (format!("c{id}"), Duration::from_secs(seconds));
            sensors.with(QuotaKind::Produce, &EACH, Client { user: "u", id: &id }, now, |_| ());
        };
        for id in 0..3 * SENSORS_PER_USER_MAX {
            touch(&mut sensors, id, 1);
        }
        assert_eq!(sensors.sensors.len(), SENSORS_PER_USER_MAX + 1);
        assert_eq!(metrics.quota_sensors.value(), SENSORS_PER_USER_MAX as u64);
        touch(&mut sensors, usize::MAX, 4000);
        assert_eq!(sensors.sensors.len(), 2);
        assert_eq!(metrics.quota_sensors.value(), 1);
    }

    #[test]
    fn clients_share_what_their_quota_does_not_look_at() {
        let mut sensors = Sensors::new(Arc::default());
        let per_user = Entitlement { per_id: false, ..EACH };
        for id in ["a", "b"] {
            sensors.with(QuotaKind::Fetch, &per_user, Client { user: "u", id }, Duration::ZERO, |_| ());
        }
        assert_eq!(sensors.sensors.len(), 1);
    }
}
