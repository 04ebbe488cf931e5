//! The real binary, a server on a held socket, and a constant load of requests: none is refused, and with overlap
//! none fails, whatever is restarted, upgraded, or killed meanwhile.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that fails panics, says what it saw, and starts processes itself"
)]

mod load;
mod real;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use load::{Count, Load, ask};
use mainstay::engine::guard::supervisor_of;
use mainstay::host::identity;
use mainstay::model::launch::LaunchSpec;
use mainstay::model::name::InstanceName;
use mainstay::model::trial::{DataMove, Stage, Switch};
use mainstay::package::pack;
use real::{LONG, MAINSTAY, Output, Place, await_some};
use rustix::process::Signal;

const CLIENTS: usize = 4;

fn web() -> InstanceName {
    InstanceName::new("web").unwrap()
}

/// An archive of a server that says which version it is.
fn archive(place: &Place, version: &str) -> String {
    let archive = place.top().join(format!("holds-{version}.tar.gz"));
    if !archive.exists() {
        let source = place.top().join(format!("source-{version}"));
        std::fs::create_dir_all(source.join("bin")).unwrap();
        std::fs::copy(real::program("holds"), source.join("bin/holds")).unwrap();
        let description = format!(r#"{{ "component": "holds", "version": "{version}" }}"#);
        std::fs::write(source.join("mainstay-package.json"), description).unwrap();
        pack::pack(&source, &archive).unwrap();
    }
    archive.to_string()
}

fn declare(place: &Place, overlap: bool, more: &str) {
    let port = place.port;
    let text = format!(
        r#"{{
  "name": "web", "platform": "embedded", "package": {{ "name": "holds" }},
  "service": {{
    "command": ["{{package}}/bin/holds", "{{package}}", "5"],
    "ready": {{ "delay": "50ms" }}, "stop": {{ "timeout": "10s" }},
    "sockets": [{{ "listen": "127.0.0.1:{port}" }}], "overlap": {overlap}{more}
  }}
}}
"#
    );
    std::fs::write(place.deploy().join("mainstay.json"), text).unwrap();
}

fn installed(overlap: bool) -> (Place, String) {
    let place = Place::new();
    declare(&place, overlap, "");
    place.run(&["install", "--yes", "--from", &archive(&place, "1.0.0")]).good();
    let address = format!("127.0.0.1:{}", place.port);
    assert!(ask(&address).unwrap().contains("/holds-1.0.0 "));
    (place, address)
}

/// Nothing had to be done in another way than it was meant to.
fn in_its_usual_way(output: &Output) {
    assert!(!output.err.contains("usual way") && !output.err.contains("afresh"), "{output:?}");
}

/// 20 restarts and 5 upgrades under load.
fn restarted_and_upgraded(place: &Place, address: &str, versions: &[&str]) -> Count {
    let load = Load::on(address, CLIENTS);
    for _ in 0..20 {
        in_its_usual_way(&place.run(&["restart"]).good());
    }
    for version in versions {
        in_its_usual_way(&place.run(&["upgrade", "--yes", "--from", &archive(place, version)]).good());
        assert!(ask(address).unwrap().contains(&format!("/holds-{version} ")));
    }
    let count = load.end();
    eprintln!("{count:?}");
    assert!(count.answered > 500, "{count:?}");
    count
}

const VERSIONS: [&str; 5] = ["1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0"];

#[test]
fn with_overlap_no_request_fails() {
    let (place, address) = installed(true);
    let before = supervisor_of(&place.layout, &web());
    let count = restarted_and_upgraded(&place, &address, &VERSIONS);
    assert_eq!((count.refused, count.failed.len()), (0, 0), "{count:?}");
    // One supervisor has done it all.
    assert_eq!(supervisor_of(&place.layout, &web()), before);
    assert!(place.journal(&web()).is_empty());
    place.run(&["upgrade", "--rollback", "--yes"]).good();
    assert!(ask(&address).unwrap().contains("/holds-1.4.0 "));
    place.run(&["status"]).good();
    place.run(&["stop"]).good();
    assert!(ask(&address).is_err());
}

#[test]
fn without_overlap_no_connection_is_refused() {
    let (place, address) = installed(false);
    let count = restarted_and_upgraded(&place, &address, &VERSIONS);
    // What the old program had taken it finishes, and the rest waits for the new one.
    assert_eq!((count.refused, count.failed.len()), (0, 0), "{count:?}");
}

