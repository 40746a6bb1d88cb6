//! Clients' metrics (KIP-714): which client pushes what and how often, and the last values that each has pushed.
//!
//! Must not know: requests, and how the values are shown.
//!
//! Invariants:
//! 1. At most [`CLIENT_INSTANCES_MAX`] clients and [`CLIENT_SERIES_BYTES_MAX`] bytes of values are kept, whatever clients say
//!    of themselves: who was not heard of for longest gives its place away, and values beyond are left out and counted.
//! 2. One push is decompressed at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use barnabas_raft::{MetadataDelta, MetadataImage, MetadataListener};
use barnabas_storage::compression::{Codec, decompress};
use barnabas_storage::seam::Clock;
use bytes::Bytes;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::limits::{
    CLIENT_INSTANCES_MAX, CLIENT_PUSH_BYTES_MAX, CLIENT_SERIES_BYTES_MAX, CLIENT_SERIES_MAX, CLIENT_SWEEP_INTERVAL,
};
use crate::metrics::Metrics;

mod identity;
mod instance;
mod otlp;
mod subscriptions;

pub use identity::{Identity, Software};
use instance::Instance;
pub use instance::Refusal;
pub use otlp::Sample;
use subscriptions::Subscriptions;
pub(crate) use subscriptions::is_pattern;

/// What a client is to push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Of this choice of metrics and interval.
    pub subscription_id: i32,
    /// Prefixes of the names of metrics; `*` alone stands for all.
    pub metrics: Vec<String>,
    /// How often.
    pub interval: Duration,
}

/// The last values of one client.
pub struct Shown {
    /// Who it is, as labels.
    pub labels: String,
    /// Name, further labels, value.
    pub series: Vec<(String, String, f64)>,
}

/// Why a push is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// By its time or its subscription.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// It is damaged, or decompresses to too much.
    #[error("the pushed metrics cannot be read")]
    Unreadable,
}

/// The service.
pub struct ClientTelemetry {
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    subscriptions: ArcSwap<Subscriptions>,
    clients: Mutex<Clients>,
    decompressing: Mutex<()>,
}

#[derive(Default)]
struct Clients {
    instances: HashMap<Uuid, Instance>,
    bytes: usize,
    swept: Duration,
}

