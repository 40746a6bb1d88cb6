//! Who is connected: `max.connections` and `max.connections.per.ip`. Connections never take more than three quarters of
//! the files that the process may open: a log that cannot open its next segment would be worse than a refused client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::process::{Resource, getrlimit};

use crate::metrics::Metrics;

/// Counts connections, in all and per address. Addresses are kept only while they are connected.
pub struct Slots {
    max: usize,
    per_ip_max: usize,
    taken: Arc<Mutex<Taken>>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    per_ip: HashMap<IpAddr, usize>,
}

/// One connection's place; free again when this is dropped.
pub struct Slot {
    taken: Arc<Mutex<Taken>>,
    metrics: Arc<Metrics>,
    ip: IpAddr,
}

/// How many of the files that the process may open may be connections.
#[must_use]
pub fn of_file_limit() -> usize {
    let files = getrlimit(Resource::Nofile).current;
    usize::try_from(files.unwrap_or(u64::MAX)).unwrap_or(usize::MAX) / 4 * 3
}

/// Why a connection was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// `max.connections`, or what the process may open.
    #[error("{0} connections are open: raise max.connections, or the limit of open files, to allow more")]
    Full(usize),
    /// `max.connections.per.ip`.
    #[error("the address has {0} connections open: raise max.connections.per.ip to allow more")]
    FullForAddress(usize),
}

impl Slots {
    /// Nobody is connected.
    #[must_use]
    pub fn new(max: usize, per_ip_max: usize, metrics: Arc<Metrics>) -> Self {
        Self { max, per_ip_max, taken: Arc::default(), metrics }
    }

    /// Takes a place for a peer.
    ///
    /// # Errors
    /// When there is none left.
    pub fn take(&self, ip: IpAddr) -> Result<Slot, Refused> {
        let mut taken = self.taken.lock();
        let of_ip = taken.per_ip.get(&ip).copied().unwrap_or(0);
        let refused = if taken.all >= self.max {
            Some(Refused::Full(taken.all))
        } else if of_ip >= self.per_ip_max {
            Some(Refused::FullForAddress(of_ip))
        } else {
            None
        };
        if let Some(refused) = refused {
            self.metrics.connections_refused.increment();
            return Err(refused);
        }
        taken.all += 1;
        *taken.per_ip.entry(ip).or_default() += 1;
        self.metrics.connections.increment();
        self.metrics.connections_accepted.increment();
        Ok(Slot { taken: Arc::clone(&self.taken), metrics: Arc::clone(&self.metrics), ip })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        taken.all -= 1;
        if let Some(of_ip) = taken.per_ip.get_mut(&self.ip) {
            *of_ip -= 1;
            if *of_ip == 0 {
                taken.per_ip.remove(&self.ip);
            }
        }
        self.metrics.connections.sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_in_all_and_per_address_and_come_back() {
        let slots = Slots::new(3, 2, Arc::default());
        let (here, there) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let first = slots.take(here).unwrap();
        let _second = slots.take(here).unwrap();
        assert_eq!(slots.take(here).err(), Some(Refused::FullForAddress(2)));
        let _third = slots.take(there).unwrap();
        assert_eq!(slots.take(there).err(), Some(Refused::Full(3)));
        drop(first);
        assert!(slots.take(here).is_ok());
        assert_eq!(slots.taken.lock().per_ip.len(), 2);
    }
}
