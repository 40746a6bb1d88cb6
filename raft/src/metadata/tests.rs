//! Records come back as they were written, hostile bytes are refused, and entries apply as the transcripts say.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use barnabas_auth::{
    Acl, Authorizer as _, Operation, PatternType, Permission, Principal, Question, ResourceType, ScramCredential,
    ScramMechanism, StandardAuthorizer,
};
use barnabas_storage::{LeaderEpoch, PartitionIndex, Timestamp, TopicId};
use proptest::prelude::*;
use uuid::Uuid;

use super::acls::{AccessControlEntryRecord, AclId, RemoveAccessControlEntryRecord};
use super::brokers::RegisterBrokerRecord;
use super::client_quotas::ClientQuotaRecord;
use super::cluster::{ClusterRecord, ClusterSecretRecord};
use super::codec::{DecodeError, Reader, Writer};
use super::configs::TopicConfigRecord;
use super::delegation_tokens::{DelegationTokenRecord, RemoveDelegationTokenRecord};
use super::features::FeatureLevelRecord;
use super::kept_topics::{KeepTopicRecord, RestoreTopicRecord};
use super::partitions::{PartitionChangeRecord, PartitionRecord};
use super::producer_ids::ProducerIdsRecord;
use super::resource_configs::{Resource, ResourceConfigRecord, ResourceKind};
use super::scram::{RemoveUserScramCredentialRecord, UserScramCredentialRecord};
use super::topics::{RemoveTopicRecord, TopicRecord};
use super::*;
use crate::consensus::snapshot;
use crate::consensus::type_config::SnapshotMeta;

fn topic_id() -> impl Strategy<Value = TopicId> {
    // Few ids, so that records meet each other.
    (1_u128..5).prop_map(|id| TopicId(Uuid::from_u128(id)))
}

fn broker_id() -> impl Strategy<Value = BrokerId> {
    (0_i32..4).prop_map(BrokerId)
}

fn partition() -> impl Strategy<Value = PartitionImage> {
    let brokers = || prop::collection::vec(broker_id(), 0..4);
    (brokers(), brokers(), prop::option::of(broker_id()), any::<i32>(), any::<i32>()).prop_map(
        |(replicas, isr, leader, leader_epoch, partition_epoch)| PartitionImage {
            replicas,
            isr,
            leader,
            leader_epoch: LeaderEpoch(leader_epoch),
            partition_epoch,
        },
    )
}

fn register_broker() -> impl Strategy<Value = Record> {
    let endpoint =
        (".{0,8}", ".{0,8}", any::<u16>()).prop_map(|(listener, host, port)| BrokerEndpoint { listener, host, port });
    let endpoints = prop::collection::vec(endpoint, 0..3);
    (broker_id(), prop::option::of(any::<i64>()), endpoints, prop::option::of(".{0,4}"), any::<bool>()).prop_map(
        |(id, epoch, endpoints, rack, fenced)| RegisterBrokerRecord { id, epoch, endpoints, rack, fenced }.into(),
    )
}

fn scram_mechanism() -> impl Strategy<Value = ScramMechanism> {
    prop_oneof![Just(ScramMechanism::Sha256), Just(ScramMechanism::Sha512)]
}

fn user_scram_credential() -> impl Strategy<Value = Record> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..4);
    let credential =
        (bytes(), bytes(), bytes(), any::<u32>()).prop_map(|(salt, stored_key, server_key, iterations)| {
            ScramCredential { salt, stored_key, server_key, iterations }
        });
    ("[a-c]", scram_mechanism(), credential)
        .prop_map(|(user, mechanism, credential)| UserScramCredentialRecord { user, mechanism, credential }.into())
}

fn client_quota() -> impl Strategy<Value = Record> {
    let name = || prop::option::of(prop::option::of("[ab]").prop_map(|name| QuotaName::of(name.as_deref())));
    let value = prop::option::of((1_u32..9).prop_map(|value| QuotaValue::new(f64::from(value) / 2.0)));
    (name(), name(), name(), "[a-c]", value).prop_map(|(user, client_id, ip, key, value)| {
        ClientQuotaRecord { entity: QuotaEntity { user, client_id, ip }, key, value }.into()
    })
}

