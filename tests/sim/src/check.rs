//! The checks over a history, by the names of reliability.md 3.2. What was allowed to be lost is not missed: records of
//! a volatile topic, or acknowledged with acks=1, once something unsynced was lost.

mod commits;
mod log;
mod polls;
mod sends;

use crate::history::{History, Send};
use crate::plan::Plan;

/// Every anomaly that a history holds.
pub(crate) fn check(plan: &Plan, history: &History) -> Vec<String> {
    let mut found = history.outrages.clone();
    let logs = log::Logs::of_scan(plan, history);
    let view = View { plan, history };
    log::check(&view, &logs, &mut found);
    sends::check(&view, &logs, &mut found);
    polls::check(&view, &mut found);
    commits::check(history, &mut found);
    found.sort();
    found.dedup();
    found
}

/// A plan and what came of it.
#[derive(Clone, Copy)]
struct View<'a> {
    plan: &'a Plan,
    history: &'a History,
}

impl View<'_> {
    /// Acknowledged records of this topic may be gone, and their offsets given again.
    fn may_have_lost(&self, topic: usize) -> bool {
        self.plan.topics[topic].is_volatile() && !self.history.losses.is_empty()
    }

    /// This acknowledgement holds whatever happened after it.
    fn binds(&self, send: &Send) -> bool {
        let lost_since = self.history.losses.iter().any(|lost| *lost > send.invoked);
        !(lost_since && (send.acks == 1 || self.plan.topics[send.topic].is_volatile()))
    }
}
