//! Power cuts: the broker's file system stops, the broker dies, and it starts again on what had reached the device.
//!
//! Three parts: cuts within moments of a first start, cuts under load (and in the recovery from them), and a control in
//! durability `os`, which has to lose something, or the cuts do not bite.

use std::fs;
use std::time::Duration;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::dice::Dice;
use barnabas_tests::harness::history::History;
use barnabas_tests::harness::loop_device::LoopDevice;
use barnabas_tests::harness::wait;

use super::crash::{drain, franz_go, start_times, stopped};
use super::workload::{Workload, commits_verdict, grown, start_churn, start_commit, start_producer, topics_verdict};
use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// Cuts under load, unless `POWER_CYCLES` says otherwise; a third as many come after a first start.
const CYCLES: u64 = 25;
/// Size of the file system.
const BYTES: u64 = 4 << 30;
/// Longest wait for clients to get on.
const PROGRESS: Duration = Duration::from_secs(60);
/// So that cuts fall into rolls, checkpoints, snapshots of the metadata and a journal that wraps.
const SETTINGS: &[(&str, &str)] = &[
    ("log.segment.bytes", "1048576"),
    ("log.checkpoint.interval.ms", "100"),
    ("log.journal.bytes.max", "16777216"),
    ("metadata.log.max.record.bytes.between.snapshots", "8192"),
    ("offsets.topic.num.partitions", "8"),
];

/// What all parts share.
struct Cuts<'a> {
    room: &'a Room<'a>,
    device: LoopDevice,
    dice: Dice,
    /// How long each start after a cut took until the first answer.
    starts: Vec<Duration>,
    cuts: usize,
}

/// Nothing that was acknowledged is lost, and the broker starts again, whenever the power goes.
pub(crate) fn power(room: &Room<'_>) -> Result<String, Outcome> {
    let device = LoopDevice::make(&room.path("image"), &room.path("mount"), BYTES);
    let device = device.map_err(|error| Outcome::Forbidden(format!("no file system on a loop device: {error}")))?;
    let cycles = std::env::var("POWER_CYCLES").ok().and_then(|cycles| cycles.parse().ok()).unwrap_or(CYCLES);
    let mut cuts = Cuts { room, device, dice: Dice::from_environment("POWER_SEED"), starts: Vec::new(), cuts: 0 };
    let outcome = cuts.all(cycles);
    let seed = cuts.dice.seed();
    outcome.map_err(|outcome| match outcome {
        Outcome::Failed(why) => Outcome::Failed(format!("POWER_SEED={seed}, after {} cuts: {why}", cuts.cuts)),
        other => other,
    })
}