fn acl_id() -> impl Strategy<Value = AclId> {
    (1_u128..6).prop_map(|id| AclId(Uuid::from_u128(id)))
}

fn acl() -> impl Strategy<Value = Acl> {
    use prop::sample::select;
    let named = ("[ab*]{1,2}", select(vec!["User:a", "User:*"]), select(vec!["*", "10.0.0.1"]));
    let types = (select(ResourceType::EVERY), select(PatternType::EVERY));
    (named, types, select(Operation::EVERY), select(Permission::EVERY)).prop_map(
        |((name, principal, host), (resource_type, pattern_type), operation, permission)| Acl {
            resource_type,
            resource_name: name,
            pattern_type,
            principal: principal.to_owned(),
            host: host.to_owned(),
            operation,
            permission,
        },
    )
}

fn delegation_token() -> impl Strategy<Value = Record> {
    let principal = || ("[UG]", "[a-c]").prop_map(|(kind, name)| Principal { kind, name });
    let renewers = prop::collection::vec(principal(), 0..3);
    (token_id(), principal(), principal(), renewers, any::<[i64; 3]>()).prop_map(
        |(id, owner, requester, renewers, [issued, expires, ends])| {
            let (issued, expires, ends) = (Timestamp(issued), Timestamp(expires), Timestamp(ends));
            let token = DelegationToken { id, owner, requester, renewers, issued, expires, ends };
            DelegationTokenRecord { token: Arc::new(token) }.into()
        },
    )
}

fn token_id() -> impl Strategy<Value = DelegationTokenId> {
    "[x-z]".prop_map(|id| DelegationTokenId(id.into()))
}

fn record() -> impl Strategy<Value = Record> {
    let index = || (0_i32..3).prop_map(PartitionIndex);
    prop_oneof![
        register_broker(),
        delegation_token(),
        token_id().prop_map(|id| RemoveDelegationTokenRecord { id }.into()),
        ("[a-z._]{1,3}", topic_id()).prop_map(|(name, id)| TopicRecord { name, id }.into()),
        (topic_id(), index(), partition()).prop_map(|(topic, index, partition)| PartitionRecord {
            topic,
            index,
            partition
        }
        .into()),
        (topic_id(), index(), partition()).prop_map(|(topic, index, partition)| {
            PartitionChangeRecord {
                topic,
                index,
                isr: partition.isr,
                leader: partition.leader,
                leader_epoch: partition.leader_epoch,
                partition_epoch: partition.partition_epoch,
            }
            .into()
        }),
        topic_id().prop_map(|id| RemoveTopicRecord { id }.into()),
        (topic_id(), any::<i64>(), any::<i64>()).prop_map(|(id, deleted, until)| KeepTopicRecord {
            id,
            deleted: Timestamp(deleted),
            until: Timestamp(until)
        }
        .into()),
        topic_id().prop_map(|id| RestoreTopicRecord { id }.into()),
        (topic_id(), "[a-c]", prop::option::of(".{0,4}")).prop_map(|(topic, name, value)| TopicConfigRecord {
            topic,
            name,
            value
        }
        .into()),
        ("[a-c]", any::<i16>()).prop_map(|(name, level)| FeatureLevelRecord { name, level }.into()),
        (broker_id(), any::<i64>()).prop_map(|(broker, next)| ProducerIdsRecord { broker, next }.into()),
        client_quota(),
        (acl_id(), acl()).prop_map(|(id, acl)| AccessControlEntryRecord { id, acl: Arc::new(acl) }.into()),
        acl_id().prop_map(|id| RemoveAccessControlEntryRecord { id }.into()),
        ".{0,8}".prop_map(|cluster_id| ClusterRecord { cluster_id }.into()),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(|secret| ClusterSecretRecord { secret }.into()),
        user_scram_credential(),
        ("[a-c]", scram_mechanism())
            .prop_map(|(user, mechanism)| RemoveUserScramCredentialRecord { user, mechanism }.into()),
        (resource(), "[a-c]", prop::option::of(".{0,4}")).prop_map(|(resource, name, value)| ResourceConfigRecord {
            resource,
            name,
            value
        }
        .into()),
    ]
}

fn resource() -> impl Strategy<Value = Resource> {
    let kind = prop_oneof![Just(ResourceKind::Broker), Just(ResourceKind::ClientMetrics), Just(ResourceKind::Group)];
    (kind, "[a-b]?").prop_map(|(kind, name)| Resource { kind, name })
}

