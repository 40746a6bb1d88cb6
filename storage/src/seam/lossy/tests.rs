use std::io::IoSlice;

use super::*;
use crate::seam::clock::ManualClock;

fn disk() -> LossyDisk {
    LossyDisk::new(Arc::new(ManualClock::default()))
}

fn write(disk: &LossyDisk, path: &str, bytes: &[u8], position: u64) -> Arc<dyn DiskFile> {
    let file = disk.open(Path::new(path), OpenMode::Create).unwrap();
    file.write_all_at(&[IoSlice::new(bytes)], position).unwrap();
    file
}

fn read(disk: &LossyDisk, path: &str) -> Option<Vec<u8>> {
    let file = disk.open(Path::new(path), OpenMode::Read).ok()?;
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    Some(bytes)
}

fn root() -> &'static Path {
    Path::new("/")
}

#[test]
fn synced_files_of_synced_directories_survive_every_crash() {
    for seed in 0..64 {
        let disk = disk();
        write(&disk, "/f", &[7; 5000], 0).sync_data().unwrap();
        disk.sync_dir(root()).unwrap();
        write(&disk, "/f", &[8; 100], 5000);
        let after = disk.crash(seed);
        assert_eq!(&read(&after, "/f").unwrap()[..5000], &[7; 5000]);
        assert!(disk.open(Path::new("/f"), OpenMode::Read).is_ok_and(|file| file.sync_data().is_err()));
    }
}

#[test]
fn unsynced_writes_are_lost_in_part_in_some_crash_and_tear_only_at_sectors() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..200 {
        let disk = disk();
        write(&disk, "/f", &[1; 2048], 0).sync_data().unwrap();
        disk.sync_dir(root()).unwrap();
        write(&disk, "/f", &[2; 2048], 0);
        let image = read(&disk.crash(seed), "/f").unwrap();
        let sectors: Vec<u8> = image.chunks(512).map(|sector| sector[0]).collect();
        assert!(image.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        outcomes.insert(sectors);
    }
    assert!(outcomes.contains(&vec![1, 1, 1, 1]) && outcomes.contains(&vec![2, 2, 2, 2]));
    assert!(outcomes.len() > 10, "{outcomes:?}");
}

#[test]
fn a_file_may_have_grown_and_hold_zeros() {
    let grown = (0..200).any(|seed| {
        let disk = disk();
        write(&disk, "/f", &[], 0).sync_data().unwrap();
        disk.sync_dir(root()).unwrap();
        write(&disk, "/f", &[3; 512], 0);
        read(&disk.crash(seed), "/f").unwrap() == vec![0; 512]
    });
    assert!(grown);
}

#[test]
fn directory_changes_are_lost_unless_their_directory_was_synced() {
    let (mut old, mut new) = (0, 0);
    for seed in 0..100 {
        let disk = disk();
        write(&disk, "/f", b"old", 0).sync_data().unwrap();
        disk.sync_dir(root()).unwrap();
        write(&disk, "/f.tmp", b"new", 0).sync_data().unwrap();
        disk.rename(Path::new("/f.tmp"), Path::new("/f")).unwrap();
        let after = disk.crash(seed);
        match read(&after, "/f").unwrap().as_slice() {
            b"old" => old += 1,
            b"new" => new += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(old > 10 && new > 10, "{old} old, {new} new");
}

#[test]
fn a_failed_sync_loses_data_that_a_second_sync_does_not_bring_back() {
    let disk = disk();
    let file = write(&disk, "/f", &[0; 8192], 0);
    file.sync_data().unwrap();
    disk.sync_dir(root()).unwrap();
    file.write_all_at(&[IoSlice::new(&[5; 8192])], 0).unwrap();
    disk.fail_nth(OpKind::SyncData, 1, Fault::Io);
    assert_eq!(file.sync_data().unwrap_err().raw_os_error(), Some(libc::EIO));
    file.sync_data().unwrap();
    assert!(read(&disk.crash(0), "/f").unwrap().contains(&0));
}

#[test]
fn the_nth_operation_fails_or_is_the_last() {
    let disk = disk();
    let file = write(&disk, "/f", b"ab", 0);
    disk.fail_nth(OpKind::Write, 2, Fault::ShortWriteNoSpace);
    file.write_all_at(&[IoSlice::new(b"cd")], 2).unwrap();
    let error = file.write_all_at(&[IoSlice::new(b"efgh")], 4).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENOSPC));
    assert_eq!(read(&disk, "/f").unwrap(), b"abcdef");
    assert_eq!(disk.operations(), 4);
    disk.crash_at(6);
    file.sync_data().unwrap();
    assert!(!disk.has_crashed());
    file.sync_data().unwrap_err();
    assert!(disk.has_crashed());
    file.write_all_at(&[IoSlice::new(b"x")], 0).unwrap_err();
}

#[test]
fn killing_the_process_keeps_the_page_cache() {
    let disk = disk();
    write(&disk, "/f", b"unsynced", 0);
    assert_eq!(read(&disk.kill(), "/f").unwrap(), b"unsynced");
}

#[test]
fn a_lock_is_exclusive_until_it_drops() {
    let disk = disk();
    let lock = disk.lock(Path::new("/.lock")).unwrap();
    assert_eq!(disk.lock(Path::new("/.lock")).err().unwrap().kind(), io::ErrorKind::WouldBlock);
    drop(lock);
    disk.lock(Path::new("/.lock")).unwrap();
}

#[test]
fn a_kill_keeps_the_page_cache_and_makes_nothing_durable() {
    let mut lost = 0;
    for seed in 0..64 {
        let disk = disk();
        write(&disk, "/f", &[7; 512], 0);
        let killed = disk.kill();
        assert_eq!(read(&killed, "/f").unwrap(), [7; 512]);
        lost += usize::from(killed.crash(seed).open(Path::new("/f"), OpenMode::Read).is_err());
    }
    assert!(lost > 0, "what was unsynced before the kill may be lost after it");
}
