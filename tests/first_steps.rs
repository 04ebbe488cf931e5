//! The first steps of the README, typed as they stand there by somebody who has nothing else: every command of its
//! transcripts is run by the real binary, and has to say what the transcript says. `…` stands for what differs from
//! host to host; a line of nothing else stands for any number of lines.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod real;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::host::environment::systemd_booted;
use mainstay::model::name::InstanceName;
use real::{LONG, MAINSTAY, Place, await_some, program};

/// The home folder of the transcripts.
const HOME: &str = "/home/ann";
/// The most commands that a task may take.
const MOST: usize = 3;

/// A task: its heading, and its commands with what each says.
struct Task {
    heading: String,
    commands: Vec<(String, String)>,
}

/// The transcripts of the README, in order.
fn tasks() -> Vec<Task> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let mut tasks = Vec::new();
    let mut heading = String::new();
    let mut block = None;
    for line in text.lines() {
        match (&mut block, line) {
            (None, "```console") => block = Some(Vec::new()),
            (Some(_), "```") => {
                let commands = block.take().unwrap();
                tasks.push(Task { heading: heading.clone(), commands });
            }
            (Some(commands), line) => {
                if let Some(typed) = line.strip_prefix("$ ") {
                    commands.push((typed.to_owned(), String::new()));
                } else {
                    let said: &mut (String, String) = commands.last_mut().unwrap();
                    said.1 += &[line, "\n"].concat();
                }
            }
            (None, line) => {
                if let Some(found) = line.strip_prefix("### ") {
                    found.clone_into(&mut heading);
                }
            }
        }
    }
    tasks
}

/// Whether what was said is what the transcript says.
fn fits(said: &str, transcript: &str) -> bool {
    let lines = transcript.lines().map(|line| match line.trim() {
        "…" => "(?:.*\n)*?".to_owned(),
        _ => line.split('…').map(regex_lite::escape).collect::<Vec<_>>().join(".*") + "\n",
    });
    let pattern = format!("^{}$", lines.collect::<String>());
    regex_lite::Regex::new(&pattern).unwrap().is_match(said)
}

/// Somebody's home folder, with the programs and archives that the transcripts name.
struct Home {
    place: Place,
    folder: Utf8PathBuf,
    ports: [(String, String); 2],
}

impl Home {
    fn new() -> Self {
        let place = Place::new();
        let folder = place.top().to_owned();
        for name in ["web", "api"] {
            std::fs::create_dir(folder.join(name)).unwrap();
        }
        std::fs::copy(program("server"), folder.join("web/server")).unwrap();
        for (version, script) in
            [("1.0.0", None), ("1.1.0", None), ("1.2.0", Some("#!/bin/sh\necho 'no luck' >&2\nexit 7\n"))]
        {
            archive(&folder.join(format!("api/server-{version}.tar.gz")), version, script, &[]);
        }
        let other = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let ports = [("8000".to_owned(), place.port.to_string()), ("8001".to_owned(), other.to_string())];
        Self { place, folder, ports }
    }

    /// What is typed here for what stands in the transcript.
    fn here(&self, text: &str) -> String {
        let text = text.replace(HOME, self.folder.as_str()).replace('~', self.folder.as_str());
        self.ports.iter().fold(text, |text, (theirs, ours)| text.replace(theirs, ours))
    }

    /// Types a command; standard output and standard error come as on a terminal, in one stream.
    fn typed(&self, folder: &Utf8Path, typed: &str) -> String {
        let mut words: Vec<&str> = typed.split(' ').collect();
        assert_eq!(words.remove(0), "mainstay", "{typed}");
        // What the transcripts show is the same on every host, so none of its service managers is used.
        if words[0] == "install" && systemd_booted() {
            words.splice(1..1, ["--platform", "embedded"]);
        }
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut command = self.place.command(MAINSTAY, folder);
        command.args(&words).stdin(Stdio::null()).stdout(writer.try_clone().unwrap()).stderr(writer);
        let mut child = command.spawn().unwrap();
        drop(command);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut reader, &mut said).unwrap();
        child.wait().unwrap();
        said
    }
}

/// An archive without a description, as somebody packs a program who does not know mainstay.
fn archive(path: &Utf8Path, version: &str, script: Option<&str>, more: &[&str]) {
    let source = tempfile::tempdir().unwrap();
    let root = source.path().join(format!("server-{version}"));
    std::fs::create_dir_all(root.join("bin")).unwrap();
    for name in [&["server"], more].concat() {
        let file = root.join("bin").join(name);
        match script {
            Some(script) => std::fs::write(&file, script).unwrap(),
            None => drop(std::fs::copy(program("server"), &file).unwrap()),
        }
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::fs::write(root.join("words"), format!("words of {version}")).unwrap();
    let tar = std::process::Command::new("tar")
        .args(["-C", source.path().to_str().unwrap(), "-czf", path.as_str()])
        .arg(format!("server-{version}"))
        .status();
    assert!(tar.unwrap().success());
}

#[test]
fn the_first_steps_of_the_readme_can_be_typed_and_say_what_it_shows() {
    let home = Home::new();
    let tasks = tasks();
    let headings: Vec<&str> = tasks.iter().map(|task| task.heading.as_str()).collect();
    assert_eq!(
        headings,
        ["A service from a program", "A service from an archive", "An upgrade, and the way back"],
        "the README shows each task once"
    );
    let mut folder = home.folder.clone();
    for task in &tasks {
        let typed: Vec<&str> = task.commands.iter().map(|(typed, _)| typed.as_str()).collect();
        assert!((1..=MOST).contains(&typed.len()), "{}: {typed:?}", task.heading);
        for (typed, transcript) in &task.commands {
            // A shell's word: where the next one is typed.
            let typed = match typed.split_once(" && ") {
                Some((step, typed)) => {
                    folder = home.here(step.strip_prefix("cd ").unwrap()).into();
                    typed
                }
                None => typed,
            };
            let said = home.typed(&folder, &home.here(typed));
            let transcript = home.here(transcript);
            assert!(fits(&said, &transcript), "`{typed}` says\n{said}\nand not\n{transcript}");
        }
    }
    // What the transcripts tell is so: the program of the archive answers, in the version that was gone back to.
    let api = InstanceName::new("api").unwrap();
    let current = home.place.layout.install(&api).join("server");
    assert_eq!(std::fs::read_link(current).unwrap().to_str(), Some("server-1.0.0"));
    await_some("the server's answer", LONG, || home.place.answer("/health"));
}

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

#[test]
fn transcripts_are_compared_line_by_line() {
    assert!(fits("a\nb 1\nc\n", "a\nb …\nc\n") && fits("a\nx\ny\nc\n", "a\n…\nc\n") && fits("a\n", "a\n…\n"));
    assert!(
        !fits("a\nb\n", "a\n") && !fits("a\n", "a\nb\n") && !fits("a.b\n", "aXb\n") && !fits("x\na\n", "a\n")
    );
}
