//! One request's changes to topics, counted against `controller_mutation_rate` (KIP-599).

use super::{Client, QuotaKind, Quotas, ThrottleTime};

/// The changes of one request.
///
/// Strict, from the versions of KIP-599 on: while the bucket is overdrawn every change is refused
/// (THROTTLING_QUOTA_EXCEEDED); one that is not refused may overdraw it. Otherwise nothing is refused, and who overdraws
/// the bucket waits.
pub struct Mutations<'a> {
    quotas: &'a Quotas,
    client: Client<'a>,
    strict: bool,
    throttle: ThrottleTime,
}

impl<'a> Mutations<'a> {
    /// None so far.
    #[must_use]
    pub fn new(quotas: &'a Quotas, client: Client<'a>, strict: bool) -> Self {
        Self { quotas, client, strict, throttle: ThrottleTime::NONE }
    }

    /// Counts a change of so many partitions. Whether it may be made.
    pub fn allow(&mut self, partitions: usize) -> bool {
        let Self { quotas, client, strict, .. } = *self;
        let Some(quota) = quotas.entitled.load().quota(QuotaKind::Mutation, client) else { return true };
        let (now, windows) = (quotas.clock.monotonic(), quotas.mutation_windows);
        let (allowed, tokens) = quotas.sensors.lock().with(QuotaKind::Mutation, &quota, client, now, |sensor| {
            let bucket = sensor.bucket();
            let before = bucket.tokens(quota.value, windows, now);
            if strict && before < 0.0 {
                return (false, before);
            }
            bucket.take(partitions as f64, quota.value, windows, now);
            (true, if strict { 0.0 } else { bucket.tokens(quota.value, windows, now) })
        });
        if tokens < 0.0 {
            let time = quotas.throttled(ThrottleTime::of_millis(-tokens / quota.value * 1e3));
            self.throttle = self.throttle.max(time);
        }
        allowed
    }

    /// How long the client is not to be listened to.
    #[must_use]
    pub fn throttle_time(&self) -> ThrottleTime {
        self.throttle
    }
}
