use super::*;
use crate::limits::AUDIT_TEXT_BYTES_MAX;

fn actor(principal: Option<&str>) -> Actor {
    Actor {
        principal: principal.map(Text::of),
        client_id: Text::of("app"),
        peer: "[::ffff:10.0.0.7]:50000".parse().unwrap(),
        local: "10.0.0.1:9092".parse().unwrap(),
        listener: Arc::from("SASL_SSL"),
    }
}

fn event(principal: Option<&str>, deed: Deed) -> Event {
    Event { time: Timestamp(1_700_000_000_000), actor: actor(principal), deed, repeats: None }
}

/// The event as it is read again; what the schema wants of every event is looked at.
fn read(event: &Event) -> Value {
    let line = event.to_json(1, 7);
    assert!(!line.contains('\n'));
    let json: Value = serde_json::from_str(&line).unwrap();
    for required in ["activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"] {
        assert!(!json[required].is_null(), "{required} of {json}");
    }
    let number = |name: &str| json[name].as_u64().unwrap();
    assert_eq!(number("type_uid"), number("class_uid") * 100 + number("activity_id"));
    assert_eq!(number("category_uid"), number("class_uid") / 1000);
    assert_eq!(json["metadata"]["version"], SCHEMA);
    assert_eq!((&json["metadata"]["product"]["name"], &json["metadata"]["sequence"]), (&json!("Barnabas"), &json!(7)));
    json
}

#[test]
fn a_denial_is_an_api_activity_with_the_rule_that_denies() {
    let rule = Some(Text::of("User:alice WRITE on TOPIC orders (LITERAL) from *: DENY"));
    let subject = Subject::new("TOPIC", "orders");
    let deed = Deed::Denied { api: "Produce", operation: "WRITE", subject, rule };
    let json = read(&event(Some("User:alice"), deed));
    assert_eq!(
        (&json["class_uid"], &json["activity_name"], &json["status"]),
        (&json!(6003), &json!("Update"), &json!("Failure"))
    );
    assert_eq!(json["time"], 1_700_000_000_000_u64);
    assert_eq!(json["actor"]["user"]["name"], "User:alice");
    let authorization = &json["actor"]["authorizations"][0];
    assert_eq!(authorization["decision"], "denied");
    assert!(authorization["policy"]["desc"].as_str().unwrap().ends_with("DENY"));
    assert_eq!(json["api"]["operation"], "Produce");
    assert_eq!(json["resources"], json!([{"type": "TOPIC", "name": "orders"}]));
    assert_eq!(json["src_endpoint"], json!({"ip": "10.0.0.7", "port": 50000}));
    assert_eq!((&json["dst_endpoint"]["port"], &json["dst_endpoint"]["instance_uid"]), (&json!(9092), &json!("1")));
    assert!(json["count"].is_null());
}

#[test]
fn an_operation_on_a_topic_is_an_api_activity_with_its_outcome() {
    let subject = || Subject::new("TOPIC", "orders").with("partitions", 3);
    let done = Deed::Operation { api: "CreateTopics", activity: Activity::Create, subject: subject(), refused: None };
    let json = read(&event(Some("User:admin"), done));
    assert_eq!((&json["type_uid"], &json["status_id"], &json["severity_id"]), (&json!(600_301), &json!(1), &json!(1)));
    assert_eq!(json["api"]["response"]["code"], 0);
    assert_eq!(json["resources"][0]["data"], json!({"partitions": "3"}));
    let refused = Some((36, "TopicAlreadyExists".to_owned()));
    let refused = Deed::Operation { api: "CreateTopics", activity: Activity::Create, subject: subject(), refused };
    let json = read(&event(Some("User:admin"), refused));
    assert_eq!((&json["status_id"], &json["status_code"]), (&json!(2), &json!("36")));
    assert_eq!(json["api"]["response"], json!({"code": 36, "error": "TopicAlreadyExists"}));
}

#[test]
fn users_rules_and_quotas_are_managed_entities() {
    for (kind, type_id) in [("USER", 2), ("ACL", 5), ("QUOTA", 5)] {
        let subject = Subject::new(kind, "User:alice").with("host", "*");
        let deed = Deed::Operation { api: "Api", activity: Activity::Delete, subject, refused: None };
        let json = read(&event(Some("User:admin"), deed));
        assert_eq!((&json["type_uid"], &json["entity"]["type_id"]), (&json!(300_404), &json!(type_id)));
        assert_eq!((&json["entity"]["name"], &json["entity"]["data"]["host"]), (&json!("User:alice"), &json!("*")));
        assert_eq!((&json["unmapped"]["api"], &json["unmapped"]["kind"]), (&json!("Api"), &json!(kind)));
    }
}

