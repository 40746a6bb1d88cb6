//! Fetch.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use barnabas_auth::{Acl, AclFilter, Operation, PatternType, Permission, ResourceType};
use barnabas_storage::{Offset, PartitionIndex};
use bytes::Bytes;
use futures_util::FutureExt;
use kafka_protocol::messages::fetch_request::{FetchTopic, ForgottenTopic, ReplicaState};
use kafka_protocol::messages::{BrokerId, FetchRequest, FetchResponse};
use kafka_protocol::protocol::Decodable;

use super::bench::{
    Bench, assert_same_batch, batch, body, fetch_partition, fetch_request, name, produce_request, records,
};
use crate::api::TwoStage;
use crate::api::data::fetch::Fetch;
use crate::api::data::fetch_round::cut_cold;
use crate::api::data::produce::Produce;
use crate::partition::Waiting;

fn error_codes(response: &FetchResponse) -> Vec<i16> {
    response.responses.iter().flat_map(|topic| &topic.partitions).map(|each| each.error_code).collect()
}

fn patient(request: FetchRequest, max_wait_ms: i32, min_bytes: i32) -> FetchRequest {
    request.with_max_wait_ms(max_wait_ms).with_min_bytes(min_bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_offset_gets_the_whole_batch_that_covers_it() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    let batches: Vec<Bytes> = (1..20).map(|records| batch(records, 13)).collect();
    let mut covering = Vec::new();
    for (number, batch) in batches.iter().enumerate() {
        bench.append("t", 0, batch).await;
        covering.extend(std::iter::repeat_n(number, number + 1));
    }
    for (offset, number) in covering.iter().enumerate() {
        let read = bench.read("t", 0, i64::try_from(offset).unwrap()).await;
        assert_same_batch(&records(&read)[..batches[*number].len()], &batches[*number]);
        let rest: usize = batches[*number..].iter().map(Bytes::len).sum();
        assert_eq!(records(&read).len(), rest, "and every later one");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_batch_comes_whole_above_every_limit_and_later_ones_only_if_they_fit() {
    let bench = Bench::start().await;
    bench.create("t", 3, &[("max.message.bytes", "4000000")]).await;
    let (large, small) = (batch(2, 1 << 20), batch(1, 100));
    for partition in 0..3 {
        bench.append("t", partition, if partition == 1 { &small } else { &large }).await;
    }
    let ask = |order: [i32; 3], partition_max: i32, max: i32| {
        let partitions = order.iter().map(|partition| fetch_partition(*partition, 0, partition_max)).collect();
        let topics = vec![FetchTopic::default().with_topic(name("t")).with_partitions(partitions)];
        fetch_request(&[]).with_max_bytes(max).with_topics(topics)
    };
    let sizes = |response: FetchResponse| -> Vec<usize> {
        response.responses[0].partitions.iter().map(|data| records(data).len()).collect()
    };
    let (l, s) = (large.len(), small.len());
    assert_eq!(sizes(bench.fetch(12, ask([0, 1, 2], 1024, 1024)).await), [l, 0, 0], "the budget is gone");
    assert_eq!(sizes(bench.fetch(12, ask([1, 0, 2], 1024, 10_000)).await), [s, 0, 0], "two did not fit");
    assert_eq!(sizes(bench.fetch(12, ask([0, 1, 2], 1024, 4 << 20)).await), [l, s, 0]);
    assert_eq!(sizes(bench.fetch(12, ask([0, 1, 2], 4 << 20, 0)).await), [l, 0, 0]);
    assert_eq!(sizes(bench.fetch(12, ask([0, 1, 2], i32::MAX, i32::MAX)).await), [l, s, l]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_poll_ends_with_the_first_enough_bytes() {
    let bench = Bench::start().await;
    bench.create("t", 2, &[]).await;
    let small = batch(1, 10);
    let min_bytes = i32::try_from(2 * small.len()).unwrap();
    let request = patient(fetch_request(&[("t", 0, 0), ("t", 1, 0)]), 3_600_000, min_bytes);
    let mut poll = Fetch::begin(bench.context::<Fetch>(12), request);
    assert!(poll.as_mut().now_or_never().is_none());
    bench.append("t", 0, &small).await;
    assert!(poll.as_mut().now_or_never().is_none(), "half is not enough");
    bench.append("t", 1, &small).await;
    let response = FetchResponse::decode(&mut body(poll.await), 12).unwrap();
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    let sizes = partitions.map(|data| records(data).len());
    assert_eq!(sizes.collect::<Vec<_>>(), [small.len(), small.len()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_long_poll_is_looked_at_twice() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    let request = patient(fetch_request(&[("t", 0, 0)]), 300, 1);
    let mut fetch = pin!(Fetch::begin(bench.context::<Fetch>(12), request));
    let mut polls = 0;
    let reply = std::future::poll_fn(|cx| {
        polls += 1;
        fetch.as_mut().poll(cx)
    });
    let response = FetchResponse::decode(&mut body(reply.await), 12).unwrap();
    assert_eq!(error_codes(&response), [0]);
    assert_eq!(records(&response.responses[0].partitions[0]), b"");
    assert_eq!(polls, 2, "once to wait, once at the deadline");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wait_no_partitions_or_an_error_answer_at_once() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    let hour = 3_600_000;
    let cases = [
        (fetch_request(&[("t", 0, 0)]), vec![0]),
        (patient(fetch_request(&[("t", 0, 0)]), hour, 0), vec![0]),
        (patient(fetch_request(&[]), hour, 1), vec![]),
        (patient(fetch_request(&[("t", 0, 0), ("t", 9, 0)]), hour, 1), vec![0, 3]),
        (patient(fetch_request(&[("t", 0, 1)]), hour, 1), vec![1]),
        (patient(fetch_request(&[("t", 0, -5)]), hour, 1), vec![1]),
    ];
    for (request, expected) in cases {
        assert_eq!(error_codes(&bench.fetch(12, request).await), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cold_records_are_cut_to_what_may_be_read_into_memory() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    let one = batch(1, 10_000);
    for _ in 0..5 {
        bench.append("t", 0, &one).await;
    }
    let partition = bench.broker().partitions.by_name("t", PartitionIndex(0)).unwrap();
    let all = || partition.read(Offset(0), usize::MAX, true).unwrap().0.slice.unwrap();
    assert_eq!(all().len(), 5 * one.len());
    let cut = |mut left: usize, is_first: bool| {
        let cut = cut_cold(&partition, Offset(0), all(), &mut left, is_first);
        (cut.map(|slice| slice.len() / one.len()), left)
    };
    assert_eq!(cut(6 * one.len(), true), (Some(5), one.len()));
    assert_eq!(cut(2 * one.len() + 1, false), (Some(2), 1));
    assert_eq!(cut(10, true), (Some(1), 0), "a first batch comes whole");
    assert_eq!(cut(10, false), (None, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn out_of_range_tells_where_the_log_is() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    bench.append("t", 0, &batch(5, 1)).await;
    let refused = bench.read("t", 0, 6).await;
    assert_eq!((refused.error_code, refused.high_watermark, refused.log_start_offset), (1, 5, 0));
    assert_eq!(records(&refused), b"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leader_epochs_are_compared() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    bench.append("t", 0, &batch(5, 1)).await;
    let partition = bench.broker().partitions.by_name("t", PartitionIndex(0)).unwrap();
    let ours = partition.leader_epoch().0;
    for (epoch, expected) in [(-1, 0), (ours, 0), (ours + 1, 75), (ours - 1, if ours == 0 { 0 } else { 74 })] {
        let mut request = fetch_request(&[("t", 0, 0)]);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        assert_eq!(error_codes(&bench.fetch(12, request).await), [expected], "epoch {epoch}");
    }
    let mut request = fetch_request(&[("t", 0, 4)]);
    request.topics[0].partitions[0].last_fetched_epoch = ours;
    assert!(!records(&bench.fetch(12, request).await.responses[0].partitions[0]).is_empty());
    let mut request = fetch_request(&[("t", 0, 9)]);
    request.topics[0].partitions[0].last_fetched_epoch = ours;
    let data = bench.fetch(12, request).await.responses[0].partitions[0].clone();
    let diverging = (data.diverging_epoch.epoch, data.diverging_epoch.end_offset);
    assert_eq!((data.error_code, diverging), (0, (ours, 5)), "a reader ahead of us diverges");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_are_refused() {
    let bench = Bench::start().await;
    let id = bench.create("t", 1, &[]).await;
    let old = fetch_request(&[("t", 0, 0)]).with_replica_id(BrokerId(2));
    assert_eq!(error_codes(&bench.fetch(12, old).await), [6]);
    let state = ReplicaState::default().with_replica_id(BrokerId(2)).with_replica_epoch(1);
    let mut new = fetch_request(&[("", 0, 0)]).with_replica_state(state);
    new.topics[0].topic_id = id.0;
    assert_eq!(error_codes(&bench.fetch(17, new).await), [6]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_goes_on_with_news_only() {
    let bench = Bench::start().await;
    let id = bench.create("t", 3, &[]).await;
    let by_id = |partitions: &[(i32, i64)], session: i32, epoch: i32| {
        let partitions = partitions.iter().map(|(index, offset)| fetch_partition(*index, *offset, 1 << 20)).collect();
        let topics = vec![FetchTopic::default().with_topic_id(id.0).with_partitions(partitions)];
        fetch_request(&[]).with_topics(topics).with_session_id(session).with_session_epoch(epoch)
    };
    let first = bench.fetch(17, by_id(&[(0, 0), (1, 0), (2, 0)], 0, 0)).await;
    assert_eq!(error_codes(&first), [0, 0, 0]);
    let session = first.session_id;
    assert_ne!(session, 0);

    bench.append("t", 1, &batch(1, 10)).await;
    let news = bench.fetch(17, by_id(&[], session, 1)).await;
    assert_eq!((news.session_id, error_codes(&news)), (session, vec![0]));
    assert_eq!(news.responses[0].partitions[0].partition_index, 1);

    let nothing = bench.fetch(17, by_id(&[(1, 1)], session, 2)).await;
    assert_eq!((nothing.error_code, nothing.responses.len()), (0, 0));

    let stale = bench.fetch(17, by_id(&[], session, 2)).await;
    assert_eq!((stale.error_code, stale.session_id, stale.responses.len()), (71, 0, 0));
    let unknown = bench.fetch(17, by_id(&[], session ^ 1, 3)).await;
    assert_eq!(unknown.error_code, 70);
    let crossed = bench.fetch(12, fetch_request(&[]).with_session_id(session).with_session_epoch(3)).await;
    assert_eq!(crossed.error_code, 106);

    let gone = ForgottenTopic::default().with_topic_id(id.0).with_partitions(vec![0, 1, 2]);
    let closing = by_id(&[], session, 3).with_forgotten_topics_data(vec![gone]);
    assert_eq!(bench.fetch(17, closing).await.session_id, 0);
    assert!(bench.broker().fetch_sessions.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_topic_ends_a_long_poll_and_a_pending_produce() {
    let bench = Bench::start().await;
    let id = bench.create("t", 1, &[]).await;
    let request = patient(fetch_request(&[("t", 0, 0)]), 3_600_000, 1);
    let mut poll = Fetch::begin(bench.context::<Fetch>(12), request);
    assert!(poll.as_mut().now_or_never().is_none());
    bench.delete(id).await;
    let response = FetchResponse::decode(&mut body(poll.await), 12).unwrap();
    assert_eq!(error_codes(&response), [3]);
    assert_eq!(bench.append("t", 0, &batch(1, 1)).await.error_code, 3);
    let again = bench.create("t", 1, &[]).await;
    assert_ne!(again, id);
    assert_eq!(bench.append("t", 0, &batch(1, 1)).await.base_offset, 0);
    let mut old = fetch_request(&[("", 0, 0)]);
    old.topics[0].topic_id = id.0;
    assert_eq!(error_codes(&bench.fetch(16, old).await), [100]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_long_poll_leaves_nothing_behind() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    let request = patient(fetch_request(&[("t", 0, 0)]), 3_600_000, 1);
    let mut poll = Fetch::begin(bench.context::<Fetch>(12), request);
    assert!(poll.as_mut().now_or_never().is_none());
    drop(poll);
    let partition = bench.broker().partitions.by_name("t", PartitionIndex(0)).unwrap();
    assert_eq!(partition.waiting(), Waiting::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_fetched_before_it_is_synced() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    let mut produce = Produce::begin(bench.context::<Produce>(9), produce_request(-1, &[("t", 0, batch(1, 10))]));
    loop {
        let read = bench.read("t", 0, 0).await;
        let log = bench.broker().partitions.by_name("t", PartitionIndex(0)).unwrap();
        let synced = log.log().synced_offset().0;
        assert!(read.high_watermark <= synced);
        // The high watermark is told after the read: it may already cover what the read has not seen.
        assert!(records(&read).is_empty() || read.high_watermark > 0);
        let acknowledged = std::future::poll_fn(|cx| Poll::Ready(produce.as_mut().poll(cx).is_ready())).await;
        if acknowledged {
            break;
        }
        tokio::time::timeout(Duration::from_micros(50), std::future::pending::<()>()).await.unwrap_err();
    }
    assert_eq!(bench.read("t", 0, 0).await.high_watermark, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_of_the_answer_can_be_decoded() {
    let bench = Bench::start().await;
    let id = bench.create("t", 1, &[]).await;
    let sent = batch(3, 10);
    bench.append("t", 0, &sent).await;
    for version in 4..=18 {
        for isolation in [0, 1] {
            let mut request = fetch_request(&[("t", 0, 0), ("unknown", 0, 0)]).with_isolation_level(isolation);
            request.topics[0].topic_id = id.0;
            let response = bench.fetch(version, request).await;
            assert_eq!(error_codes(&response), [0, if version >= 13 { 100 } else { 3 }], "version {version}");
            let data = &response.responses[0].partitions[0];
            assert_same_batch(records(data), &sent);
            assert_eq!(data.aborted_transactions, (isolation == 1).then(Vec::new));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_that_is_taken_away_stops_a_fetch_session_at_its_next_request() {
    let bench = Bench::with(&["authorizer.class.name=standard"]).await;
    bench.create("t", 1, &[]).await;
    let controller = &bench.broker().controller;
    let acl = |operation| Acl {
        resource_type: ResourceType::Topic,
        resource_name: "t".to_owned(),
        pattern_type: PatternType::Literal,
        principal: "User:ANONYMOUS".to_owned(),
        host: "127.0.0.1".to_owned(),
        operation,
        permission: Permission::Allow,
    };
    controller.create_acls(vec![acl(Operation::Write), acl(Operation::Read)]).await.unwrap().unwrap();
    bench.append("t", 0, &batch(1, 10)).await;
    let first = bench.fetch(12, fetch_request(&[("t", 0, 0)]).with_session_epoch(0)).await;
    let session = first.session_id;
    assert_eq!((error_codes(&first), session != 0), (vec![0], true));
    let next = |epoch| fetch_request(&[]).with_session_id(session).with_session_epoch(epoch);
    assert_eq!(bench.fetch(12, next(1)).await.error_code, 0);
    let reading = AclFilter { operation: Some(Operation::Read), ..AclFilter::EVERYTHING };
    assert_eq!(controller.delete_acls(vec![reading]).await.unwrap()[0].as_ref().unwrap().len(), 1);
    assert_eq!(error_codes(&bench.fetch(12, next(2)).await), [29]);
    // And it goes on when the right is given back.
    controller.create_acls(vec![acl(Operation::Read)]).await.unwrap().unwrap();
    assert_eq!(error_codes(&bench.fetch(12, next(3)).await), [0]);
}
