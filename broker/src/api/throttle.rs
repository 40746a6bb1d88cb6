//! Quotas at work: what a request is charged, and how its answer tells the wait (KIP-219). The answer leaves at once; the
//! connection is not read until the wait is over.
//!
//! Must not know: how rates are measured.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use super::{Chunk, QuotaClass, Reply, RequestContext, SecondStage};
use crate::broker::Broker;
use crate::quota::{Client, Mutations, QuotaKind, ThrottleTime};

/// The first version of each API whose answer begins with `throttle_time_ms`. Produce, Fetch and those that change
/// topics tell it by themselves.
const BEGINS_WITH_THROTTLE_TIME: &[(i16, i16)] = &[
    (1, 1),
    (2, 2),
    (3, 3),
    (8, 3),
    (9, 3),
    (10, 1),
    (11, 2),
    (12, 1),
    (13, 1),
    (14, 1),
    (15, 1),
    (16, 1),
    (19, 2),
    (20, 1),
    (21, 0),
    (22, 0),
    (23, 2),
    (24, 0),
    (25, 0),
    (26, 0),
    (28, 0),
    (29, 0),
    (30, 0),
    (31, 0),
    (32, 0),
    (33, 0),
    (34, 0),
    (35, 0),
    (37, 0),
    (42, 0),
    (43, 0),
    (44, 0),
    (45, 0),
    (46, 0),
    (48, 0),
    (49, 0),
    (50, 0),
    (51, 0),
    (60, 0),
    (61, 0),
    (65, 0),
    (66, 0),
    (68, 0),
    (69, 0),
    (75, 0),
];

/// Whether the answer of this version begins with `throttle_time_ms`.
fn begins_with_throttle_time(key: i16, version: i16) -> bool {
    let found = BEGINS_WITH_THROTTLE_TIME.binary_search_by_key(&key, |(key, _)| *key);
    found.ok().and_then(|at| BEGINS_WITH_THROTTLE_TIME.get(at)).is_some_and(|(_, since)| version >= *since)
}

/// Makes an answer tell the longer of its wait and this one. The first piece of an answer is in memory.
fn tell(reply: &mut Reply, time: ThrottleTime) {
    let Reply::Body(pieces) = reply else { return };
    let Some(Chunk::Memory(first)) = pieces.first_mut() else { return };
    let Some(told) = first.first_chunk::<4>().map(|bytes| i32::from_be_bytes(*bytes)) else { return };
    if told < time.millis() {
        let mut patched = BytesMut::with_capacity(first.len());
        patched.put_i32(time.millis());
        patched.put_slice(first.get(4..).unwrap_or(&[]));
        *first = patched.freeze();
    }
}

/// What charges one request for the time that it takes.
pub(super) struct Meter {
    broker: Arc<Broker>,
    context: RequestContext,
    key: i16,
}

impl Meter {
    /// Charges a produce for its bytes. A meter when the time of requests counts too.
    pub(super) fn begin(context: &RequestContext, key: i16, class: QuotaClass, frame: &Bytes) -> Option<Self> {
        if class == QuotaClass::Produce && context.broker.quotas.are_set(QuotaKind::Produce) {
            context.charge(QuotaKind::Produce, frame.len() as f64);
        }
        let is_metered = class != QuotaClass::Exempt && context.broker.quotas.are_set(QuotaKind::Request);
        is_metered.then(|| Self { broker: Arc::clone(&context.broker), context: context.clone(), key })
    }

    /// Measures a stage that runs at once.
    pub(super) fn measure<T>(&self, work: impl FnOnce() -> T) -> (T, Duration) {
        let start = self.broker.seams.clock.monotonic();
        let done = work();
        (done, self.broker.seams.clock.monotonic().saturating_sub(start))
    }

    /// Measures the stage that is awaited, and charges both when it is over.
    pub(super) fn awaited(self, stage: SecondStage, spent: Duration) -> SecondStage {
        Box::pin(Metered { meter: self, stage, spent })
    }

    fn charge(&self, spent: Duration, reply: &mut Reply) {
        // In hundredths of a processor's second, as the quota.
        let time = self.context.charge(QuotaKind::Request, spent.as_secs_f64() * 100.0);
        if time > ThrottleTime::NONE && begins_with_throttle_time(self.key, self.context.version) {
            tell(reply, time);
        }
    }
}

struct Metered {
    meter: Meter,
    stage: SecondStage,
    spent: Duration,
}

impl Future for Metered {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Reply> {
        let Self { meter, stage, spent } = &mut *self;
        let (polled, took) = meter.measure(|| stage.as_mut().poll(context));
        *spent += took;
        let Poll::Ready(mut reply) = polled else { return Poll::Pending };
        meter.charge(*spent, &mut reply);
        Poll::Ready(reply)
    }
}

