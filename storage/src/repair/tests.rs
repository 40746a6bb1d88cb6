use super::*;
use crate::batch::BatchBuilder;
use crate::ids::{LeaderEpoch, PartitionIndex, Timestamp, TopicId};
use crate::log::AppendOrigin;
use crate::log_dir::MetaProperties;
use crate::verify::{Walked, verify, verify_observed};

fn open(seams: &Seams, path: &Path) -> std::sync::Arc<LogDir> {
    let options = LogDirOptions { journal_bytes_initial: 1 << 20, ..LogDirOptions::default() };
    LogDir::open(seams.clone(), path, options, &|_, _, _| Belongs::Here(LogOptions::default())).unwrap().0
}

/// A directory with one log of ten batches, stopped cleanly.
fn directory(seams: &Seams, path: &Path) -> TopicId {
    let id = TopicId(uuid::Uuid::from_u128(5));
    let meta = MetaProperties { cluster_id: "c".to_owned(), node_id: 1, directory_id: id };
    LogDir::format(seams, path, &meta).unwrap();
    let dir = open(seams, path);
    let options = LogOptions { segment_bytes: 300, ..LogOptions::default() };
    let log = dir.create_log("t", id, PartitionIndex(0), options).unwrap();
    for n in 0..10 {
        let batch = BatchBuilder::new().record(Timestamp(1000 + n), None, Some(b"value")).build();
        let origin = AppendOrigin::Client { zstd_allowed: true };
        log.append_as_leader(&batch, LeaderEpoch(0), origin).unwrap();
    }
    dir.close().unwrap();
    assert_eq!(verify(&*seams.disk, path).unwrap(), []);
    id
}

fn flip(disk: &dyn Disk, path: &Path, position: u64) {
    let file = disk.open(path, OpenMode::ReadWrite).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, position).unwrap();
    file.write_all_at(&[IoSlice::new(&[byte[0] ^ 4])], position).unwrap();
}

#[test]
fn a_walk_tells_before_each_partition_and_at_the_end_how_far_it_has_come() {
    let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
    directory(&seams, root.path());
    seams.disk.create_dir(&root.path().join("a-0")).unwrap();
    let mut told = Vec::new();
    let mut observer = |walked: Walked<'_>| told.push((walked.done, walked.of, walked.next.map(str::to_owned)));
    let observed = verify_observed(&*seams.disk, root.path(), &mut observer).unwrap();
    let next = |name: &str| Some(name.to_owned());
    assert_eq!(told, [(0, 2, next("a-0")), (1, 2, next("t-0")), (2, 2, None)]);
    assert_eq!(observed, verify(&*seams.disk, root.path()).unwrap());
}

#[test]
fn a_damaged_log_is_cut_before_the_damage_and_nothing_is_thrown_away() {
    let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
    let id = directory(&seams, root.path());
    let data = root.path().join("t-0").join("00000000000000000004.log");
    let len = seams.disk.open(&data, OpenMode::Read).unwrap().len().unwrap();
    flip(&*seams.disk, &data, len - 3);
    let findings = verify(&*seams.disk, root.path()).unwrap();
    assert!(
        findings.iter().any(|finding| finding.path == data && finding.severity == Severity::Damage),
        "{findings:?}"
    );
    let steps = plan(&*seams.disk, root.path(), &findings).unwrap();
    assert_eq!(verify(&*seams.disk, root.path()).unwrap(), findings, "a plan changes nothing");
    carry_out(&seams, root.path(), &steps).unwrap();
    assert_eq!(verify(&*seams.disk, root.path()).unwrap(), []);
    let kept: Vec<_> = seams.disk.list(&root.path().join("t-0")).unwrap();
    assert!(kept.iter().any(|entry| entry.name.starts_with("00000000000000000004.log.cut-")), "{kept:?}");
    assert!(kept.iter().any(|entry| entry.name == "00000000000000000008.log.damaged"), "{kept:?}");
    let dir = open(&seams, root.path());
    let log = dir.log(id, PartitionIndex(0)).unwrap();
    assert_eq!(log.log_end_offset(), Offset(7));
    assert!(log.read(Offset(0), 1000, Offset(7), true).unwrap().slice.unwrap().read().is_ok());
}

