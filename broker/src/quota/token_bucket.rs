//! The tokens of one client: they come at the quota's rate up to a burst, and each change takes some (KIP-599). Pure.

use std::time::Duration;

use super::Windows;

/// A bucket; full at first. It may be overdrawn by one change, however large.
#[derive(Debug, Default)]
pub(super) struct TokenBucket {
    /// Tokens as of the moment; `None` while it is full as ever.
    state: Option<(f64, Duration)>,
}

impl TokenBucket {
    /// Tokens at `now`, below zero when overdrawn. All windows together hold the burst.
    pub(super) fn tokens(&self, quota: f64, windows: Windows, now: Duration) -> f64 {
        let burst = quota * windows.span().as_secs_f64();
        let refilled = |(tokens, since): (f64, Duration)| tokens + quota * now.saturating_sub(since).as_secs_f64();
        self.state.map_or(burst, |state| refilled(state).min(burst))
    }

    /// Takes tokens, whether or not they are there.
    pub(super) fn take(&mut self, count: f64, quota: f64, windows: Windows, now: Duration) {
        self.state = Some((self.tokens(quota, windows, now) - count, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: Windows = Windows { count: 11, length: Duration::from_secs(1) };

    #[test]
    fn a_burst_is_all_windows_and_may_be_overdrawn_once() {
        let (mut bucket, mut now) = (TokenBucket::default(), Duration::from_secs(3));
        assert_eq!(bucket.tokens(2.0, WINDOWS, now), 22.0);
        bucket.take(30.0, 2.0, WINDOWS, now);
        assert_eq!(bucket.tokens(2.0, WINDOWS, now), -8.0);
        now += Duration::from_secs(4);
        assert_eq!(bucket.tokens(2.0, WINDOWS, now), 0.0);
        now += Duration::from_secs(60);
        assert_eq!(bucket.tokens(2.0, WINDOWS, now), 22.0);
    }
}
