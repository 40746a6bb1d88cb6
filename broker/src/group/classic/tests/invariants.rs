//! Random events against the invariants of the machine.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::group::schema::GroupMetadataValue;

#[derive(Clone, Debug)]
enum Event {
    Join { member: Option<u8>, instance: Option<u8>, protocols: u8, v4: bool },
    Sync { member: u8, generation_off: bool },
    Heartbeat { member: u8 },
    Commit { member: u8 },
    Leave { member: u8 },
    LeaveInstance { instance: u8 },
    Fire { which: u8 },
    Stored { ok: bool },
}

fn event() -> impl Strategy<Value = Event> {
    let member = 0..12_u8;
    prop_oneof![
        4 => (proptest::option::of(member.clone()), proptest::option::of(0..3_u8), 0..4_u8, any::<bool>())
            .prop_map(|(member, instance, protocols, v4)| Event::Join { member, instance, protocols, v4 }),
        4 => (member.clone(), prop::bool::weighted(0.1))
            .prop_map(|(member, generation_off)| Event::Sync { member, generation_off }),
        1 => member.clone().prop_map(|member| Event::Heartbeat { member }),
        1 => member.clone().prop_map(|member| Event::Commit { member }),
        1 => member.prop_map(|member| Event::Leave { member }),
        1 => (0..3_u8).prop_map(|instance| Event::LeaveInstance { instance }),
        3 => (0..8_u8).prop_map(|which| Event::Fire { which }),
        3 => prop::bool::weighted(0.8).prop_map(|ok| Event::Stored { ok }),
    ]
}

/// A group under random events, with what the world outside knows of it.
struct World {
    group: ClassicGroup,
    settings: GroupSettings,
    now: Now,
    next: u64,
    /// Ids in the order in which they were given out.
    ids: Vec<MemberId>,
    instances: BTreeMap<MemberId, InstanceId>,
    waiting: BTreeSet<Ticket>,
    stores: VecDeque<Store>,
    timers: BTreeMap<GroupTimer, Duration>,
    /// Assignments that are durable, by generation and member.
    durable: BTreeSet<(i32, MemberId, Bytes)>,
}

impl World {
    fn new() -> Self {
        let script = Script::new();
        Self {
            group: script.group,
            settings: GroupSettings { max_size: 6, ..script.settings },
            now: script.now,
            next: 0,
            ids: Vec::new(),
            instances: BTreeMap::new(),
            waiting: BTreeSet::new(),
            stores: VecDeque::new(),
            timers: BTreeMap::new(),
            durable: BTreeSet::new(),
        }
    }

    fn id(&self, index: u8) -> MemberId {
        let newest = self.ids.len().saturating_sub(1 + usize::from(index));
        self.ids.get(newest).cloned().unwrap_or_else(|| MemberId::from("nobody"))
    }

    fn ticket(&mut self) -> Ticket {
        self.next += 1;
        self.waiting.insert(Ticket(self.next));
        Ticket(self.next)
    }

