//! Client quotas: who may have how much, and for how long who has had more is not listened to (KIP-13, KIP-124, KIP-219,
//! KIP-599).
//!
//! A rate is an average over windows (`quota.window.num` of `quota.window.size.seconds`); who is above its quota waits
//! until the average is back at it. Changes to topics come out of a bucket of tokens instead. The wait is told in the
//! answer, which leaves at once; the connection is not read until it is over.
//!
//! Connections are counted too: all of them against `max.connection.creation.rate`, and those of an address against its
//! `connection_creation_rate` (KIP-612).
//!
//! Must not know: sockets, requests.
//!
//! Where it differs from Apache Kafka: client ids are chosen by clients, so each user has at most
//! [`SENSORS_PER_USER_MAX`] of them with a rate of their own; the others share one. The time of a request is what its
//! handler took of a processor; time in the network is not counted.
//!
//! Invariants:
//! 1. Who has no quota costs two look-ups and leaves nothing behind.
//! 2. What is remembered is bounded, in all and for each user, and forgotten after an hour of silence.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use barnabas_config::{Config, key};
use barnabas_raft::{MetadataDelta, MetadataImage, MetadataListener};
use barnabas_storage::seam::Clock;
use parking_lot::Mutex;

use crate::metrics::Metrics;
use crate::network::Arrival;

mod entitled;
mod mutations;
mod rate;
mod sensors;
mod token_bucket;

pub use entitled::{Entitled, Entitlement};
pub use mutations::Mutations;
use rate::Rate;
pub use rate::Windows;
pub use sensors::SENSORS_PER_USER_MAX;
use sensors::Sensors;

/// What a quota bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuotaKind {
    /// `producer_byte_rate`: bytes of produce requests a second.
    Produce,
    /// `consumer_byte_rate`: bytes of fetch answers a second.
    Fetch,
    /// `request_percentage`: time of request handlers, in hundredths of one processor.
    Request,
    /// `controller_mutation_rate`: partitions created and deleted a second.
    Mutation,
    /// `connection_creation_rate`: connections of an address a second.
    Arrival,
}

impl QuotaKind {
    /// Every kind that users and client ids have.
    pub const ALL: [Self; 4] = [Self::Produce, Self::Fetch, Self::Request, Self::Mutation];

    /// Kafka's name of its quota.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Produce => "producer_byte_rate",
            Self::Fetch => "consumer_byte_rate",
            Self::Request => "request_percentage",
            Self::Mutation => "controller_mutation_rate",
            Self::Arrival => "connection_creation_rate",
        }
    }
}

/// How long somebody is not to be listened to, in whole milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ThrottleTime(i32);

impl ThrottleTime {
    /// Nobody waits.
    pub const NONE: Self = Self(0);

    /// From milliseconds; more than fits is as much as fits.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
    pub fn of_millis(millis: f64) -> Self {
        Self((millis.round() as i32).max(0))
    }

    /// What is left of a wait.
    #[must_use]
    pub fn of(left: Duration) -> Self {
        Self(i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX))
    }

    /// As an answer tells it.
    #[must_use]
    pub fn millis(self) -> i32 {
        self.0
    }

    /// As a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }
}

/// Whose request it is.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The principal's name.
    pub user: &'a str,
    /// The client id, "" for none.
    pub id: &'a str,
}

/// The quotas of one broker.
pub struct Quotas {
    clock: Arc<dyn Clock>,
    windows: Windows,
    mutation_windows: Windows,
    entitled: ArcSwap<Entitled>,
    sensors: Mutex<Sensors>,
    /// Connections a second over all listeners, and how many may be.
    arrivals: Mutex<Rate>,
    arrivals_max: ArcSwapOption<f64>,
    metrics: Arc<Metrics>,
}

impl Quotas {
    /// Nobody has a quota yet: [`MetadataListener`] brings them.
    #[must_use]
    pub fn new(config: &Config, clock: Arc<dyn Clock>, metrics: Arc<Metrics>) -> Self {
        let count = |key| usize::try_from(config.read::<i64>(key)).unwrap_or(1).max(1);
        let seconds = |key| Duration::from_secs(u64::try_from(config.read::<i64>(key)).unwrap_or(1).max(1));
        let windows =
            Windows { count: count(&key::QUOTA_WINDOW_NUM), length: seconds(&key::QUOTA_WINDOW_SIZE_SECONDS) };
        let mutation_windows = Windows {
            count: count(&key::CONTROLLER_QUOTA_WINDOW_NUM),
            length: seconds(&key::CONTROLLER_QUOTA_WINDOW_SIZE_SECONDS),
        };
        let (entitled, sensors) = (ArcSwap::default(), Mutex::new(Sensors::new(Arc::clone(&metrics))));
        let quotas = Self {
            clock,
            windows,
            mutation_windows,
            entitled,
            sensors,
            arrivals: Mutex::new(Rate::new(windows)),
            arrivals_max: ArcSwapOption::empty(),
            metrics,
        };
        quotas.limit_arrivals(config);
        quotas
    }

