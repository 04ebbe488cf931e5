//! The rules of the house, read from the sources: floors import downwards, only the roof prints, nothing is
//! unwrapped outside tests, files stay short, and the top of the repository is a closed list.
//!
//! The checker itself is checked on small sources below.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and may run what it likes"
)]

#[path = "house/picture.rs"]
mod picture;
#[path = "house/source.rs"]
mod source;
#[path = "house/systems.rs"]
mod systems;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use mainstay::model::schema::Published;
use source::{Source, Test};

/// The floors, and what each may name beside itself. It is not only the next floor down: a value of `model`
/// may be named everywhere.
const FLOORS: [(&str, &[&str]); 8] = [
    ("model", &[]),
    ("platform", &["model"]),
    ("plan", &["platform", "model"]),
    ("host", &["platform", "model"]),
    ("package", &["host", "platform", "model"]),
    ("supervise", &["host", "platform", "model"]),
    ("engine", &["plan", "package", "supervise", "host", "platform", "model"]),
    ("cli", &["engine", "plan", "package", "supervise", "host", "platform", "model"]),
];

/// The one file that prints.
const MOUTH: &str = "cli/report.rs";

/// The files that may hold `unsafe` code, how many blocks of it at most, and why.
const UNSAFE: &[(&str, usize, &str)] = &[
    ("host/rest.rs", 1, "what a resting process gives back has no safe interface"),
    ("host/os/unix/macos/process.rs", 3, "nor have the rights of a thread, a disposition and a bare number"),
];

/// How far above a block it says why it is right, in lines at most.
const NEAR: usize = 12;

/// Beside it, the ground of a system whose interface is C alone.
const GROUND: &str = "host/os/windows";

/// The files that hand on the bytes of others, and why. They say nothing of their own.
const RELAYS: &[(&str, &str)] =
    &[("supervise/log.rs", "what the supervised program wrote reaches a person who runs it at a terminal")];

/// The most lines that a file of `src` may have.
const LONGEST: usize = 400;

/// All that may stand at the top of the repository.
const TOP: &[&str] = &[
    ".ci",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "deny.toml",
    "docs",
    "rustfmt.toml",
    "schema",
    "src",
    "templates",
    "tests",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source of the crate, by its path below `src`.
fn sources() -> Vec<(String, String)> {
    let folder = root().join("src");
    let mut open = vec![folder.clone()];
    let mut found = Vec::new();
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(found.len() > 50, "only {} sources were found", found.len());
    found
}

/// The files that stand in the sources only for tests (`#[cfg(test)] mod tests;`).
fn test_files(sources: &[(String, String)]) -> BTreeSet<String> {
    sources.iter().flat_map(|(name, text)| Source::read(name, text, Test::No).test_files).collect()
}

fn faults_of(rule: impl Fn(&str, &Source) -> Vec<String>) -> Vec<String> {
    let sources = sources();
    let tests = test_files(&sources);
    let fault = |(name, text): &(String, String)| {
        let test = if tests.contains(name) { Test::Yes } else { Test::No };
        let found = rule(name, &Source::read(name, text, test));
        found.into_iter().map(|fault| format!("src/{name}: {fault}")).collect::<Vec<_>>()
    };
    sources.iter().flat_map(fault).collect()
}

fn assert_none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}:\n  {}\n", faults.join("\n  "));
}

fn floor_of(name: &str) -> Option<&str> {
    name.split_once('/').map(|(floor, _)| floor)
}

/// The imports of a file that do not go down.
fn imports_up(name: &str, source: &Source) -> Vec<String> {
    let Some(floor) = floor_of(name) else {
        // `main.rs` knows the roof only, `lib.rs` names nothing.
        let others = source.floors.iter().filter(|(floor, _)| name != "main.rs" || floor != "cli");
        return others.map(|(_, path)| format!("names `{path}`")).collect();
    };
    let Some((_, below)) = FLOORS.iter().find(|(known, _)| *known == floor) else {
        return vec![format!("`{floor}` is no floor of the house")];
    };
    let down = |named: &str| named == floor || below.contains(&named);
    let up = source.floors.iter().filter(|(named, _)| !down(named));
    up.map(|(_, path)| format!("`{floor}` names `{path}`")).collect()
}

