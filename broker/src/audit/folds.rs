//! Refusals that are alike are told together: the first at once, those that follow within a minute as one event with
//! their number. So a client that asks again and again does not fill the audit.
//!
//! Invariants:
//! 1. At most [`AUDIT_FOLDS_MAX`] kinds of refusal are remembered; of peers that have not shown who they are half as many, so that they
//!    do not crowd out what is denied to others.
//! 2. What such a peer claims to be makes no kind of its own: its network does. Only an event of several that claimed the same names it.
//! 3. Each refusal is in the first event, in the number of the second, or not taken.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use barnabas_storage::Timestamp;

use super::event::{Deed, Event, Text};
use crate::limits::{AUDIT_FOLD_WINDOW, AUDIT_FOLDS_MAX};

/// In the place of whom the peer claimed to be, when that was not the same each time. No principal has this text.
const SEVERAL: &str = "several";

/// What makes two refusals alike: who, by which API, what, on what, and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Likeness {
    principal: Option<Text>,
    api: &'static str,
    operation: &'static str,
    kind: &'static str,
    name: Text,
    code: i16,
}

/// Refusals of one kind.
#[derive(Debug)]
struct Fold {
    first: Event,
    since: Duration,
    more: u64,
    last: Timestamp,
}

/// The refusals of the last minute.
#[derive(Debug, Default)]
pub(super) struct Folds {
    by_likeness: HashMap<Likeness, Fold>,
    /// Of them, those of strangers.
    of_strangers: usize,
}

/// What becomes of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is the first of its kind: to be told now.
    First,
    /// It is counted.
    Counted,
    /// There are too many kinds.
    NoRoom,
}

impl Folds {
    /// Takes a refusal. `now` is on the monotonic clock.
    pub(super) fn take(&mut self, event: &Event, now: Duration) -> Taken {
        let likeness = Likeness::of(event);
        if let Some(fold) = self.by_likeness.get_mut(&likeness) {
            fold.more += 1;
            fold.last = event.time;
            if fold.first.actor.principal != event.actor.principal {
                fold.first.actor.principal = Some(Text::of(SEVERAL));
            }
            return Taken::Counted;
        }
        let is_of_stranger = event.is_of_stranger();
        let is_full = self.by_likeness.len() >= AUDIT_FOLDS_MAX;
        if is_full || is_of_stranger && self.of_strangers >= AUDIT_FOLDS_MAX / 2 {
            return Taken::NoRoom;
        }
        self.of_strangers += usize::from(is_of_stranger);
        let fold = Fold { first: event.clone(), since: now, more: 0, last: event.time };
        self.by_likeness.insert(likeness, fold);
        Taken::First
    }

    /// What is to be told of those whose minute is over at `now`; of all, without one.
    pub(super) fn due(&mut self, now: Option<Duration>) -> Vec<Event> {
        let is_over = |fold: &Fold| now.is_none_or(|now| now.saturating_sub(fold.since) >= AUDIT_FOLD_WINDOW);
        let over: Vec<Fold> = self.by_likeness.extract_if(|_, fold| is_over(fold)).map(|(_, fold)| fold).collect();
        self.of_strangers -= over.iter().filter(|fold| fold.first.is_of_stranger()).count();
        let told = over.into_iter().filter(|fold| fold.more > 0);
        told.map(|fold| Event { repeats: Some((fold.more, fold.last)), ..fold.first }).collect()
    }
}

impl Likeness {
    fn of(event: &Event) -> Self {
        let (api, operation, kind, name, code) = match &event.deed {
            Deed::Denied { api, operation, subject, .. } => (*api, *operation, subject.kind, subject.name.clone(), 0),
            Deed::Operation { api, subject, refused, .. } => {
                let code = refused.as_ref().map_or(0, |(code, _)| *code);
                (*api, "", subject.kind, subject.name.clone(), code)
            }
            Deed::Login { mechanism, .. } => (mechanism.unwrap_or(""), "login", "", network(event), 0),
            Deed::Handshake { kind, .. } => ("", "handshake", *kind, network(event), 0),
            Deed::Lost { .. } => ("", "", "", Text::of(""), 0),
        };
        let principal = event.actor.principal.clone().filter(|_| !event.is_of_stranger());
        Self { principal, api, operation, kind, name, code }
    }
}

/// The address of a peer; of IPv6 the part that is its network's, as a machine may take any other within it.
fn network(event: &Event) -> Text {
    let network = match event.actor.peer.ip().to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
    };
    Text::of(&network.to_string())
}

#[cfg(test)]
mod tests;
