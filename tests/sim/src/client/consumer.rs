//! A consumer that was assigned all partitions of a topic: reads on from where it was, over every reconnection.

use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{BrokerId, FetchRequest};
use kafka_protocol::protocol::StrBytes;

use super::connection::Connection;
use super::{Phase, Shared, count_down, pause, payload};
use crate::history::Poll;
use crate::plan::ConsumerPlan;
use crate::trace::trace;

/// Fetch by topic name, and by topic id.
const BY_NAME: i16 = 12;
const BY_ID: i16 = 16;

const OFFSET_OUT_OF_RANGE: i16 = 1;
/// What a fetch may be answered while nothing is lost: reference/protocol.md 2.2.
const PASSING: [i16; 5] = [3, 5, 6, 56, 100];

/// Reads until the end that the drain has named.
pub(crate) async fn run(shared: Rc<Shared>, number: usize) -> turmoil::Result {
    shared.reached(Phase::Work).await;
    let plan = shared.plan.consumers[number].clone();
    let dice = shared.dice(&format!("consumer-{number}"));
    let mut reader = Reader::new(Rc::clone(&shared), number, plan.clone());
    loop {
        let slowness = u64::try_from(plan.slowness.as_millis()).unwrap_or(0);
        let slow = if shared.phase.get() < Phase::Heal { dice.within(0..=slowness) } else { 0 };
        let got = reader.poll(Duration::from_millis(slow)).await;
        if matches!(got, Ok(0)) && shared.phase.get() >= Phase::Drain && reader.is_at_end() {
            break;
        }
        if got.is_err() {
            pause(Duration::from_millis(dice.within(20..=500))).await;
        }
    }
    count_down(&shared.readers);
    Ok(())
}

/// One consumer's place in its topic.
pub(crate) struct Reader {
    shared: Rc<Shared>,
    number: usize,
    plan: ConsumerPlan,
    connection: Option<Connection>,
    /// The next offset of each partition.
    positions: BTreeMap<i32, i64>,
    high_watermarks: BTreeMap<i32, i64>,
}

impl Reader {
    pub(crate) fn new(shared: Rc<Shared>, number: usize, plan: ConsumerPlan) -> Self {
        let positions = (0..shared.topic(plan.topic).partitions).map(|partition| (partition, 0)).collect();
        Self { shared, number, plan, connection: None, positions, high_watermarks: BTreeMap::new() }
    }

    /// Everything below the high watermarks of the last answer was read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.positions.iter().all(|(partition, at)| self.high_watermarks.get(partition) == Some(at))
    }

    /// One fetch; how many records it gave. The answer is left alone for `slowness`.
    pub(crate) async fn poll(&mut self, slowness: Duration) -> io::Result<usize> {
        let outcome = self.try_poll(slowness).await;
        if outcome.is_err() {
            self.connection = None;
        }
        outcome
    }

    async fn try_poll(&mut self, slowness: Duration) -> io::Result<usize> {
        if self.connection.is_none() {
            self.connection = Some(Connection::open().await?);
        }
        let version = if self.plan.by_id { BY_ID } else { BY_NAME };
        let request = self.request(version);
        let connection = self.connection.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let invoked = self.shared.history.borrow_mut().tick();
        let id = connection.send(&request, version).await?;
        pause(slowness).await;
        let answer = connection.receive::<FetchRequest>(version, id).await?;
        if answer.error_code != 0 {
            return Err(io::Error::other(format!("Fetch: {}", answer.error_code)));
        }
        let (mut records, mut failed) = (0, None);
        for partition in answer.responses.into_iter().flat_map(|topic| topic.partitions) {
            match self.take(invoked, partition) {
                Ok(count) => records += count,
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(records), Err)
    }

    fn request(&self, version: i16) -> FetchRequest {
        // At the end nobody dawdles.
        let most = if self.shared.phase.get() < Phase::Drain { self.plan.partition_bytes } else { 1 << 20 };
        let partitions = self.positions.iter().map(|(partition, offset)| {
            FetchPartition::default()
                .with_partition(*partition)
                .with_fetch_offset(*offset)
                .with_current_leader_epoch(-1)
                .with_log_start_offset(-1)
                .with_partition_max_bytes(most)
        });
        let mut topic = FetchTopic::default().with_partitions(partitions.collect());
        if version >= BY_ID {
            topic = topic.with_topic_id(self.shared.topic_id(self.plan.topic));
        } else {
            let name = self.shared.topic(self.plan.topic).name.clone();
            topic = topic.with_topic(StrBytes::from_string(name).into());
        }
        FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_max_wait_ms(200)
            .with_min_bytes(1)
            .with_max_bytes(4 << 20)
            .with_session_id(0)
            .with_session_epoch(-1)
            .with_topics(vec![topic])
    }

    fn take(&mut self, invoked: u64, answer: PartitionData) -> io::Result<usize> {
        let (topic, partition) = (self.plan.topic, answer.partition_index);
        let from = self.positions.get(&partition).copied().unwrap_or(0);
        let who = format!("consumer {} t{topic} p{partition} from {from}", self.number);
        if answer.error_code != 0 {
            return self.refused(&who, partition, &answer);
        }
        let bytes = answer.records.unwrap_or_default();
        let length = bytes.len() as u64;
        let records = match payload::records(bytes, payload::place(topic, partition)) {
            Ok(records) => records,
            Err(reason) => {
                self.shared.history.borrow_mut().outrage(format!("corruption: {who}: {reason}"));
                return Err(io::Error::other("a damaged answer"));
            }
        };
        // A batch is given whole: what lies before the offset that was asked for is passed over.
        let records: Vec<_> = records.into_iter().filter(|(offset, _)| *offset >= from).collect();
        let count = records.len();
        if let Some((last, _)) = records.last() {
            self.positions.insert(partition, last + 1);
        }
        self.high_watermarks.insert(partition, answer.high_watermark);
        let mut history = self.shared.history.borrow_mut();
        let done = history.tick();
        trace!("{who}: {count} records, high watermark {}", answer.high_watermark);
        history.polls.push(Poll {
            consumer: self.number,
            topic,
            partition,
            invoked,
            done,
            from,
            high_watermark: answer.high_watermark,
            log_start: answer.log_start_offset,
            bytes: length,
            records,
        });
        Ok(count)
    }

    fn refused(&mut self, who: &str, partition: i32, answer: &PartitionData) -> io::Result<usize> {
        let topic = self.shared.topic(self.plan.topic);
        let mut history = self.shared.history.borrow_mut();
        history.fetch_errors += 1;
        trace!("{who}: code {}", answer.error_code);
        if answer.error_code == OFFSET_OUT_OF_RANGE {
            let excused = topic.retention_bytes.is_some() || topic.is_volatile() && !history.losses.is_empty();
            if !excused {
                history.outrage(format!("out-of-range: {who}, log start {}", answer.log_start_offset));
            }
            // It begins anew where the log does.
            self.positions.insert(partition, answer.log_start_offset.max(0));
        } else if !PASSING.contains(&answer.error_code) {
            history.outrage(format!("{who}: code {}", answer.error_code));
        }
        Err(io::Error::other("a partition was refused"))
    }
}
