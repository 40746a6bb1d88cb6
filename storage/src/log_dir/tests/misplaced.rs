//! Files that stand in the place of others: what they hold is whole, and not what was written there.

use super::*;
use crate::verify::{Severity, verify};

const PLACES: [(&str, u128); 2] = [("left", 1), ("right", 2)];
const PARTITION: PartitionIndex = PartitionIndex(0);

/// As the metadata would say.
fn belongs(name: &str, id: TopicId, _: PartitionIndex) -> Belongs {
    match PLACES.iter().find(|(_, number)| topic(*number) == id) {
        Some((known, _)) if *known == name => Belongs::Here(log_options()),
        Some((known, _)) => Belongs::Elsewhere((*known).to_owned()),
        None => Belongs::Nowhere(PLACES.iter().find(|(known, _)| *known == name).map(|(_, number)| topic(*number))),
    }
}

fn open_named(disk: &LossyDisk, seed: u64) -> (Arc<LogDir>, RecoveryReport) {
    LogDir::open(seams(disk, seed), root(), dir_options(), &belongs).unwrap()
}

/// Two logs of the same shape with other bytes.
fn filled() -> (LossyDisk, Arc<LogDir>) {
    let disk = formatted();
    let (dir, _) = open_named(&disk, 1);
    for (name, number) in PLACES {
        let log = dir.create_log(name, topic(number), PARTITION, log_options()).unwrap();
        for n in 0..40 {
            append(&log, format!("{name:5} {n:02} {}", "x".repeat(1000)).as_bytes()).unwrap();
        }
    }
    (disk, dir)
}

fn copy(disk: &LossyDisk, from: &Path, to: &Path) {
    let bytes = whole_file::read(disk, from).unwrap().unwrap();
    whole_file::replace(disk, to, &bytes).unwrap();
}

fn swap(disk: &LossyDisk, one: &Path, other: &Path) {
    let (ours, theirs) =
        (whole_file::read(disk, one).unwrap().unwrap(), whole_file::read(disk, other).unwrap().unwrap());
    whole_file::replace(disk, one, &theirs).unwrap();
    whole_file::replace(disk, other, &ours).unwrap();
}

fn names(disk: &LossyDisk) -> Vec<String> {
    disk.list(root()).unwrap().into_iter().filter(|entry| entry.is_dir).map(|entry| entry.name).collect()
}

fn metadata(topic: &str) -> PathBuf {
    root().join(format!("{topic}-0")).join(crate::partition_metadata::NAME)
}

fn is_named(disk: &LossyDisk, path: &Path) -> bool {
    let findings = verify(disk, root()).unwrap();
    findings.iter().any(|finding| finding.severity == Severity::Damage && finding.path == path)
}

#[test]
fn a_partition_metadata_of_another_topic_is_not_served() {
    for clean in [true, false] {
        let (disk, dir) = filled();
        if clean {
            dir.close().unwrap();
        } else {
            dir.checkpoint().unwrap();
        }
        drop(dir);
        let disk = if clean { disk } else { disk.kill() };
        swap(&disk, &metadata("left"), &metadata("right"));
        if clean {
            assert!(is_named(&disk, &metadata("left")) && is_named(&disk, &metadata("right")));
        }
        let (dir, report) = open_named(&disk, 2);
        assert_eq!(report.damaged.len(), 2, "{report:?}");
        for (name, number) in PLACES {
            assert!(dir.log(topic(number), PARTITION).is_none());
            assert!(dir.create_log(name, topic(number), PARTITION, log_options()).is_err(), "it would be made anew");
        }
        assert_eq!(names(&disk).iter().filter(|name| name.ends_with("-0")).count(), 2, "nothing was moved aside");
        drop(dir);
        let disk = disk.kill();
        swap(&disk, &metadata("left"), &metadata("right"));
        let (dir, report) = open_named(&disk, 3);
        assert!(report.damaged.is_empty(), "restored: {report:?}");
        for (_, number) in PLACES {
            assert_eq!(dir.log(topic(number), PARTITION).unwrap().log_end_offset(), Offset(40));
        }
    }
}

#[test]
fn a_partition_metadata_of_no_topic_does_not_move_a_known_log_aside() {
    let (disk, dir) = filled();
    dir.close().unwrap();
    let path = metadata("left");
    let text = String::from_utf8(whole_file::read(&disk, &path).unwrap().unwrap()).unwrap();
    let other = text.replace(&topic(1).to_string(), &topic(99).to_string());
    assert_ne!(text, other);
    whole_file::replace(&disk, &path, other.as_bytes()).unwrap();
    let (dir, report) = open_named(&disk, 2);
    assert_eq!(report.damaged, [root().join("left-0")]);
    assert!(dir.create_log("left", topic(1), PARTITION, log_options()).is_err(), "it would be made anew");
    assert_eq!(dir.log(topic(2), PARTITION).unwrap().log_end_offset(), Offset(40));
}

#[test]
fn a_whole_segment_of_another_log_is_not_served() {
    for last in [false, true] {
        let (disk, dir) = filled();
        dir.close().unwrap();
        let (left, right) = (root().join("left-0"), root().join("right-0"));
        let mut bases: Vec<_> = disk.list(&left).unwrap().into_iter().map(|entry| entry.name).collect();
        bases.retain(|name| name.ends_with(".log"));
        bases.sort();
        let base = if last { bases.last() } else { bases.get(1) }.unwrap().trim_end_matches("log").to_owned();
        for suffix in ["log", "index", "timeindex", "checksums"] {
            copy(&disk, &right.join(format!("{base}{suffix}")), &left.join(format!("{base}{suffix}")));
        }
        assert!(is_named(&disk, &left.join(format!("{base}checksums"))));
        let (dir, report) = open_named(&disk, 2);
        let log = dir.log(topic(1), PARTITION).unwrap();
        let mut offset = Offset(0);
        let refused = loop {
            match log.read(offset, 1, Offset(40), true) {
                Ok(read) => {
                    let bytes = read.slice.expect("the log goes on").read().unwrap();
                    assert!(!bytes.windows(5).any(|word| word == b"right"), "of the other log, at {offset}");
                    offset = read.next_offset;
                }
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, ReadError::Damaged(_)), "{refused}");
        assert!(!last || !report.damaged.is_empty(), "nothing may be appended behind it");
    }
}

#[test]
fn a_log_whose_directory_is_gone_before_its_first_checkpoint_is_not_made_anew() {
    let disk = formatted();
    let (dir, _) = open_named(&disk, 1);
    let log = dir.create_log("left", topic(1), PARTITION, log_options()).unwrap();
    let waiter = Waiter::of(&log);
    let last = append(&log, b"acknowledged").unwrap();
    assert!(waiter.wait(&log, last));
    drop((dir, log));
    let disk = disk.kill();
    remove_tree(&disk, &root().join("left-0")).unwrap();
    let (dir, _) = open_named(&disk, 2);
    let refused = dir.create_log("left", topic(1), PARTITION, log_options());
    assert!(matches!(refused, Err(LogDirError::Malformed { .. })), "the journal has batches of it");
    assert!(dir.create_log("right", topic(2), PARTITION, log_options()).is_ok());
}