fn entry() -> impl Strategy<Value = Entry> {
    (any::<i64>(), prop::collection::vec(record(), 0..8))
        .prop_map(|(timestamp, records)| Entry { timestamp: Timestamp(timestamp), records })
}

proptest! {
    #[test]
    fn an_entry_comes_back_as_it_was_written(entry in entry()) {
        prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
    }

    #[test]
    fn a_cut_entry_is_refused(entry in entry(), cut in any::<prop::sample::Index>()) {
        let bytes = entry.encode();
        prop_assert!(Entry::decode(&bytes[..cut.index(bytes.len())]).is_err());
    }

    #[test]
    fn a_snapshot_and_the_log_behind_it_decide_as_the_whole_log_does(
        rules in prop::collection::vec((acl_id(), acl(), any::<bool>()), 0..16),
        at in any::<prop::sample::Index>(),
        operation in prop::sample::select(Operation::EVERY),
        name in "[ab*]{1,3}",
    ) {
        let entry = |(id, acl, is_removed): &(AclId, Acl, bool)| {
            let mut records = vec![AccessControlEntryRecord { id: *id, acl: Arc::new(acl.clone()) }.into()];
            if *is_removed {
                records.push(RemoveAccessControlEntryRecord { id: *id }.into());
            }
            Entry { timestamp: Timestamp(0), records }
        };
        let log: Vec<Entry> = rules.iter().map(entry).collect();
        let at = at.index(log.len() + 1);
        let apply = |mut image: MetadataImage, entries: &[Entry], from: u64| {
            for (index, entry) in (from..).zip(entries) {
                image.apply(index, entry, &mut Touched::default());
            }
            image
        };
        let whole = apply(MetadataImage::default(), &log, 1);
        let kept = snapshot::encode(&SnapshotMeta::default(), &apply(MetadataImage::default(), &log[..at], 1));
        let (_, restored) = snapshot::decode(&kept).expect("what was written is read");
        let restored = apply(restored, &log[at..], at as u64 + 1);
        prop_assert_eq!(whole.records(), restored.records());
        let verdicts = [&whole, &restored].map(|image| {
            let authorizer = StandardAuthorizer::new("", false).expect("no super users");
            authorizer.replace(image.acls().map(|(_, acl)| Arc::clone(acl)));
            let principal = Principal { kind: "User".into(), name: "a".into() };
            let host = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
            ResourceType::EVERY.iter().map(|resource_type| {
                let resource_type = *resource_type;
                authorizer.decide(&Question { principal: &principal, host, operation, resource_type, resource_name: &name })
            }).collect::<Vec<_>>()
        });
        prop_assert_eq!(&verdicts[0], &verdicts[1]);
    }

    #[test]
    fn hostile_bytes_are_read_or_refused_but_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = Entry::decode(&bytes);
    }

    #[test]
    fn a_damaged_entry_never_panics(entry in entry(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = entry.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = Entry::decode(&bytes);
    }
}

/// Names of a real log are unique; the controller sees to it. Random records may break that, so that the fold drops
/// them here.
fn without_taken_names(entries: &[Entry]) -> Vec<Entry> {
    let mut image = MetadataImage::default();
    let mut kept = Vec::new();
    for (index, entry) in (1..).zip(entries) {
        let mut records = Vec::new();
        for record in &entry.records {
            let taken = matches!(record, Record::Topic(topic) if image.topic(&topic.name).is_some()
                || image.colliding_topic(&topic.name).is_some() || image.topic_by_id(topic.id).is_some()
                || image.kept_topic(topic.id).is_some());
            if !taken {
                let one = Entry { timestamp: entry.timestamp, records: vec![record.clone()] };
                image.apply(index, &one, &mut Touched::default());
                records.push(record.clone());
            }
        }
        kept.push(Entry { timestamp: entry.timestamp, records });
    }
    kept
}

