//! A producer: batches in flight on one connection; what is not answered well is sent again, all of it, in order.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use barnabas_storage::seam::Clock;
use bytes::Bytes;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{InitProducerIdRequest, ProduceRequest, ProducerId};
use kafka_protocol::protocol::StrBytes;

use super::connection::Connection;
use super::payload::{self, Value};
use super::{Phase, Shared, count_down, pause};
use crate::dice::Dice;
use crate::history::{NEVER, Outcome, Send};
use crate::machine::clock::SimClock;
use crate::plan::ProducerPlan;

/// Produce by topic name, and by topic id.
const BY_NAME: i16 = 11;
const BY_ID: i16 = 13;
const INIT_PRODUCER_ID: i16 = 4;

/// Kafka's codes after which nothing was appended by this attempt.
const REFUSED: [i16; 8] = [2, 3, 10, 18, 32, 76, 87, 100];
const OUT_OF_ORDER_SEQUENCE: i16 = 45;
const DUPLICATE_SEQUENCE: i16 = 46;
const INVALID_PRODUCER_EPOCH: i16 = 47;
const UNKNOWN_PRODUCER_ID: i16 = 59;
const UNKNOWN_SERVER_ERROR: i16 = -1;

/// A batch that waits for its fate.
struct Outstanding {
    /// In the history.
    index: usize,
    partition: i32,
    bytes: Bytes,
}

pub(crate) struct Producer {
    shared: Rc<Shared>,
    plan: ProducerPlan,
    number: u16,
    dice: Dice,
    clock: SimClock,
    connection: Option<Connection>,
    /// Id and epoch, when it is idempotent and has one.
    id: Option<(i64, i16)>,
    /// The next sequence number of each partition under this id.
    sequences: BTreeMap<i32, i32>,
    /// The next value of each partition.
    values: BTreeMap<i32, u64>,
    outstanding: VecDeque<Outstanding>,
    /// Acknowledged since the faults ended.
    healed: bool,
}

/// Runs until the load is over and everything is resolved.
pub(crate) async fn run(shared: Rc<Shared>, number: usize) -> turmoil::Result {
    shared.reached(Phase::Work).await;
    let mut producer = Producer {
        plan: shared.plan.producers[number].clone(),
        number: u16::try_from(number)?,
        dice: shared.dice(&format!("producer-{number}")),
        clock: SimClock::default(),
        connection: None,
        id: None,
        sequences: BTreeMap::new(),
        values: BTreeMap::new(),
        outstanding: VecDeque::new(),
        healed: false,
        shared: Rc::clone(&shared),
    };
    while !producer.is_done() {
        if producer.round().await.is_err() {
            producer.connection = None;
            let wait = producer.dice.within(20..=500);
            pause(Duration::from_millis(wait)).await;
        }
    }
    count_down(&shared.producers);
    Ok(())
}

impl Producer {
    /// After the faults one more acknowledgement is wanted, and nothing may be open.
    fn is_done(&self) -> bool {
        self.shared.phase.get() >= Phase::Heal && self.healed && self.outstanding.is_empty()
    }

    async fn round(&mut self) -> io::Result<()> {
        self.prepare().await?;
        while self.outstanding.len() < self.plan.in_flight {
            self.invent();
        }
        let version = if self.dice.one_in(2) { BY_ID } else { BY_NAME };
        let connection = self.connection.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let mut sent = Vec::new();
        for batch in &self.outstanding {
            self.shared.history.borrow_mut().sends[batch.index].attempts += 1;
            let request = request(&self.shared, &self.plan, batch, version);
            sent.push((connection.send(&request, version).await?, batch.index));
        }
        let mut fine = true;
        for (id, index) in sent {
            let connection = self.connection.as_mut().ok_or(io::ErrorKind::NotConnected)?;
            let answer = connection.receive::<ProduceRequest>(version, id).await?;
            let partition = answer.responses.first().and_then(|topic| topic.partition_responses.first());
            let partition = partition.ok_or_else(|| io::Error::other("an answer without a partition"))?;
            fine &= self.take(index, partition.error_code, partition.base_offset);
        }
        if fine {
            pause(Duration::from_millis(self.dice.within(0..=self.pause_ms()))).await;
            return Ok(());
        }
        Err(io::Error::other("something has to be sent again"))
    }

    fn pause_ms(&self) -> u64 {
        u64::try_from(self.plan.pause.as_millis()).unwrap_or(0)
    }

    async fn prepare(&mut self) -> io::Result<()> {
        if self.connection.is_none() {
            self.connection = Some(Connection::open().await?);
        }
        if self.plan.idempotent && self.id.is_none() {
            let request = InitProducerIdRequest::default()
                .with_transactional_id(None)
                .with_transaction_timeout_ms(60_000)
                .with_producer_id(ProducerId(-1))
                .with_producer_epoch(-1);
            let connection = self.connection.as_mut().ok_or(io::ErrorKind::NotConnected)?;
            let answer = connection.call(&request, INIT_PRODUCER_ID).await?;
            if answer.error_code != 0 {
                return Err(io::Error::other(format!("InitProducerId: {}", answer.error_code)));
            }
            self.id = Some((answer.producer_id.0, answer.producer_epoch));
        }
        Ok(())
    }