    /// Another `max.connection.creation.rate`, for connections that come later.
    pub fn limit_arrivals(&self, config: &Config) {
        let most = config.read(&key::MAX_CONNECTION_CREATION_RATE);
        let is_limit = most < i64::from(i32::MAX);
        self.arrivals_max.store(is_limit.then(|| Arc::new(most.max(1) as f64)));
    }

    /// Whether any client has a quota of this kind.
    #[must_use]
    pub fn are_set(&self, kind: QuotaKind) -> bool {
        self.entitled.load().are_set(kind)
    }

    /// Counts `amount` for a client: bytes, or hundredths of a second of a processor. How long the client is not to be
    /// listened to now; at most a window for [`QuotaKind::Request`].
    pub fn charge(&self, kind: QuotaKind, client: Client<'_>, amount: f64) -> ThrottleTime {
        let Some(quota) = self.entitled.load().quota(kind, client) else { return ThrottleTime::NONE };
        let now = self.clock.monotonic();
        let excess = self.sensors.lock().with(kind, &quota, client, now, |sensor| {
            let rate = sensor.rate(self.windows);
            rate.record(amount, now);
            rate.excess(quota.value, now)
        });
        let most = if kind == QuotaKind::Request { self.windows.length } else { Duration::MAX };
        self.throttled(ThrottleTime::of_millis(excess.min(most).as_secs_f64() * 1e3))
    }

    /// Takes back what was charged: a throttled fetch is answered without records.
    pub fn take_back(&self, kind: QuotaKind, client: Client<'_>, amount: f64) {
        let Some(quota) = self.entitled.load().quota(kind, client) else { return };
        let now = self.clock.monotonic();
        let windows = self.windows;
        self.sensors.lock().with(kind, &quota, client, now, |sensor| sensor.rate(windows).record(-amount, now));
    }

    /// The most that a client can be charged at once without a wait, if all windows are empty.
    #[must_use]
    pub fn most_at_once(&self, kind: QuotaKind, client: Client<'_>) -> Option<f64> {
        let quota = self.entitled.load().quota(kind, client)?;
        Some(quota.value * (self.windows.count.saturating_sub(1)) as f64 * self.windows.length.as_secs_f64())
    }

    /// Counts a connection that was accepted. One of an address above its quota is to be closed after at most a window,
    /// and counts for nobody.
    pub fn arrived(&self, address: IpAddr) -> Arrival {
        let (now, windows) = (self.clock.monotonic(), self.windows);
        if let Some(value) = self.entitled.load().connection_rate(address) {
            let quota = Entitlement { value, per_user: false, per_id: true };
            let (kind, client) = (QuotaKind::Arrival, Client { user: "", id: &address.to_string() });
            let excess = self.sensors.lock().with(kind, &quota, client, now, |sensor| {
                let rate = sensor.rate(windows);
                rate.record(1.0, now);
                let excess = rate.excess(value, now);
                if !excess.is_zero() {
                    rate.record(-1.0, now);
                }
                excess
            });
            if !excess.is_zero() {
                self.metrics.throttles.increment();
                return Arrival { refused_for: Some(excess.min(windows.length)), pause: Duration::ZERO };
            }
        }
        let pause = self.arrivals_max.load().as_deref().map_or(Duration::ZERO, |most| {
            let mut rate = self.arrivals.lock();
            rate.record(1.0, now);
            rate.excess(*most, now).min(windows.length)
        });
        Arrival { refused_for: None, pause }
    }

    fn throttled(&self, time: ThrottleTime) -> ThrottleTime {
        if time > ThrottleTime::NONE {
            self.metrics.throttles.increment();
        }
        time
    }
}

impl MetadataListener for Quotas {
    fn publish(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>) {
        if delta.client_quotas_changed {
            self.entitled.store(Arc::new(Entitled::of(image)));
        }
    }
}

#[cfg(test)]
mod tests;
