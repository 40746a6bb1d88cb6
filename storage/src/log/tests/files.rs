//! The files a log leaves: their bytes, and that rebuilt ones equal written ones.

use std::path::Path;

use super::fake_journal::*;
use crate::ids::LeaderEpoch;
use crate::journal::JournalledLog as _;
use crate::options::LogOptions;
use crate::seam::{Disk as _, LossyDisk};
use crate::whole_file;

fn contents(disk: &LossyDisk, name: &str) -> Vec<u8> {
    whole_file::read(disk, &directory().join(name)).unwrap().unwrap_or_default()
}

fn filled(options: LogOptions) -> Rig {
    let rig = Rig::new(options);
    for n in 0..60 {
        let stamp = NOW.0 + (n * 7) % 40 + n / 2;
        rig.append(&batch_at(stamp, &["x".repeat(usize::try_from(n * 13 % 90).unwrap())])).unwrap();
    }
    rig
}

fn options() -> LogOptions {
    LogOptions { segment_bytes: 2500, index_interval_bytes: 150, ..LogOptions::default() }
}

#[test]
fn indexes_have_these_bytes_at_a_clean_stop() {
    let mut rig = Rig::new(LogOptions { index_interval_bytes: 60, ..LogOptions::default() });
    // Each batch is 69 bytes long: every one but the first gets an entry.
    for stamp in [5, 3, 9, 9] {
        rig.append(&batch_at(NOW.0 + stamp, &["x"])).unwrap();
    }
    rig.close_and_reopen();
    let base = "00000000000000000000";
    let size = u8::try_from(batch(&["x"]).len()).unwrap();
    let offsets = [[0, 0, 0, 1, 0, 0, 0, size], [0, 0, 0, 2, 0, 0, 0, size * 2], [0, 0, 0, 3, 0, 0, 0, size * 3]];
    assert_eq!(contents(&rig.disk, &format!("{base}.index")), offsets.concat());
    let time = |stamp: i64, offset: i32| [&(NOW.0 + stamp).to_be_bytes()[..], &offset.to_be_bytes()].concat();
    assert_eq!(contents(&rig.disk, &format!("{base}.timeindex")), [time(5, 0), time(9, 2)].concat());
    assert_eq!(contents(&rig.disk, "leader-epoch-checkpoint"), b"0\n1\n0 0\n");
    let metadata = String::from_utf8(contents(&rig.disk, "partition.metadata")).unwrap();
    assert_eq!(metadata, format!("version: 0\ntopic_id: {}", topic_id()));
    let snapshot = contents(&rig.disk, "00000000000000000004.snapshot");
    assert_eq!(snapshot, [&[0, 1][..], &crc32c::crc32c(&[0; 4]).to_be_bytes(), &[0; 4]].concat());
}

#[test]
fn a_time_entry_is_forced_at_a_clean_stop() {
    let rig = Rig::new(LogOptions::default());
    rig.append(&batch_at(NOW.0, &["a", "b"])).unwrap();
    rig.log.close().unwrap();
    let entry = [&(NOW.0 + 1).to_be_bytes()[..], &1i32.to_be_bytes()].concat();
    assert_eq!(contents(&rig.disk, "00000000000000000000.timeindex"), entry);
    assert_eq!(rig.files(".index"), ["00000000000000000000.index"], "an empty one is legal and there");
}

#[test]
fn rebuilt_indexes_equal_written_ones() {
    let mut rig = filled(options());
    rig.journal.manifest.lock().replace(rig.log.close().unwrap());
    let names: Vec<String> = [rig.files(".index"), rig.files(".timeindex")].concat();
    assert!(names.len() > 4);
    let written: Vec<_> = names.iter().map(|name| contents(&rig.disk, name)).collect();
    assert!(written.iter().map(Vec::len).sum::<usize>() > 100);
    for name in &names {
        rig.disk.remove_file(&directory().join(name)).unwrap();
    }
    // As an unclean directory of which nothing is known, and as a clean one with the files missing.
    for clean in [false, true] {
        let mut rebuilt = Rig::new(options());
        rebuilt.journal.manifest.lock().clone_from(&*rig.journal.manifest.lock());
        let disk = rig.disk.clone();
        rebuilt.reopen_on(disk, clean);
        rebuilt.log.close().unwrap();
        for (name, written) in names.iter().zip(&written) {
            assert_eq!(&contents(&rebuilt.disk, name), written, "{name}, clean: {clean}");
        }
        for name in &names {
            rig.disk.remove_file(&directory().join(name)).unwrap();
        }
    }
    let _ = &mut rig;
}