fn printing(name: &str, source: &Source) -> Vec<String> {
    let mut found = source.printing.clone();
    if RELAYS.iter().any(|(relay, _)| *relay == name) {
        found.retain(|what| what.ends_with("!`"));
    }
    if name == MOUTH { Vec::new() } else { found }
}

fn unsafety(name: &str, source: &Source) -> Vec<String> {
    let grounded = name.strip_prefix(GROUND).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'));
    let may = grounded || UNSAFE.iter().any(|(file, ..)| *file == name);
    if may { Vec::new() } else { source.unsafety.clone() }
}

fn too_long(name: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > LONGEST).then(|| format!("src/{name}: {lines} lines are more than {LONGEST}: is it two nouns?"))
}

#[test]
fn imports_go_down() {
    assert_none(&faults_of(imports_up), "a floor names what is not below it");
}

#[test]
fn the_picture_shows_the_floors_as_they_are() {
    let path = root().join("docs/architecture/house.svg");
    let picture = std::fs::read_to_string(path).unwrap();
    let rooms = picture::rooms(&picture);
    assert_eq!(rooms.len(), FLOORS.len(), "{rooms:?}");
    for (floor, named) in FLOORS {
        let named: BTreeSet<&str> = named.iter().copied().collect();
        assert_eq!(picture::below(floor, &rooms), named, "what `{floor}` stands on");
    }
}

#[test]
fn every_file_that_the_architecture_names_is_there() {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    // Where a paragraph is about one folder, its files are called by their own names.
    let folders =
        ["", "src", "src/engine", "src/engine/preparation", "src/supervise", "src/supervise/machine"];
    let folders = folders.iter().chain(&["src/host/os/windows"]);
    let named: BTreeSet<&str> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| Path::new(word).extension().is_some_and(|kind| kind == "rs"))
        .collect();
    assert!(named.len() > 50, "only {} files are named", named.len());
    let is_there = |name: &str| folders.clone().any(|folder| root().join(folder).join(name).exists());
    let gone: Vec<&&str> = named.iter().filter(|name| !name.contains('*') && !is_there(name)).collect();
    assert!(gone.is_empty(), "these are not there: {gone:?}");
}

#[test]
fn nothing_reaches_past_its_parent() {
    assert_none(&faults_of(|_, source| source.past_the_parent.clone()), "`super::super`");
}

#[test]
fn only_the_mouth_prints() {
    assert_none(&faults_of(printing), "printing outside `cli/report.rs`");
    for (relay, _) in RELAYS {
        let text = std::fs::read_to_string(root().join("src").join(relay)).unwrap();
        assert!(!Source::read(relay, &text, Test::No).printing.is_empty(), "`{relay}` needs no exception");
    }
    let mouth = std::fs::read_to_string(root().join("src").join(MOUTH)).unwrap();
    assert!(!Source::read(MOUTH, &mouth, Test::No).printing.is_empty(), "`{MOUTH}` does not print at all");
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    assert_none(&faults_of(|_, source| source.unwrapping.clone()), "a panic in waiting");
}

#[test]
fn only_few_files_are_unsafe_and_say_why() {
    assert_none(&faults_of(unsafety), &format!("`unsafe` outside {UNSAFE:?} and `{GROUND}`"));
    for (name, text) in sources() {
        if let Some(line) = unexplained(&text).first() {
            panic!("`src/{name}`, line {line}: an unsafe block that does not say above it why it is right");
        }
    }
    for (name, most, _) in UNSAFE {
        let text = std::fs::read_to_string(root().join("src").join(name)).unwrap();
        assert!(!Source::read(name, &text, Test::No).unsafety.is_empty(), "`{name}` needs no exception");
        assert!(text.matches("unsafe {").count() <= *most, "`{name}` has more than {most} blocks");
    }
}

/// The lines of the blocks that have no reason of their own near above them.
fn unexplained(text: &str) -> Vec<usize> {
    let mut said = None;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("// SAFETY: ") {
            said = Some(number);
        }
        if line.contains("unsafe {") && said.take().is_none_or(|above| number - above > NEAR) {
            found.push(number + 1);
        }
    }
    found
}

