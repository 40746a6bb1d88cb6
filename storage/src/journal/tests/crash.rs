//! The power fails at any disk operation of a life of appends, truncations and checkpoints, and in the recoveries after
//! it.

use proptest::prelude::ProptestConfig;

use super::*;

/// What was appended to each log, and how much of it was acknowledged.
#[derive(Default)]
struct History {
    /// Everything that was ever appended at each offset, latest last.
    appended: Vec<Vec<Stored>>,
    acknowledged: Vec<usize>,
}

/// Appends, waits, skips the ring, truncates and checkpoints until it is done or the disk fails.
fn scenario(rig: &Rig, seed: u64, history: &mut History) -> io::Result<()> {
    let rng = SeededRng::new(seed);
    for step in 0..40u64 {
        let log = usize::try_from(rng.next_u64() % LOGS as u64).unwrap();
        match rng.next_u64() % 12 {
            0 => Checkpointer::checkpoint_all(&rig.journal).map_err(io_error)?,
            1 => {
                let end = history.appended[log].len();
                let to = end - end.min(usize::try_from(rng.next_u64() % 3).unwrap());
                // From here on the tail may be there or not, and is not acknowledged any more.
                history.acknowledged[log] = history.acknowledged[log].min(to);
                rig.logs[log].truncate(&rig.journal, to as i64)?;
                history.appended[log].truncate(to);
            }
            kind => {
                let tail = vec![step as u8 ^ seed as u8; usize::try_from(rng.next_u64() % 6000).unwrap()];
                let batch = rig.logs[log].append(&rig.journal, step as i32, &tail, kind == 2)?;
                history.appended[log].push(batch);
                if rng.next_u64().is_multiple_of(2) && rig.logs[log].wait_synced(history.appended[log].len() as i64) {
                    history.acknowledged[log] = history.appended[log].len();
                }
            }
        }
    }
    Ok(())
}

/// Every acknowledged batch is there as it was, and nothing is there that was not appended.
fn check(found: &[Vec<Stored>], history: &History, truncated_tail_allowed: bool, context: &str) {
    for (log, stored) in found.iter().enumerate() {
        let (appended, acknowledged) = (&history.appended[log], history.acknowledged[log]);
        assert!(stored.len() >= acknowledged, "{context}: log {log} holds {}, {acknowledged} acked", stored.len());
        assert_eq!(stored[..acknowledged], appended[..acknowledged], "{context}: log {log}");
        if !truncated_tail_allowed {
            assert!(appended.starts_with(stored), "{context}: log {log} has a batch from nowhere");
        }
    }
}

#[test]
fn jrn_4_and_jrn_2_a_crash_at_any_operation_loses_nothing_and_recovery_is_idempotent() {
    // A quarter of PROPTEST_CASES: 64 unless it is set.
    for seed in 0..u64::from(ProptestConfig::default().cases / 4) {
        let disk = new_disk();
        let whole = {
            let disk = disk.kill();
            let rig = Rig::open(&disk, seed).unwrap();
            let mut history = History { appended: vec![vec![]; 3], acknowledged: vec![0; 3] };
            scenario(&rig, seed, &mut history).unwrap();
            disk.operations()
        };
        let at = 1 + SeededRng::new(seed ^ 0xabc).next_u64() % whole;
        disk.crash_at(disk.operations() + at);
        let mut history = History { appended: vec![vec![]; 3], acknowledged: vec![0; 3] };
        if let Ok(rig) = Rig::open(&disk, seed) {
            // An error is the crash.
            let _ = scenario(&rig, seed, &mut history);
        }
        let context = format!("seed {seed}, crash at {at} of {whole}");
        let mut disk = disk.crash(seed);
        // Crash again and again in recovery.
        for again in 0..3 {
            disk.crash_at(1 + SeededRng::new(seed + again).next_u64() % 20);
            if let Ok(rig) = Rig::open(&disk, seed + 100 + again) {
                check(&rig.found, &history, true, &context);
            }
            disk = disk.crash(seed + again);
        }
        let rig = Rig::open(&disk, seed + 200).unwrap();
        check(&rig.found, &history, true, &context);
        let found = rig.found.clone();
        drop(rig);
        let rig = Rig::open(&disk.crash(seed), seed + 201).unwrap();
        assert_eq!(rig.found, found, "{context}: the second recovery differs");
    }
}
