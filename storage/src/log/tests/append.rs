use super::fake_journal::*;
use crate::ids::Offset;

#[test]
fn what_is_appended_is_read() {
    let rig = Rig::small();
    let first = rig.append(&batch(&["a", "b"])).unwrap();
    assert_eq!((first.base_offset, first.last_offset, first.duplicate), (Offset(0), Offset(1), false));
    let second = rig.append(&batch(&["c"])).unwrap();
    assert_eq!(second.base_offset, Offset(2));
    let values: Vec<_> = rig.values().into_iter().map(|(offset, value)| (offset, value.to_vec())).collect();
    assert_eq!(values, [(0, b"a".to_vec()), (1, b"b".to_vec()), (2, b"c".to_vec())]);
    assert_eq!(rig.log.synced_offset(), Offset(3));
}

#[test]
fn the_log_is_the_same_after_a_clean_stop_and_after_a_kill() {
    let mut rig = Rig::small();
    for n in 0..100 {
        rig.append(&batch(&[format!("value {n}"), "x".repeat(n)])).unwrap();
    }
    let before = rig.values();
    assert_eq!(before.len(), 200);
    rig.close_and_reopen();
    assert_eq!(rig.values(), before);
    rig.append(&batch(&["after"])).unwrap();
    let before = rig.values();
    let recovery = rig.reopen_on(rig.disk.kill(), false);
    assert!(!recovery.damaged);
    assert_eq!(rig.values(), before);
}
