//! Quotas by transcript: who is charged what at which moment, and how long that makes them wait.

use barnabas_config::Dynamic;
use barnabas_raft::metadata::client_quotas::ClientQuotaRecord;
use barnabas_raft::metadata::{Entry, Record, Touched};
use barnabas_raft::{QuotaEntity, QuotaName, QuotaValue};
use barnabas_storage::Timestamp;
use barnabas_storage::seam::ManualClock;

use super::*;

/// `None` for no such part, `Some("")` for the default.
type Part = Option<&'static str>;

fn record((user, client_id): (Part, Part), key: &str, value: f64) -> Record {
    let part = |name: Part| name.map(|name| QuotaName::of(Some(name).filter(|name| !name.is_empty())));
    let entity = QuotaEntity { user: part(user), client_id: part(client_id), ip: None };
    ClientQuotaRecord { entity, key: key.to_owned(), value: Some(QuotaValue::new(value)) }.into()
}

fn image(records: Vec<Record>) -> MetadataImage {
    let mut image = MetadataImage::default();
    image.apply(1, &Entry { timestamp: Timestamp(0), records }, &mut Touched::default());
    image
}

fn quotas(records: Vec<Record>) -> (Quotas, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp(0)));
    let quotas = Quotas::new(&Config::dev(), Arc::clone(&clock) as Arc<dyn Clock>, Arc::default());
    let delta = MetadataDelta { client_quotas_changed: true, ..MetadataDelta::default() };
    quotas.publish(&delta, &Arc::new(image(records)));
    (quotas, clock)
}

const ALICE: Client<'static> = Client { user: "alice", id: "app" };

#[test]
fn the_most_specific_quota_counts() {
    const LEVELS: [(Part, Part); 8] = [
        (None, Some("")),
        (None, Some("app")),
        (Some(""), None),
        (Some(""), Some("")),
        (Some(""), Some("app")),
        (Some("alice"), None),
        (Some("alice"), Some("")),
        (Some("alice"), Some("app")),
    ];
    for most in 0..LEVELS.len() {
        let records = LEVELS[..=most].iter().zip(1_u32..);
        let records = records.map(|(level, value)| record(*level, "producer_byte_rate", f64::from(value)));
        let found = Entitled::of(&image(records.collect())).quota(QuotaKind::Produce, ALICE).expect("has one");
        assert_eq!(found.value, (most + 1) as f64, "{:?}", LEVELS[most]);
        let (user, client_id) = LEVELS[most];
        assert_eq!((found.per_user, found.per_id), (user.is_some(), client_id.is_some()));
    }
    let other = Client { user: "bob", id: "x" };
    let records = vec![record((Some("alice"), Some("")), "producer_byte_rate", 1.0)];
    assert_eq!(Entitled::of(&image(records)).quota(QuotaKind::Produce, other), None);
}

#[test]
fn a_client_without_a_quota_is_never_remembered() {
    let (quotas, _) = quotas(vec![record((Some("bob"), None), "producer_byte_rate", 1.0)]);
    assert_eq!(quotas.charge(QuotaKind::Produce, ALICE, 1e12), ThrottleTime::NONE);
    assert_eq!(quotas.metrics.quota_sensors.value(), 0);
    assert!(quotas.are_set(QuotaKind::Produce) && !quotas.are_set(QuotaKind::Fetch));
}

#[test]
fn a_client_that_waits_as_it_is_told_gets_its_quota() {
    let (quotas, clock) = quotas(vec![record((None, Some("app")), "producer_byte_rate", 1e6)]);
    let (mut sent, mut at_start) = (0.0, 0.0);
    let start = Duration::from_secs(60);
    while clock.monotonic() < start + Duration::from_secs(120) {
        if clock.monotonic() < start {
            at_start = sent;
        }
        sent += 100_000.0;
        let wait = quotas.charge(QuotaKind::Produce, ALICE, 100_000.0);
        clock.advance(wait.duration() + Duration::from_millis(5));
    }
    let rate = (sent - at_start) / (clock.monotonic() - start).as_secs_f64();
    assert!((rate / 1e6 - 1.0).abs() < 0.05, "{rate}");
}