#[test]
fn small_files_are_made_again() {
    for name in [
        "00000000000000000000.index",
        "00000000000000000004.timeindex",
        "leader-epoch-checkpoint",
        "00000000000000000010.snapshot",
        "00000000000000000004.checksums",
    ] {
        let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
        let id = directory(&seams, root.path());
        let path = root.path().join("t-0").join(name);
        let file = seams.disk.open(&path, OpenMode::ReadWrite).unwrap();
        file.set_len(0).unwrap();
        file.write_all_at(&[IoSlice::new(b"no such thing")], 0).unwrap();
        let findings = verify(&*seams.disk, root.path()).unwrap();
        assert!(findings.iter().any(|finding| finding.path == path), "{name}: {findings:?}");
        let steps = plan(&*seams.disk, root.path(), &findings).unwrap();
        carry_out(&seams, root.path(), &steps).unwrap();
        assert_eq!(verify(&*seams.disk, root.path()).unwrap(), [], "{name}");
        let dir = open(&seams, root.path());
        assert_eq!(dir.log(id, PartitionIndex(0)).unwrap().log_end_offset(), Offset(10), "{name}");
    }
}

#[test]
fn a_log_without_its_first_segment_begins_at_the_next_one() {
    let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
    let id = directory(&seams, root.path());
    seams.disk.remove_file(&root.path().join("t-0").join("00000000000000000000.log")).unwrap();
    let findings = verify(&*seams.disk, root.path()).unwrap();
    let steps = plan(&*seams.disk, root.path(), &findings).unwrap();
    assert!(steps.iter().any(|step| matches!(step, Step::Begin(_, Some(first)) if *first > Offset::ZERO)), "{steps:?}");
    carry_out(&seams, root.path(), &steps).unwrap();
    assert_eq!(verify(&*seams.disk, root.path()).unwrap(), []);
    let log = open(&seams, root.path()).log(id, PartitionIndex(0)).unwrap();
    assert!(log.log_start_offset() > Offset::ZERO);
    assert_eq!(log.log_end_offset(), Offset(10), "what is there stays");
}

#[test]
fn a_log_without_any_segment_goes_on_from_its_end() {
    let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
    let id = directory(&seams, root.path());
    for entry in seams.disk.list(&root.path().join("t-0")).unwrap() {
        if entry.name.ends_with(".log") {
            seams.disk.remove_file(&root.path().join("t-0").join(entry.name)).unwrap();
        }
    }
    let findings = verify(&*seams.disk, root.path()).unwrap();
    carry_out(&seams, root.path(), &plan(&*seams.disk, root.path(), &findings).unwrap()).unwrap();
    assert_eq!(verify(&*seams.disk, root.path()).unwrap(), []);
    let log = open(&seams, root.path()).log(id, PartitionIndex(0)).unwrap();
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (Offset(10), Offset(10)), "no offset is given twice");
}

#[test]
fn a_damaged_journal_of_a_clean_stop_is_set_aside() {
    let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
    let id = directory(&seams, root.path());
    flip(&*seams.disk, &root.path().join("barnabas-journal-000"), 3);
    let findings = verify(&*seams.disk, root.path()).unwrap();
    assert!(!findings.is_empty());
    carry_out(&seams, root.path(), &plan(&*seams.disk, root.path(), &findings).unwrap()).unwrap();
    assert_eq!(verify(&*seams.disk, root.path()).unwrap(), []);
    assert!(root.path().join("barnabas-journal-000.damaged").exists());
    assert_eq!(open(&seams, root.path()).log(id, PartitionIndex(0)).unwrap().log_end_offset(), Offset(10));
}

#[test]
fn journal_files_of_a_clean_stop_that_were_swapped_are_all_set_aside() {
    let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
    let id = directory(&seams, root.path());
    let name = |number| root.path().join(format!("barnabas-journal-00{number}"));
    let of = RingFiles::look(&*seams.disk, root.path(), id).unwrap();
    of.make_next(&*seams.disk, 1 << 20).unwrap();
    for (from, to) in [(name(0), name(9)), (name(1), name(0)), (name(9), name(1))] {
        seams.disk.rename(&from, &to).unwrap();
    }
    let findings = verify(&*seams.disk, root.path()).unwrap();
    carry_out(&seams, root.path(), &plan(&*seams.disk, root.path(), &findings).unwrap()).unwrap();
    assert_eq!(verify(&*seams.disk, root.path()).unwrap(), []);
    assert_eq!(open(&seams, root.path()).log(id, PartitionIndex(0)).unwrap().log_end_offset(), Offset(10));
}

/// Nothing of it is the log's: all of it is kept beside it.
#[test]
fn a_longer_segment_of_another_place_is_cut_at_its_start() {
    let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
    directory(&seams, root.path());
    let of = |base: &str| root.path().join("t-0").join(format!("{base:0>20}.log"));
    let read = |base| crate::whole_file::read(&*seams.disk, &of(base)).unwrap().unwrap();
    let foreign = [read("4"), read("8")].concat();
    let file = seams.disk.open(&of("0"), OpenMode::ReadWrite).unwrap();
    file.write_all_at(&[IoSlice::new(&foreign)], 0).unwrap();
    let findings = verify(&*seams.disk, root.path()).unwrap();
    let steps = plan(&*seams.disk, root.path(), &findings).unwrap();
    assert!(steps.contains(&Step::Cut(of("0"), 0)), "{steps:?}");
}

