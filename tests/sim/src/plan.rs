//! What a seed stands for: topics, settings, clients, faults.

use std::time::Duration;

use crate::dice::Dice;

const RETENTION_INTERVAL: &str = "log.retention.check.interval.ms";

/// `durability.mode` of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Group,
    Interval,
    Os,
}

/// One topic.
#[derive(Clone, Debug)]
pub(crate) struct TopicPlan {
    pub(crate) name: String,
    pub(crate) partitions: i32,
    pub(crate) mode: Mode,
    pub(crate) segment_bytes: u64,
    /// `retention.bytes`, when the topic has it.
    pub(crate) retention_bytes: Option<u64>,
}

impl TopicPlan {
    /// A power cut or a failed disk may take acknowledged records.
    pub(crate) fn is_volatile(&self) -> bool {
        self.mode != Mode::Group
    }
}

/// One producer.
#[derive(Clone, Debug)]
pub(crate) struct ProducerPlan {
    pub(crate) topic: usize,
    pub(crate) idempotent: bool,
    /// -1 or 1.
    pub(crate) acks: i16,
    /// Batches in flight.
    pub(crate) in_flight: usize,
    pub(crate) records_max: u64,
    pub(crate) value_bytes_max: u64,
    /// Longest pause between two rounds.
    pub(crate) pause: Duration,
}

/// One consumer, of all partitions of a topic.
#[derive(Clone, Debug)]
pub(crate) struct ConsumerPlan {
    pub(crate) topic: usize,
    pub(crate) partition_bytes: i32,
    /// It leaves answers unread for up to this long.
    pub(crate) slowness: Duration,
    pub(crate) by_id: bool,
}

/// Kinds of trouble, each on with p = 1/2.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a coin")]
pub(crate) struct Faults {
    pub(crate) kills: bool,
    pub(crate) power_cuts: bool,
    pub(crate) stops: bool,
    pub(crate) sync_errors: bool,
    pub(crate) read_errors: bool,
    pub(crate) full_disk: bool,
    pub(crate) connection_cuts: bool,
    pub(crate) clock_jumps: bool,
}

impl Faults {
    /// Whether anything is to happen.
    pub(crate) fn any(self) -> bool {
        let node = self.kills || self.power_cuts || self.stops;
        let disk = self.sync_errors || self.read_errors || self.full_disk;
        node || disk || self.connection_cuts || self.clock_jumps
    }
}

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) workload: Duration,
    pub(crate) topics: Vec<TopicPlan>,
    pub(crate) producers: Vec<ProducerPlan>,
    pub(crate) consumers: Vec<ConsumerPlan>,
    pub(crate) committers: usize,
    pub(crate) faults: Faults,
    /// Mean time between two faults.
    pub(crate) calm: Duration,
    /// Power cuts wait for a commit to be acknowledged.
    pub(crate) ambushes: bool,
    /// See `lockstep::begin`.
    pub(crate) patience: u64,
    pub(crate) sync_micros_max: u64,
    /// The most bytes of a write to a socket that are taken at once.
    pub(crate) piece: usize,
    pub(crate) latency_max: Duration,
    /// Broker settings.
    pub(crate) settings: Vec<String>,
}

impl Plan {
    /// The plan of this seed.
    pub(crate) fn draw(seed: u64) -> Self {
        let dice = Dice::new(seed, "plan");
        let topics: Vec<TopicPlan> = (0..dice.within(1..=3)).map(|number| topic(&dice, number)).collect();
        let count = topics.len() as u64;
        let topic_index = |number: u64| usize::try_from(number % count).expect("invariant: a few topics");
        let producers = (0..count + dice.within(0..=2)).map(|number| producer(&dice, topic_index(number))).collect();
        let consumers = (0..count + dice.within(0..=2)).map(|number| consumer(&dice, topic_index(number))).collect();
        Self {
            seed,
            workload: Duration::from_secs(dice.within(10..=30)),
            topics,
            producers,
            consumers,
            committers: usize::try_from(dice.within(1..=2)).expect("invariant: a few"),
            faults: faults(&dice),
            calm: Duration::from_millis(dice.within(500..=5000)),
            ambushes: false,
            patience: dice.pick(&[0, 10, 50, 500]),
            sync_micros_max: dice.pick(&[200, 2000, 20_000]),
            piece: dice.pick(&[1400, 16_384, usize::MAX]),
            latency_max: Duration::from_millis(dice.pick(&[1, 5, 30])),
            settings: settings(&dice),
        }
    }
}