#[test]
fn a_new_version_that_fails_beside_the_old_one_is_never_switched_to() {
    let (place, address) = installed(true);
    let load = Load::on(&address, CLIENTS);
    declare(&place, true, r#", "environment": { "A": "1" }"#);
    place.run(&["apply", "--yes"]).good();
    let broken = place.broken_archive("2.0.0").replace("server-", "holds-");
    let source = place.top().join("source-2.0.0");
    std::fs::rename(source.join("bin/server"), source.join("bin/holds")).unwrap();
    let description = r#"{ "component": "holds", "version": "2.0.0" }"#;
    std::fs::write(source.join("mainstay-package.json"), description).unwrap();
    pack::pack(&source, broken.as_str().into()).unwrap();
    place.run(&["upgrade", "--yes", "--from", &broken]).fails(7, "exited with code 7");
    let count = load.end();
    assert_eq!((count.refused, count.failed.len()), (0, 0), "{count:?}");
    assert!(ask(&address).unwrap().contains("/holds-1.0.0 "));
    assert!(place.journal(&web()).is_empty());
    place.run(&["status"]).good();
}

#[test]
fn a_restart_that_fails_beside_what_runs_leaves_it_alone() {
    let (place, address) = installed(true);
    let before = ask(&address).unwrap();
    let load = Load::on(&address, CLIENTS);
    // What it needs is gone meanwhile.
    let program = place.layout.tree(&web(), "holds-1.0.0").join("bin/holds");
    std::fs::remove_file(&program).unwrap();
    place.run(&["restart"]).fails(1, "what runs goes on");
    let count = load.end();
    assert_eq!((count.refused, count.failed.len()), (0, 0), "{count:?}");
    assert_eq!(ask(&address).unwrap(), before);
}

/// The link has moved, the command has died, and so has the new start before it could take over.
#[test]
fn a_switch_that_passed_and_was_lost_is_undone() {
    let (place, address) = installed(true);
    let before = ask(&address).unwrap();
    let path = place.layout.launch(&web(), "holds-1.0.0");
    let text = std::fs::read_to_string(&path).unwrap();
    let from: LaunchSpec = serde_json::from_str(&text).unwrap();
    let mut to = from.clone();
    to.environment.insert("A".to_owned().try_into().unwrap(), "1".to_owned());
    std::fs::write(&path, to.text()).unwrap();
    let switch = Switch { format: 1, from, to, stage: Stage::Passed, data: DataMove::default(), watch: None };
    let journal = place.layout.switch(&web());
    std::fs::create_dir_all(journal.parent().unwrap()).unwrap();
    std::fs::write(&journal, serde_json::to_string(&switch).unwrap()).unwrap();
    place.run(&["recover"]).good();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert!(place.journal(&web()).is_empty());
    assert_eq!(ask(&address).unwrap(), before);
}

#[test]
fn a_supervisor_that_hangs_is_restarted_in_the_usual_way() {
    let (place, address) = installed(true);
    let before = ask(&address).unwrap();
    let supervisor = supervisor_of(&place.layout, &web()).unwrap();
    identity::signal(supervisor, Signal::STOP).unwrap();
    let mut command = place.command(MAINSTAY, &place.deploy());
    let mut restart = command.arg("restart").stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut said = BufReader::new(restart.stderr.take().unwrap()).lines().map(Result::unwrap);
    let usual = said.find(|line| line.contains("in the usual way")).unwrap();
    assert!(usual.contains("does not answer"), "{usual}");
    // Otherwise its guardian kills it, when all that a stop may take is over.
    identity::signal(supervisor, Signal::CONT).unwrap();
    let rest: Vec<String> = said.collect();
    assert!(restart.wait().unwrap().success(), "{rest:?}");
    assert_ne!(ask(&address).unwrap(), before);
}

#[test]
fn what_can_not_change_while_it_runs_is_restarted_and_said() {
    let (place, address) = installed(true);
    declare(&place, true, r#", "schedule": { "every": "1h" }"#);
    place.run(&["validate"]).fails(2, "sockets");
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    declare(&place, true, "");
    let manifest = place.deploy().join("mainstay.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace(&address, &other.to_string())).unwrap();
    let output = place.run(&["apply", "--yes"]).good();
    let said = format!("{}{}", output.out, output.err);
    assert!(said.contains("does not overlap the old one, because what changes can't change"), "{said}");
    assert!(ask(&address).is_err());
    assert!(ask(&other.to_string()).unwrap().contains("/holds-1.0.0 "));
}

/// Only a fresh supervisor brings in what was applied without a restart, and another copy of mainstay.
#[test]
fn what_waits_for_a_fresh_supervisor_gets_one() {
    let (place, _) = installed(true);
    let mut supervisor = supervisor_of(&place.layout, &web());
    let mut anew = || {
        place.run(&["restart"]).good();
        let before = std::mem::replace(&mut supervisor, supervisor_of(&place.layout, &web()));
        supervisor != before
    };
    declare(&place, true, r#", "environment": { "A": "1" }"#);
    place.run(&["apply", "--yes", "--no-restart"]).good();
    assert!(place.run(&["status", "--json"]).out.contains(r#""pendingRestart": true"#));
    assert!(anew());
    assert!(place.run(&["status", "--json"]).out.contains(r#""pendingRestart": false"#));
    assert!(!anew());
    let program = place.layout.runtime_program(&web());
    let copy = program.with_file_name("copy");
    std::fs::copy(&program, &copy).unwrap();
    std::fs::rename(&copy, &program).unwrap();
    assert!(anew());
    assert!(!anew());
}

#[test]
fn the_guardian_of_all_holds_sockets_too() {
    let place = Place::new();
    declare(&place, false, "");
    place.run(&["install", "--no-start", "--yes", "--from", &archive(&place, "1.0.0")]).good();
    let address = format!("127.0.0.1:{}", place.port);
    let mut boot = place.command(MAINSTAY, &place.deploy());
    boot.arg("boot").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut boot = boot.spawn().unwrap();
    await_some("an answer", LONG, || ask(&address).ok());
    let load = Load::on(&address, CLIENTS);
    for _ in 0..3 {
        place.run(&["restart"]).good();
        let supervisor = supervisor_of(&place.layout, &web()).unwrap();
        identity::signal(supervisor, Signal::KILL).unwrap();
        await_some("another supervisor", LONG, || {
            supervisor_of(&place.layout, &web()).filter(|other| *other != supervisor)
        });
    }
    let count = load.end();
    assert!(count.refused == 0 && count.answered > 50, "{count:?}");
    place.run(&["stop"]).good();
    assert!(ask(&address).is_err());
    place.run(&["start"]).good();
    assert!(ask(&address).unwrap().contains("/holds-1.0.0 "));
    identity::signal(identity::identity_of(boot.id()).unwrap(), Signal::TERM).unwrap();
    assert_eq!(boot.wait().unwrap().code(), Some(0));
}

/// An upgrade that is killed at each entry of its journal, with the load going on: afterwards one of both versions
/// runs, and no request has failed.
#[test]
fn killed_commands_fail_no_request() {
    if Command::new("strace").arg("--version").output().is_err() {
        real::left_out("strace is not installed, which kills the program at its journal's entries");
        return;
    }
    let (place, address) = installed(true);
    let load = Load::on(&address, CLIENTS);
    let versions = [archive(&place, "1.0.0"), archive(&place, "2.0.0")];
    let full = std::env::var("MAINSTAY_FULL").is_ok_and(|full| full == "1");
    let mut outcomes = [0, 0];
    for entry in (1..60).step_by(if full { 1 } else { 3 }) {
        let running = ask(&address).unwrap();
        let next = &versions[usize::from(running.contains("/holds-1.0.0 "))];
        let status = place
            .command("strace", &place.deploy())
            .args(["--quiet=all", "--output=/dev/null", "--trace=fdatasync"])
            .arg(format!("--inject=fdatasync:signal=KILL:when={entry}"))
            .args([MAINSTAY, "upgrade", "--yes", "--force", "--from", next])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        if status.success() {
            assert!(entry > 5, "it has hardly an entry");
            break;
        }
        place.run(&["recover"]).good();
        assert!(place.journal(&web()).is_empty());
        let after = await_some("an answer", LONG, || ask(&address).ok());
        let link = std::fs::read_link(place.layout.current(&web(), &"holds".parse().unwrap())).unwrap();
        assert!(after.contains(&format!("/{} ", link.display())), "{entry}: {after}, and {link:?} is active");
        outcomes[usize::from(after != running)] += 1;
    }
    let count = load.end();
    eprintln!("{outcomes:?} {count:?}");
    assert_eq!((count.refused, count.failed.len()), (0, 0), "{count:?}");
    assert!(outcomes[0] > 0 && outcomes[1] > 0, "{outcomes:?}");
    place.run(&["status"]).good();
}
