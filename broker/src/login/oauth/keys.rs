//! The keys of an issuer, kept and read again: after `sasl.oauthbearer.jwks.endpoint.refresh.ms`, soon after a failure, and when a
//! token names a key that is not there.
//!
//! Invariants:
//! 1. One task reads; whoever wants other keys waits for it, and for one reading only.
//! 2. Tokens of unknown keys make it read at most once in [`ISSUER_PAUSE`], whoever sends them.
//! 3. Keys that were read stay in use until others are.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use barnabas_auth::jwt::{KeySet, TokenHead};
use barnabas_storage::seam::Seams;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::settings::OauthSettings;
use super::source::{KeySource, KeySourceError};
use crate::limits::{ISSUER_PAUSE, ISSUER_TIMEOUT};
use crate::metrics::Metrics;
use crate::seam::Tasks;

/// The keys of one listener's issuer.
pub(super) struct IssuerKeys {
    source: KeySource,
    seams: Seams,
    tasks: Tasks,
    metrics: Arc<Metrics>,
    keys: ArcSwap<KeySet>,
    pace: Mutex<Pace>,
    /// Somebody wants the keys to be read before their time.
    wanted: Notify,
    /// Nobody checks by them any more.
    retired: Notify,
    /// How often they were, with or without success.
    readings: watch::Sender<u64>,
    refresh: Duration,
    backoff: Duration,
    backoff_max: Duration,
}

/// When keys were last asked for before their time.
#[derive(Default)]
struct Pace {
    /// On the clock of the tasks.
    asked: Option<Duration>,
    /// The reading that was asked for is not over.
    is_under_way: bool,
}

impl IssuerKeys {
    /// Reads a file at once, so that who sets it finds out what is wrong with it; asks an URL in the background.
    pub(super) fn open(
        settings: &OauthSettings,
        seams: &Seams,
        tasks: &Tasks,
        metrics: &Arc<Metrics>,
    ) -> Result<Arc<Self>, KeySourceError> {
        let source = KeySource::open(settings, seams)?;
        let first = match &source {
            KeySource::File(path) => Some(KeySource::of_file(seams, path)?),
            KeySource::Https(_) => None,
        };
        let is_read = first.is_some();
        let keys = Arc::new(Self {
            source,
            seams: seams.clone(),
            tasks: tasks.clone(),
            metrics: Arc::clone(metrics),
            keys: ArcSwap::from_pointee(KeySet::default()),
            pace: Mutex::new(Pace { asked: None, is_under_way: !is_read }),
            wanted: Notify::new(),
            retired: Notify::new(),
            readings: watch::channel(0).0,
            refresh: settings.refresh,
            backoff: settings.backoff,
            backoff_max: settings.backoff_max.max(settings.backoff),
        });
        if let Some(first) = first {
            keys.put(first);
        }
        tasks.spawn("issuer-keys", Arc::clone(&keys).run(is_read));
        Ok(keys)
    }

    /// The keys, after another reading if none of them may have signed such a token.
    pub(super) async fn that_may_check(&self, head: &TokenHead) -> Arc<KeySet> {
        let keys = self.keys.load_full();
        if keys.may_check(head) || !self.is_worth_waiting() {
            return keys;
        }
        let mut readings = self.readings.subscribe();
        // It may have ended meanwhile.
        if self.pace.lock().is_under_way {
            let _ = self.tasks.within(ISSUER_TIMEOUT, readings.changed()).await;
        }
        self.keys.load_full()
    }

    /// Whether a reading is under way, or may begin now: then it does.
    fn is_worth_waiting(&self) -> bool {
        let now = self.tasks.monotonic();
        let mut pace = self.pace.lock();
        if pace.is_under_way {
            return true;
        }
        if pace.asked.is_some_and(|asked| now.saturating_sub(asked) < ISSUER_PAUSE) {
            return false;
        }
        *pace = Pace { asked: Some(now), is_under_way: true };
        self.wanted.notify_one();
        true
    }

    /// They are not read again.
    pub(super) fn retire(&self) {
        self.retired.notify_one();
    }

    async fn run(self: Arc<Self>, is_read: bool) {
        tokio::select! {
            biased;
            () = self.retired.notified() => {}
            () = self.read_on(is_read) => {}
        }
        self.metrics.issuer_keys.sub(self.keys.load().count() as u64);
    }

    /// Until the broker stops.
    async fn read_on(&self, is_read: bool) {
        let mut stopping = self.tasks.stopping();
        let (mut wait, mut backoff) = (if is_read { self.refresh } else { Duration::ZERO }, self.backoff);
        loop {
            tokio::select! {
                biased;
                () = stopping.wait() => return,
                () = self.wanted.notified() => {}
                () = self.tasks.sleep(wait) => {}
            }
            let read = tokio::select! {
                biased;
                () = stopping.wait() => return,
                read = self.source.read(&self.seams, &self.tasks) => read,
            };
            match read {
                Ok(keys) => {
                    self.put(keys);
                    (wait, backoff) = (self.refresh, self.backoff);
                }
                Err(error) => {
                    self.metrics.issuer_keys_failed.increment();
                    tracing::warn!(
                        "{error}: the keys that are known stay in use, and it is tried again; \
                         look at the issuer and sasl.oauthbearer.jwks.endpoint.url if this goes on"
                    );
                    (wait, backoff) = (backoff, (backoff * 2).min(self.backoff_max));
                }
            }
            self.pace.lock().is_under_way = false;
            self.readings.send_modify(|readings| *readings += 1);
        }
    }

    fn put(&self, keys: KeySet) {
        let before = self.keys.load().count() as u64;
        let after = keys.count() as u64;
        tracing::debug!(?keys, "the issuer's keys were read");
        self.keys.store(Arc::new(keys));
        self.metrics.issuer_keys.add(after);
        self.metrics.issuer_keys.sub(before);
        self.metrics.issuer_keys_read.increment();
    }
}
