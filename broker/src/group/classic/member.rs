//! A member, its protocols, and how a group chooses among them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::group::ids::{InstanceId, MemberId};

/// A protocol that a member offers: its name and the member's metadata for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// Name, for example "range".
    pub name: Arc<str>,
    /// Opaque here; for consumers the subscription.
    pub metadata: Bytes,
}

/// What a member offers, in its order of preference. A name that comes twice counts once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocols(Vec<Protocol>);

impl Protocols {
    /// In order of preference.
    #[must_use]
    pub fn new(protocols: Vec<Protocol>) -> Self {
        Self(protocols)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names, each once.
    pub(super) fn names(&self) -> BTreeSet<&Arc<str>> {
        self.0.iter().map(|protocol| &protocol.name).collect()
    }

    /// The metadata for one protocol.
    pub(super) fn metadata(&self, name: &str) -> Option<&Bytes> {
        self.0.iter().find(|protocol| &*protocol.name == name).map(|protocol| &protocol.metadata)
    }

    /// The first candidate in this member's order.
    fn vote<'a>(&'a self, candidates: &BTreeSet<&Arc<str>>) -> Option<&'a Arc<str>> {
        self.0.iter().map(|protocol| &protocol.name).find(|name| candidates.contains(name))
    }
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// `group.instance.id`, for a static member.
    pub instance: Option<InstanceId>,
    /// The client's id when it joined.
    pub client_id: Arc<str>,
    /// The client's address, with a leading slash.
    pub client_host: Arc<str>,
    /// As the client sent it.
    pub rebalance_timeout_ms: i32,
    /// As the client sent it, within the broker's bounds.
    pub session_timeout_ms: i32,
    /// What it offers.
    pub protocols: Protocols,
    /// What the leader gave it in the last stable generation.
    pub assignment: Bytes,
    /// It has never been in a generation: it does not know its id yet and cannot heartbeat, so that even while it is
    /// parked in JoinGroup its time runs.
    pub is_new: bool,
}

impl Member {
    pub(super) fn session_timeout(&self) -> Duration {
        millis(self.session_timeout_ms)
    }

    pub(super) fn rebalance_timeout(&self) -> Duration {
        millis(self.rebalance_timeout_ms)
    }
}

/// A duration of so many milliseconds; none for a negative number.
pub(super) fn millis(value: i32) -> Duration {
    Duration::from_millis(u64::try_from(value).unwrap_or(0))
}

/// How many members offer each protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Support(HashMap<Arc<str>, usize>);

impl Support {
    pub(super) fn add(&mut self, protocols: &Protocols) {
        for name in protocols.names() {
            *self.0.entry(name.clone()).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, protocols: &Protocols) {
        for name in protocols.names() {
            if let Some(count) = self.0.get_mut(name) {
                *count -= 1;
                if *count == 0 {
                    self.0.remove(name);
                }
            }
        }
    }

    /// Whether all of `members` members offer one of `protocols`.
    pub(super) fn has_common(&self, protocols: &Protocols, members: usize) -> bool {
        protocols.0.iter().any(|protocol| self.0.get(&protocol.name).copied().unwrap_or(0) == members)
    }

    /// The protocol that gets the most votes among those that all members offer; a tie goes to the one that `leader`
    /// (or the first member) prefers.
    pub(super) fn select(&self, members: &BTreeMap<MemberId, Member>, leader: Option<&MemberId>) -> Option<Arc<str>> {
        let candidates: BTreeSet<_> =
            self.0.iter().filter(|(_, count)| **count == members.len()).map(|(name, _)| name).collect();
        let mut votes: HashMap<&Arc<str>, usize> = HashMap::new();
        for name in members.values().filter_map(|member| member.protocols.vote(&candidates)) {
            *votes.entry(name).or_default() += 1;
        }
        let most = votes.values().max()?;
        let tie_breaker = leader.and_then(|id| members.get(id)).or_else(|| members.values().next())?;
        tie_breaker
            .protocols
            .0
            .iter()
            .map(|protocol| &protocol.name)
            .find(|name| votes.get(name) == Some(most))
            .cloned()
    }
}
