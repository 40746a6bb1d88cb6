//! The frames that are sent too often for the codec, and the parts of their answers that a load client looks at.

use bytes::{Buf, BufMut, BytesMut, TryGetError};

const CLIENT_ID: &[u8] = b"barnabas-bench";
/// How long the broker may wait for replicas.
const PRODUCE_TIMEOUT_MS: i32 = 30_000;
/// Bytes of an aborted transaction in a Fetch answer.
const ABORTED_BYTES: usize = 16;

/// One partition in a Fetch request.
pub(super) struct Wanted {
    pub(super) partition: i32,
    pub(super) offset: i64,
}

/// One partition in a Fetch answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fetched<'a> {
    pub(super) partition: i32,
    pub(super) code: i16,
    pub(super) records: &'a [u8],
}

/// A request's header, with room for the length in front.
pub(super) fn begin(into: &mut BytesMut, key: i16, version: i16, correlation_id: i32, flexible: bool) {
    into.clear();
    into.put_i32(0);
    into.put_i16(key);
    into.put_i16(version);
    into.put_i32(correlation_id);
    put_string(into, CLIENT_ID);
    if flexible {
        into.put_u8(0); // no tags
    }
}

/// Puts the length of a frame of which `apart` bytes follow.
pub(super) fn end(frame: &mut BytesMut, apart: usize) {
    let length = i32::try_from(frame.len() - 4 + apart).unwrap_or(i32::MAX);
    if let Some(mut at) = frame.get_mut(..4) {
        at.put_i32(length);
    }
}

/// Produce v7 with one batch, of which everything but the batch itself is written.
pub(super) fn produce(into: &mut BytesMut, id: i32, acks: i16, (topic, partition): (&str, i32), batch_bytes: usize) {
    begin(into, 0, 7, id, false);
    into.put_i16(-1); // no transactional id
    into.put_i16(acks);
    into.put_i32(PRODUCE_TIMEOUT_MS);
    into.put_i32(1);
    put_string(into, topic.as_bytes());
    into.put_i32(1);
    into.put_i32(partition);
    into.put_i32(i32::try_from(batch_bytes).unwrap_or(i32::MAX));
    end(into, batch_bytes);
}

/// The error of a Produce v7 answer for one partition.
pub(super) fn produced(mut answer: &[u8]) -> Result<i16, TryGetError> {
    answer.try_get_i32()?; // one topic
    skip_string(&mut answer)?;
    answer.try_get_i32()?; // one partition
    answer.try_get_i32()?;
    answer.try_get_i16()
}

/// How much a Fetch may bring.
#[derive(Clone, Copy)]
pub(super) struct FetchSize {
    pub(super) wait_ms: i32,
    pub(super) bytes_max: i32,
    pub(super) partition_bytes_max: i32,
}

/// Fetch v11 without a session, from partitions of one topic.
pub(super) fn fetch(into: &mut BytesMut, id: i32, topic: &str, wanted: &[Wanted], size: FetchSize) {
    begin(into, 1, 11, id, false);
    into.put_i32(-1); // replica id
    into.put_i32(size.wait_ms);
    into.put_i32(1); // at least a byte
    into.put_i32(size.bytes_max);
    into.put_i8(0); // read uncommitted
    into.put_i32(0);
    into.put_i32(-1); // no session
    into.put_i32(1);
    put_string(into, topic.as_bytes());
    into.put_i32(i32::try_from(wanted.len()).unwrap_or(i32::MAX));
    for Wanted { partition, offset } in wanted {
        into.put_i32(*partition);
        into.put_i32(-1); // leader epoch unknown
        into.put_i64(*offset);
        into.put_i64(-1);
        into.put_i32(size.partition_bytes_max);
    }
    into.put_i32(0); // forgotten topics
    into.put_i16(0); // rack
    end(into, 0);
}

/// The partitions of a Fetch v11 answer, or its own error.
pub(super) fn fetched(mut answer: &[u8]) -> Result<Result<Vec<Fetched<'_>>, i16>, TryGetError> {
    answer.try_get_i32()?; // throttle time
    let code = answer.try_get_i16()?;
    if code != 0 {
        return Ok(Err(code));
    }
    answer.try_get_i32()?; // session
    let mut found = Vec::new();
    for _ in 0..answer.try_get_i32()? {
        skip_string(&mut answer)?;
        for _ in 0..answer.try_get_i32()? {
            found.push(fetched_partition(&mut answer)?);
        }
    }
    Ok(Ok(found))
}

