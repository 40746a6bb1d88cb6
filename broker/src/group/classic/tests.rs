//! Transcripts: commands in, effects out. One line `> command` is a turn; the lines after it are what must come of it.
//!
//! Commands: `join T member=.. new=.. instance=.. protocols=a,b session=.. rebalance=.. type=.. v4 v9`, `sync T member
//! generation [member=assignment ..]`, `heartbeat member generation`, `leave T member ..`, `commit member generation`,
//! `timer join|sync|session:member`, `stored ok|ERROR` (for the oldest store), `at seconds`, `size n`, `retire`.

use std::collections::VecDeque;
use std::fmt::Write as _;

use super::*;
use crate::group::settings::GroupSettings;

mod cells;
mod generations;
mod invariants;
mod membership;
mod statics;

struct Script {
    group: ClassicGroup,
    now: Now,
    settings: GroupSettings,
    stores: VecDeque<Store>,
}

/// Plays a transcript and compares; the first difference shows both sides.
fn play(script: &str) {
    Script::new().play(script);
}

impl Script {
    fn new() -> Self {
        let now = Now { monotonic: Duration::ZERO, wall: Timestamp(0) };
        Self {
            group: ClassicGroup::new(GroupId::from("g"), now),
            now,
            settings: GroupSettings::default(),
            stores: VecDeque::new(),
        }
    }

    fn play(&mut self, script: &str) -> &mut Self {
        let mut actual = String::new();
        for line in script.lines().map(str::trim).filter(|line| line.starts_with('>')) {
            writeln!(actual, "{line}").unwrap();
            for effect in self.run(line.trim_start_matches('>').trim()) {
                writeln!(actual, "  {effect}").unwrap();
            }
        }
        let normal =
            |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        assert_eq!(normal(&actual), normal(script), "\nactual:\n{actual}");
        self
    }

    fn run(&mut self, command: &str) -> Vec<String> {
        let mut words = command.split_whitespace();
        let verb = words.next().unwrap_or_default();
        let words: Vec<&str> = words.collect();
        let settings = self.settings.clone();
        let mut turn = Turn::new(self.now, &settings);
        let mut lines = Vec::new();
        match verb {
            "at" => {
                let seconds = words[0].parse().unwrap();
                self.now.monotonic = Duration::from_secs(seconds);
                self.now.wall = Timestamp(i64::try_from(seconds * 1000).unwrap());
            }
            "size" => self.settings.max_size = words[0].parse().unwrap(),
            "join" => self.group.join(&join_request(&words), ticket(words[0]), &mut turn),
            "sync" => self.group.sync(&sync_request(&words), ticket(words[0]), &mut turn),
            "heartbeat" => {
                let instance = option(&words, "instance").map(InstanceId::from);
                let member = MemberId::from(words[0]);
                let outcome = self.group.heartbeat(&member, instance.as_ref(), words[1].parse().unwrap(), &mut turn);
                lines.push(outcome.map_or_else(|error| format!("{error:?}"), |()| "ok".to_owned()));
            }
            "commit" => {
                let identity = CommitIdentity {
                    member_id: MemberId::from(if words[0] == "-" { "" } else { words[0] }),
                    instance: option(&words, "instance").map(InstanceId::from),
                    generation: words[1].parse().unwrap(),
                };
                let outcome = self.group.check_commit(&identity, &mut turn);
                lines.push(outcome.map_or_else(|error| format!("{error:?}"), |()| "ok".to_owned()));
            }
            "leave" => {
                let members: Vec<_> = words[1..].iter().map(|word| leaving(word)).collect();
                self.group.leave(&members, ticket(words[0]), &mut turn);
            }
            "timer" => self.group.timer_fired(&timer(words[0]), &mut turn),
            "stored" => {
                let store = self.stores.pop_front().expect("a store to be over");
                let outcome = match words[0] {
                    "ok" => Ok(()),
                    "NotCoordinator" => Err(GroupError::NotCoordinator),
                    other => panic!("stored {other}"),
                };
                self.group.stored(store.purpose, outcome, &mut turn);
            }
            "retire" => self.group.retire(&mut turn),
            other => panic!("no command {other}"),
        }
        lines.extend(turn.effects.iter().filter_map(|effect| show(effect, self.now)));
        for effect in turn.effects {
            if let Effect::Store(store) = effect {
                self.stores.push_back(*store);
            }
        }
        if !matches!(verb, "at" | "size") {
            lines.push(format!("{:?} generation {}", self.group.state, self.group.generation));
        }
        lines
    }
}

fn ticket(word: &str) -> Ticket {
    Ticket(word.parse().unwrap())
}

fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// `join T [member=id] [new=id] ...`: a first join unless `member` is given.
fn join_request(words: &[&str]) -> JoinRequest {
    let protocols = option(words, "protocols").unwrap_or("range");
    let protocol = |text: &str| match text.split_once(':') {
        Some((name, metadata)) => {
            Protocol { name: Arc::from(name), metadata: Bytes::copy_from_slice(metadata.as_bytes()) }
        }
        None => Protocol { name: Arc::from(text), metadata: Bytes::new() },
    };
    let names: Vec<_> = protocols.split(',').filter(|name| !name.is_empty()).map(protocol).collect();
    JoinRequest {
        member_id: MemberId::from(option(words, "member").unwrap_or("")),
        new_member_id: MemberId::from(option(words, "new").unwrap_or("")),
        instance: option(words, "instance").map(InstanceId::from),
        client_id: Arc::from("client"),
        client_host: Arc::from("/127.0.0.1"),
        session_timeout_ms: option(words, "session").map_or(10_000, |text| text.parse().unwrap()),
        rebalance_timeout_ms: option(words, "rebalance").map_or(60_000, |text| text.parse().unwrap()),
        protocol_type: Arc::from(option(words, "type").unwrap_or("test")),
        protocols: Protocols::new(names),
        requires_member_id: words.contains(&"v4"),
        may_skip_assignment: words.contains(&"v9"),
    }
}

/// `sync T member generation [member=assignment ..]`
fn sync_request(words: &[&str]) -> SyncRequest {
    let named = ["instance", "type", "protocol"];
    let assignments = words[3..]
        .iter()
        .filter_map(|word| word.split_once('='))
        .filter(|(name, _)| !named.contains(name))
        .map(|(member, assignment)| (MemberId::from(member), Bytes::copy_from_slice(assignment.as_bytes())))
        .collect();
    SyncRequest {
        member_id: MemberId::from(words[1]),
        instance: option(words, "instance").map(InstanceId::from),
        generation: words[2].parse().unwrap(),
        protocol_type: option(words, "type").map(Arc::from),
        protocol: option(words, "protocol").map(Arc::from),
        assignments,
    }
}

/// `member`, `member/instance` or `/instance`
fn leaving(word: &str) -> LeavingMember {
    match word.split_once('/') {
        Some((member, instance)) => {
            LeavingMember { member_id: MemberId::from(member), instance: Some(InstanceId::from(instance)) }
        }
        None => LeavingMember { member_id: MemberId::from(word), instance: None },
    }
}

fn timer(word: &str) -> GroupTimer {
    match word.split_once(':') {
        Some(("session", member)) => GroupTimer::Session(MemberId::from(member)),
        _ if word == "join" => GroupTimer::Join,
        _ if word == "sync" => GroupTimer::Sync,
        _ => panic!("no timer {word}"),
    }
}

fn show(effect: &Effect, now: Now) -> Option<String> {
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    Some(match effect {
        Effect::Join(ticket, Ok(joined)) => {
            let members: Vec<_> = joined.members.iter().map(|member| member.id.as_str()).collect();
            let leader = joined.leader.as_ref().map_or("", MemberId::as_str);
            let mut line = format!(
                "{} joined {} generation={} protocol={} leader={leader}",
                ticket.0,
                joined.member_id,
                joined.generation,
                joined.protocol.as_deref().unwrap_or("-")
            );
            if !members.is_empty() {
                write!(line, " members={}", members.join(",")).unwrap();
            }
            if joined.skip_assignment {
                line.push_str(" skip");
            }
            line
        }
        Effect::Join(ticket, Err(refused)) => {
            format!("{} join refused {:?} member={}", ticket.0, refused.error, refused.member_id)
        }
        Effect::Sync(ticket, Ok(synced)) => format!("{} synced '{}'", ticket.0, text(&synced.assignment)),
        Effect::Sync(ticket, Err(error)) => format!("{} sync refused {error:?}", ticket.0),
        Effect::Leave(ticket, Ok(left)) => {
            let one = |left: &Left| match left.result {
                Ok(()) => "ok".to_owned(),
                Err(error) => format!("{error:?}"),
            };
            format!("{} left {}", ticket.0, left.iter().map(one).collect::<Vec<_>>().join(","))
        }
        Effect::Leave(ticket, Err(error)) => format!("{} leave refused {error:?}", ticket.0),
        Effect::Store(store) => {
            let member =
                |member: &crate::group::schema::StoredMember| format!("{}={}", member.id, text(&member.assignment));
            let members: Vec<_> = store.value.members.iter().map(member).collect();
            format!("store generation={} [{}]", store.value.generation, members.join(" "))
        }
        Effect::SetTimer(timer, due) => format!("set {timer:?} +{}s", (*due - now.monotonic).as_secs()),
        // Cancelling what does not run is no news.
        Effect::CancelTimer(_) => return None,
    })
}