impl Cuts<'_> {
    fn all(&mut self, cycles: u64) -> Result<String, Outcome> {
        for round in 0..cycles.div_ceil(3) {
            self.after_a_first_start(round)?;
        }
        let facts = self.under_load(cycles)?;
        let lost = self.control()?;
        self.starts.sort();
        let starts = start_times(&self.starts);
        let cuts = self.cuts;
        Ok(format!("{cuts} cuts, {facts}, {starts}, {lost} lost in the control in os mode"))
    }

    /// A broker on an empty file system, its directory yet to be made.
    fn broker(&self, name: &str, settings: &[(&str, &str)]) -> Result<Broker, Outcome> {
        let data = self.device.path().join("data");
        let data = data.to_str().ok_or_else(|| Outcome::Failed("a path that is not text".to_owned()))?;
        let settings = [SETTINGS, &[("log.dirs", data)], settings].concat();
        self.room.prepared(name, &settings)
    }

    /// The device first: what the broker still answers after that it must not have promised.
    fn cut(&mut self, broker: &mut Broker) -> Result<(), Outcome> {
        let mut command = franz_go(self.room, broker, &["cut"]);
        command.arg(self.device.path());
        self.room.step("cut", command)?;
        broker.kill();
        self.device.remount()?;
        self.cuts += 1;
        Ok(())
    }

    fn start(&mut self, broker: &mut Broker) -> Result<(), Outcome> {
        let took = broker.restart()?;
        self.starts.push(took);
        Ok(())
    }

    /// Cuts in the recovery from a cut, up to `most` of them, and the start after them.
    fn recover(&mut self, broker: &mut Broker, most: u64) -> Result<(), Outcome> {
        for _ in 0..self.dice.draw(0..most + 1) {
            broker.launch()?;
            wait::moment(self.dice.moment(60));
            self.cut(broker)?;
        }
        self.start(broker)
    }

    /// The cut comes within milliseconds of the first start ever, before or after the first answer, while topics are made
    /// and filled and groups commit for the first time.
    fn after_a_first_start(&mut self, round: u64) -> Result<(), Outcome> {
        let name = format!("first-{round}");
        let (churn, commit) = (format!("{name}-churn"), format!("{name}-commit"));
        self.device.make_anew(BYTES)?;
        let mut broker = self.broker(&name, &[])?;
        broker.launch()?;
        let mut clients = [start_churn(self.room, &broker, &churn)?, start_commit(self.room, &broker, &commit)?];
        // Half of them within the start itself.
        let below = if round.is_multiple_of(2) { 50 } else { 500 };
        wait::moment(self.dice.moment(below));
        self.cut(&mut broker)?;
        let outcome = self.recover(&mut broker, 2).and_then(|()| {
            wait_for_events(self.room, &churn, "listed")?;
            for (client, name) in clients.iter_mut().zip([&churn, &commit]) {
                stopped(client, &self.room.log(name))?;
            }
            topics_verdict(self.room, &churn)?;
            commits_verdict(self.room, &commit)
        });
        self.room.with_log_of(&mut broker, outcome)?;
        broker.kill();
        Ok(())
    }

    fn under_load(&mut self, cycles: u64) -> Result<String, Outcome> {
        self.device.make_anew(BYTES)?;
        let mut broker = self.broker("load", &[])?;
        broker.restart()?;
        let outcome = self.cycles(&mut broker, cycles);
        let facts = self.room.with_log_of(&mut broker, outcome)?;
        broker.stop()?;
        Ok(facts)
    }

    fn cycles(&mut self, broker: &mut Broker, cycles: u64) -> Result<String, Outcome> {
        let mut load = Workload::start(self.room, broker, "load")?;
        for cycle in 0..cycles {
            let growth = self.dice.draw(1..30_000);
            load.grown(self.room, growth)?;
            self.cut(broker)?;
            self.recover(broker, if cycle % 3 == 2 { 3 } else { 0 })?;
        }
        load.finish(self.room, broker)
    }

    /// How many acknowledged records are gone when nothing is synced before the answer, as in Kafka.
    fn control(&mut self) -> Result<usize, Outcome> {
        self.device.make_anew(BYTES)?;
        let mut broker = self.broker("control", &[("log.durability.mode", "os")])?;
        broker.restart()?;
        self.room.step("create", franz_go(self.room, &broker, &["create", "load", "6"]))?;
        let mut producer = start_producer(self.room, &broker, "control", false)?;
        grown(self.room, "control", &mut producer, 50_000)?;
        self.cut(&mut broker)?;
        producer.kill();
        let outcome = self.start(&mut broker).and_then(|()| drain(self.room, &broker, "load"));
        let log = self.room.with_log_of(&mut broker, outcome)?;
        let mut sends = History::default();
        sends.add(&self.room.path("control.history"))?;
        match sends.lost(&log) {
            0 => failed("inconclusive: the control in durability os lost nothing, so the cuts do not bite"),
            lost => Ok(lost),
        }
    }
}

/// Waits until a history gets another event of this kind.
fn wait_for_events(room: &Room<'_>, name: &str, word: &str) -> Result<(), Outcome> {
    let path = room.path(&format!("{name}.history"));
    let count = || fs::read_to_string(&path).unwrap_or_default().lines().filter(|line| line.contains(word)).count();
    let wanted = count() + 2;
    Ok(wait::until(&format!("{name} to go on"), PROGRESS, || (count() >= wanted).then_some(()))?)
}
