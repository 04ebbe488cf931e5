//! The collection for Ansible: all of it is carried along, `export` writes it out wholly or not at all, and every option of
//! a module is documented. What it does on hosts is shown by `tests/ansible` and `tests/systems/fleet`.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const MAINSTAY: &str = env!("CARGO_BIN_EXE_mainstay");
/// The list of what is carried along, which this test writes.
const LIST: &str = "src/engine/export/files_of_collection.rs";

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/ansible")
}

/// The files of a folder by their paths below it, without what the use of a collection leaves behind.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_dir() {
                if !matches!(name.as_str(), "__pycache__" | "output" | ".ansible") {
                    folders.push(entry.path());
                }
                continue;
            }
            let path = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
            found.insert(path, std::fs::read_to_string(entry.path()).unwrap());
        }
    }
    found
}

fn export(words: &[&str]) -> Output {
    Command::new(MAINSTAY).args(["export", "ansible"]).args(words).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn every_file_of_the_collection_is_carried_along() {
    let names: Vec<String> = files(&top()).into_keys().collect();
    let mut text = "//! What is carried along of the collection: `UPDATE_EXPORT=1 cargo test --test ansible` writes this list.\n\n\
                    /// The files by their paths, with what they say.\n\
                    #[rustfmt::skip]\n\
                    pub(super) const FILES: &[(&str, &str)] = &[\n"
        .to_owned();
    for name in &names {
        writeln!(text, "    (\"{name}\", include_str!(\"../../../templates/ansible/{name}\")),").unwrap();
    }
    text.push_str("];\n");
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join(LIST);
    if std::env::var_os("UPDATE_EXPORT").is_some() {
        std::fs::write(&list, &text).unwrap();
    }
    let there = std::fs::read_to_string(list).unwrap();
    assert!(there == text, "`UPDATE_EXPORT=1 cargo test --test ansible` brings {LIST} up to date");
    assert!(names.len() > 15, "{names:?}");
}

#[test]
fn an_export_is_the_collection_and_a_second_one_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("made/collection");
    let typed = folder.to_str().unwrap();
    let shown = export(&[typed, "--dry-run"]);
    assert!(shown.status.success() && said(&shown).contains("plugins/modules/instance.py"), "{shown:?}");
    assert!(!folder.exists());
    let done = export(&[typed, "--json"]);
    let answer: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert!(answer["changed"] == true && answer["schema"] == "export.v1", "{answer}");
    let mut written = files(&folder);
    assert!(written.remove(".mainstay-export.json").is_some());
    assert_eq!(written, files(&top()));
    let again = export(&[typed]);
    assert!(again.status.success() && said(&again).contains("nothing to do"), "{again:?}");
    // Nothing else is left beside it.
    assert_eq!(std::fs::read_dir(folder.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn what_is_no_earlier_export_stays_and_with_force_it_is_put_aside() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("collection");
    let typed = folder.to_str().unwrap();
    std::fs::create_dir(&folder).unwrap();
    assert!(export(&[typed]).status.success(), "an empty folder will do");

    // An edited file is somebody's work.
    let edited = folder.join("galaxy.yml");
    std::fs::write(&edited, "mine").unwrap();
    let refused = export(&[typed]);
    assert!(refused.status.code() == Some(4) && said(&refused).contains("galaxy.yml"), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&edited).unwrap(), "mine");
    let forced = export(&[typed, "--force", "--json"]);
    let answer: serde_json::Value = serde_json::from_slice(&forced.stdout).unwrap();
    let aside = Path::new(answer["putAside"].as_str().unwrap());
    assert_eq!(std::fs::read_to_string(aside.join("galaxy.yml")).unwrap(), "mine");
    assert!(std::fs::read_to_string(&edited).unwrap().contains("namespace: mainstay"));

    // So is an added one, and a folder that never was an export.
    std::fs::write(folder.join("own.yml"), "mine").unwrap();
    assert!(said(&export(&[typed])).contains("own.yml"));
    let other = place.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("thesis.txt"), "mine").unwrap();
    let refused = export(&[other.to_str().unwrap()]);
    assert!(refused.status.code() == Some(4) && said(&refused).contains("thesis.txt"), "{refused:?}");
    // What the collection's use leaves is nobody's work.
    std::fs::remove_file(folder.join("own.yml")).unwrap();
    std::fs::create_dir(folder.join("plugins/modules/__pycache__")).unwrap();
    std::fs::write(folder.join("plugins/modules/__pycache__/x.pyc"), "").unwrap();
    assert!(export(&[typed]).status.success());
}

#[test]
fn the_collection_has_the_version_of_the_tool() {
    let version = env!("CARGO_PKG_VERSION");
    let files = files(&top());
    assert!(files["galaxy.yml"].contains(&format!("\nversion: {version}\n")));
    assert!(files["CHANGELOG.rst"].contains(&format!("\nv{version}\n")));
    assert!(files["changelogs/changelog.yaml"].contains(&format!("\n  {version}:\n")));
}

/// The words that a file has between a beginning and an end.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no `{from}`"));
    rest.split_once(to).unwrap_or_else(|| panic!("no `{to}` after `{from}`")).0
}

#[test]
fn every_option_of_a_module_and_of_the_role_is_documented() {
    let files = files(&top());
    let fragment = &files["plugins/doc_fragments/target.py"];
    let common = between(&files["plugins/module_utils/tool.py"], "ARGUMENTS = {", "\n}");
    let mut looked = 0;
    let options = |text: &str, indent: usize| -> Vec<String> {
        let of_line = |line: &str| {
            let name = line.strip_prefix(&" ".repeat(indent))?;
            let (name, rest) = name.trim_start_matches('"').split_once(['"', '='])?;
            let is_option = !name.contains([' ', '(']) && rest.contains('{');
            is_option.then(|| name.to_owned())
        };
        text.lines().filter_map(of_line).collect()
    };
    for name in options(common, 4) {
        assert!(fragment.contains(&format!("\n  {name}:\n")), "`{name}` is not documented");
        looked += 1;
    }
    for (module, from, indent) in [
        ("instance", "OPTIONS = dict(", 4),
        ("rollback", "argument_spec=dict(", 12),
        ("info", "argument_spec=dict(", 12),
    ] {
        let text = &files[&format!("plugins/modules/{module}.py")];
        let documented = between(text, "DOCUMENTATION = r\"\"\"", "\"\"\"");
        for name in options(between(text, from, "\n        )"), indent) {
            assert!(documented.contains(&format!("\n  {name}:\n")), "`{name}` of {module} is not documented");
            looked += 1;
        }
    }
    assert!(looked > 20, "only {looked} options were looked at");
    let specs = &files["roles/service/meta/argument_specs.yml"];
    for text in [&files["roles/service/tasks/main.yml"], &files["roles/service/defaults/main.yml"]] {
        for name in text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_') {
            let is_own =
                ["service_binary_is", "service_binary_there", "service_binary_file", "service_result"]
                    .iter()
                    .any(|own| name.starts_with(own));
            if name.starts_with("service_") && !is_own {
                assert!(
                    specs.contains(&format!("      {name}:\n")),
                    "`{name}` of the role is not documented"
                );
            }
        }
    }
}
