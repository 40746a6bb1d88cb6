use std::path::Path;

use barnabas_raft::BrokerId;

use super::event::{Activity, Subject, Text};
use super::*;
use crate::api::data::tests::bench::Bench;

/// A broker that has an audit of its own; the one looked at is beside it, and nobody writes for it.
async fn audit(bench: &Bench, settings: &[&str]) -> Audit {
    let broker = bench.broker();
    let read_file = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    let assignments = settings.iter().map(|one| (*one).to_owned()).collect();
    let sources =
        barnabas_config::ConfigSources { files: vec![], environment: vec![], assignments, read_file: &read_file };
    let config = Config::load(&sources).unwrap().0;
    let BrokerId(node) = broker.id;
    let (topics, partitions) = (broker.topics.clone(), Arc::clone(&broker.partitions));
    Audit::open(&config, &Seams::system(), &Arc::new(Metrics::default()), node, topics, partitions).unwrap()
}

fn actor() -> Actor {
    let address = "127.0.0.1:9092".parse().unwrap();
    let principal = Some(Text::of("User:a"));
    Actor { principal, client_id: Text::of(""), peer: address, local: address, listener: Arc::from("L") }
}

fn made(name: &str) -> Deed {
    let subject = Subject::new("TOPIC", name);
    Deed::Operation { api: "CreateTopics", activity: Activity::Create, subject, refused: None }
}

fn denied(name: &str) -> Deed {
    Deed::Denied { api: "Fetch", operation: "READ", subject: Subject::new("TOPIC", name), rule: None }
}

fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_full_queue_loses_events_and_says_how_many() {
    let (bench, directory) = (Bench::start().await, tempfile::tempdir().unwrap());
    let path = directory.path().join("audit.json");
    let file = format!("barnabas.audit.file={}", path.display());
    let audit = audit(&bench, &[&file, "barnabas.audit.queue.events.max=16"]).await;
    for number in 0..40 {
        audit.tell(actor(), made(&number.to_string()));
    }
    assert_eq!((audit.metrics.audit_queue_events.value(), audit.metrics.audit_events_lost.value()), (16, 24));
    audit.finish(&Tasks::new()).await;
    let lines = lines(&path);
    assert_eq!(lines.len(), 17);
    assert_eq!((&lines[16]["class_uid"], &lines[16]["count"]), (&0.into(), &24.into()));
    assert_eq!(audit.metrics.audit_queue_events.value(), 0);
}

#[tokio::test]
async fn refusals_take_half_of_the_queue_and_leave_the_rest_to_what_is_done() {
    let (bench, directory) = (Bench::start().await, tempfile::tempdir().unwrap());
    let path = directory.path().join("audit.json");
    let file = format!("barnabas.audit.file={}", path.display());
    let audit = audit(&bench, &[&file, "barnabas.audit.queue.events.max=16"]).await;
    for number in 0..100 {
        audit.tell(actor(), denied(&number.to_string()));
    }
    (0..8).for_each(|number| audit.tell(actor(), made(&number.to_string())));
    audit.finish(&Tasks::new()).await;
    let of_class = |status: &str| lines(&path).iter().filter(|line| line["status"] == status).count();
    assert_eq!((of_class("Success"), of_class("Failure")), (8, 9), "eight denials and the loss of the others");
}

#[tokio::test]
async fn without_a_file_and_a_topic_nothing_is_taken() {
    let bench = Bench::start().await;
    let audit = audit(&bench, &["barnabas.audit.logins=all"]).await;
    assert!(!audit.is_on() && !audit.takes_logins());
    audit.tell(actor(), made("t"));
    audit.tell(actor(), denied("t"));
    assert_eq!((audit.metrics.audit_queue_events.value(), audit.metrics.audit_events_lost.value()), (0, 0));
    audit.finish(&Tasks::new()).await;
}

#[tokio::test]
async fn what_cannot_be_written_is_told_when_it_can_be_again() {
    let (bench, directory) = (Bench::start().await, tempfile::tempdir().unwrap());
    let path = directory.path().join("own").join("audit.json");
    let file = format!("barnabas.audit.file={}", path.display());
    let audit = audit(&bench, &[&file, "barnabas.audit.file.bytes.max=65536", "barnabas.audit.files.max=2"]).await;
    let tasks = Tasks::new();
    let write = async |count: usize| {
        let mut writer = audit.writer.lock().await;
        let event = |number: usize| Event {
            time: Timestamp(0),
            actor: actor(),
            deed: made(&format!("{number}{}", "x".repeat(400))),
            repeats: None,
        };
        audit.metrics.audit_queue_events.add(count as u64);
        audit.write(&mut writer, &tasks, (0..count).map(event).collect(), None).await;
    };
    // Where the file is to be put aside stands a directory.
    std::fs::create_dir_all(directory.path().join("own").join("audit.json.1").join("full")).unwrap();
    write(200).await;
    let lost = audit.metrics.audit_events_lost.value();
    assert!(lost > 0 && lost < 200, "{lost}");
    std::fs::remove_dir_all(directory.path().join("own").join("audit.json.1")).unwrap();
    write(1).await;
    let last = lines(&path).pop().unwrap();
    assert_eq!((&last["class_uid"], &last["count"]), (&0.into(), &lost.into()));
}
