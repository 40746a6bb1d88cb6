use kafka_protocol::messages::create_topics_request::CreatableTopicConfig;

use super::super::fixture::image;
use super::*;

fn topic(name: &str) -> CreatableTopic {
    let name = TopicName(StrBytes::from_string(name.to_owned()));
    CreatableTopic::default().with_name(name).with_num_partitions(-1).with_replication_factor(-1)
}

fn with_config(name: &'static str, value: Option<&'static str>) -> CreatableTopic {
    let config = CreatableTopicConfig::default()
        .with_name(StrBytes::from_static_str(name))
        .with_value(value.map(StrBytes::from_static_str));
    topic("t").with_configs(vec![config])
}

fn assigned(partitions: &[(i32, &[i32])]) -> CreatableTopic {
    let assign = |(index, brokers): &(i32, &[i32])| {
        let brokers = brokers.iter().map(|id| kafka_protocol::messages::BrokerId(*id)).collect();
        CreatableReplicaAssignment::default().with_partition_index(*index).with_broker_ids(brokers)
    };
    topic("t").with_assignments(partitions.iter().map(assign).collect())
}

fn decided(topic: &CreatableTopic) -> Result<NewTopic, ResponseError> {
    new_topic(&Config::dev(), &image(&[("taken", 1)]), topic).map_err(|refusal| refusal.code)
}

fn settings() -> Settings {
    Settings::new(BrokerId(1), Arc::new(Config::dev()), &MetadataImage::default())
}

#[test]
fn minus_one_means_the_brokers_default() {
    let made = decided(&topic("t")).expect("accepted");
    assert_eq!((made.partitions, made.replication_factor), (1, 1));
    let made = decided(&topic("t").with_num_partitions(7).with_replication_factor(2)).expect("accepted");
    assert_eq!((made.partitions, made.replication_factor), (7, 2));
}

#[test]
fn a_bad_name_comes_before_a_taken_one_and_that_before_settings() {
    assert_eq!(decided(&topic("a b")).err(), Some(ResponseError::InvalidTopicException));
    let taken = with_config("nonsense", Some("1")).with_name(TopicName(StrBytes::from_static_str("taken")));
    assert_eq!(decided(&taken).err(), Some(ResponseError::TopicAlreadyExists));
}

#[test]
fn settings_are_checked() {
    assert!(decided(&with_config("retention.ms", Some("1"))).is_ok());
    for wrong in
        [with_config("retention.ms", None), with_config("retention.ms", Some("x")), with_config("no.such", Some("1"))]
    {
        assert_eq!(decided(&wrong).err(), Some(ResponseError::InvalidConfig));
    }
}

#[test]
fn a_manual_assignment_is_in_order_and_alone() {
    let made = decided(&assigned(&[(1, &[2]), (0, &[1])])).expect("accepted");
    assert_eq!(made.assignment, [vec![BrokerId(1)], vec![BrokerId(2)]]);
    let gap = decided(&assigned(&[(0, &[1]), (2, &[1])]));
    assert_eq!(gap.err(), Some(ResponseError::InvalidReplicaAssignment));
    let twice = decided(&assigned(&[(0, &[1]), (0, &[1])]));
    assert_eq!(twice.err(), Some(ResponseError::InvalidReplicaAssignment));
    let counted = decided(&assigned(&[(0, &[1])]).with_num_partitions(1));
    assert_eq!(counted.err(), Some(ResponseError::InvalidRequest));
    let replicated = decided(&assigned(&[(0, &[1])]).with_replication_factor(1));
    assert_eq!(replicated.err(), Some(ResponseError::InvalidRequest));
}

#[test]
fn names_are_refused_before_anything_else_is_looked_at() {
    let code = |name, times, may| check_named(name, times, may).map_err(|refusal| refusal.code);
    assert_eq!(code("t", 1, true), Ok(()));
    assert_eq!(code("t", 2, true), Err(ResponseError::InvalidRequest));
    assert_eq!(code(CLUSTER_METADATA, 1, true), Err(ResponseError::InvalidRequest));
    assert_eq!(code("t", 1, false), Err(ResponseError::TopicAuthorizationFailed));
}

#[test]
fn the_answer_tells_every_setting_and_its_source() {
    let overrides = BTreeMap::from([("retention.ms".to_owned(), "5".to_owned())]);
    let configs = effective_configs(&settings(), &overrides);
    let names: Vec<&str> = configs.iter().map(|config| &*config.name).collect();
    assert!(names.is_sorted() && names.contains(&"segment.bytes"));
    let retention = configs.iter().find(|config| &*config.name == "retention.ms").expect("told");
    assert_eq!((retention.value.as_deref(), retention.config_source), (Some("5"), 1));
    let segment = configs.iter().find(|config| &*config.name == "segment.bytes").expect("told");
    assert_eq!((segment.value.as_deref(), segment.config_source), (Some("1073741824"), 5));
}