impl ClientTelemetry {
    /// With the subscriptions of `image`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, metrics: Arc<Metrics>, image: &MetadataImage) -> Self {
        Self::with_subscriptions(clock, metrics, Subscriptions::of(image, 1))
    }

    fn with_subscriptions(clock: Arc<dyn Clock>, metrics: Arc<Metrics>, subscriptions: Subscriptions) -> Self {
        Self {
            clock,
            metrics,
            subscriptions: ArcSwap::from_pointee(subscriptions),
            clients: Mutex::default(),
            decompressing: Mutex::default(),
        }
    }

    /// A client asks what it is to push.
    ///
    /// # Errors
    /// [`Refusal::TooEarly`] when it asked within its interval and nothing has changed.
    pub fn ask(&self, identity: &Identity<'_>) -> Result<Terms, Refusal> {
        let now = self.clock.monotonic();
        let outcome = self.on_instance(identity, now, |instance| instance.ask(now));
        self.counted(outcome)
    }

    /// A client is about to push: whether it may, by time and subscription. What else is wrong with the push is `wrong`.
    ///
    /// # Errors
    /// In the order in which Kafka looks at it.
    pub fn admit(
        &self,
        identity: &Identity<'_>,
        subscription_id: i32,
        is_terminating: bool,
        wrong: Option<Refusal>,
    ) -> Result<(), Refusal> {
        let now = self.clock.monotonic();
        let outcome =
            self.on_instance(identity, now, |instance| instance.admit(now, subscription_id, is_terminating, wrong));
        self.counted(outcome)
    }

    /// Takes the values of a push that was admitted. Blocks while another is decompressed.
    ///
    /// # Errors
    /// [`PushError::Unreadable`].
    pub fn take(&self, instance: Uuid, codec: Codec, pushed: &Bytes) -> Result<(), PushError> {
        let mut samples = Vec::new();
        let mut left_out = 0;
        {
            let _one_at_a_time = self.decompressing.lock();
            let plain = decompress(codec, pushed, CLIENT_PUSH_BYTES_MAX).map_err(|_| self.unreadable())?;
            let read = otlp::read(Bytes::from(plain), &mut |sample| {
                if samples.len() < CLIENT_SERIES_MAX {
                    samples.push(sample);
                } else {
                    left_out += 1;
                }
            });
            read.map_err(|_| self.unreadable())?;
        }
        let mut clients = self.clients.lock();
        let Clients { instances, bytes, .. } = &mut *clients;
        // It may have given its place away meanwhile.
        if let Some(instance) = instances.get_mut(&instance) {
            let before = instance.bytes();
            let room = CLIENT_SERIES_BYTES_MAX - (*bytes - before);
            left_out += instance.take(samples, room);
            *bytes = *bytes - before + instance.bytes();
        }
        self.metrics.client_pushes.increment();
        self.metrics.client_series_left_out.add(left_out);
        self.gauge(&clients);
        Ok(())
    }

    /// The last values of every client that was heard of lately.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        let mut clients = self.clients.lock();
        clients.sweep(self.clock.monotonic());
        self.gauge(&clients);
        clients.instances.values().map(Instance::shown).collect()
    }

    fn unreadable(&self) -> PushError {
        self.metrics.client_pushes_refused.increment();
        PushError::Unreadable
    }

    fn counted<T>(&self, outcome: Result<T, Refusal>) -> Result<T, Refusal> {
        if outcome.is_err() {
            self.metrics.client_pushes_refused.increment();
        }
        outcome
    }

    /// Runs `act` on the client's instance, which is made, or made anew after a change of subscriptions.
    fn on_instance<T>(&self, identity: &Identity<'_>, now: Duration, act: impl FnOnce(&mut Instance) -> T) -> T {
        let subscriptions = self.subscriptions.load();
        let mut clients = self.clients.lock();
        if now.saturating_sub(clients.swept) >= CLIENT_SWEEP_INTERVAL {
            clients.sweep(now);
        }
        if !clients.instances.contains_key(&identity.instance) {
            clients.make_room();
        }
        let Clients { instances, bytes, .. } = &mut *clients;
        let instance = instances
            .entry(identity.instance)
            .and_modify(|instance| {
                if instance.version() != subscriptions.version {
                    *bytes -= instance.bytes();
                    *instance = Instance::new(identity, &subscriptions);
                }
            })
            .or_insert_with(|| Instance::new(identity, &subscriptions));
        instance.heard(now);
        let outcome = act(instance);
        self.gauge(&clients);
        outcome
    }

    fn gauge(&self, clients: &Clients) {
        let series = clients.instances.values().map(Instance::series).sum();
        self.metrics.client_instances.set(clients.instances.len());
        self.metrics.client_series.set(series);
        self.metrics.client_series_bytes.set(clients.bytes);
    }
}

impl Clients {
    fn sweep(&mut self, now: Duration) {
        self.swept = now;
        let Self { instances, bytes, .. } = self;
        instances.retain(|_, instance| {
            let stays = !instance.is_forgotten(now);
            if !stays {
                *bytes -= instance.bytes();
            }
            stays
        });
    }

    /// Room for one more.
    fn make_room(&mut self) {
        if self.instances.len() < CLIENT_INSTANCES_MAX {
            return;
        }
        let oldest = self.instances.iter().min_by_key(|(_, instance)| instance.last_heard()).map(|(id, _)| *id);
        if let Some(instance) = oldest.and_then(|id| self.instances.remove(&id)) {
            self.bytes -= instance.bytes();
        }
    }
}

impl MetadataListener for ClientTelemetry {
    fn publish(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>) {
        if delta.configs_changed {
            let next = Subscriptions::of(image, self.subscriptions.load().version + 1);
            if next.all != self.subscriptions.load().all {
                self.subscriptions.store(Arc::new(next));
            }
        }
    }
}

#[cfg(test)]
mod tests;