    fn step(&mut self, event: &Event) {
        let before = self.group.generation;
        let settings = self.settings.clone();
        let mut turn = Turn::new(self.now, &settings);
        match event {
            Event::Join { member, instance, protocols, v4 } => {
                let ticket = self.ticket();
                let request = self.join_request(*member, *instance, *protocols, *v4, ticket);
                self.group.join(&request, ticket, &mut turn);
            }
            Event::Sync { member, generation_off } => {
                let ticket = self.ticket();
                let member_id = self.id(*member);
                let request = SyncRequest {
                    instance: None,
                    generation: self.group.generation + i32::from(*generation_off),
                    protocol_type: None,
                    protocol: None,
                    assignments: self.ids.iter().map(|id| (id.clone(), part_of(id, self.group.generation))).collect(),
                    member_id,
                };
                self.group.sync(&request, ticket, &mut turn);
            }
            Event::Heartbeat { member } => {
                let _ = self.group.heartbeat(&self.id(*member), None, before, &mut turn);
            }
            Event::Commit { member } => {
                let identity = CommitIdentity { member_id: self.id(*member), instance: None, generation: before };
                let _ = self.group.check_commit(&identity, &mut turn);
            }
            Event::Leave { member } => {
                let ticket = self.ticket();
                let leaving = LeavingMember { member_id: self.id(*member), instance: None };
                self.group.leave(&[leaving], ticket, &mut turn);
            }
            Event::LeaveInstance { instance } => {
                let ticket = self.ticket();
                let instance = Some(InstanceId::from(instance.to_string()));
                self.group.leave(&[LeavingMember { member_id: MemberId::unknown(), instance }], ticket, &mut turn);
            }
            Event::Fire { which } => {
                let timers: Vec<_> = self.timers.keys().cloned().collect();
                if let Some(timer) = timers.get(usize::from(*which) % timers.len().max(1)) {
                    self.now.monotonic = self.now.monotonic.max(self.timers[timer]);
                    turn.now = self.now;
                    self.timers.remove(timer);
                    self.group.timer_fired(timer, &mut turn);
                }
            }
            Event::Stored { ok } => self.end_store(*ok, &mut turn),
        }
        let effects = std::mem::take(&mut turn.effects);
        self.take(effects);
        self.check(before);
    }

    fn join_request(
        &self,
        member: Option<u8>,
        instance: Option<u8>,
        protocols: u8,
        v4: bool,
        ticket: Ticket,
    ) -> JoinRequest {
        let member_id = member.map_or_else(MemberId::unknown, |member| self.id(member));
        let instance = match member {
            Some(_) => self.instances.get(&member_id).cloned(),
            None => instance.map(|instance| InstanceId::from(instance.to_string())),
        };
        let offered: &[&str] = match protocols {
            0 => &["range"],
            1 => &["range", "sticky"],
            2 => &["sticky", "range"],
            _ => &["sticky"],
        };
        let offer = |name: &&str| Protocol { name: Arc::from(*name), metadata: Bytes::new() };
        JoinRequest {
            member_id,
            new_member_id: MemberId::from(format!("m{}", ticket.0)),
            instance,
            client_id: Arc::from("c"),
            client_host: Arc::from("/h"),
            session_timeout_ms: 10_000,
            rebalance_timeout_ms: 30_000,
            protocol_type: Arc::from("test"),
            protocols: Protocols::new(offered.iter().map(offer).collect()),
            requires_member_id: v4,
            may_skip_assignment: true,
        }
    }