proptest! {
    #[test]
    fn an_image_is_the_fold_of_its_own_records(entries in prop::collection::vec(entry(), 0..12)) {
        let entries = without_taken_names(&entries);
        let mut image = MetadataImage::default();
        for (index, entry) in (1..).zip(&entries) {
            image.apply(index, entry, &mut Touched::default());
        }
        let records = image.records();
        let again = MetadataImage::from_records(image.applied_index(), &records);
        prop_assert_eq!(again, image);
    }

    #[test]
    fn deltas_tell_every_change(entries in prop::collection::vec(entry(), 0..12), at in any::<prop::sample::Index>()) {
        let entries = without_taken_names(&entries);
        let (mut before, mut after) = (MetadataImage::default(), MetadataImage::default());
        let mut touched = Touched::default();
        let at = at.index(entries.len() + 1);
        for (index, entry) in (1..).zip(&entries) {
            if index as usize <= at {
                before.apply(index, entry, &mut Touched::default());
                after = before.clone();
            } else {
                after.apply(index, entry, &mut touched);
            }
        }
        let delta = MetadataDelta::between(&before, &after, &touched);
        let mut topics: BTreeMap<_, _> = before.topics().map(|topic| (topic.id, topic.clone())).collect();
        for deleted in &delta.topics_deleted {
            prop_assert!(topics.remove(&deleted.id).is_some());
        }
        for topic in delta.topics_created.iter().chain(&delta.topics_changed) {
            topics.insert(topic.id, topic.clone());
        }
        prop_assert_eq!(topics, after.topics().map(|topic| (topic.id, topic.clone())).collect());
    }
}

fn id(number: u128) -> TopicId {
    TopicId(Uuid::from_u128(number))
}

fn led_by_one() -> PartitionImage {
    PartitionImage {
        replicas: vec![BrokerId(1)],
        isr: vec![BrokerId(1)],
        leader: Some(BrokerId(1)),
        leader_epoch: LeaderEpoch(0),
        partition_epoch: 0,
    }
}

fn create(name: &str, topic: TopicId, partitions: i32) -> Vec<Record> {
    let mut records = vec![TopicRecord { name: name.to_owned(), id: topic }.into()];
    for index in (0..partitions).map(PartitionIndex) {
        records.push(PartitionRecord { topic, index, partition: led_by_one() }.into());
    }
    let (name, value) = ("retention.ms".to_owned(), Some("1".to_owned()));
    records.push(TopicConfigRecord { topic, name, value }.into());
    records
}

fn applied(image: &MetadataImage, records: Vec<Record>) -> (MetadataImage, MetadataDelta) {
    let (mut after, mut touched) = (image.clone(), Touched::default());
    after.apply(image.applied_index() + 1, &Entry { timestamp: Timestamp(0), records }, &mut touched);
    let delta = MetadataDelta::between(image, &after, &touched);
    (after, delta)
}

#[test]
fn a_created_topic_is_found_by_name_and_id_with_its_partitions_and_settings() {
    let (image, delta) = applied(&MetadataImage::default(), create("a.b", id(7), 3));
    let topic = image.topic("a.b").expect("by name");
    assert_eq!(image.topic_by_id(id(7)), Some(topic));
    assert_eq!(topic.partitions, vec![led_by_one(); 3]);
    assert_eq!(topic.configs["retention.ms"], "1");
    assert_eq!(image.colliding_topic("a_b").map(|name| &**name), Some("a.b"));
    assert_eq!(delta.topics_created, std::slice::from_ref(topic));
    assert!(delta.topics_deleted.is_empty() && delta.topics_changed.is_empty());
}

#[test]
fn a_topic_deleted_and_made_again_is_another_topic() {
    let (image, _) = applied(&MetadataImage::default(), create("t", id(1), 1));
    let mut records = vec![RemoveTopicRecord { id: id(1) }.into()];
    records.extend(create("t", id(2), 1));
    let (image, delta) = applied(&image, records);
    assert_eq!(image.topic("t").map(|topic| topic.id), Some(id(2)));
    assert_eq!(image.topic_count(), 1);
    assert_eq!(delta.topics_deleted.iter().map(|topic| topic.id).collect::<Vec<_>>(), [id(1)]);
    assert_eq!(delta.topics_created.iter().map(|topic| topic.id).collect::<Vec<_>>(), [id(2)]);
}

fn keep(number: u128, deleted: i64) -> Record {
    KeepTopicRecord { id: id(number), deleted: Timestamp(deleted), until: Timestamp(deleted + 100) }.into()
}

