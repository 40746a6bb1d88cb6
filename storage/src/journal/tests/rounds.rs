//! JRN-1: which rounds a start takes, after whatever happened to the last ones.

use super::*;

/// What a start would replay.
fn replay_of(disk: &LossyDisk) -> Result<(Replay, Tail), LogDirError> {
    let manifest = manifest_or_none(disk).unwrap().unwrap();
    replay::read(&RingFiles::open(disk, dir(), directory()).unwrap(), &manifest)
}

/// Changes one byte of the batch in the only entry of the round at this block.
fn damage_batch(disk: &LossyDisk, block: usize) {
    let ring = disk.open(&dir().join("barnabas-journal-000"), OpenMode::ReadWrite).unwrap();
    ring.write_all_at(&[io::IoSlice::new(b"!")], (block * BLOCK + 64 + 64 + 61) as u64).unwrap();
}

/// Two rounds, then a kill.
fn two_rounds() -> LossyDisk {
    let disk = new_disk();
    let rig = Rig::open(&disk, 1).unwrap();
    rig.append_and_wait(0, b"first");
    rig.append_and_wait(0, b"second");
    drop(rig);
    disk.kill()
}

#[test]
fn jrn_1_replay_stops_at_a_torn_round_and_says_nothing() {
    let disk = two_rounds();
    damage_batch(&disk, 2);
    let (replay, head) = replay_of(&disk).unwrap();
    assert_eq!(replay.batches.values().map(Vec::len).sum::<usize>(), 1);
    assert_eq!(head, Tail { round: 2, place: Place { file: 0, position: 2 * BLOCK as u64 } });
}

#[test]
fn jrn_1_a_damaged_round_before_a_whole_one_is_refused() {
    let disk = two_rounds();
    let ring = disk.open(&dir().join("barnabas-journal-000"), OpenMode::ReadWrite).unwrap();
    ring.write_all_at(&[io::IoSlice::new(b"!")], BLOCK as u64 + 64).unwrap();
    let error = replay_of(&disk).err().unwrap().to_string();
    assert!(error.contains("round 1 of the journal is damaged"), "{error}");
}

#[test]
fn jrn_1_a_damaged_batch_before_a_whole_round_is_never_replayed() {
    let disk = two_rounds();
    damage_batch(&disk, 1);
    let (replay, _) = replay_of(&disk).unwrap();
    let batches = replay.batches.values().next().unwrap();
    assert_eq!(batches.len(), 2, "the segment may have it");
    let error = batches[0].read().unwrap_err().to_string();
    assert!(error.contains("offset 0 is damaged"), "{error}");
    assert!(batches[1].read().is_ok());
}

#[test]
fn jrn_1_a_session_goes_on_behind_its_last_whole_round() {
    let mut disk = two_rounds();
    damage_batch(&disk, 2);
    for start in 2..6 {
        let rig = Rig::open(&disk, u64::from(start)).unwrap();
        let before = rig.found[0].len();
        rig.append_and_wait(0, &[start; 3000]);
        drop(rig);
        disk = disk.crash(u64::from(start));
        let found = Rig::open(&disk, 99).unwrap().found[0].clone();
        assert_eq!(found.len(), before + 1);
        assert_eq!(replay_of(&disk).unwrap().1.round, u64::from(start) + 1, "each start adds a round");
    }
}

#[test]
fn jrn_1_a_torn_round_is_not_taken_for_the_one_that_got_its_number() {
    let disk = new_disk();
    let rig = Rig::open(&disk, 1).unwrap();
    for _ in 1..=13 {
        rig.append_and_wait(0, b"one block");
    }
    Checkpointer::checkpoint_all(&rig.journal).unwrap();
    rig.append_and_wait(0, b"in the 14th block");
    drop(rig);
    let disk = disk.kill();
    damage_batch(&disk, 14);
    let rig = Rig::open(&disk, 2).unwrap();
    // Does not fit behind the 13th.
    rig.append_and_wait(0, &[7; 9000]);
    let next = rig.append_and_wait(0, b"behind it");
    drop(rig);
    assert_eq!(Rig::open(&disk.crash(3), 3).unwrap().found[0].len() as i64, next);
}

#[test]
fn jrn_1_rounds_of_an_earlier_session_are_not_replayed() {
    let disk = two_rounds();
    let files = RingFiles::open(&disk, dir(), directory()).unwrap();
    let mut manifest = manifest_or_none(&disk).unwrap().unwrap();
    assert_eq!(replay::read(&files, &manifest).unwrap().1.round, 3);
    manifest.session ^= 1;
    let (replay, head) = replay::read(&files, &manifest).unwrap();
    assert!(replay.batches.is_empty());
    assert_eq!(head, manifest.tail);
}
