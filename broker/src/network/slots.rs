//! Who is connected: `max.connections`, `max.connections.per.ip` and its overrides. Connections never take more than three
//! quarters of the files that the process may open: a log that cannot open its next segment would be worse than a refused
//! client.
//!
//! Invariants:
//! 1. The last places are a reserve: one half is for peers on this machine, the other for super users from elsewhere, so that
//!    who administers the broker gets in while clients have taken the rest.
//! 2. Who takes a place for super users is not known when it comes: it has to log in as one before the time of a login is over,
//!    and is closed at its first request when it has not. A flood that never logs in holds these places as long, and no longer;
//!    one address of another machine has at most a quarter of them.
//! 3. The inter-broker listener, where clients have another one, has the whole reserve, and is not held by `max.connections`, only by
//!    what the process may open.
//! 4. One address of another machine has at most half of all places where no setting says otherwise: it cannot lock out
//!    the others.
//!
//! Where it differs from Apache Kafka: that closes the connection of another listener that was used least recently when one of the
//! inter-broker listener comes in above `max.connections`. Here nobody is closed: there may be as many more. Kafka keeps nothing for
//! super users.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use barnabas_config::{Config, key};
use parking_lot::{Mutex, RwLock};
use rustix::process::{Resource, getrlimit};

use crate::metrics::Metrics;

/// How many places there are.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// In all.
    pub all: usize,
    /// The same for the inter-broker listener.
    pub all_between_brokers: usize,
    /// For one address.
    pub per_ip: usize,
    /// For an address of this machine.
    pub per_ip_here: usize,
}

impl Places {
    fn of(&self, ip: IpAddr) -> usize {
        if is_here(ip) { self.per_ip_here } else { self.per_ip }
    }

    /// Those that not every client gets.
    fn reserve(&self) -> usize {
        (self.all / RESERVE_PART).min(RESERVE_MAX)
    }

    /// The part of the reserve that is for super users from elsewhere.
    fn of_admins(&self) -> usize {
        self.reserve() / 2
    }
}

impl Places {
    /// As the settings say.
    #[must_use]
    pub fn of_config(config: &Config) -> Self {
        let number = |key| usize::try_from(config.read::<i64>(key)).ok().filter(|number| *number != UNLIMITED);
        let all_between_brokers = of_file_limit();
        let all = number(&key::MAX_CONNECTIONS).unwrap_or(usize::MAX).min(all_between_brokers);
        let per_ip = number(&key::MAX_CONNECTIONS_PER_IP);
        let (per_ip, per_ip_here) = (per_ip.unwrap_or(all / 2), per_ip.unwrap_or(all));
        Self { all, all_between_brokers, per_ip, per_ip_here }
    }
}

/// Whether a peer is on this machine.
fn is_here(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// Kafka's default: no limit.
const UNLIMITED: usize = i32::MAX as usize;

/// The part of all places that is kept for who administers the broker, and the most of them.
const RESERVE_PART: usize = 32;
const RESERVE_MAX: usize = 64;

/// Through what listener a connection comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// One of clients, who stay nameless.
    Anonymous,
    /// One of clients, who log in or show a certificate.
    Named,
    /// The inter-broker listener, where clients have another one.
    BetweenBrokers,
}

/// Counts connections, in all and per address. Addresses are kept only while they are connected.
pub struct Slots {
    places: RwLock<Places>,
    /// Of addresses that have a number of their own: [`super::address_limits`].
    of_addresses: RwLock<HashMap<IpAddr, usize>>,
    taken: Arc<Mutex<Taken>>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    per_ip: HashMap<IpAddr, usize>,
    /// Places for super users, by address.
    of_admins: HashMap<IpAddr, usize>,
}

/// One connection's place; free again when this is dropped.
pub struct Slot {
    taken: Arc<Mutex<Taken>>,
    metrics: Arc<Metrics>,
    ip: IpAddr,
    is_for_admins: bool,
}

impl Slot {
    /// Whether only a super user may keep it.
    #[must_use]
    pub fn is_for_admins(&self) -> bool {
        self.is_for_admins
    }
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
    pub fn new(places: Places, metrics: Arc<Metrics>) -> Self {
        Self { places: RwLock::new(places), of_addresses: RwLock::default(), taken: Arc::default(), metrics }
    }