#[test]
fn a_kept_topic_is_nowhere_among_the_topics_and_comes_back_as_it_was() {
    let (before, _) = applied(&MetadataImage::default(), create("a.b", id(1), 3));
    let (image, delta) = applied(&before, vec![keep(1, 5)]);
    assert_eq!((image.topic_count(), image.topics().count(), image.topics_from("").count()), (0, 0, 0));
    assert!(image.topic("a.b").is_none() && image.topic_by_id(id(1)).is_none());
    assert!(image.colliding_topic("a_b").is_none());
    assert_eq!(delta.topics_deleted.len(), 1);
    let change = PartitionRecord { topic: id(1), index: PartitionIndex(3), partition: led_by_one() };
    let (image, delta) = applied(&image, vec![change.into()]);
    assert!(delta.is_empty(), "nothing reaches it: {delta:?}");
    assert_eq!(MetadataImage::from_records(image.applied_index(), &image.records()), image);
    let (image, delta) = applied(&image, vec![RestoreTopicRecord { id: id(1) }.into()]);
    assert_eq!(image.topic("a.b"), before.topic("a.b"));
    assert_eq!((delta.topics_created.len(), image.kept_topic_count()), (1, 0));
}

#[test]
fn kept_topics_of_one_name_are_told_apart_and_forgotten_one_by_one() {
    let mut image = MetadataImage::default();
    for (number, deleted) in [(1, 10), (2, 20), (3, 15)] {
        let mut records = create("t", id(number), 1);
        records.push(keep(number, deleted));
        (image, _) = applied(&image, records);
    }
    let named: Vec<_> = image.kept_topics_named("t").iter().map(|kept| kept.topic.id).collect();
    assert_eq!(named, [id(2), id(3), id(1)]);
    let (image, delta) = applied(&image, vec![RemoveTopicRecord { id: id(3) }.into()]);
    assert_eq!(delta.topics_forgotten.iter().map(|topic| topic.id).collect::<Vec<_>>(), [id(3)]);
    assert!(!delta.is_empty() && delta.topics_deleted.is_empty());
    let (image, _) = applied(&image, create("t", id(4), 1));
    let (image, delta) = applied(&image, vec![RestoreTopicRecord { id: id(1) }.into()]);
    assert!(delta.is_empty(), "the name is taken");
    assert_eq!((image.topic_count(), image.kept_topic_count()), (1, 2));
    assert_eq!(MetadataImage::from_records(image.applied_index(), &image.records()), image);
}

/// As [`the_encoding_of_every_kind_is_as_first_written`], for kinds that came later.
#[test]
fn the_encoding_of_kept_topics_is_as_first_written() {
    let records = vec![keep(1, 7), RestoreTopicRecord { id: id(1) }.into()];
    let bytes = Entry { timestamp: Timestamp(1), records }.encode();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let kept = "8301001300000000000000000000000000000001\
                0ed601";
    let restored = "8401001000000000000000000000000000000001";
    assert_eq!(hex, format!("000202{kept}{restored}"));
}

#[test]
fn an_older_image_does_not_see_later_changes() {
    let (before, _) = applied(&MetadataImage::default(), create("t", id(1), 1));
    let change = PartitionChangeRecord {
        topic: id(1),
        index: PartitionIndex(0),
        isr: vec![],
        leader: None,
        leader_epoch: LeaderEpoch(1),
        partition_epoch: 1,
    };
    let (after, delta) = applied(&before, vec![change.into()]);
    assert_eq!(before.topic("t").expect("there").partitions, [led_by_one()]);
    assert_eq!(after.topic("t").expect("there").partitions[0].leader_epoch, LeaderEpoch(1));
    assert_eq!(delta.topics_changed.len(), 1);
}

#[test]
fn a_broker_epoch_is_the_index_of_its_registration() {
    let record = RegisterBrokerRecord { id: BrokerId(3), epoch: None, endpoints: vec![], rack: None, fenced: false };
    let mut image = MetadataImage::default();
    image.apply(42, &Entry { timestamp: Timestamp(0), records: vec![record.into()] }, &mut Touched::default());
    assert_eq!(image.broker(BrokerId(3)).map(|broker| broker.epoch), Some(42));
}