    fn end_store(&mut self, ok: bool, turn: &mut Turn<'_>) {
        let Some(store) = self.stores.pop_front() else { return };
        if ok {
            let generation = store.value.generation;
            let parts = store.value.members.iter().map(|one| (generation, one.id.clone(), one.assignment.clone()));
            self.durable.extend(parts);
        }
        let outcome = if ok { Ok(()) } else { Err(GroupError::CoordinatorNotAvailable) };
        self.group.stored(store.purpose, outcome, turn);
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Join(ticket, answer) => {
                    assert!(self.waiting.remove(&ticket), "{ticket:?} answered twice");
                    let id = answer.map_or_else(|refused| refused.member_id, |joined| joined.member_id);
                    if !id.is_unknown() && !self.ids.contains(&id) {
                        self.ids.push(id);
                    }
                }
                Effect::Sync(ticket, answer) => {
                    assert!(self.waiting.remove(&ticket), "{ticket:?} answered twice");
                    if let Ok(synced) = answer {
                        let generation = self.group.generation;
                        let told = |part: &(i32, MemberId, Bytes)| part.0 == generation && part.2 == synced.assignment;
                        assert!(self.durable.iter().any(told), "an assignment was told before it was durable");
                    }
                }
                Effect::Leave(ticket, _) => assert!(self.waiting.remove(&ticket), "{ticket:?} answered twice"),
                Effect::Store(store) => self.stores.push_back(*store),
                Effect::SetTimer(timer, due) => {
                    self.timers.insert(timer, due);
                }
                Effect::CancelTimer(timer) => {
                    self.timers.remove(&timer);
                }
            }
        }
    }

    fn check(&mut self, generation_before: i32) {
        let group = &self.group;
        self.instances = group.static_members.iter().map(|(instance, id)| (id.clone(), instance.clone())).collect();
        assert!(group.generation >= generation_before, "the generation went back");
        let parked: BTreeSet<Ticket> = group.joining.values().chain(group.syncing.values()).copied().collect();
        let in_stores = self.stores.iter().filter_map(|store| match &store.purpose {
            Purpose::Emptied(Some((ticket, _))) => Some(*ticket),
            Purpose::Emptied(None) | Purpose::Assignment { .. } | Purpose::StaticMember(_) => None,
        });
        let kept: BTreeSet<Ticket> = parked.into_iter().chain(in_stores).collect();
        assert_eq!(self.waiting, kept, "a request is lost");
        for id in group.joining.keys().chain(group.syncing.keys()).chain(&group.pending_syncs) {
            assert!(group.members.contains_key(id), "{id} is parked but no member");
        }
        for (id, member) in &group.members {
            assert_eq!(member.instance.is_some(), self.instances.contains_key(id), "{id}");
            let waits_for_answer = group.joining.contains_key(id) || group.syncing.contains_key(id);
            let timed = self.timers.contains_key(&GroupTimer::Session(id.clone()));
            assert!(timed || waits_for_answer, "{id} would stay for ever");
        }
        for id in &group.pending_joins {
            assert!(self.timers.contains_key(&GroupTimer::Session(id.clone())), "pending {id} would stay for ever");
        }
        self.check_state();
    }

    fn check_state(&self) {
        let group = &self.group;
        match group.state {
            State::Empty => assert!(group.members.is_empty() && group.joining.is_empty()),
            State::PreparingRebalance => {
                assert!(self.timers.contains_key(&GroupTimer::Join), "the join phase would never end");
                assert!(group.syncing.is_empty());
            }
            State::CompletingRebalance => {
                assert!(group.joining.is_empty());
                assert!(group.leader.as_ref().is_some_and(|leader| group.members.contains_key(leader)));
                let assigning = |store: &Store| matches!(store.purpose, Purpose::Assignment { .. });
                let waits = self.timers.contains_key(&GroupTimer::Sync) || self.stores.iter().any(assigning);
                assert!(waits, "the assignment would be awaited for ever");
            }
            State::Stable => {
                assert!(group.syncing.is_empty());
                let assigned = |id: &MemberId| {
                    self.durable.iter().any(|(generation, member, _)| *generation == group.generation && member == id)
                };
                let rejoining: Vec<_> = group.joining.keys().collect();
                for id in group.members.keys().filter(|id| !rejoining.contains(id)) {
                    assert!(assigned(id) || self.instances.contains_key(id), "{id} has no durable assignment");
                }
            }
            State::Dead => panic!("nobody retired it"),
        }
    }
}

fn part_of(member: &MemberId, generation: i32) -> Bytes {
    Bytes::from(format!("{member}@{generation}"))
}

/// More cases by PROPTEST_CASES. A case that fails becomes a transcript with a name.
fn config() -> ProptestConfig {
    let more = ProptestConfig::default().cases.max(256);
    ProptestConfig { cases: more, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_events_keep_the_invariants(events in proptest::collection::vec(event(), 1..120)) {
        let mut world = World::new();
        for event in &events {
            world.step(event);
        }
    }

    #[test]
    fn a_stored_generation_comes_back_as_it_was(events in proptest::collection::vec(event(), 1..80)) {
        let mut world = World::new();
        for event in &events {
            world.step(event);
            if world.group.state == State::Stable && world.group.joining.is_empty() {
                let value = world.group.to_value();
                let bytes = value.encode().unwrap();
                let read = GroupMetadataValue::decode(&bytes).unwrap();
                let again = ClassicGroup::from_value(GroupId::from("g"), read, world.now);
                prop_assert_eq!(again.to_value(), value);
                prop_assert_eq!(again.state, State::Stable);
            }
        }
    }
}