#[test]
fn a_fetch_that_was_taken_back_comes_through_after_its_wait() {
    let (quotas, clock) = quotas(vec![record((Some(""), None), "consumer_byte_rate", 1000.0)]);
    assert_eq!(quotas.most_at_once(QuotaKind::Fetch, ALICE), Some(10_000.0));
    assert_eq!(quotas.charge(QuotaKind::Fetch, ALICE, 8000.0), ThrottleTime::NONE);
    let wait = quotas.charge(QuotaKind::Fetch, ALICE, 8000.0);
    assert_eq!(wait.millis(), 6000);
    quotas.take_back(QuotaKind::Fetch, ALICE, 8000.0);
    clock.advance(wait.duration() + Duration::from_secs(5));
    assert_eq!(quotas.charge(QuotaKind::Fetch, ALICE, 8000.0), ThrottleTime::NONE);
}

#[test]
fn the_time_of_requests_makes_wait_for_one_window_at_most() {
    let (quotas, _) = quotas(vec![record((Some("alice"), None), "request_percentage", 1.0)]);
    assert_eq!(quotas.charge(QuotaKind::Request, ALICE, 10.0), ThrottleTime::NONE);
    assert_eq!(quotas.charge(QuotaKind::Request, ALICE, 0.5).millis(), 500);
    assert_eq!(quotas.charge(QuotaKind::Request, ALICE, 1000.0).millis(), 1000);
}

#[test]
fn changes_above_the_burst_are_refused_or_made_to_wait() {
    let (quotas, clock) = quotas(vec![record((Some("alice"), None), "controller_mutation_rate", 2.0)]);
    let mut strict = Mutations::new(&quotas, ALICE, true);
    assert!(strict.allow(21) && strict.allow(3));
    assert_eq!(strict.throttle_time(), ThrottleTime::NONE);
    assert!(!strict.allow(1));
    assert_eq!(strict.throttle_time().millis(), 1000);
    let mut permissive = Mutations::new(&quotas, ALICE, false);
    assert!(permissive.allow(4));
    assert_eq!(permissive.throttle_time().millis(), 3000);
    clock.advance(Duration::from_secs(3));
    assert!(Mutations::new(&quotas, ALICE, true).allow(1));
}

#[test]
fn a_quota_that_is_removed_no_longer_counts() {
    let (quotas, _) = quotas(vec![record((Some(""), None), "producer_byte_rate", 1.0)]);
    assert!(quotas.charge(QuotaKind::Produce, ALICE, 1e6) > ThrottleTime::NONE);
    let delta = MetadataDelta { client_quotas_changed: true, ..MetadataDelta::default() };
    quotas.publish(&delta, &Arc::new(MetadataImage::default()));
    assert_eq!(quotas.charge(QuotaKind::Produce, ALICE, 1e6), ThrottleTime::NONE);
}

#[test]
fn an_address_that_opens_too_many_connections_is_refused_for_a_while_and_others_are_not() {
    let entity = QuotaEntity { ip: Some(QuotaName::of(Some("10.0.0.1"))), ..QuotaEntity::default() };
    let (key, value) = (QuotaKind::Arrival.key().to_owned(), Some(QuotaValue::new(2.0)));
    let (quotas, clock) = quotas(vec![ClientQuotaRecord { entity, key, value }.into()]);
    let (bad, good) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
    assert_eq!((0..20).filter(|_| quotas.arrived(bad) == Arrival::default()).count(), 20);
    assert_eq!(quotas.arrived(bad).refused_for, Some(Duration::from_millis(500)));
    assert_eq!(quotas.arrived(good), Arrival::default());
    clock.advance(Duration::from_secs(12));
    assert_eq!(quotas.arrived(bad), Arrival::default());
}

#[test]
fn the_rate_of_all_connections_changes_while_the_broker_runs() {
    let (quotas, _) = quotas(Vec::new());
    let pauses = || (0..1000).any(|_| !quotas.arrived(IpAddr::from([10, 0, 0, 1])).pause.is_zero());
    assert!(!pauses());
    let cluster = [("max.connection.creation.rate".to_owned(), "10".to_owned())].into();
    quotas.limit_arrivals(&Config::dev().with_dynamic(&Dynamic { cluster, ..Dynamic::default() }));
    assert!(pauses());
    quotas.limit_arrivals(&Config::dev());
    assert!(!pauses());
}
