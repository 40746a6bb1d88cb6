//! Connections that are open, by listener. Bounded by the listeners.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Gauge;

/// How many connections each listener has.
#[derive(Debug, Default)]
pub struct ByListener(Mutex<BTreeMap<Arc<str>, Arc<Gauge>>>);

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub struct Entered(Arc<Gauge>);

impl ByListener {
    /// The number of a listener, which is shown from now on.
    #[must_use]
    pub fn of(&self, listener: &Arc<str>) -> Arc<Gauge> {
        Arc::clone(self.0.lock().entry(Arc::clone(listener)).or_default())
    }

    /// Every listener and its connections.
    #[must_use]
    pub fn all(&self) -> Vec<(Arc<str>, u64)> {
        self.0.lock().iter().map(|(listener, count)| (Arc::clone(listener), count.value())).collect()
    }
}

impl Entered {
    /// One more.
    #[must_use]
    pub fn by(listener: &Arc<Gauge>) -> Self {
        listener.add(1);
        Self(Arc::clone(listener))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_shown_before_anybody_comes_and_after_all_have_gone() {
        let listeners = ByListener::default();
        let (plain, secure) = (Arc::from("PLAINTEXT"), Arc::from("SSL"));
        let entrance = listeners.of(&plain);
        let _ = listeners.of(&secure);
        let entered = [Entered::by(&entrance), Entered::by(&listeners.of(&plain))];
        assert_eq!(listeners.all(), [(Arc::clone(&plain), 2), (Arc::clone(&secure), 0)]);
        drop(entered);
        assert_eq!(listeners.all(), [(plain, 0), (secure, 0)]);
    }
}