#[test]
fn a_file_with_several_findings_is_set_aside_once() {
    let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
    directory(&seams, root.path());
    let partition = root.path().join("t-0");
    let files = ["00000000000000000000.index", "00000000000000000004.index"].map(|name| partition.join(name));
    let found = |path: &PathBuf, what: &str| Finding {
        path: path.clone(),
        position: None,
        severity: Severity::Rebuildable,
        what: what.to_owned(),
        action: "",
    };
    let findings = [found(&files[0], "one"), found(&files[1], "one"), found(&files[0], "another")];
    let steps = plan(&*seams.disk, root.path(), &findings).unwrap();
    assert_eq!(steps, files.map(Step::SetAside));
    carry_out(&seams, root.path(), &steps).unwrap();
    assert_eq!(verify(&*seams.disk, root.path()).unwrap(), []);
}

#[test]
fn an_empty_partition_with_the_id_of_another_topic_is_left_alone() {
    let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
    let id = directory(&seams, root.path());
    let dir = open(&seams, root.path());
    // Before and behind the other in the order of the names.
    for (name, own) in [("a", 6), ("z", 7)] {
        let own = TopicId(uuid::Uuid::from_u128(own));
        dir.create_log(name, own, PartitionIndex(0), LogOptions::default()).unwrap();
    }
    dir.close().unwrap();
    for name in ["a-0", "z-0"] {
        let metadata = root.path().join(name).join(partition_metadata::NAME);
        let own = crate::whole_file::read(&*seams.disk, &metadata).unwrap().unwrap();
        partition_metadata::write(&*seams.disk, &root.path().join(name), id).unwrap();
        let findings = verify(&*seams.disk, root.path()).unwrap();
        let named: Vec<_> = findings.iter().map(|finding| finding.path.clone()).collect();
        assert!(named.contains(&metadata), "{findings:?}");
        assert!(!named.iter().any(|path| path.starts_with(root.path().join("t-0"))), "{findings:?}");
        let steps = plan(&*seams.disk, root.path(), &findings).unwrap();
        assert!(!steps.iter().any(|step| matches!(step, Step::Begin(..))), "{steps:?}");
        crate::whole_file::replace(&*seams.disk, &metadata, &own).unwrap();
        assert_eq!(verify(&*seams.disk, root.path()).unwrap(), []);
    }
}

/// The directory of [`directory`] after its topic was deleted and kept, and where the log is now.
fn kept_log(seams: &Seams, path: &Path) -> (TopicId, PathBuf) {
    let id = directory(seams, path);
    let dir = open(seams, path);
    dir.keep_log(id, PartitionIndex(0)).unwrap();
    dir.close().unwrap();
    (id, path.join("t-0.00000000000000000000000000000005-stray"))
}

/// What is wrong, without what an operator may want to know.
fn problems(seams: &Seams, path: &Path) -> Vec<Finding> {
    let mut found = verify(&*seams.disk, path).unwrap();
    found.retain(|finding| finding.severity > Severity::Note);
    found
}

fn restored(seams: &Seams, path: &Path, id: TopicId) -> std::sync::Arc<crate::log::Log> {
    open(seams, path).restore_log("t", id, PartitionIndex(0), LogOptions::default()).unwrap().unwrap()
}

/// Other bytes than there were.
fn scribble(seams: &Seams, path: &Path) {
    seams.disk.open(path, OpenMode::ReadWrite).unwrap().write_all_at(&[IoSlice::new(b"no such thing")], 0).unwrap();
}

fn empty_out(seams: &Seams, path: &Path) {
    seams.disk.open(path, OpenMode::ReadWrite).unwrap().set_len(0).unwrap();
}

#[test]
fn a_kept_log_that_is_whole_is_named_as_kept_and_is_no_problem() {
    let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
    let (_, kept) = kept_log(&seams, root.path());
    let findings = verify(&*seams.disk, root.path()).unwrap();
    let [note] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!((&note.path, note.severity), (&kept, Severity::Note));
    assert!(note.what.contains("the kept log of partition 0 of t"), "{note:?}");
    // After a kill it is as closed as before.
    drop(open(&seams, root.path()));
    assert_eq!(problems(&seams, root.path()), []);
}