    /// Other limits, for connections that come later.
    pub fn limit(&self, places: Places) {
        *self.places.write() = places;
    }

    /// Other limits of single addresses, for connections that come later.
    pub fn limit_addresses(&self, limits: HashMap<IpAddr, usize>) {
        *self.of_addresses.write() = limits;
    }

    /// The limit that an address has of its own.
    #[must_use]
    pub fn limit_of(&self, ip: IpAddr) -> Option<usize> {
        self.of_addresses.read().get(&ip).copied()
    }

    /// Takes a place for a peer.
    ///
    /// # Errors
    /// When there is none left.
    pub fn take(&self, ip: IpAddr, way: Way) -> Result<Slot, Refused> {
        let own = self.limit_of(ip);
        let places = self.places.read();
        let mut taken = self.taken.lock();
        let of_ip = taken.count_of(ip);
        let is_for_admins = taken.kind_for(ip, way, &places).and_then(|is_for_admins| {
            let is_full = of_ip >= own.unwrap_or_else(|| places.of(ip));
            if is_full { Err(Refused::FullForAddress(of_ip)) } else { Ok(is_for_admins) }
        });
        let is_for_admins = is_for_admins.inspect_err(|_| _ = self.metrics.connections_refused.increment())?;
        taken.add(ip, is_for_admins);
        self.metrics.connections.increment();
        self.metrics.connections_accepted.increment();
        Ok(Slot { taken: Arc::clone(&self.taken), metrics: Arc::clone(&self.metrics), ip, is_for_admins })
    }
}

impl Taken {
    fn count_of(&self, ip: IpAddr) -> usize {
        self.per_ip.get(&ip).copied().unwrap_or(0)
    }

    /// Whether the next place for a peer is one that only a super user may keep.
    fn kind_for(&self, ip: IpAddr, way: Way, places: &Places) -> Result<bool, Refused> {
        let (most, reserve) = match way {
            Way::BetweenBrokers => (places.all_between_brokers, 0),
            Way::Anonymous | Way::Named if is_here(ip) => (places.all, 0),
            Way::Anonymous | Way::Named => (places.all, places.reserve()),
        };
        if self.all + reserve < most {
            return Ok(false);
        }
        let of_admins = if reserve > 0 && way == Way::Named { places.of_admins() } else { 0 };
        let of_ip = self.of_admins.get(&ip).copied().unwrap_or(0);
        let is_left = self.all + reserve - of_admins < most && of_ip < of_admins.div_ceil(4);
        if is_left { Ok(true) } else { Err(Refused::Full(self.all)) }
    }

    fn add(&mut self, ip: IpAddr, is_for_admins: bool) {
        self.all += 1;
        *self.per_ip.entry(ip).or_default() += 1;
        if is_for_admins {
            *self.of_admins.entry(ip).or_default() += 1;
        }
    }

    fn remove(&mut self, ip: IpAddr, is_for_admins: bool) {
        self.all -= 1;
        take_one(&mut self.per_ip, ip);
        if is_for_admins {
            take_one(&mut self.of_admins, ip);
        }
    }
}

