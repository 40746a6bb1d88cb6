use barnabas_storage::seam::lossy::{Fault, OpKind};
use barnabas_storage::seam::{LossyDisk, ManualClock};

use super::*;

const PATH: &str = "/logs/audit.json";

fn disk() -> LossyDisk {
    LossyDisk::new(Arc::new(ManualClock::default()))
}

fn open(disk: &LossyDisk, bytes_max: u64, files_max: u64) -> FileSink {
    FileSink::open(Arc::new(disk.clone()), PathBuf::from(PATH), bytes_max, files_max).unwrap()
}

fn text(disk: &LossyDisk, path: &str) -> String {
    let file = disk.open(Path::new(path), OpenMode::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn lines_are_added_to_what_is_there() {
    let disk = disk();
    open(&disk, 100, 3).write(&lines(&["one", "two"])).unwrap();
    open(&disk, 100, 3).write(&lines(&["three"])).unwrap();
    assert_eq!(text(&disk, PATH), "one\ntwo\nthree\n");
}

#[test]
fn a_full_file_is_put_aside_and_the_oldest_goes() {
    let disk = disk();
    let mut sink = open(&disk, 8, 3);
    sink.write(&lines(&["aaa", "bbb", "ccc"])).unwrap();
    assert_eq!((text(&disk, PATH), text(&disk, "/logs/audit.json.1")), ("ccc\n".to_owned(), "aaa\nbbb\n".to_owned()));
    sink.write(&lines(&["a line that is longer than a file", "d"])).unwrap();
    assert_eq!(text(&disk, PATH), "d\n");
    assert_eq!(text(&disk, "/logs/audit.json.1"), "a line that is longer than a file\n");
    assert_eq!(text(&disk, "/logs/audit.json.2"), "ccc\n");
    assert!(!disk.exists(Path::new("/logs/audit.json.3")));
}

#[test]
fn one_file_alone_begins_anew() {
    let disk = disk();
    open(&disk, 8, 1).write(&lines(&["aaa", "bbb", "ccc"])).unwrap();
    assert_eq!(text(&disk, PATH), "ccc\n");
    assert!(!disk.exists(Path::new("/logs/audit.json.1")));
}

#[test]
fn after_a_failed_write_the_next_line_begins_its_own() {
    let disk = disk();
    let mut sink = open(&disk, 100, 3);
    sink.write(&lines(&["one"])).unwrap();
    disk.fail_nth(OpKind::Write, 1, Fault::ShortWriteNoSpace);
    let (_, missed) = sink.write(&lines(&["two two", "three"])).unwrap_err();
    assert_eq!(missed, 2);
    sink.write(&lines(&["four"])).unwrap();
    let text = text(&disk, PATH);
    assert!(text.starts_with("one\ntwo") && text.ends_with("\nfour\n"), "{text}");
}

#[test]
#[allow(clippy::disallowed_methods, reason = "rights are the real disk's")]
fn the_file_is_nobody_elses_and_keeps_what_its_group_was_given() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.json");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let set_mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    let open = || FileSink::open(barnabas_storage::seam::Seams::system().disk, path.clone(), 8, 3).unwrap();
    open().write(&lines(&["aaa", "bbb", "ccc"])).unwrap();
    let aside = directory.path().join("audit.json.1");
    assert_eq!((mode(&path), mode(&aside)), (0o600, 0o600));
    set_mode(0o644);
    open().write(&lines(&["ddd", "eee"])).unwrap();
    assert_eq!((mode(&aside), mode(&path)), (0o640, 0o640), "what others could read of one of before they cannot");
}
