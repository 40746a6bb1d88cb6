use std::sync::Arc;

use super::super::event::{Actor, Subject};
use super::*;

fn denial(principal: &str, name: &str, at: i64) -> Event {
    let address = "127.0.0.1:9092".parse().unwrap();
    let actor = Actor {
        principal: Some(Text::of(principal)),
        client_id: Text::of(""),
        peer: address,
        local: address,
        listener: Arc::from("L"),
    };
    let subject = Subject::new("TOPIC", name);
    let deed = Deed::Denied { api: "Produce", operation: "WRITE", subject, rule: None };
    Event { time: Timestamp(at), actor, deed, repeats: None }
}

const MINUTE: Duration = AUDIT_FOLD_WINDOW;

#[test]
fn the_first_is_told_at_once_and_the_others_after_a_minute() {
    let mut folds = Folds::default();
    assert_eq!(folds.take(&denial("User:a", "t", 1), Duration::ZERO), Taken::First);
    for at in 2..=5 {
        assert_eq!(folds.take(&denial("User:a", "t", at), Duration::from_secs(1)), Taken::Counted);
    }
    assert_eq!(folds.take(&denial("User:b", "t", 6), Duration::from_secs(1)), Taken::First);
    assert_eq!(folds.take(&denial("User:a", "u", 7), Duration::from_secs(1)), Taken::First);
    assert_eq!(folds.due(Some(MINUTE - Duration::from_secs(1))), []);
    let due = folds.due(Some(MINUTE));
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].time, due[0].repeats), (Timestamp(1), Some((4, Timestamp(5)))));
    assert_eq!(folds.take(&denial("User:a", "t", 8), MINUTE), Taken::First, "another minute begins");
}

#[test]
fn at_a_stop_all_are_told() {
    let mut folds = Folds::default();
    for name in ["t", "t", "u", "v", "v", "v"] {
        let _ = folds.take(&denial("User:a", name, 0), Duration::ZERO);
    }
    let mut counts: Vec<u64> = folds.due(None).into_iter().map(|event| event.repeats.unwrap().0).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2]);
    assert_eq!(folds.due(None), []);
}

/// A login that failed.
fn failure(peer: &str, claimed: &str) -> Event {
    let mut event = denial(claimed, "", 0);
    event.actor.peer = format!("{peer}:50000").parse().unwrap();
    let failed = Some(Text::of("no"));
    event.deed = Deed::Login { mechanism: Some("PLAIN"), is_encrypted: true, failed };
    event
}

#[test]
fn names_that_strangers_try_make_no_kinds_of_their_own() {
    let mut folds = Folds::default();
    assert_eq!(folds.take(&failure("10.0.0.1", "User:a"), Duration::ZERO), Taken::First);
    assert_eq!(folds.take(&failure("10.0.0.1", "User:a"), Duration::ZERO), Taken::Counted);
    assert_eq!(folds.take(&failure("10.0.0.2", "User:a"), Duration::ZERO), Taken::First);
    assert_eq!(folds.take(&failure("10.0.0.2", "User:b"), Duration::ZERO), Taken::Counted);
    assert_eq!(folds.take(&failure("[2001:db8::1]", "User:a"), Duration::ZERO), Taken::First);
    assert_eq!(
        folds.take(&failure("[2001:db8::ffff:2]", "User:a"), Duration::ZERO),
        Taken::Counted,
        "the same network"
    );
    assert_eq!(folds.take(&failure("[2001:db8:0:1::1]", "User:a"), Duration::ZERO), Taken::First);
    let due = folds.due(None);
    let named = |peer: &str| {
        let ip: IpAddr = peer.parse().unwrap();
        let event = due.iter().find(|event| event.actor.peer.ip() == ip).unwrap();
        event.actor.principal.as_ref().unwrap().as_str()
    };
    assert_eq!((named("10.0.0.1"), named("10.0.0.2"), named("2001:db8::1")), ("User:a", SEVERAL, "User:a"));
}

#[test]
fn strangers_leave_room_for_what_is_denied_to_others() {
    let mut folds = Folds::default();
    let address = |number: usize| format!("10.1.{}.{}", number / 256, number % 256);
    for number in 0..AUDIT_FOLDS_MAX / 2 {
        assert_eq!(folds.take(&failure(&address(number), "User:a"), Duration::ZERO), Taken::First);
    }
    assert_eq!(folds.take(&failure("10.0.0.1", "User:a"), Duration::ZERO), Taken::NoRoom);
    assert_eq!(folds.take(&denial("User:a", "t", 0), Duration::ZERO), Taken::First);
    let _ = folds.due(Some(MINUTE));
    assert_eq!(folds.take(&failure("10.0.0.1", "User:a"), MINUTE), Taken::First);
}

#[test]
fn kinds_of_refusal_are_bounded() {
    let mut folds = Folds::default();
    for number in 0..AUDIT_FOLDS_MAX {
        assert_eq!(folds.take(&denial("User:a", &number.to_string(), 0), Duration::ZERO), Taken::First);
    }
    assert_eq!(folds.take(&denial("User:a", "one more", 0), Duration::ZERO), Taken::NoRoom);
    assert_eq!(folds.take(&denial("User:a", "0", 0), Duration::ZERO), Taken::Counted);
    let _ = folds.due(Some(MINUTE));
    assert_eq!(folds.take(&denial("User:a", "one more", 0), MINUTE), Taken::First);
}
