//! One run: builds the world of a plan, steps it through its phases, and judges what came of it.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use parking_lot::lockstep;
use turmoil::Sim;

use crate::check;
use crate::client::{self, Phase, Shared};
use crate::faults::{Faults, Kind, client_name};
use crate::history::Outcome;
use crate::node::Node;
use crate::plan::Plan;
use crate::trace::{self, trace};

/// Time in which everybody must get on once nothing is broken any more.
const HEALED_WITHIN: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(1);
/// Acknowledged batches below which a run has shown nothing.
const SENDS_MIN: usize = 20;

/// What a run has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Fail,
    /// Too little happened.
    Inconclusive,
}

/// A run that has ended.
pub(crate) struct Report {
    pub(crate) verdict: Verdict,
    pub(crate) anomalies: Vec<String>,
    pub(crate) facts: String,
}

/// Runs the plan to its end.
pub(crate) fn run(plan: Plan) -> Report {
    lockstep::begin(plan.seed, plan.patience);
    trace!("{plan:?}");
    let mut sim = turmoil::Builder::new()
        .tick_duration(TICK)
        .simulation_duration(Duration::from_secs(1 << 30))
        .min_message_latency(Duration::ZERO)
        .max_message_latency(plan.latency_max)
        .rng_seed(plan.seed)
        .tcp_capacity(4096)
        .build();
    let shared = Shared::new(plan);
    let node = Node::new(&shared.plan);
    let living = Rc::clone(&node);
    sim.host("node", move || Rc::clone(&living).live());
    let clients = start_clients(&mut sim, &shared);
    let mut faults = Faults::new(Rc::clone(&shared), node, clients);
    let stuck = step_through(&mut sim, &shared, &mut faults);
    report(&shared, &faults, stuck)
}

fn start_clients(sim: &mut Sim<'_>, shared: &Rc<Shared>) -> Vec<String> {
    let mut names = Vec::new();
    let plan = &shared.plan;
    for number in 0..plan.producers.len() {
        names.push(client_name("producer", number));
        sim.client(client_name("producer", number), client::producer::run(Rc::clone(shared), number));
    }
    for number in 0..plan.consumers.len() {
        names.push(client_name("consumer", number));
        sim.client(client_name("consumer", number), client::consumer::run(Rc::clone(shared), number));
    }
    for number in 0..plan.committers {
        names.push(client_name("committer", number));
        sim.client(client_name("committer", number), client::committer::run(Rc::clone(shared), number));
    }
    sim.client("admin", client::admin::run(Rc::clone(shared)));
    sim.client("scan", client::scan::run(Rc::clone(shared)));
    names
}

/// Through all phases; what hangs, if something does.
fn step_through(sim: &mut Sim<'_>, shared: &Shared, faults: &mut Faults) -> Option<String> {
    let mut since = Duration::ZERO;
    let mut phase = Phase::Setup;
    loop {
        lockstep::run_until(lockstep::now() + TICK);
        faults.turn(sim);
        let finished = match sim.step() {
            Ok(finished) => finished,
            Err(error) => return Some(format!("a client failed: {error}")),
        };
        let lasted = lockstep::now() - since;
        if shared.phase.get() != phase {
            trace!("phase {:?}", shared.phase.get());
            (phase, since) = (shared.phase.get(), lockstep::now());
            continue;
        }
        let over = match phase {
            Phase::Work => lasted >= shared.plan.workload,
            Phase::Heal => shared.producers.get() == 0,
            // The scan's client is the last one.
            Phase::Drain => shared.readers.get() <= 1,
            Phase::Setup | Phase::Scan => false,
        };
        match phase {
            Phase::Work if over => {
                faults.end();
                shared.phase.set(Phase::Heal);
            }
            Phase::Heal if over => shared.phase.set(Phase::Drain),
            Phase::Drain if over => shared.phase.set(Phase::Scan),
            Phase::Work => {}
            _ if finished => return None,
            _ if lasted > HEALED_WITHIN => {
                let (producers, readers) = (shared.producers.get(), shared.readers.get());
                return Some(format!("{phase:?} did not end: {producers} producers, {readers} readers at work"));
            }
            _ => {}
        }
        if lockstep::has_panicked() {
            return Some("a thread panicked".to_owned());
        }
    }
}

fn report(shared: &Shared, faults: &Faults, stuck: Option<String>) -> Report {
    let history = shared.history.borrow();
    let mut anomalies = if stuck.is_some() { history.outrages.clone() } else { check::check(&shared.plan, &history) };
    anomalies.extend(stuck.map(|what| format!("not-live (K17): {what}")));
    let sends = |outcome: fn(&Outcome) -> bool| history.sends.iter().filter(|send| outcome(&send.outcome)).count();
    let ok = sends(|outcome| matches!(outcome, Outcome::Ok(_)));
    let info = sends(|outcome| *outcome == Outcome::Info);
    let read: usize = history.polls.iter().map(|poll| poll.records.len()).sum();
    let commits = history.commits.iter().filter(|commit| commit.ok).count();
    let bites: u64 = faults.happened.values().sum();
    let verdict = if !anomalies.is_empty() {
        Verdict::Fail
    } else if ok < SENDS_MIN || shared.plan.faults.any() && bites == 0 {
        Verdict::Inconclusive
    } else {
        Verdict::Pass
    };
    let (hash, lines) = trace::digest();
    let facts = format!(
        "{:.1} s simulated, {ok} batches acknowledged, {info} unknown, {read} records read, {commits} commits, {}, trace {hash:016x} of {lines} lines",
        lockstep::now().as_secs_f64(),
        told(&faults.happened),
    );
    Report { verdict, anomalies, facts }
}

fn told(happened: &BTreeMap<Kind, u64>) -> String {
    let told: Vec<String> = happened.iter().map(|(kind, count)| format!("{count} {kind:?}")).collect();
    if told.is_empty() { "no faults".to_owned() } else { told.join(" ") }
}