    /// A new batch for some partition.
    fn invent(&mut self) {
        let topic = self.plan.topic;
        let partitions = u64::try_from(self.shared.topic(topic).partitions).unwrap_or(1);
        let partition = i32::try_from(self.dice.within(0..=partitions - 1)).unwrap_or(0);
        let count = self.dice.within(1..=self.plan.records_max);
        let filler = |_| usize::try_from(self.dice.within(0..=self.plan.value_bytes_max)).unwrap_or(0);
        let fillers: Vec<usize> = (0..count).map(filler).collect();
        let next = self.values.entry(partition).or_default();
        let first = Value { producer: self.number, sequence: *next };
        *next += count;
        let identity = self.id.filter(|_| self.plan.idempotent).map(|(id, epoch)| {
            let sequence = self.sequences.entry(partition).or_default();
            let base = *sequence;
            *sequence += i32::try_from(count).unwrap_or(0);
            (id, epoch, base)
        });
        let place = payload::place(topic, partition);
        let bytes = payload::batch(first, place, &fillers, self.clock.now(), identity);
        let index = self.shared.history.borrow_mut().invoke(Send {
            topic,
            partition,
            first,
            count,
            idempotent: self.plan.idempotent,
            acks: self.plan.acks,
            attempts: 0,
            invoked: NEVER,
            done: NEVER,
            outcome: Outcome::Info,
        });
        self.outstanding.push_back(Outstanding { index, partition, bytes });
    }

    /// Takes the answer for a batch in; false when there is something to be sent again.
    fn take(&mut self, index: usize, code: i16, base_offset: i64) -> bool {
        let Some(at) = self.outstanding.iter().position(|batch| batch.index == index) else { return true };
        match code {
            0 | DUPLICATE_SEQUENCE => {
                let offset = (code == 0 && base_offset >= 0).then_some(base_offset);
                self.settle(at, Outcome::Ok(offset));
                self.healed |= self.shared.phase.get() >= Phase::Heal;
                true
            }
            OUT_OF_ORDER_SEQUENCE | INVALID_PRODUCER_EPOCH | UNKNOWN_PRODUCER_ID => self.out_of_order(at, code),
            code if REFUSED.contains(&code) => {
                let again = self.shared.history.borrow().sends[index].attempts > 1;
                self.settle(at, if again { Outcome::Info } else { Outcome::Fail });
                // The numbers behind it have a hole now.
                self.begin_anew();
                false
            }
            UNKNOWN_SERVER_ERROR => {
                self.shared.history.borrow_mut().outrage("a produce was answered UNKNOWN_SERVER_ERROR".to_owned());
                false
            }
            _ => false,
        }
    }

    /// The first batch of a partition follows what was acknowledged before it: the broker must take it, unless that was
    /// allowed to be lost. A later one only follows one that was refused in this round.
    fn out_of_order(&mut self, at: usize, code: i16) -> bool {
        let batch = &self.outstanding[at];
        let is_first = !self.outstanding.iter().take(at).any(|earlier| earlier.partition == batch.partition);
        if is_first {
            let mut history = self.shared.history.borrow_mut();
            let volatile = self.shared.topic(self.plan.topic).is_volatile() || self.plan.acks == 1;
            if !(volatile && !history.losses.is_empty()) {
                let send = &history.sends[batch.index];
                let what = format!("{} t{} p{}", send.first, send.topic, send.partition);
                history.outrage(format!("lost-sequence: code {code} for {what}, which follows acknowledged ones"));
            }
            drop(history);
            self.begin_anew();
        }
        false
    }

    /// A new producer id; what is open stays unknown.
    fn begin_anew(&mut self) {
        if self.plan.idempotent {
            while !self.outstanding.is_empty() {
                self.settle(0, Outcome::Info);
            }
            self.id = None;
            self.sequences.clear();
            self.connection = None;
        }
    }

    fn settle(&mut self, at: usize, outcome: Outcome) {
        if let Some(batch) = self.outstanding.remove(at) {
            self.shared.history.borrow_mut().resolve(batch.index, outcome);
        }
    }
}

fn request(shared: &Shared, plan: &ProducerPlan, batch: &Outstanding, version: i16) -> ProduceRequest {
    let partition = PartitionProduceData::default().with_index(batch.partition).with_records(Some(batch.bytes.clone()));
    let mut topic = TopicProduceData::default().with_partition_data(vec![partition]);
    if version >= BY_ID {
        topic = topic.with_topic_id(shared.topic_id(plan.topic));
    } else {
        topic = topic.with_name(StrBytes::from_string(shared.topic(plan.topic).name.clone()).into());
    }
    ProduceRequest::default().with_acks(plan.acks).with_timeout_ms(8000).with_topic_data(vec![topic])
}