#[test]
fn each_unsafe_block_needs_a_reason_of_its_own() {
    let explained = "// SAFETY: it is so\nlet a = unsafe { one() };\n";
    assert_eq!(unexplained(explained), [0; 0]);
    assert_eq!(unexplained(&[explained, "let b = unsafe { two() };\n"].concat()), [3]);
}

#[test]
fn every_branch_of_a_system_is_built_somewhere() {
    let tests = root().join("tests");
    let list = Command::new("git").args(["ls-files", "*.rs"]).current_dir(&tests).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    // This test's own examples are in one of them.
    let names = list.lines().filter(|name| !name.starts_with("house/systems") && !name.starts_with("fuzz/"));
    let read = |name: &str| (format!("tests/{name}"), std::fs::read_to_string(tests.join(name)));
    let mut all: Vec<(String, String)> =
        names.map(read).filter_map(|(name, text)| Some((name, text.ok()?))).collect();
    assert!(all.len() > 50, "only {} tests were found", all.len());
    all.extend(sources().into_iter().map(|(name, text)| (format!("src/{name}"), text)));
    let faults = systems::faults(&all);
    assert!(faults.is_empty(), "code that no build compiles:\n{faults}");
}

#[test]
fn only_the_host_names_a_system() {
    let sources = sources();
    let tests = test_files(&sources);
    let above = sources.iter().filter(|(name, _)| floor_of(name) != Some("host") && !tests.contains(name));
    let faults = above.flat_map(|(name, text)| {
        systems::named(text).into_iter().map(move |line| format!("src/{name}: line {line} names a system"))
    });
    assert_none(&faults.collect::<Vec<_>>(), "a floor above the host");
    let example = "use a;\n// rustix\n#[cfg(windows)]\nuse rustix::fs;\n#[cfg(test)]\nuse std::os::fd;\n";
    assert_eq!(systems::named(example), [3, 4]);
}

#[test]
fn files_stay_short() {
    let faults: Vec<String> = sources().iter().filter_map(|(name, text)| too_long(name, text)).collect();
    assert_none(&faults, "the length of files");
}

#[test]
fn no_file_holds_two_sides_of_a_merge() {
    // Spelt so that this file is none of them.
    let marks = ["<".repeat(7) + " ", ">".repeat(7) + " "];
    let is_mark = |line: &str| marks.iter().any(|mark| line.starts_with(mark.as_str()));
    let mut folders = vec![root().to_path_buf()];
    let mut faults = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                let is_ours = !entry.ends_with("target") && !entry.ends_with(".git");
                folders.extend(is_ours.then_some(entry));
            } else if std::fs::read_to_string(&entry).is_ok_and(|text| text.lines().any(is_mark)) {
                faults.push(entry);
            }
        }
    }
    assert!(faults.is_empty(), "these hold two sides of a merge: {faults:?}");
}

#[test]
fn the_top_of_the_repository_is_a_closed_list() {
    let listed: BTreeSet<&str> = TOP.iter().copied().collect();
    let found = top_level();
    let strangers: Vec<&String> = found.iter().filter(|name| !listed.contains(name.as_str())).collect();
    assert!(strangers.is_empty(), "these do not belong at the top of the repository: {strangers:?}");
    let missing: Vec<&str> = listed.into_iter().filter(|name| !found.contains(*name)).collect();
    assert!(missing.is_empty(), "these are missing at the top of the repository: {missing:?}");
}

/// What stands at the top, as git sees it; without git, all that is there but what git would ignore.
fn top_level() -> BTreeSet<String> {
    let git = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    if let Ok(output) = git
        && output.status.success()
    {
        let text = String::from_utf8(output.stdout).unwrap();
        let files = text.lines().filter(|file| root().join(file).exists());
        return files.map(|file| file.split('/').next().unwrap().to_owned()).collect();
    }
    let entries = std::fs::read_dir(root()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "target" && name != ".git").collect()
}