fn fetched_partition<'a>(answer: &mut &'a [u8]) -> Result<Fetched<'a>, TryGetError> {
    let partition = answer.try_get_i32()?;
    let code = answer.try_get_i16()?;
    skip(answer, 3 * 8)?; // high watermark, last stable offset, log start
    let aborted = usize::try_from(answer.try_get_i32()?).unwrap_or(0);
    skip(answer, aborted.saturating_mul(ABORTED_BYTES))?;
    answer.try_get_i32()?; // preferred replica
    let length = usize::try_from(answer.try_get_i32()?).unwrap_or(0);
    let records = skip(answer, length)?;
    Ok(Fetched { partition, code, records })
}

fn put_string(into: &mut BytesMut, text: &[u8]) {
    into.put_i16(i16::try_from(text.len()).unwrap_or(i16::MAX));
    into.put_slice(text);
}

fn skip_string(answer: &mut &[u8]) -> Result<(), TryGetError> {
    let length = usize::try_from(answer.try_get_i16()?).unwrap_or(0);
    skip(answer, length).map(|_| ())
}

fn skip<'a>(answer: &mut &'a [u8], length: usize) -> Result<&'a [u8], TryGetError> {
    let (skipped, rest) =
        answer.split_at_checked(length).ok_or(TryGetError { requested: length, available: answer.len() })?;
    *answer = rest;
    Ok(skipped)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
    use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
    use kafka_protocol::messages::{
        FetchRequest, FetchResponse, ProduceRequest, ProduceResponse, RequestHeader, TopicName,
    };
    use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

    use super::*;

    fn name() -> TopicName {
        TopicName(StrBytes::from_static_str("load"))
    }

    /// The body of a frame, and whether its length is right.
    fn opened(frame: BytesMut) -> Bytes {
        let mut frame = frame.freeze();
        let length = usize::try_from(frame.get_i32()).unwrap();
        assert_eq!(length, frame.len());
        let header = RequestHeader::decode(&mut frame, 1).unwrap();
        assert_eq!(header.correlation_id, 9);
        assert_eq!(header.client_id.unwrap().as_bytes(), CLIENT_ID);
        frame
    }

    #[test]
    fn a_produce_frame_is_what_the_codec_reads() {
        let mut frame = BytesMut::new();
        produce(&mut frame, 9, -1, ("load", 3), 5);
        frame.extend_from_slice(b"batch");
        let mut body = opened(frame);
        let request = ProduceRequest::decode(&mut body, 7).unwrap();
        assert!(body.is_empty());
        let data = &request.topic_data[0];
        assert_eq!((request.acks, &data.name), (-1, &name()));
        assert_eq!(data.partition_data[0].index, 3);
        assert_eq!(data.partition_data[0].records.as_deref(), Some(&b"batch"[..]));
    }

    #[test]
    fn a_fetch_frame_is_what_the_codec_reads() {
        let mut frame = BytesMut::new();
        let wanted = [Wanted { partition: 1, offset: 10 }, Wanted { partition: 2, offset: 20 }];
        let size = FetchSize { wait_ms: 7, bytes_max: 8, partition_bytes_max: 99 };
        fetch(&mut frame, 9, "load", &wanted, size);
        let mut body = opened(frame);
        let request = FetchRequest::decode(&mut body, 11).unwrap();
        assert!(body.is_empty());
        assert_eq!((request.max_wait_ms, request.max_bytes), (7, 8));
        let partitions: Vec<_> =
            request.topics[0].partitions.iter().map(|at| (at.partition, at.fetch_offset)).collect();
        assert_eq!(partitions, [(1, 10), (2, 20)]);
    }

    #[test]
    fn an_answer_to_produce_says_its_error() {
        let partition = PartitionProduceResponse::default().with_index(3).with_error_code(6);
        let topic = TopicProduceResponse::default().with_name(name()).with_partition_responses(vec![partition]);
        let mut answer = BytesMut::new();
        ProduceResponse::default().with_responses(vec![topic]).encode(&mut answer, 7).unwrap();
        assert_eq!(produced(&answer), Ok(6));
        assert!(produced(&answer[..12]).is_err());
    }

    #[test]
    fn an_answer_to_fetch_gives_each_partition_its_records() {
        let partition = |index, records: &'static [u8]| {
            PartitionData::default().with_partition_index(index).with_records(Some(Bytes::from_static(records)))
        };
        let topic = FetchableTopicResponse::default()
            .with_topic(name())
            .with_partitions(vec![partition(1, b"one"), partition(2, b"")]);
        let mut answer = BytesMut::new();
        FetchResponse::default().with_responses(vec![topic]).encode(&mut answer, 11).unwrap();
        let found = fetched(&answer).unwrap().unwrap();
        assert_eq!(found[0], Fetched { partition: 1, code: 0, records: b"one" });
        assert_eq!(found[1], Fetched { partition: 2, code: 0, records: b"" });
        for cut in 0..answer.len() {
            assert!(fetched(&answer[..cut]).is_err(), "{cut} of {} bytes", answer.len());
        }
    }
}
