use super::*;

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
    (folder, path)
}

#[test]
fn a_pointer_names_something_of_its_own_folder() {
    let (_keep, folder) = folder();
    let path = folder.join("current");
    assert_eq!(read_pointer(&path).unwrap(), None);
    link(&path, Utf8Path::new("server-1.0.0")).unwrap();
    assert_eq!(read_pointer(&path).unwrap().as_deref(), Some("server-1.0.0"));
    for elsewhere in ["../server-1.0.0", r"..\server-1.0.0", r"C:\server", "/server", ".."] {
        link(&path, Utf8Path::new(elsewhere)).unwrap();
        assert!(read_pointer(&path).is_err(), "{elsewhere}");
    }
}

#[test]
fn a_file_is_replaced_and_nothing_is_left_beside_it() {
    let (_keep, folder) = folder();
    let path = folder.join("a");
    write(&path, "one", 0o600, None).unwrap();
    write(&path, "two", 0o640, None).unwrap();
    assert_eq!(read(&path).unwrap().as_deref(), Some("two"));
    let mode = facts(&path).unwrap().unwrap().mode;
    assert_eq!(mode, if os::testing::IS_UNIX { 0o640 } else { 0o700 });
    assert_eq!(list(&folder).unwrap().unwrap(), ["a"]);
}

#[test]
fn a_line_is_added_after_one_that_was_written_in_part() {
    let (_keep, folder) = folder();
    let path = folder.join("lines");
    append(&path, "one", 0o600).unwrap();
    std::fs::write(&path, "one\ntw").unwrap();
    append(&path, "three", 0o600).unwrap();
    assert_eq!(read(&path).unwrap().as_deref(), Some("one\ntw\nthree\n"));
}

#[test]
fn a_link_is_switched_over_what_a_killed_run_left() {
    let (_keep, folder) = folder();
    let path = folder.join("current");
    link(&path, Utf8Path::new("a-1")).unwrap();
    let left = folder.join(format!(".mainstay-current.{}", std::process::id()));
    os::fs::lead(left.as_str(), "a-0").unwrap();
    link(&path, Utf8Path::new("a-2")).unwrap();
    assert_eq!(read_link(&path).unwrap().as_deref(), Some("a-2"));
    assert_eq!(list(&folder).unwrap().unwrap(), ["current"]);
}
