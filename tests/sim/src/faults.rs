//! The trouble of a run: what is broken when, and how it is mended.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use barnabas_storage::seam::lossy::{Fault, OpKind};
use parking_lot::lockstep;
use turmoil::Sim;

use crate::client::{Phase, Shared};
use crate::dice::Dice;
use crate::node::{Health, Node};
use crate::trace::trace;

/// Host names of the clients.
pub(crate) fn client_name(kind: &str, number: usize) -> String {
    format!("{kind}-{number}")
}

/// One kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Kill,
    PowerCut,
    Stop,
    SyncError,
    ReadError,
    FullDisk,
    ConnectionCut,
    ClockJump,
}

/// A power cut that waits for the next commit to be acknowledged.
struct Ambush {
    /// As many were before.
    acknowledged: usize,
    /// It comes then, whatever is acknowledged.
    until: Duration,
}

/// Breaks and mends.
pub(crate) struct Faults {
    shared: Rc<Shared>,
    node: Rc<Node>,
    dice: Dice,
    kinds: Vec<Kind>,
    next: Duration,
    ambush: Option<Ambush>,
    /// When the node is to start again.
    start_at: Option<Duration>,
    full_until: Option<Duration>,
    /// Clients whose packets are lost, and until when.
    cut: Vec<(String, Duration)>,
    clients: Vec<String>,
    /// The disk was told to fail in this life: it may end for it.
    excused: bool,
    /// How often each kind happened.
    pub(crate) happened: BTreeMap<Kind, u64>,
}

impl Faults {
    pub(crate) fn new(shared: Rc<Shared>, node: Rc<Node>, clients: Vec<String>) -> Self {
        let on = shared.plan.faults;
        let kinds = [
            (on.kills, Kind::Kill),
            (on.power_cuts, Kind::PowerCut),
            (on.stops, Kind::Stop),
            (on.sync_errors, Kind::SyncError),
            (on.read_errors, Kind::ReadError),
            (on.full_disk, Kind::FullDisk),
            (on.connection_cuts, Kind::ConnectionCut),
            (on.clock_jumps, Kind::ClockJump),
        ];
        Self {
            dice: shared.dice("faults"),
            kinds: kinds.into_iter().filter_map(|(on, kind)| on.then_some(kind)).collect(),
            shared,
            node,
            next: Duration::ZERO,
            ambush: None,
            start_at: None,
            full_until: None,
            cut: Vec::new(),
            clients,
            excused: false,
            happened: BTreeMap::new(),
        }
    }

    /// Between two steps of the simulation.
    pub(crate) fn turn(&mut self, sim: &mut Sim<'_>) {
        let now = lockstep::now();
        self.look_after_node(sim, now);
        self.mend(sim, now);
        if self.shared.phase.get() != Phase::Work {
            return;
        }
        if now >= self.next {
            let calm = u64::try_from(self.shared.plan.calm.as_millis()).unwrap_or(1000);
            if self.next > Duration::ZERO && !self.kinds.is_empty() {
                match self.dice.pick(&self.kinds) {
                    Kind::PowerCut if self.shared.plan.ambushes => self.lie_in_wait(now),
                    kind => self.strike(kind, sim, now),
                }
            }
            self.next = now + Duration::from_millis(self.dice.within(calm / 2..=calm * 3 / 2));
        }
        let acknowledged = self.acknowledged();
        if self.ambush.take_if(|ambush| acknowledged > ambush.acknowledged || now >= ambush.until).is_some() {
            self.strike(Kind::PowerCut, sim, now);
        }
    }

    fn lie_in_wait(&mut self, now: Duration) {
        let acknowledged = self.acknowledged();
        self.ambush.get_or_insert(Ambush { acknowledged, until: now + 2 * self.shared.plan.calm });
    }

    /// Commits so far.
    fn acknowledged(&self) -> usize {
        self.shared.history.borrow().commits.iter().filter(|commit| commit.ok).count()
    }