fn take_one(counts: &mut HashMap<IpAddr, usize>, ip: IpAddr) {
    if let Some(count) = counts.get_mut(&ip) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&ip);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.taken.lock().remove(self.ip, self.is_for_admins);
        self.metrics.connections.sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_in_all_and_per_address_and_come_back() {
        let slots = Slots::new(Places { all: 3, all_between_brokers: 3, per_ip: 2, per_ip_here: 2 }, Arc::default());
        let (here, there) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let first = slots.take(here, Way::Anonymous).unwrap();
        let _second = slots.take(here, Way::Anonymous).unwrap();
        assert_eq!(slots.take(here, Way::Anonymous).err(), Some(Refused::FullForAddress(2)));
        let _third = slots.take(there, Way::Anonymous).unwrap();
        assert_eq!(slots.take(there, Way::Anonymous).err(), Some(Refused::Full(3)));
        drop(first);
        assert!(slots.take(here, Way::Anonymous).is_ok());
        assert_eq!(slots.taken.lock().per_ip.len(), 2);
        slots.limit(Places { all: 9, all_between_brokers: 9, per_ip: 9, per_ip_here: 9 });
        assert!(slots.take(here, Way::Anonymous).is_ok(), "the limits were raised");
    }

    #[test]
    fn an_address_may_have_a_number_of_its_own() {
        let (here, there) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let slots = Slots::new(Places { all: 10, all_between_brokers: 10, per_ip: 1, per_ip_here: 1 }, Arc::default());
        slots.limit_addresses(HashMap::from([(there, 2)]));
        let _taken = [
            slots.take(here, Way::Anonymous).unwrap(),
            slots.take(there, Way::Anonymous).unwrap(),
            slots.take(there, Way::Anonymous).unwrap(),
        ];
        assert_eq!(slots.take(here, Way::Anonymous).err(), Some(Refused::FullForAddress(1)));
        assert_eq!(slots.take(there, Way::Anonymous).err(), Some(Refused::FullForAddress(2)));
    }

    #[test]
    fn the_last_places_are_for_peers_on_this_machine() {
        let slots =
            Slots::new(Places { all: 64, all_between_brokers: 64, per_ip: 64, per_ip_here: 64 }, Arc::default());
        let far = IpAddr::from([10, 0, 0, 1]);
        let mut taken: Vec<Slot> = std::iter::from_fn(|| slots.take(far, Way::Anonymous).ok()).collect();
        assert_eq!(taken.len(), 62);
        taken.extend(std::iter::from_fn(|| slots.take(IpAddr::from([127, 0, 0, 1]), Way::Anonymous).ok()));
        assert_eq!(taken.len(), 64);
    }

    #[test]
    fn the_inter_broker_listener_lets_in_above_the_connections_of_clients() {
        let places = Places { all: 64, all_between_brokers: 66, per_ip: 100, per_ip_here: 100 };
        let slots = Slots::new(places, Arc::default());
        let far = IpAddr::from([10, 0, 0, 1]);
        let clients: Vec<Slot> = std::iter::from_fn(|| slots.take(far, Way::Anonymous).ok()).collect();
        assert_eq!(clients.len(), 62, "the reserve is kept");
        let brokers: Vec<Slot> = std::iter::from_fn(|| slots.take(far, Way::BetweenBrokers).ok()).collect();
        assert_eq!(brokers.len(), 4, "it has the reserve, and what the process may open above that");
        assert_eq!(slots.take(far, Way::BetweenBrokers).err(), Some(Refused::Full(66)));
        drop(clients);
        slots.limit(Places { per_ip: 5, ..places });
        let _fifth = slots.take(far, Way::BetweenBrokers).unwrap();
        assert_eq!(
            slots.take(far, Way::BetweenBrokers).err(),
            Some(Refused::FullForAddress(5)),
            "as in Kafka for every listener"
        );
    }

    #[test]
    fn super_users_from_elsewhere_have_half_of_the_reserve_and_no_address_more_than_a_quarter_of_it() {
        let places = Places { all: 640, all_between_brokers: 640, per_ip: 640, per_ip_here: 640 };
        let slots = Slots::new(places, Arc::default());
        let far = |last| IpAddr::from([10, 0, 0, last]);
        let clients: Vec<Slot> = std::iter::from_fn(|| slots.take(far(1), Way::Anonymous).ok()).collect();
        assert_eq!(clients.len(), 620, "a reserve of 20");
        assert!(clients.iter().all(|slot| !slot.is_for_admins()));
        let of_each = |last| std::iter::from_fn(|| slots.take(far(last), Way::Named).ok()).collect::<Vec<Slot>>();
        let of_all: Vec<_> = (2..9).map(of_each).collect();
        assert_eq!(of_all.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3, 1, 0, 0, 0]);
        assert!(of_all.iter().flatten().all(Slot::is_for_admins));
        let here: Vec<Slot> =
            std::iter::from_fn(|| slots.take(IpAddr::from([127, 0, 0, 1]), Way::Named).ok()).collect();
        assert_eq!(here.len(), 10, "the other half");
        assert!(here.iter().all(|slot| !slot.is_for_admins()));
        drop((of_all, here));
        assert_eq!(of_each(2).len(), 3);
        assert!(slots.taken.lock().of_admins.is_empty());
        drop(clients);
        assert!(!slots.take(far(2), Way::Named).unwrap().is_for_admins(), "there is room for everybody");
    }
}