#[test]
fn indexes_continued_after_stops_and_kills_equal_those_of_one_run() {
    let mut rig = Rig::new(options());
    let straight = filled(options());
    straight.log.close().unwrap();
    for n in 0..60 {
        let stamp = NOW.0 + (n * 7) % 40 + n / 2;
        rig.append(&batch_at(stamp, &["x".repeat(usize::try_from(n * 13 % 90).unwrap())])).unwrap();
        match n % 9 {
            3 => drop(rig.close_and_reopen()),
            5 => drop(rig.reopen_on(rig.disk.kill(), false)),
            7 => rig.journal.checkpoint_now_of(&rig.log),
            _ => {}
        }
    }
    rig.log.close().unwrap();
    for suffix in [".log", ".index", ".timeindex"] {
        assert_eq!(rig.files(suffix), straight.files(suffix));
        for name in rig.files(suffix) {
            assert_eq!(contents(&rig.disk, &name), contents(&straight.disk, &name), "{name}");
        }
    }
}

#[test]
fn stale_index_files_are_not_believed_after_a_kill() {
    let mut rig = filled(options());
    rig.log.close().unwrap();
    let names = [rig.files(".index"), rig.files(".timeindex")].concat();
    let written: Vec<_> = names.iter().map(|name| contents(&rig.disk, name)).collect();
    for name in &names {
        let path = directory().join(name);
        let file = rig.disk.open(&path, crate::seam::OpenMode::ReadWrite).unwrap();
        let garbage = vec![7; usize::try_from(file.len().unwrap()).unwrap() + 24];
        file.write_all_at(&[std::io::IoSlice::new(&garbage)], 0).unwrap();
    }
    rig.journal.manifest.lock().take();
    rig.reopen_on(rig.disk.kill(), false);
    rig.log.close().unwrap();
    for (name, written) in names.iter().zip(&written) {
        assert_eq!(&contents(&rig.disk, name), written, "{name}");
    }
}

#[test]
fn no_data_file_is_made_before_the_first_record() {
    let mut rig = Rig::new(options());
    assert!(rig.files(".log").is_empty());
    rig.close_and_reopen();
    assert_eq!(rig.log.log_end_offset().0, 0);
    rig.append(&batch(&["a"])).unwrap();
    assert_eq!(rig.segments(), [0]);
}

#[test]
fn a_checkpoint_says_what_is_synced_and_then_the_log_is_not_dirty() {
    let rig = Rig::new(options());
    assert!(!rig.log.is_dirty());
    rig.append(&batch(&["a"])).unwrap();
    assert!(rig.log.is_dirty());
    let checkpoint = rig.log.checkpoint().unwrap();
    assert_eq!(checkpoint.recovery_point.0, 1);
    assert_eq!(checkpoint.position, batch(&["a"]).len() as u64);
    assert!(!rig.log.is_dirty());
    rig.log.append_as_leader(&batch(&["b"]), LeaderEpoch(7), CLIENT).unwrap();
    rig.log.checkpoint().unwrap();
    assert_eq!(contents(&rig.disk, "leader-epoch-checkpoint"), b"0\n2\n0 0\n7 1\n");
}

#[test]
fn another_topics_directory_is_refused() {
    let rig = Rig::new(options());
    let path = directory().join("partition.metadata");
    whole_file::replace(&rig.disk, &path, b"version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ").unwrap();
    let mut rig = rig;
    let refused = rig.try_reopen_on(rig.disk.clone(), true);
    assert!(matches!(refused, Err(crate::error::LogDirError::InconsistentTopicId(_))));
    assert!(rig.disk.exists(Path::new("/data/t-0")));
}
