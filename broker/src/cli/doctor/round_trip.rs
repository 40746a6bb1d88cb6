//! A record that is written and read back.

use barnabas_storage::PartitionIndex;
use barnabas_storage::batch::{BatchBuilder, batches};
use barnabas_storage::seam::Seams;

use super::examine::Check;
use crate::cli::failure::with_causes;
use crate::client::{CallError, Cluster, code};
use crate::group::offsets::TopicPartition;

/// How long the record may take until it can be read, in milliseconds.
const WAIT_MS: i32 = 5000;

/// Writes a record to the topic's first partition and reads it back.
pub(super) async fn check(topic: &str, cluster: &mut Cluster) -> Check {
    let clock = Seams::system().clock;
    let started = clock.monotonic();
    let place = format!("{topic}-0");
    match there_and_back(topic, cluster).await {
        Ok(offset) => {
            let took = clock.monotonic().saturating_sub(started).as_millis();
            Check::well("round-trip", &place, "round-trip", format!("offset {offset} was read back after {took} ms"))
        }
        Err((cause, next)) => Check::finding("round-trip", &place, "round-trip", cause, next),
    }
}

async fn there_and_back(topic: &str, cluster: &mut Cluster) -> Result<i64, (String, String)> {
    let at = TopicPartition { topic: topic.into(), partition: PartitionIndex(0) };
    let broken = |error: CallError| (with_causes(&error), "see the broker's log".to_owned());
    let refused = |act: &str, code: i16, said: Option<String>| {
        let next = match code {
            3 => format!("barnabas topics create {topic}"),
            _ => format!("barnabas topics describe {topic}"),
        };
        (format!("{act}: {} {}", code::name(code), said.unwrap_or_default()).trim().to_owned(), next)
    };
    let leader = cluster.leaders([&at]).await.map_err(broken)?.remove(&at).unwrap_or(Err(3));
    let leader = leader.map_err(|code| refused("find the leader", code, None))?;
    let seams = Seams::system();
    let value = format!("barnabas doctor {}", seams.rng.uuid());
    let batch = BatchBuilder::new().record(seams.clock.now(), None, Some(value.as_bytes())).build();
    let written = cluster.produce(&at, leader, -1, batch).await.map_err(broken)?;
    let offset = written.map_err(|(code, said)| refused("write a record", code, said))?;
    let fetched = cluster.fetch(leader, &[(at.clone(), offset)], WAIT_MS).await.map_err(broken)?.remove(&at);
    let bytes = fetched.unwrap_or(Err(-1)).map_err(|code| refused("read the record", code, None))?;
    let mut records = batches(bytes).filter_map(Result::ok).filter_map(|batch| batch.records().ok()).flatten();
    let is_back = records.any(|record| record.is_ok_and(|record| record.value.as_deref() == Some(value.as_bytes())));
    if is_back {
        Ok(offset)
    } else {
        let cause = format!("the record at offset {offset} was acknowledged, but not read back");
        Err((cause, format!("barnabas topics describe {topic}")))
    }
}