    fn strike(&mut self, kind: Kind, sim: &mut Sim<'_>, now: Duration) {
        let lives = self.start_at.is_none();
        match kind {
            Kind::Kill | Kind::PowerCut if lives => self.kill(kind, sim, now),
            Kind::Stop if lives && self.node.health.get() == Health::Serves => self.node.ask_to_stop(),
            Kind::SyncError | Kind::ReadError if lives => self.spoil(kind),
            Kind::FullDisk => {
                self.node.ailments.full.store(true, Ordering::Relaxed);
                self.full_until = Some(now + Duration::from_millis(self.dice.within(100..=5000)));
                self.excused = true;
            }
            Kind::ConnectionCut => self.cut_a_client(sim, now),
            Kind::ClockJump => {
                let by = i64::try_from(self.dice.within(1..=600_000)).unwrap_or(0);
                self.node.clock.jump(if self.dice.one_in(2) { by } else { -by });
            }
            _ => return,
        }
        trace!("fault {kind:?}");
        *self.happened.entry(kind).or_default() += 1;
    }

    fn kill(&mut self, kind: Kind, sim: &mut Sim<'_>, now: Duration) {
        let disk = self.node.disk.borrow().clone();
        let left = if kind == Kind::PowerCut {
            self.shared.history.borrow_mut().lost_unsynced();
            disk.crash(self.dice.bits())
        } else {
            disk.kill()
        };
        self.node.die(left);
        sim.crash("node");
        self.start_later(now);
    }

    fn start_later(&mut self, now: Duration) {
        self.start_at = Some(now + Duration::from_millis(self.dice.within(0..=1000)));
    }

    /// Lets an operation of the disk fail, soon.
    fn spoil(&mut self, kind: Kind) {
        let disk = self.node.disk.borrow();
        let nth = self.dice.within(1..=30);
        if kind == Kind::ReadError {
            disk.fail_nth(OpKind::Read, nth, Fault::Io);
        } else {
            let operation = self.dice.pick(&[OpKind::SyncData, OpKind::SyncData, OpKind::SyncDir, OpKind::Write]);
            disk.fail_nth(operation, nth, self.dice.pick(&[Fault::Io, Fault::ShortWrite]));
            self.shared.history.borrow_mut().lost_unsynced();
        }
        self.excused = true;
    }

    fn cut_a_client(&mut self, sim: &Sim<'_>, now: Duration) {
        let at = self.dice.within(0..=self.clients.len() as u64 - 1);
        let client = self.clients[usize::try_from(at).unwrap_or(0)].clone();
        sim.partition("node", client.as_str());
        self.cut.push((client, now + Duration::from_millis(self.dice.within(10..=3000))));
    }

    fn mend(&mut self, sim: &Sim<'_>, now: Duration) {
        let over = self.shared.phase.get() > Phase::Work;
        if self.full_until.is_some_and(|until| over || now >= until) {
            self.full_until = None;
            self.node.ailments.full.store(false, Ordering::Relaxed);
        }
        self.cut.retain(|(client, until)| {
            let lasts = !over && now < *until;
            if !lasts {
                sim.repair("node", client.as_str());
            }
            lasts
        });
    }

    /// The load is over: nothing breaks any more.
    pub(crate) fn end(&mut self) {
        self.node.clock.set_right();
        self.node.disk.borrow().clear_faults();
    }

    /// Starts it again when it is down; a failure that nothing excuses is one of the product.
    fn look_after_node(&mut self, sim: &mut Sim<'_>, now: Duration) {
        match self.node.health.get() {
            Health::Failed if self.start_at.is_none() => {
                let mut history = self.shared.history.borrow_mut();
                history.lost_unsynced();
                if !self.excused {
                    history.outrage(format!("the node ended by itself: {}", self.node.complaint.borrow()));
                }
                drop(history);
                self.bury(sim, now);
            }
            Health::Stopped if self.start_at.is_none() => self.bury(sim, now),
            _ => {}
        }
        if self.start_at.is_some_and(|at| now >= at) {
            self.start_at = None;
            // Space may still be wanting at the start.
            self.excused = self.full_until.is_some();
            sim.bounce("node");
        }
    }

    /// The process has ended. After a failure the machine is started anew: what a failed sync has lost is still to be seen in
    /// the page cache, and the product takes it for durable (README.md, what is known).
    fn bury(&mut self, sim: &mut Sim<'_>, now: Duration) {
        let disk = self.node.disk.borrow().clone();
        let failed = self.node.health.get() == Health::Failed;
        self.node.die(if failed { disk.crash(self.dice.bits()) } else { disk.kill() });
        sim.crash("node");
        self.start_later(now);
    }
}
