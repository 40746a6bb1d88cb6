//! The clients of a run. Each is a host of its own in turmoil, and writes into the history what it is told.

pub(crate) mod admin;
pub(crate) mod committer;
pub(crate) mod connection;
pub(crate) mod consumer;
pub(crate) mod payload;
pub(crate) mod producer;
pub(crate) mod scan;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use uuid::Uuid;

use crate::dice::Dice;
use crate::history::History;
use crate::plan::{Plan, TopicPlan};

/// How far the run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Topics are being made.
    Setup,
    /// Load and faults.
    Work,
    /// No more faults: everybody must get on.
    Heal,
    /// Producers have ended; consumers read to the end.
    Drain,
    /// Everybody has ended; the scan.
    Scan,
}

/// What all clients of a run share.
pub(crate) struct Shared {
    pub(crate) plan: Plan,
    pub(crate) history: RefCell<History>,
    pub(crate) phase: Cell<Phase>,
    /// Of the plan's topics, once they are made.
    pub(crate) topic_ids: RefCell<Vec<Uuid>>,
    /// Clients of each phase that are still at work.
    pub(crate) producers: Cell<usize>,
    pub(crate) readers: Cell<usize>,
}

impl Shared {
    pub(crate) fn new(plan: Plan) -> Rc<Self> {
        let (producers, readers) = (plan.producers.len(), plan.consumers.len() + plan.committers);
        Rc::new(Self {
            plan,
            history: RefCell::default(),
            phase: Cell::new(Phase::Setup),
            topic_ids: RefCell::default(),
            producers: Cell::new(producers),
            readers: Cell::new(readers),
        })
    }

    pub(crate) fn topic(&self, index: usize) -> &TopicPlan {
        &self.plan.topics[index]
    }

    pub(crate) fn topic_id(&self, index: usize) -> Uuid {
        self.topic_ids.borrow()[index]
    }

    pub(crate) fn dice(&self, client: &str) -> Dice {
        Dice::new(self.plan.seed, client)
    }

    /// Waits until the run is that far.
    pub(crate) async fn reached(&self, phase: Phase) {
        while self.phase.get() < phase {
            pause(Duration::from_millis(20)).await;
        }
    }
}

pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// One less at work.
pub(crate) fn count_down(count: &Cell<usize>) {
    count.set(count.get() - 1);
}
