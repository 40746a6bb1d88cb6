//! Topics made, filled, deleted and made again by one client: what it was told must stay true.
//!
//! Events: `creating NAME`, `created NAME ID`, `sending NAME COUNT`, `sent NAME END`, `deleting NAME`, `deleted NAME`,
//! `listed NAME:ID:END,...` (`listed -` for none).

use std::collections::BTreeMap;
use std::path::Path;

use super::{Anomalies, whole_lines};

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Absent,
    /// A creation without an answer: absent until it is seen. A broker whose disk failed while it created the topic may
    /// still list what there was before, and its next start finds the record on the device.
    Creating,
    /// A deletion without an answer: likewise there until it is seen to be gone, and as it was.
    Deleting(Topic),
    Present(Topic),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Topic {
    id: String,
    /// Its end offset is at least this: acknowledged.
    acknowledged: u64,
    /// And at most this: sent.
    sent: u64,
}

impl State {
    fn delete(&mut self) {
        if let Self::Present(topic) = self {
            *self = Self::Deleting(topic.clone());
        }
    }
}

/// How much a history holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TopicsFacts {
    /// Creations answered.
    pub created: usize,
    /// Deletions answered.
    pub deleted: usize,
    /// Listings compared.
    pub listings: usize,
}

/// Checks a history file.
pub fn check_topics(path: &Path) -> std::io::Result<Result<TopicsFacts, Anomalies>> {
    let text = std::fs::read_to_string(path)?;
    let lines = whole_lines(&text).filter_map(|line| line.split_once(' ')).map(|(_, event)| event);
    Ok(check(lines))
}

pub(super) fn check<'a>(events: impl Iterator<Item = &'a str>) -> Result<TopicsFacts, Anomalies> {
    let (mut facts, mut anomalies) = (TopicsFacts::default(), Anomalies::default());
    let mut states: BTreeMap<&str, State> = BTreeMap::new();
    for event in events {
        let fields: Vec<&str> = event.split(' ').collect();
        match *fields.as_slice() {
            ["creating", name] => {
                states.insert(name, State::Creating);
            }
            ["deleting", name] => {
                states.entry(name).and_modify(State::delete);
            }
            ["created", name, id] => {
                facts.created += 1;
                states.insert(name, State::Present(Topic { id: id.to_owned(), acknowledged: 0, sent: 0 }));
            }
            ["sending", name, count] => {
                if let Some(State::Present(topic)) = states.get_mut(name) {
                    topic.sent += count.parse().unwrap_or(0);
                }
            }
            ["sent", name, end] => {
                if let Some(State::Present(topic)) = states.get_mut(name) {
                    topic.acknowledged = end.parse().unwrap_or(0);
                }
            }
            ["deleted", name] => {
                facts.deleted += 1;
                states.insert(name, State::Absent);
            }
            ["listed", list] => {
                facts.listings += 1;
                compare(&mut states, list, &mut anomalies);
            }
            _ => {}
        }
    }
    anomalies.into_result().map(|()| facts)
}

fn compare<'a>(states: &mut BTreeMap<&'a str, State>, list: &'a str, anomalies: &mut Anomalies) {
    let mut listed: BTreeMap<&str, (&str, u64)> = BTreeMap::new();
    for topic in list.split(',') {
        if let [name, id, end] = *topic.split(':').collect::<Vec<_>>().as_slice() {
            listed.insert(name, (id, end.parse().unwrap_or(0)));
        }
    }
    for (name, state) in states.iter_mut().filter(|(name, _)| !listed.contains_key(*name)) {
        match state {
            State::Creating => continue,
            State::Present(topic) => anomalies.note(format!("lost topic: {name} with id {}", topic.id)),
            State::Absent | State::Deleting(_) => {}
        }
        *state = State::Absent;
    }
    for (name, (id, end)) in listed {
        let state = states.entry(name).or_insert(State::Absent);
        match state {
            State::Present(topic) | State::Deleting(topic) => topic.seen(name, id, end, anomalies),
            State::Absent => anomalies.note(format!("topic back from the dead: {name} with id {id}")),
            State::Creating => {}
        }
        // Whatever came of an unanswered creation: what was seen must stay.
        if matches!(state, State::Absent | State::Creating) {
            *state = State::Present(Topic { id: id.to_owned(), acknowledged: end, sent: end });
        }
    }
}

impl Topic {
    /// Compares it with a listing, and remembers what that showed.
    fn seen(&mut self, name: &str, id: &str, end: u64, anomalies: &mut Anomalies) {
        if self.id != id {
            anomalies.note(format!("topic {name} was made with id {} and has {id}", self.id));
        } else if end < self.acknowledged {
            anomalies.note(format!("lost-write: {name} ends at {end}, acknowledged up to {}", self.acknowledged));
        } else if end > self.sent {
            anomalies.note(format!("phantom: {name} ends at {end}, {} were sent", self.sent));
        }
        *self = Self { id: id.to_owned(), acknowledged: end, sent: self.sent.max(end) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(events: &[&str]) -> String {
        check(events.iter().copied()).expect_err("an anomaly").to_string()
    }

    const MADE: [&str; 4] = ["creating t", "created t A", "sending t 20", "sent t 20"];

    #[test]
    fn good_history_passes() {
        let mut events = vec!["listed -"];
        events.extend(MADE);
        events.extend(["listed t:A:20", "deleting t", "deleted t", "listed -", "creating t", "listed t:B:0"]);
        let facts = check(events.into_iter()).expect("no anomaly");
        assert_eq!(facts, TopicsFacts { created: 1, deleted: 1, listings: 4 });
    }

    #[test]
    fn lost_changed_and_returned_topics_are_found() {
        let after = |listing| fault(&[&MADE[..], &[listing]].concat());
        assert!(after("listed -").contains("lost topic: t with id A"));
        assert!(after("listed t:B:20").contains("made with id A and has B"));
        assert!(after("listed t:A:19").contains("lost-write: t ends at 19"));
        assert!(after("listed t:A:21").contains("phantom: t ends at 21"));
        let dead = fault(&["creating t", "created t A", "deleting t", "deleted t", "listed t:A:0"]);
        assert!(dead.contains("back from the dead"));
        assert!(
            fault(&["creating t", "created t A", "sending t 20", "listed t:A:9", "listed t:A:8"])
                .contains("lost-write")
        );
    }

    #[test]
    fn what_was_not_answered_may_be_or_not_but_stays_as_it_was_seen() {
        let unsure = ["creating t", "listed t:A:0", "deleting t", "listed t:A:0", "listed -"];
        assert!(check(unsure.into_iter()).is_ok());
        assert!(fault(&["creating t", "listed t:A:0", "listed -"]).contains("lost topic"));
        assert!(fault(&["creating t", "listed t:A:0", "deleting t", "listed t:B:0"]).contains("and has B"));
        assert!(
            fault(&["creating t", "listed t:A:0", "deleting t", "listed -", "listed t:A:0"])
                .contains("back from the dead")
        );
    }

    #[test]
    fn a_creation_that_a_dying_broker_did_not_list_may_be_found_by_the_next_start() {
        assert!(check(["creating t", "listed -", "listed t:A:0"].into_iter()).is_ok());
        assert!(fault(&["creating t", "listed -", "listed t:A:0", "listed -"]).contains("lost topic"));
    }
}
