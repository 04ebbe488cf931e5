use super::*;
use crate::host::os::testing::{FULL, IS_UNIX};
use crate::model::size::Size;

fn texts(buffer: &[u8]) -> Vec<(bool, Vec<u8>)> {
    let lines = buffer.strip_suffix(b"\n").unwrap_or_default().split(|byte| *byte == b'\n');
    lines.map(|line| LogLine::parse(line).unwrap()).map(|line| (line.continues, line.text.to_vec())).collect()
}

#[test]
fn pieces_become_lines() {
    let mut lines = Lines::new(Stream::Output);
    let mut buffer = Vec::new();
    for piece in [&b"one\ntw"[..], b"o\n\nthr", b"ee"] {
        lines.take(piece, &mut buffer);
    }
    lines.end(&mut buffer);
    let expected = ["one", "two", "", "three"].map(|text| (false, text.as_bytes().to_vec()));
    assert_eq!(texts(&buffer), expected);
    buffer.clear();
    lines.take(b"four\r", &mut buffer);
    lines.take(b"\n", &mut buffer);
    let four = if IS_UNIX { &b"four\r"[..] } else { b"four" };
    assert_eq!(texts(&buffer), [(false, four.to_vec())]);
}

#[test]
fn a_line_that_is_too_long_is_continued() {
    let mut lines = Lines::new(Stream::Output);
    let mut buffer = Vec::new();
    lines.take(&vec![b'x'; 2 * LONGEST_LINE + 5], &mut buffer);
    lines.take(b"y\n", &mut buffer);
    let lengths: Vec<_> =
        texts(&buffer).into_iter().map(|(continues, text)| (continues, text.len())).collect();
    assert_eq!(lengths, [(true, LONGEST_LINE), (true, LONGEST_LINE), (false, 6)]);
}

fn policy(max_size: u64, keep: u32) -> LogPolicy {
    LogPolicy { max_size: Size::new(max_size), keep, level: None }
}

/// The lines of a file, and where it says that those before them are.
fn content(path: &Utf8Path) -> (Option<String>, String) {
    let text = std::fs::read_to_string(path).unwrap();
    match text.split_once('\n') {
        Some((first, rest)) if first.contains(" own the lines before ") => {
            let (_, before) = first.split_once(" one are ").unwrap();
            (Some(before.to_owned()), rest.to_owned())
        }
        _ => (None, text),
    }
}

#[test]
fn files_are_put_away_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    for other in ["x.log.7", "x.log.old", "x.log.07"] {
        std::fs::write(folder.join(other), "old").unwrap();
    }
    std::fs::create_dir(folder.join("x.log.9")).unwrap();
    let mut writer = LogWriter::open(folder, "x", policy(180, 2)).unwrap();
    let lines: Vec<_> = (0..20).map(|number| format!("{number:039}\n")).collect();
    let lines = lines.concat();
    let (one, many) = lines.split_at(40);
    writer.write(one.as_bytes()).unwrap();
    writer.write(many.as_bytes()).unwrap();
    let mut names: Vec<_> =
        folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["x.log", "x.log.07", "x.log.1", "x.log.2", "x.log.9", "x.log.old"]);
    let kept = ["x.log.2", "x.log.1", "x.log"].map(|name| content(&folder.join(name)));
    let before = Some("in `x.log.1`".to_owned());
    let two = |first: u32| (before.clone(), format!("{first:039}\n{:039}\n", first + 1));
    assert_eq!(kept, [two(14), two(16), two(18)]);
}

#[test]
fn where_none_is_kept_the_next_file_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let mut writer = LogWriter::open(folder, "x", policy(100, 0)).unwrap();
    writer.write(&[b'\n'; 90]).unwrap();
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
    // Longer than a file may be, with its mark and without.
    writer.write(&[[b'x'; 500].as_slice(), b"\ny\n"].concat()).unwrap();
    let (before, rest) = content(&folder.join("x.log"));
    assert_eq!((before.as_deref(), rest.as_str()), (Some("deleted, for none are kept"), "y\n"));
}

#[test]
fn a_line_that_was_broken_off_does_not_spoil_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    std::fs::write(folder.join("x.log"), "whole\nbro").unwrap();
    let mut writer = LogWriter::open(folder, "x", policy(1000, 2)).unwrap();
    writer.write(b"next\n").unwrap();
    assert_eq!(std::fs::read_to_string(folder.join("x.log")).unwrap(), "whole\nbro\nnext\n");
}

#[test]
fn a_file_that_can_not_be_put_away_grows_rather_than_lose_lines() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let mut writer = LogWriter::open(folder, "x", policy(10, 1)).unwrap();
    // Nothing can be renamed over a folder.
    std::fs::create_dir(folder.join("x.log.1")).unwrap();
    for line in ["first\n", "second\nthird\n", "fourth\n"] {
        writer.write(line.as_bytes()).unwrap();
    }
    std::fs::remove_dir(folder.join("x.log.1")).unwrap();
    writer.write(b"fifth\n").unwrap();
    assert_eq!(content(&folder.join("x.log.1")).1, "first\nsecond\nthird\nfourth\n");
    assert_eq!(content(&folder.join("x.log")), (Some("in `x.log.1`".to_owned()), "fifth\n".to_owned()));
    // Killed between the two: the next one finds no file to go on with.
    drop(writer);
    std::fs::remove_file(folder.join("x.log")).unwrap();
    LogWriter::open(folder, "x", policy(1000, 1)).unwrap();
    assert_eq!(content(&folder.join("x.log")), (Some("in `x.log.1`".to_owned()), String::new()));
}

#[test]
fn what_is_lost_on_a_full_disk_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let mut writer = LogWriter::open(folder, "x", policy(1000, 1)).unwrap();
    let Some(full) = FULL else { return };
    writer.file = append(Utf8Path::new(full)).unwrap();
    let error = writer.write(b"one\ntwo\n").unwrap_err();
    assert_eq!((error.lost, error.source.kind()), (8, io::ErrorKind::StorageFull));
}
