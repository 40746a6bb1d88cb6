//! Random requests and a crash: what was answered is there after the reload.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Join {
        fresh: bool,
    },
    Sync {
        member: u8,
    },
    Offset {
        topic: u8,
    },
    Leave {
        member: u8,
    },
    /// This many of the appended records are committed.
    Commit {
        records: u8,
    },
    Pass {
        seconds: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any::<bool>().prop_map(|fresh| Step::Join { fresh }),
        4 => (0..4_u8).prop_map(|member| Step::Sync { member }),
        4 => (0..3_u8).prop_map(|topic| Step::Offset { topic }),
        1 => (0..4_u8).prop_map(|member| Step::Leave { member }),
        4 => (1..4_u8).prop_map(|records| Step::Commit { records }),
        3 => (0..4_u8).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// What clients were told, and the requests that are still out.
#[derive(Default)]
struct Clients {
    names: u32,
    members: Vec<(String, i32)>,
    joins: Vec<oneshot::Receiver<JoinAnswer>>,
    syncs: Vec<(String, i32, oneshot::Receiver<SyncAnswer>)>,
    commits: Vec<(String, i64, CommitAnswer)>,
    /// The largest offset that was answered, by topic. Offsets only grow in this test.
    acknowledged: BTreeMap<String, i64>,
    /// The newest generation whose assignment a member was told.
    told: Option<(String, i32, Bytes)>,
    next_offset: i64,
}

impl Clients {
    fn step(&mut self, bench: &mut Bench, step: &Step) {
        match step {
            Step::Join { fresh } => {
                self.names += 1;
                let known = self.members.last().map(|(member, _)| member.clone()).unwrap_or_default();
                let member = if *fresh { String::new() } else { known };
                self.joins.push(bench.join(&member, &format!("m{}", self.names)));
            }
            Step::Sync { member } => {
                let Some((member, generation)) = self.member(*member) else { return };
                let part = format!("{member}@{generation}");
                let parts: Vec<_> = self.members.iter().map(|(member, _)| (member.as_str(), part.as_str())).collect();
                let answer = bench.sync(&member, generation, &parts);
                self.syncs.push((member, generation, answer));
            }
            Step::Offset { topic } => {
                let (member, generation) = self.members.last().cloned().unwrap_or((String::new(), -1));
                self.next_offset += 1;
                let topic = format!("t{topic}");
                if let Ok(Some(answer)) = bench.offsets(&member, generation, &[(&topic, self.next_offset)]) {
                    self.commits.push((topic, self.next_offset, answer));
                }
            }
            Step::Leave { member } => {
                let Some((member, _)) = self.member(*member) else { return };
                let leaving = LeavingMember { member_id: MemberId::from(member), instance: None };
                drop(bench.shard.leave(&group(), &[leaving], bench.now));
            }
            Step::Commit { records } => {
                let front = bench.shard.attention().commit;
                let Some(front) = front else { return };
                let last = Offset((front.0 + i64::from(*records)).min(bench.log.last().0));
                bench.shard.committed(last, bench.now);
            }
            Step::Pass { seconds } => bench.pass(Duration::from_secs(u64::from(*seconds))),
        }
        self.hear();
    }

    fn member(&self, index: u8) -> Option<(String, i32)> {
        self.members.iter().rev().nth(usize::from(index)).cloned()
    }

    fn hear(&mut self) {
        let members = &mut self.members;
        self.joins.retain_mut(|answer| match answer.try_recv() {
            Ok(Ok(joined)) => {
                members.retain(|(member, _)| member != joined.member_id.as_str());
                members.push((joined.member_id.to_string(), joined.generation));
                false
            }
            Ok(Err(_)) | Err(TryRecvError::Closed) => false,
            Err(TryRecvError::Empty) => true,
        });
        let told = &mut self.told;
        self.syncs.retain_mut(|(member, generation, answer)| match answer.try_recv() {
            Ok(Ok(synced)) => {
                if told.as_ref().is_none_or(|(_, newest, _)| *generation >= *newest) {
                    *told = Some((member.clone(), *generation, synced.assignment));
                }
                false
            }
            Ok(Err(_)) | Err(TryRecvError::Closed) => false,
            Err(TryRecvError::Empty) => true,
        });
        let acknowledged = &mut self.acknowledged;
        self.commits.retain_mut(|(topic, offset, answer)| match answer.try_recv() {
            Ok(Ok(())) => {
                acknowledged.insert(topic.clone(), *offset);
                false
            }
            Ok(Err(_)) | Err(TryRecvError::Closed) => false,
            Err(TryRecvError::Empty) => true,
        });
    }

    /// After a crash that kept everything that was committed, and perhaps more.
    fn check(&self, again: &Bench) {
        for (topic, offset) in &self.acknowledged {
            let found = again.fetched(topic);
            assert!(found >= Some(*offset), "{topic}: {offset} was acknowledged, {found:?} came back");
        }
        let Some((member, generation, assignment)) = &self.told else { return };
        let group = &again.shard.groups[&group()];
        assert!(group.generation() >= *generation, "generation {generation} was told");
        if group.generation() == *generation {
            let mut synced = again.crash(again.log.records().len()).sync(member, *generation, &[]);
            assert_eq!(synced.try_recv().unwrap().unwrap().assignment, *assignment);
        }
    }
}

fn config() -> ProptestConfig {
    let more = ProptestConfig::default().cases.max(256);
    ProptestConfig { cases: more, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_was_answered_survives_a_crash(steps in proptest::collection::vec(step(), 1..80), lost in 0..4_usize) {
        let mut bench = Bench::new();
        let mut clients = Clients::default();
        for step in &steps {
            clients.step(&mut bench, step);
        }
        let appended = bench.log.records().len();
        let committed = bench.shard.attention().commit.map_or(appended, |first| usize::try_from(first.0).unwrap());
        let kept = appended.saturating_sub(lost).max(committed);
        clients.check(&bench.crash(kept));
    }
}
