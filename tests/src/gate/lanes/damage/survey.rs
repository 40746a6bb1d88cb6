//! What a broker serves, as the client's command `survey` tells it, and how it compares with what was acknowledged.

use std::collections::BTreeMap;

/// A topic and a partition.
pub(super) type Partition = (String, u32);

/// What was told of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    extent: Option<(i64, i64)>,
    /// Base offset, last offset, hash of the batch's bytes.
    batches: Vec<(i64, i64, String)>,
    retry: Option<i64>,
    error: Option<String>,
}

/// Everything that was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Survey {
    pub(super) partitions: BTreeMap<Partition, Told>,
    commits: BTreeMap<Partition, i64>,
    uncommitted: Option<String>,
}

/// How a damaged directory is served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Served {
    /// Partitions of which something is refused.
    pub(super) refused: Vec<Partition>,
    /// Partitions that end early; only behind a repair.
    pub(super) shortened: Vec<Partition>,
    /// The group's offsets are refused.
    pub(super) group_refused: bool,
}

impl Served {
    /// Everything is there.
    pub(super) fn is_whole(&self) -> bool {
        self.refused.is_empty() && self.shortened.is_empty() && !self.group_refused
    }
}

impl Survey {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut survey = Self::default();
        for line in text.lines() {
            let (kind, rest) = line.split_once(' ')?;
            if kind == "uncommitted" {
                survey.uncommitted = Some(rest.to_owned());
                continue;
            }
            let mut words = rest.splitn(4, ' ');
            let partition = (words.next()?.to_owned(), words.next()?.parse().ok()?);
            let number: i64 = words.next()?.parse().ok()?;
            if kind == "commit" {
                survey.commits.insert(partition, number);
                continue;
            }
            let told = survey.partitions.entry(partition).or_default();
            match kind {
                "extent" => told.extent = Some((number, words.next()?.parse().ok()?)),
                "batch" => {
                    let (last, hash) = words.next()?.split_once(' ')?;
                    told.batches.push((number, last.parse().ok()?, hash.to_owned()));
                }
                "retry" => told.retry = Some(number),
                "error" => told.error = Some(format!("at {number}: {}", words.next()?)),
                _ => return None,
            }
        }
        Some(survey)
    }

    /// True when nothing was refused, and every record of a history (`ok PARTITION OFFSET ...` behind a time) is in a batch.
    pub(super) fn holds(&self, topic: &str, history: &str) -> Result<usize, String> {
        let mut count = 0;
        for line in history.lines() {
            let mut words = line.split(' ').skip(1);
            let (Some("ok"), Some(partition), Some(offset)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let (partition, offset): (u32, i64) = match (partition.parse(), offset.parse()) {
                (Ok(partition), Ok(offset)) => (partition, offset),
                _ => return Err(format!("a line that does not parse: {line}")),
            };
            let told = self.partitions.get(&(topic.to_owned(), partition));
            let there = told.is_some_and(|told| {
                told.extent.is_some_and(|(start, _)| offset < start)
                    || told.batches.iter().any(|(base, last, _)| (*base..=*last).contains(&offset))
            });
            if !there {
                return Err(format!("{topic}-{partition}: offset {offset} was acknowledged and is not served"));
            }
            count += 1;
        }
        Ok(count)
    }

    /// What was refused, though nothing is damaged.
    pub(super) fn complaints(&self) -> Vec<String> {
        let errors = self
            .partitions
            .iter()
            .filter_map(|((topic, index), told)| told.error.as_ref().map(|error| format!("{topic}-{index} {error}")));
        errors.chain(self.uncommitted.iter().map(|error| format!("offsets: {error}"))).collect()
    }

    /// Compares what is served of a damaged directory with this, what was served of the whole one. `cut_openly`: a repair
    /// has cut logs, and its plan said so.
    pub(super) fn judge(&self, seen: &Self, cut_openly: bool) -> Result<Served, String> {
        let mut served = Served::default();
        for (partition, truth) in &self.partitions {
            let name = format!("{}-{}", partition.0, partition.1);
            let Some(told) = seen.partitions.get(partition) else { return Err(format!("{name}: nothing was told")) };
            if judge_one(truth, told, cut_openly, &mut served, partition).map_err(|why| format!("{name}: {why}"))? {
                continue;
            }
        }
        let offsets = |topic: &str| topic == "__consumer_offsets";
        let log_refused = |of: &[Partition]| of.iter().any(|(topic, _)| offsets(topic));
        match &seen.uncommitted {
            Some(_) if log_refused(&served.refused) => served.group_refused = true,
            Some(error) => return Err(format!("committed offsets are refused with {error}, their log is not")),
            None if seen.commits == self.commits => {}
            None if log_refused(&served.shortened) => {}
            None => return Err(format!("committed offsets are {:?}, were {:?}", seen.commits, self.commits)),
        }
        Ok(served)
    }
}

/// False when something of it is refused or cut.
fn judge_one(
    truth: &Told,
    told: &Told,
    cut_openly: bool,
    served: &mut Served,
    partition: &Partition,
) -> Result<bool, String> {
    // A repair may let a log begin later.
    let same = |batch: &&(i64, i64, String)| Some(*batch) == told.batches.first();
    let skip = if cut_openly { truth.batches.iter().take_while(|batch| !same(batch)).count() } else { 0 };
    for (at, batch) in told.batches.iter().enumerate() {
        let written = truth.batches.get(at + skip);
        if written != Some(batch) {
            return Err(format!("WRONG DATA: batch {batch:?} is served where {written:?} was written"));
        }
    }
    if let Some(error) = &told.error {
        served.refused.push(partition.clone());
        if !error.contains("KAFKA_STORAGE_ERROR") && !error.contains("LEADER_NOT_AVAILABLE") {
            return Err(format!("refused with another error than a storage error: {error}"));
        }
        return Ok(false);
    }
    if told.batches.len() < truth.batches.len() {
        if cut_openly {
            served.shortened.push(partition.clone());
            return Ok(false);
        }
        return Err(format!("CUT SILENTLY: it is served with extent {:?}, was {:?}", told.extent, truth.extent));
    }
    if told.extent != truth.extent {
        return Err(format!("its extent is {:?}, was {:?}", told.extent, truth.extent));
    }
    if told.retry != truth.retry {
        return Err(format!("A DUPLICATE: a retry is answered with {:?}, was {:?}", told.retry, truth.retry));
    }
    Ok(true)
}