#[test]
fn a_resources_settings_are_set_and_removed() {
    let of = |name: &str| Resource { kind: ResourceKind::Broker, name: name.to_owned() };
    let set = |name: &str, value: Option<&str>| {
        let value = value.map(str::to_owned);
        ResourceConfigRecord { resource: of(name), name: "a".to_owned(), value }.into()
    };
    let (image, delta) = applied(&MetadataImage::default(), vec![set("", Some("1")), set("1", Some("2"))]);
    assert!(delta.configs_changed);
    assert_eq!(image.resource_configs(&of(""))["a"], "1");
    assert_eq!(image.resources(ResourceKind::Broker).collect::<Vec<_>>(), ["", "1"]);
    let (image, _) = applied(&image, vec![set("1", None)]);
    assert!(image.resource_configs(&of("1")).is_empty());
    assert_eq!(image.resources(ResourceKind::Broker).collect::<Vec<_>>(), [""]);
}

#[test]
fn producer_id_blocks_follow_each_other() {
    let mut image = MetadataImage::default();
    for expected in [0..1000, 1000..2000, 2000..3000] {
        let (block, record) = ProducerIdsRecord::next_block(&image, BrokerId(0)).expect("ids are left");
        assert_eq!(block, expected);
        (image, _) = applied(&image, vec![record.into()]);
    }
}

#[test]
fn records_that_name_what_is_not_there_change_nothing() {
    let records = vec![
        RemoveTopicRecord { id: id(9) }.into(),
        PartitionRecord { topic: id(9), index: PartitionIndex(0), partition: led_by_one() }.into(),
        TopicConfigRecord { topic: id(9), name: "x".to_owned(), value: None }.into(),
    ];
    let (image, delta) = applied(&MetadataImage::default(), records);
    assert_eq!(image.topic_count(), 0);
    assert!(delta.is_empty());
}

/// The bytes on disk are a promise: this one was written by the first version.
#[test]
fn the_encoding_of_every_kind_is_as_first_written() {
    let mut records = create("t", id(1), 1);
    let endpoint = BrokerEndpoint { listener: "PLAINTEXT".to_owned(), host: "h".to_owned(), port: 9092 };
    let broker = RegisterBrokerRecord {
        id: BrokerId(1),
        epoch: None,
        endpoints: vec![endpoint],
        rack: Some("r".to_owned()),
        fenced: false,
    };
    records.push(broker.into());
    records.push(ClusterRecord { cluster_id: "c".to_owned() }.into());
    records.push(FeatureLevelRecord { name: "f".to_owned(), level: 2 }.into());
    records.push(ProducerIdsRecord { broker: BrokerId(1), next: 1000 }.into());
    let change = PartitionChangeRecord {
        topic: id(1),
        index: PartitionIndex(0),
        isr: vec![BrokerId(1)],
        leader: Some(BrokerId(1)),
        leader_epoch: LeaderEpoch(1),
        partition_epoch: 1,
    };
    records.push(change.into());
    records.push(RemoveTopicRecord { id: id(1) }.into());
    let resource = Resource { kind: ResourceKind::Group, name: "g".to_owned() };
    records.push(ResourceConfigRecord { resource, name: "n".to_owned(), value: Some("v".to_owned()) }.into());
    let bytes = Entry { timestamp: Timestamp(1), records }.encode();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, GOLDEN);
}

const GOLDEN: &str = concat!(
    "00020a020012017400000000000000000000000000000001030019000000000000000000000000000000010001020102",
    "01020000040020000000000000000000000000000000010c726574656e74696f6e2e6d7301013100001502000109504c",
    "41494e5445585401688447010172008001000201630c00030166040f000302d00f050017000000000000000000000000",
    "000000010001020102020209001000000000000000000000000000000001",
    "81010008200167016e010176",
);

#[test]
fn an_unknown_kind_says_that_a_newer_version_wrote_it() {
    let mut out = Writer::default();
    out.unsigned(77);
    out.unsigned(0);
    out.bytes(b"");
    let bytes = out.into_bytes();
    let error = Record::decode(&mut Reader::new(&bytes)).expect_err("unknown");
    assert_eq!(error, DecodeError::Unknown { what: "record", kind: 77, version: 0 });
    assert!(error.to_string().contains("newer version"));
}