#[test]
fn a_refused_handshake_is_an_authentication() {
    let reason = Text::of("invalid peer certificate: UnknownIssuer");
    let deed = Deed::Handshake { kind: "certificate-untrusted", reason };
    let event = event(Some("User:CN=a"), deed);
    assert!(event.is_refusal() && event.is_of_stranger());
    let json = read(&event);
    assert_eq!(
        (&json["type_uid"], &json["auth_protocol"], &json["status"]),
        (&json!(300_201), &json!("TLS"), &json!("Failure"))
    );
    assert_eq!((&json["user"]["name"], &json["status_code"]), (&json!("User:CN=a"), &json!("certificate-untrusted")));
    assert_eq!(json["src_endpoint"], json!({"ip": "10.0.0.7", "port": 50000}));
}

#[test]
fn a_login_is_an_authentication() {
    let login = |principal, mechanism, is_encrypted, failed: Option<&str>| {
        let failed = failed.map(Text::of);
        read(&event(principal, Deed::Login { mechanism: Some(mechanism), is_encrypted, failed }))
    };
    let json = login(None, "PLAIN", false, Some("Authentication failed"));
    assert_eq!((&json["type_uid"], &json["activity_name"]), (&json!(300_201), &json!("Logon")));
    assert_eq!((&json["status"], &json["status_detail"]), (&json!("Failure"), &json!("Authentication failed")));
    assert_eq!((&json["user"]["name"], &json["is_cleartext"]), (&json!("unknown"), &json!(true)));
    assert_eq!(json["service"]["name"], "kafka");
    let json = login(Some("User:alice"), "PLAIN", true, None);
    assert_eq!((&json["status"], &json["user"]["name"]), (&json!("Success"), &json!("User:alice")));
    assert_eq!((&json["is_cleartext"], &json["auth_protocol"]), (&json!(false), &json!("SASL PLAIN")));
}

#[test]
fn several_refusals_that_were_alike_are_one_event_with_their_number() {
    let deed = Deed::Denied { api: "Fetch", operation: "READ", subject: Subject::new("TOPIC", "t"), rule: None };
    let json = read(&Event { repeats: Some((41, Timestamp(1_700_000_050_000))), ..event(Some("User:a"), deed) });
    assert_eq!((&json["count"], &json["start_time"]), (&json!(41), &json!(1_700_000_000_000_u64)));
    assert_eq!(json["end_time"], 1_700_000_050_000_u64);
    assert_eq!(json["status_detail"], "no rule allows it");
}

#[test]
fn a_loss_says_how_many() {
    let json = read(&event(None, Deed::Lost { count: 12 }));
    assert_eq!((&json["class_uid"], &json["count"], &json["severity"]), (&json!(0), &json!(12), &json!("High")));
    assert!(json["src_endpoint"].is_null());
}

#[test]
fn a_text_of_a_peers_is_cut_where_a_letter_begins() {
    let long = "ä".repeat(AUDIT_TEXT_BYTES_MAX);
    let cut = Text::of(&long);
    assert_eq!(cut.as_str().len(), AUDIT_TEXT_BYTES_MAX + 3);
    assert_eq!(Text::of(&format!("x{long}")).as_str().len(), AUDIT_TEXT_BYTES_MAX - 1 + 3);
    assert_eq!(Text::of("short").as_str(), "short");
    let details = (0..8).fold(Subject::new("ACL", &long), |subject, _| subject.with("detail", &long));
    let deed = Deed::Operation { api: "CreateAcls", activity: Activity::Create, subject: details, refused: None };
    assert!(event(Some(&long), deed).to_json(1, 1).len() < 16 * AUDIT_TEXT_BYTES_MAX);
}

#[test]
fn what_a_peer_calls_itself_cannot_end_a_line_or_an_object() {
    let name = "a\"}\n{\"b\u{0}";
    let deed = Deed::Denied { api: "Fetch", operation: "READ", subject: Subject::new("TOPIC", name), rule: None };
    assert_eq!(read(&event(Some(name), deed))["resources"][0]["name"], name);
}
