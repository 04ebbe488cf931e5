//! The first steps of somebody who has a program and no manifest: what is found, what is asked for, and what is refused. The
//! transcripts of the README are typed by `tests/pages.rs`.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod home;
mod real;

use home::{Home, archive};
use real::program;

#[test]
fn what_only_a_new_manifest_takes_is_refused_beside_one() {
    let home = Home::new();
    let folder = home.folder.join("web");
    let install = ["install", "--platform", "embedded", "--name", "web"];
    let with = |more: &[&str]| home.place.run_in(&folder, &[&install, more].concat());
    with(&["--binary", "./nothing"]).fails(2, "there is no program at");
    with(&[]).fails(2, "a program (`--binary`) or an archive (`--from`, `--url`) is needed");
    with(&["--binary", "./server", "--from", "x.zip"]).fails(2, "cannot be used with");
    let shown = with(&["--binary", "./server", "--dry-run", "--", "--port", "1"]).good();
    assert!(shown.err.contains(r#""workingDirectory": "{deploy}""#), "{shown:?}");
    assert!(!folder.join("mainstay.json").exists(), "a dry run writes nothing");
    with(&["--binary", "./server", "--", "--port", &home.place.port.to_string()]).good();
    for more in [&["--binary", "./server"][..], &["--set", "service.stdin=open"], &["--", "--port", "1"]] {
        with(more).fails(2, "is for a new manifest");
    }
    assert_eq!(home.place.answer("/health").as_deref(), Some("well"));
}

#[test]
fn a_program_is_found_in_an_archive_or_named_by_whoever_installs_it() {
    let home = Home::new();
    let folder = home.folder.join("api");
    let port = home.place.port.to_string();
    archive(&folder.join("tools-1.0.0.tar.gz"), "1.0.0", None, &["tool"]);
    archive(&folder.join("web-1.0.0.tar.gz"), "1.0.0", None, &["web"]);
    let install = |name: &str, more: &[&str]| {
        let begun = ["install", "--platform", "embedded", "--dry-run", "--name", name, "--from"];
        home.place.run_in(&folder, &[&begun, more].concat())
    };
    install("api", &["tools-1.0.0.tar.gz"]).fails(2, "several programs (bin/server, bin/tool)");
    let typed = "service.command=[\"{package}/bin/tool\"]";
    let said = install("api", &["tools-1.0.0.tar.gz", "--set", typed, "--", "--port", &port]).good();
    assert!(said.err.contains("\"{package}/bin/tool\",\n          \"--port\""), "{said:?}");
    let said = install("web", &["web-1.0.0.tar.gz"]).good();
    assert!(said.err.contains("{package}/bin/web"), "the one of that name: {said:?}");
    // A description says more than a name: its component and its command.
    let described = home.folder.join("described");
    std::fs::create_dir_all(described.join("bin")).unwrap();
    std::fs::copy(program("server"), described.join("bin/server")).unwrap();
    let text = r#"{ "component": "origin", "version": "3.0.0", "service": { "command": ["{package}/bin/server", "--port"] } }"#;
    std::fs::write(described.join("mainstay-package.json"), text).unwrap();
    let archive = folder.join("any.tar.gz");
    mainstay::package::pack::pack(&described, &archive).unwrap();
    let said = install("api", &["any.tar.gz"]).good();
    assert!(said.err.contains(r#""name": "origin""#) && !said.err.contains("command"), "{said:?}");
    let said = install("api", &["any.tar.gz", "--", &port]).good();
    assert!(said.err.contains("\"--port\",\n") && said.err.contains(&port), "{said:?}");
}

#[test]
fn an_archive_with_nothing_but_a_folder_of_programs_keeps_that_folder() {
    let home = Home::new();
    let folder = home.folder.join("api");
    std::fs::create_dir_all(folder.join("made/bin")).unwrap();
    std::fs::copy(program("server"), folder.join("made/bin/server")).unwrap();
    mainstay::package::pack::pack(&folder.join("made"), &folder.join("server-1.0.0.tar.gz")).unwrap();
    let said = home
        .place
        .run_in(
            &folder,
            &[
                "install",
                "--platform",
                "embedded",
                "--dry-run",
                "--name",
                "api",
                "--from",
                "server-1.0.0.tar.gz",
            ],
        )
        .good();
    assert!(said.err.contains("{package}/bin/server"), "{said:?}");
}
