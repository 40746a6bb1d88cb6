//! OffsetCommit and OffsetFetch 10, written by hand from Kafka's schema: the codec does not write them.

use uuid::Uuid;

/// Partitions of a topic, each with the metadata that is committed.
pub(crate) type Commits<'a> = (Uuid, &'a [(i32, Option<&'a str>)]);

/// Partitions of a topic that are asked for.
pub(crate) type Fetches<'a> = (Uuid, &'a [i32]);

/// The body of an OffsetCommit. Offset 40 goes to partition 0, 41 to 1, and so on, all of epoch 3.
pub(crate) fn commit(group: &str, generation: i32, member: &str, topics: &[Commits<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    text(&mut body, Some(group));
    body.extend(generation.to_be_bytes());
    text(&mut body, Some(member));
    text(&mut body, None);
    count(&mut body, topics.len());
    for (id, partitions) in topics {
        body.extend(id.as_bytes());
        count(&mut body, partitions.len());
        for (index, metadata) in *partitions {
            body.extend(index.to_be_bytes());
            body.extend((40 + i64::from(*index)).to_be_bytes());
            body.extend(3_i32.to_be_bytes());
            text(&mut body, *metadata);
            body.push(0);
        }
        body.push(0);
    }
    body.push(0);
    body
}

/// The body of an OffsetFetch.
pub(crate) fn fetch(groups: &[(&str, Option<&[Fetches<'_>]>)], require_stable: bool) -> Vec<u8> {
    let mut body = Vec::new();
    count(&mut body, groups.len());
    for (group, topics) in groups {
        text(&mut body, Some(group));
        text(&mut body, None);
        body.extend((-1_i32).to_be_bytes());
        match topics {
            Some(topics) => count(&mut body, topics.len()),
            None => body.push(0),
        }
        for (id, partitions) in topics.unwrap_or_default() {
            body.extend(id.as_bytes());
            count(&mut body, partitions.len());
            body.extend(partitions.iter().flat_map(|index| index.to_be_bytes()));
            body.push(0);
        }
        body.push(0);
    }
    body.extend([u8::from(require_stable), 0]);
    body
}

/// The body of a ListOffsets 11 that asks for one partition.
pub(crate) fn list_offsets(topic: &str, timestamp: i64) -> Vec<u8> {
    let mut body = (-1_i32).to_be_bytes().to_vec();
    body.push(0);
    count(&mut body, 1);
    text(&mut body, Some(topic));
    count(&mut body, 1);
    body.extend(0_i32.to_be_bytes());
    body.extend((-1_i32).to_be_bytes());
    body.extend(timestamp.to_be_bytes());
    body.extend([0, 0]);
    body.extend(1000_i32.to_be_bytes());
    body.push(0);
    body
}

/// A compact length.
fn count(body: &mut Vec<u8>, count: usize) {
    let mut left = count + 1;
    while left >= 0x80 {
        body.push(left.to_le_bytes()[0] | 0x80);
        left >>= 7;
    }
    body.push(left.to_le_bytes()[0]);
}

fn text(body: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => {
            count(body, text.len());
            body.extend(text.as_bytes());
        }
        None => body.push(0),
    }
}
