//! `max.connections.per.ip.overrides`: how many connections some addresses may have. They may be given by hosts' names, and a
//! lookup takes as long as a name server likes: only one task waits for it, never who changed the setting or who connects.
//!
//! Invariants:
//! 1. A text is looked up once, however often the settings are published.
//! 2. The newest text wins, whenever the answers of an older one come. Until its hosts are known the older limits count.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;

use parking_lot::Mutex;

use super::slots::Slots;
use crate::seam::Tasks;

/// Finds a host's addresses. May block for as long as it likes.
pub type Lookup = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// The system's lookup.
///
/// # Errors
/// When the host is unknown, or nobody answers.
pub fn system(host: &str) -> io::Result<Vec<IpAddr>> {
    Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

/// Follows the setting.
pub struct AddressLimits {
    slots: Arc<Slots>,
    tasks: Tasks,
    lookup: Arc<Lookup>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    newest: String,
    is_looking: bool,
}

impl AddressLimits {
    /// No address has limits of its own yet.
    #[must_use]
    pub fn new(slots: Arc<Slots>, tasks: Tasks, lookup: Arc<Lookup>) -> Self {
        Self { slots, tasks, lookup, state: Mutex::default() }
    }

    /// Takes the setting's text. Returns at once: limits of addresses count from now on, those of hosts once all are known.
    pub fn take(self: &Arc<Self>, text: &str) {
        let mut state = self.state.lock();
        if state.newest == text {
            return;
        }
        text.clone_into(&mut state.newest);
        let limits = Limits::read(text);
        if limits.hosts.is_empty() {
            self.slots.limit_addresses(limits.addresses);
        } else if !state.is_looking {
            state.is_looking = true;
            self.tasks.spawn("address-limits", Arc::clone(self).look_up());
        }
    }

    async fn look_up(self: Arc<Self>) {
        let mut stopping = self.tasks.stopping();
        loop {
            let text = self.state.lock().newest.clone();
            let (limits, lookup) = (Limits::read(&text), Arc::clone(&self.lookup));
            let found = tokio::select! {
                biased;
                () = stopping.wait() => return,
                found = self.tasks.blocking(move || limits.look_up(&*lookup)) => found,
            };
            let mut state = self.state.lock();
            if state.newest == text {
                self.slots.limit_addresses(found);
                state.is_looking = false;
                return;
            }
        }
    }
}

/// A text that was read: `host:count,host:count`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Limits {
    addresses: HashMap<IpAddr, usize>,
    hosts: Vec<(String, usize)>,
}

impl Limits {
    fn read(text: &str) -> Self {
        let mut limits = Self::default();
        for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
            let read = one.rsplit_once(':').and_then(|(host, count)| {
                let host = host.trim().trim_start_matches('[').trim_end_matches(']');
                Some((host, count.trim().parse().ok()?))
            });
            match read.map(|(host, count)| (host, host.parse::<IpAddr>(), count)) {
                Some((_, Ok(address), count)) => drop(limits.addresses.insert(address, count)),
                Some((host, Err(_), count)) => limits.hosts.push((host.to_owned(), count)),
                None => {
                    tracing::warn!(
                        "max.connections.per.ip.overrides: '{one}' is no host:count and is passed over; correct it"
                    )
                }
            }
        }
        limits
    }

    /// A host may have several addresses.
    fn look_up(self, lookup: &Lookup) -> HashMap<IpAddr, usize> {
        let mut found = self.addresses;
        for (host, count) in self.hosts {
            match lookup(&host) {
                Ok(addresses) => found.extend(addresses.into_iter().map(|address| (address, count))),
                Err(error) => tracing::warn!(
                    "max.connections.per.ip.overrides: the host '{host}' has no address ({error}) and is passed over; \
                     correct it, or name its addresses"
                ),
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;
    use crate::network::slots::Places;

    const GATEWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn limits_are_read_and_what_is_none_is_passed_over() {
        let read = Limits::read("127.0.0.1:5, [::1]:6,nonsense,10.0.0.1:x, gateway.example:7");
        let addresses = HashMap::from([(IpAddr::from([127, 0, 0, 1]), 5), ("::1".parse().unwrap(), 6)]);
        assert_eq!(read, Limits { addresses, hosts: vec![("gateway.example".to_owned(), 7)] });
    }

    /// A name server that answers as often as it is let, and how often it was asked.
    fn slow() -> (Arc<Semaphore>, Arc<Mutex<Vec<String>>>, Arc<Lookup>) {
        let (answers, asked) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (wait, note) = (Arc::clone(&answers), Arc::clone(&asked));
        let lookup = move |host: &str| {
            note.lock().push(host.to_owned());
            let turn = tokio::runtime::Handle::current().block_on(wait.acquire());
            turn.map_err(io::Error::other)?.forget();
            if host == "unknown" { Err(io::ErrorKind::NotFound.into()) } else { Ok(vec![GATEWAY]) }
        };
        (answers, asked, Arc::new(lookup))
    }

    async fn until(is: impl Fn() -> bool) {
        while !is() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_slow_lookup_and_the_newest_text_wins() {
        let (answers, asked, lookup) = slow();
        let (slots, tasks) = (
            Slots::new(Places { all: 9, all_between_brokers: 9, per_ip: 9, per_ip_here: 9 }, Arc::default()),
            Tasks::new(),
        );
        let slots = Arc::new(slots);
        let limits = Arc::new(AddressLimits::new(Arc::clone(&slots), tasks.clone(), lookup));
        let of = |address| slots.limit_of(address);
        limits.take("gateway:3");
        limits.take("gateway:3");
        until(|| asked.lock().len() == 1).await;
        assert_eq!(of(GATEWAY), None, "nothing is known yet");
        limits.take("10.0.0.2:5");
        assert_eq!(of(OTHER), Some(5), "addresses are not looked up");
        answers.add_permits(1);
        until(|| tasks.running() == 0).await;
        assert_eq!((of(GATEWAY), of(OTHER)), (None, Some(5)), "what came late is of an older text");
        limits.take("unknown:1,gateway:4");
        until(|| asked.lock().len() == 2).await;
        assert_eq!(of(OTHER), Some(5), "until the hosts are known");
        limits.take("gateway:6");
        answers.add_permits(3);
        until(|| tasks.running() == 0).await;
        assert_eq!((of(GATEWAY), of(OTHER)), (Some(6), None));
        assert_eq!(*asked.lock(), ["gateway", "unknown", "gateway", "gateway"]);
    }
}