#[test]
fn the_schemas_are_those_that_are_published() {
    // Beside the schemas, a folder holds what tells editors of them.
    let files: BTreeSet<PathBuf> = std::fs::read_dir(root().join("schema"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    let published: BTreeSet<PathBuf> =
        Published::ALL.iter().map(|schema| root().join(format!("schema/{}.json", schema.name()))).collect();
    assert_eq!(files, published);
    for (schema, path) in
        Published::ALL.iter().map(|schema| (schema, root().join(format!("schema/{}.json", schema.name()))))
    {
        assert_eq!(std::fs::read_to_string(path).unwrap(), schema.text(), "{} is stale", schema.name());
    }
}

mod the_checker {
    use super::*;

    fn read(text: &str) -> Source {
        Source::read("plan/apply.rs", text, Test::No)
    }

    #[track_caller]
    fn finds_up(name: &str, text: &str, path: &str) {
        let found = imports_up(name, &Source::read(name, text, Test::No));
        assert!(found.iter().any(|fault| fault.contains(&format!("`{path}`"))), "{text}: {found:?}");
    }

    #[test]
    fn finds_imports_that_go_up_or_sideways() {
        finds_up("plan/apply.rs", "use crate::host::files;", "crate::host::files");
        finds_up("host/files.rs", "use crate::plan::step::Step;", "crate::plan::step::Step");
        finds_up("supervise/run.rs", "use crate::{model, package::tree};", "crate::package::tree");
        finds_up("supervise/run.rs", "use crate::engine::{self, guard};", "crate::engine::self");
        finds_up("engine/change.rs", "use crate::cli as roof;", "crate::cli");
        finds_up("model/name.rs", "pub use crate::platform::*;", "crate::platform::*");
        finds_up("main.rs", "fn main() { mainstay::engine::run() }", "mainstay::engine::run");
    }

    #[test]
    fn finds_paths_outside_use() {
        finds_up("plan/a.rs", "fn a() -> crate::host::files::Facts { b() }", "crate::host::files::Facts");
        finds_up("plan/a.rs", "fn a() { crate::engine::b::<u8>() }", "crate::engine::b");
        finds_up("plan/a.rs", "fn a() { matches!(b, crate::host::Kind::File) }", "crate::host::Kind::File");
        finds_up("plan/a.rs", "#[derive(Debug)] #[x(crate::host::c)] struct A;", "crate::host::c");
        finds_up("plan/a.rs", "impl crate::host::Door for A {}", "crate::host::Door");
        finds_up("plan/a.rs", "fn a() { format!(\"{}\", [crate::host::d()][0]) }", "crate::host::d");
        finds_up("plan/a.rs", "mod tests { fn a() { if let crate::cli::E { .. } = b {} } }", "crate::cli::E");
    }

    #[test]
    fn follows_super_to_the_crate() {
        finds_up("plan/mod.rs", "use super::host::files;", "super::host::files");
        finds_up("plan.rs", "use super::host::files;", "super::host::files");
        let own = Source::read("plan/mod.rs", "mod tests { use super::step::Step; }", Test::No);
        assert_eq!(own.floors, []);
        assert_eq!(read("use super::host::files;").floors, [], "a module of one's own floor");
    }

    #[test]
    fn lets_imports_down_pass() {
        let text = "use crate::plan::step; use crate::{host::files, model}; fn a() -> crate::cli::B { c() }";
        assert_eq!(imports_up("cli/failure.rs", &Source::read("cli/failure.rs", text, Test::No)), [""; 0]);
        assert_eq!(
            imports_up("main.rs", &Source::read("main.rs", "fn main() { mainstay::cli::run() }", Test::No)),
            [""; 0]
        );
        let text = "use std::collections; /// [`a`](crate::host::a)\nfn host() {} fn b() { host::c() }";
        assert_eq!(imports_up("plan/a.rs", &read(text)), [""; 0]);
    }

    #[test]
    fn knows_the_floors_only() {
        let stray = Source::read("utilities/a.rs", "", Test::No);
        assert_eq!(imports_up("utilities/a.rs", &stray), ["`utilities` is no floor of the house"]);
    }

    #[test]
    fn finds_reaching_past_the_parent() {
        for text in ["use super::super::a;", "fn a() { super::super::b() }", "fn a() { b!(super::super::c) }"]
        {
            assert_eq!(read(text).past_the_parent.len(), 1, "{text}");
        }
        assert_eq!(read("use super::a; fn b() { super::c() }").past_the_parent, [""; 0]);
    }

    #[test]
    fn finds_printing() {
        for text in [
            "fn a() { println!(\"b\") }",
            "fn a() { std::eprint!(\"b\") }",
            "fn a() { anstream::eprintln!() }",
            "fn a() { b!(print!(\"c\")) }",
            "fn a() { dbg!(b); }",
            "fn a() { write!(std::io::stdout(), \"b\") }",
            "use std::io::stderr; fn a() { let b = stderr().lock(); }",
            "fn a() { b.set(io::stdout) }",
        ] {
            assert!(!printing("engine/a.rs", &read(text)).is_empty(), "{text}");
            assert!(!printing("cli/confirm.rs", &read(text)).is_empty(), "{text}");
            assert!(printing(MOUTH, &read(text)).is_empty(), "{text}");
        }
        let relay =
            |text| printing("supervise/log.rs", &Source::read("supervise/log.rs", text, Test::No)).len();
        assert_eq!((relay("fn a() { io::stdout().flush() }"), relay("fn a() { println!() }")), (0, 1));
        for text in [
            "fn a() -> bool { std::io::stdout().is_terminal() }",
            "fn a() { command.stdout(b).stderr(c); let d = child.stdout; }",
            "struct A { stdout: String } fn a(b: A) -> String { format!(\"{}\", b.stdout) }",
        ] {
            assert_eq!(printing("engine/a.rs", &read(text)), [""; 0], "{text}");
        }
    }

    #[test]
    fn finds_unwrapping_outside_tests() {
        for text in [
            "fn a() { b().unwrap(); }",
            "fn a() { b().expect(\"c\"); }",
            "fn a() { vec![b().unwrap()] }",
            "fn a() { b().map(Result::unwrap) }",
            "impl A { fn b() { c().unwrap_err(); } }",
            "#[cfg(not(test))] fn a() { b().unwrap(); }",
        ] {
            assert_eq!(read(text).unwrapping.len(), 1, "{text}");
        }
        for text in [
            "#[cfg(test)] mod tests { fn a() { b().unwrap(); } }",
            "#[test] fn a() { b().unwrap(); }",
            "#[cfg(test)] fn a() { b().expect(\"c\"); }",
            "#[expect(dead_code)] fn a() { b().unwrap_or_default(); self.expect = 1; }",
        ] {
            assert_eq!(read(text).unwrapping, [""; 0], "{text}");
        }
        let text = "fn a() { b().unwrap(); }";
        assert_eq!(Source::read("plan/tests.rs", text, Test::Yes).unwrapping, [""; 0]);
    }

    #[test]
    fn finds_what_is_unsafe() {
        for text in [
            "fn a() { unsafe { b() } }",
            "unsafe fn a() {}",
            "unsafe impl A for B {}",
            "unsafe trait A {}",
            "unsafe extern \"C\" { fn a(); }",
            "#[unsafe(no_mangle)] fn a() {}",
            "fn a() { b!(unsafe { c() }) }",
            "#[allow(unsafe_code)] fn a() {}",
            "#[test] fn a() { unsafe { b() } }",
        ] {
            assert!(!unsafety("host/files.rs", &read(text)).is_empty(), "{text}");
            assert!(unsafety(UNSAFE[0].0, &read(text)).is_empty(), "{text}");
        }
        let text = "/// Not unsafe.\nfn a() { b(\"unsafe\") }";
        assert_eq!(unsafety("host/files.rs", &read(text)), [""; 0], "{text}");
    }

    #[test]
    fn knows_the_files_that_are_for_tests() {
        let files = |name| Source::read(name, "#[cfg(test)] mod tests; mod other;", Test::No).test_files;
        assert_eq!(files("plan/apply.rs"), ["plan/apply/tests.rs", "plan/apply/tests/mod.rs"]);
        assert_eq!(files("plan/mod.rs"), ["plan/tests.rs", "plan/tests/mod.rs"]);
    }

    #[test]
    fn measures_files() {
        let (short, long) = ("\n".repeat(LONGEST), "\n".repeat(LONGEST + 1));
        assert_eq!(too_long("a.rs", &short), None);
        assert!(too_long("a.rs", &long).is_some());
    }
}