impl Plan {
    /// The same with kills, power cuts and stops, one after the other, under a short load. The power goes when a commit has
    /// just been acknowledged, answers come at once and syncs take their time: an answer before the sync is found out.
    pub(crate) fn harder(mut self) -> Self {
        self.faults = Faults { kills: true, power_cuts: true, stops: true, ..Faults::default() };
        self.calm = Duration::from_millis(700);
        self.ambushes = true;
        self.sync_micros_max = 20_000;
        self.latency_max = Duration::from_millis(1);
        self.workload = Duration::from_secs(10);
        // Segments fill, and retention looks at them in short lives too.
        self.producers.push(ProducerPlan { records_max: 100, value_bytes_max: 4000, ..self.producers[0].clone() });
        self.settings.retain(|setting| !setting.starts_with(RETENTION_INTERVAL));
        self.settings.push(format!("{RETENTION_INTERVAL}=1000"));
        self
    }
}

fn topic(dice: &Dice, number: u64) -> TopicPlan {
    let mode = if number == 0 { Mode::Group } else { dice.pick(&[Mode::Group, Mode::Group, Mode::Interval, Mode::Os]) };
    TopicPlan {
        name: format!("topic-{number}"),
        partitions: i32::try_from(dice.within(1..=4)).expect("invariant: a few"),
        mode,
        segment_bytes: dice.within(1 << 20..=2 << 20),
        retention_bytes: dice.one_in(4).then(|| dice.within(1 << 20..=4 << 20)),
    }
}

fn producer(dice: &Dice, topic: usize) -> ProducerPlan {
    ProducerPlan {
        topic,
        idempotent: !dice.one_in(3),
        acks: if dice.one_in(4) { 1 } else { -1 },
        in_flight: usize::try_from(dice.within(1..=5)).expect("invariant: a few"),
        records_max: dice.pick(&[1, 10, 100]),
        value_bytes_max: dice.pick(&[16, 200, 4000]),
        pause: Duration::from_millis(dice.pick(&[5, 50, 300])),
    }
}

fn consumer(dice: &Dice, topic: usize) -> ConsumerPlan {
    ConsumerPlan {
        topic,
        partition_bytes: dice.pick(&[1, 20_000, 1 << 20]),
        slowness: Duration::from_millis(if dice.one_in(4) { dice.within(100..=5000) } else { 0 }),
        by_id: dice.one_in(2),
    }
}

fn faults(dice: &Dice) -> Faults {
    // One run in eight is without any: those find bugs too.
    if dice.one_in(8) {
        return Faults::default();
    }
    Faults {
        kills: dice.one_in(2),
        power_cuts: dice.one_in(2),
        stops: dice.one_in(2),
        sync_errors: dice.one_in(4),
        read_errors: dice.one_in(4),
        full_disk: dice.one_in(2),
        connection_cuts: dice.one_in(2),
        clock_jumps: dice.one_in(2),
    }
}

fn settings(dice: &Dice) -> Vec<String> {
    let drawn = [
        ("log.journal.bytes.initial", 4 << 20),
        ("log.journal.bytes.max", dice.pick(&[4 << 20, 16 << 20])),
        ("log.journal.batch.bytes.max", dice.pick(&[4096, 20_000, 262_144])),
        ("log.checkpoint.interval.ms", dice.pick(&[50, 500, 5000])),
        ("log.durability.interval.ms", dice.pick(&[20, 1000])),
        ("offsets.topic.num.partitions", dice.within(1..=3)),
        (RETENTION_INTERVAL, dice.pick(&[1000, 10_000])),
        ("log.segment.delete.delay.ms", dice.pick(&[0, 1000, 60_000])),
        ("num.recovery.threads.per.data.dir", dice.within(1..=3)),
        ("metadata.log.max.record.bytes.between.snapshots", dice.pick(&[1000, 20_971_520])),
    ];
    let fixed = [
        "node.id=1",
        "process.roles=broker,controller",
        "controller.listener.names=CONTROLLER",
        "listeners=PLAINTEXT://0.0.0.0:9092",
        "advertised.listeners=PLAINTEXT://node:9092",
        "log.dirs=/data",
        "offsets.topic.replication.factor=1",
        "auto.create.topics.enable=false",
    ];
    let drawn = drawn.iter().map(|(name, value)| format!("{name}={value}"));
    fixed.iter().map(|setting| (*setting).to_owned()).chain(drawn).collect()
}