impl RequestContext {
    /// Whose request it is, to quotas.
    #[must_use]
    pub fn client(&self) -> Client<'_> {
        Client { user: &self.principal.name, id: &self.client_id }
    }

    /// Charges the client, and has its connection wait when it has had too much.
    pub fn charge(&self, kind: QuotaKind, amount: f64) -> ThrottleTime {
        let time = self.broker.quotas.charge(kind, self.client(), amount);
        self.throttle(time);
        time
    }

    /// Has the connection wait so long from now on, beside what it waits already.
    pub fn throttle(&self, time: ThrottleTime) {
        if time > ThrottleTime::NONE {
            self.connection.mute.until(self.broker.tasks.monotonic() + time.duration());
        }
    }

    /// How long the connection has to wait as of now.
    #[must_use]
    pub fn throttle_time(&self) -> ThrottleTime {
        ThrottleTime::of(self.connection.mute.left(self.broker.tasks.monotonic()))
    }

    /// Counts changes to topics; refuses them from this version on (KIP-599).
    #[must_use]
    pub fn mutations(&self, strict_since: i16) -> Mutations<'_> {
        Mutations::new(&self.broker.quotas, self.client(), self.version >= strict_since)
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::protocol::{Decodable, Encodable, Request};

    use super::*;

    /// Every version of these answers from the list's on, with a throttle time put in front and read by the codec.
    macro_rules! check {
        ($($name:ident)*) => {{
            let mut checked = Vec::new();
            $(check_answer::<kafka_protocol::messages::$name>(&mut checked, |answer| answer.throttle_time_ms);)*
            checked
        }};
    }

    fn check_answer<R: Request>(checked: &mut Vec<i16>, told: fn(&R::Response) -> i32)
    where
        R::Response: Default,
    {
        let (_, since) = BEGINS_WITH_THROTTLE_TIME.iter().find(|(key, _)| *key == R::KEY).expect("is listed");
        for version in (*since).max(R::VERSIONS.min)..=R::VERSIONS.max {
            let mut bytes = BytesMut::new();
            R::Response::default().encode(&mut bytes, version).expect("a default is encoded");
            bytes[..4].copy_from_slice(&77_i32.to_be_bytes());
            let answer = R::Response::decode(&mut bytes.freeze(), version).expect("an answer is read");
            assert_eq!(told(&answer), 77, "key {} version {version}", R::KEY);
        }
        checked.push(R::KEY);
    }

    #[test]
    fn the_throttle_time_stands_first_where_the_list_says_so() {
        let checked = check!(FetchRequest ListOffsetsRequest MetadataRequest OffsetCommitRequest OffsetFetchRequest FindCoordinatorRequest JoinGroupRequest HeartbeatRequest LeaveGroupRequest SyncGroupRequest DescribeGroupsRequest ListGroupsRequest CreateTopicsRequest DeleteTopicsRequest DeleteRecordsRequest InitProducerIdRequest OffsetForLeaderEpochRequest AddPartitionsToTxnRequest AddOffsetsToTxnRequest EndTxnRequest TxnOffsetCommitRequest DescribeAclsRequest CreateAclsRequest DeleteAclsRequest DescribeConfigsRequest AlterConfigsRequest AlterReplicaLogDirsRequest DescribeLogDirsRequest CreatePartitionsRequest DeleteGroupsRequest ElectLeadersRequest IncrementalAlterConfigsRequest AlterPartitionReassignmentsRequest ListPartitionReassignmentsRequest DescribeClientQuotasRequest AlterClientQuotasRequest DescribeUserScramCredentialsRequest AlterUserScramCredentialsRequest DescribeClusterRequest DescribeProducersRequest DescribeTransactionsRequest ListTransactionsRequest ConsumerGroupHeartbeatRequest ConsumerGroupDescribeRequest DescribeTopicPartitionsRequest);
        assert_eq!(checked, BEGINS_WITH_THROTTLE_TIME.iter().map(|(key, _)| *key).collect::<Vec<_>>());
    }

    #[test]
    fn the_longer_wait_is_told_and_nothing_else_changes() {
        let reply = |millis: i32| {
            let bytes = [&millis.to_be_bytes()[..], b"rest"].concat();
            Reply::Body(vec![Chunk::Memory(Bytes::from(bytes)), Chunk::Memory(Bytes::from_static(b"more"))])
        };
        for (before, time, after) in [(0, 5.0, 5), (9, 5.0, 9)] {
            let mut told = reply(before);
            tell(&mut told, ThrottleTime::of_millis(time));
            assert_eq!(format!("{told:?}"), format!("{:?}", reply(after)));
        }
        let mut short = Reply::Body(vec![Chunk::Memory(Bytes::from_static(b"abc"))]);
        tell(&mut short, ThrottleTime::of_millis(1.0));
        tell(&mut Reply::Nothing, ThrottleTime::of_millis(1.0));
    }
}