#[test]
fn damage_in_a_kept_log_is_found_and_named_and_repaired_as_in_others() {
    let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
    let (id, kept) = kept_log(&seams, root.path());
    let data = kept.join("00000000000000000004.log");
    let len = seams.disk.open(&data, OpenMode::Read).unwrap().len().unwrap();
    for is_killed in [false, true] {
        flip(&*seams.disk, &data, len - 3);
        if is_killed {
            drop(open(&seams, root.path()));
        }
        let found = problems(&seams, root.path());
        let damage = found.iter().find(|finding| finding.path == data).unwrap();
        assert_eq!(damage.severity, Severity::Damage);
        assert!(damage.what.starts_with("in the kept log of partition 0 of t: "), "{damage:?}");
        if !is_killed {
            flip(&*seams.disk, &data, len - 3);
        }
    }
    let findings = problems(&seams, root.path());
    carry_out(&seams, root.path(), &plan(&*seams.disk, root.path(), &findings).unwrap()).unwrap();
    assert_eq!(problems(&seams, root.path()), []);
    assert!(kept.join("00000000000000000008.log.damaged").exists());
    let log = restored(&seams, root.path(), id);
    assert_eq!(log.log_end_offset(), Offset(7));
    assert!(log.read(Offset(0), 1000, Offset(7), true).unwrap().slice.unwrap().read().is_ok());
}

#[test]
fn every_byte_of_a_kept_log_counts() {
    let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
    let (_, kept) = kept_log(&seams, root.path());
    for entry in seams.disk.list(&kept).unwrap() {
        let path = kept.join(&entry.name);
        let bytes = crate::whole_file::read(&*seams.disk, &path).unwrap().unwrap();
        for position in (0..bytes.len() as u64).step_by(7) {
            flip(&*seams.disk, &path, position);
            let found = problems(&seams, root.path());
            assert!(found.iter().any(|finding| finding.path.starts_with(&kept)), "{} {position}", entry.name);
            flip(&*seams.disk, &path, position);
        }
        seams.disk.remove_file(&path).unwrap();
        // Of an old snapshot that is only to be told.
        let found = verify(&*seams.disk, root.path()).unwrap();
        assert!(found.iter().any(|finding| finding.path == path), "{} is gone: {found:?}", entry.name);
        crate::whole_file::replace(&*seams.disk, &path, &bytes).unwrap();
    }
    assert_eq!(problems(&seams, root.path()), []);
}

#[test]
fn small_files_of_a_kept_log_are_made_again() {
    for name in ["00000000000000000000.index", "leader-epoch-checkpoint", "00000000000000000004.checksums"] {
        let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
        let (id, kept) = kept_log(&seams, root.path());
        scribble(&seams, &kept.join(name));
        let findings = problems(&seams, root.path());
        assert!(findings.iter().any(|finding| finding.path == kept.join(name)), "{name}: {findings:?}");
        carry_out(&seams, root.path(), &plan(&*seams.disk, root.path(), &findings).unwrap()).unwrap();
        assert_eq!(problems(&seams, root.path()), [], "{name}");
        assert_eq!(restored(&seams, root.path(), id).log_end_offset(), Offset(10), "{name}");
    }
}

/// A start would take it for a stray, and the topic would not come back.
#[test]
fn a_kept_log_without_its_topic_id_is_damage_that_is_left_to_people() {
    let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
    let (_, kept) = kept_log(&seams, root.path());
    let metadata = kept.join(partition_metadata::NAME);
    empty_out(&seams, &metadata);
    for _ in 0..2 {
        let findings = problems(&seams, root.path());
        let damage = findings.iter().find(|finding| finding.path == metadata).unwrap();
        assert_eq!(damage.severity, Severity::Damage);
        let steps = plan(&*seams.disk, root.path(), &findings).unwrap();
        assert!(matches!(steps.as_slice(), [Step::Leave(path, _)] if *path == metadata), "{steps:?}");
        seams.disk.remove_file(&metadata).ok();
    }
}

#[test]
fn a_stray_is_not_taken_for_a_kept_log() {
    let (seams, root) = (Seams::system(), tempfile::tempdir().unwrap());
    let (_, kept) = kept_log(&seams, root.path());
    let stray = root.path().join("t-0.00000000000000000000000000000006-stray");
    seams.disk.create_dir_all(&stray).unwrap();
    for name in [partition_metadata::NAME, "00000000000000000004.log"] {
        let bytes = crate::whole_file::read(&*seams.disk, &kept.join(name)).unwrap().unwrap();
        crate::whole_file::replace(&*seams.disk, &stray.join(name), &bytes).unwrap();
    }
    empty_out(&seams, &stray.join("00000000000000000004.log"));
    assert_eq!(problems(&seams, root.path()), []);
}
