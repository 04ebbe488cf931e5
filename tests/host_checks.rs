//! What a package needs of its host, looked at on this very host: all that is missing is told at once, before anything
//! is changed, and by the doctor ever after.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test that can't go on fails"
)]

mod real;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use mainstay::package::pack;
use real::{Place, program};
use serde_json::{Value, json};

/// An archive of a server whose package says this of its host.
fn archive(place: &Place, version: &str, host: &Value) -> String {
    archive_with(place, version, host, &json!({}))
}

/// The same, with more settings of its service.
fn archive_with(place: &Place, version: &str, host: &Value, service: &Value) -> String {
    let source = place.top().join(format!("source-{version}"));
    std::fs::create_dir_all(source.join("bin")).unwrap();
    std::fs::copy(program("server"), source.join("bin/server")).unwrap();
    std::fs::write(source.join("words"), version).unwrap();
    let port = place.port.to_string();
    let mut description = json!({
        "component": "server", "version": version,
        "service": {
            "command": ["{package}/bin/server", "--port", port],
            "environment": { "PORT": port },
            "ready": { "http": "http://127.0.0.1:{env.PORT}/health" }
        },
        "host": host
    });
    description["service"].as_object_mut().unwrap().extend(service.as_object().unwrap().clone());
    std::fs::write(source.join("mainstay-package.json"), description.to_string()).unwrap();
    let archive = place.top().join(format!("server-{version}.tar.gz"));
    pack::pack(&source, &archive).unwrap();
    archive.into_string()
}

fn check(fields: &Value, severity: &str) -> Value {
    let mut check = json!({ "why": "it needs that", "severity": severity });
    check.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    check
}

fn install(place: &Place, archive: &str, further: &[&str]) -> real::Output {
    let install =
        ["install", "--name", "web", "--component", "server", "--platform", "embedded", "--from", archive];
    place.run(&[&install[..], further].concat())
}

/// Each kind of check, in a form that this host passes, and in one that it fails with these words.
fn kinds(place: &Place) -> Vec<(Value, Value, String)> {
    let top = place.top();
    let old = top.join("old-command");
    std::fs::write(&old, "#!/bin/sh\necho old-command version 1.9.3\n").unwrap();
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o755)).unwrap();
    let arch = std::env::consts::ARCH;
    let scope = if real::is_root() { "system" } else { "user" };
    let other = if real::is_root() { "user" } else { "system" };
    let kernel = json!({ "kind": "kernelVersion", "version": "3.10" });
    vec![
        (
            json!({ "kind": "file", "path": "/etc/passwd" }),
            json!({ "kind": "file", "path": "/etc/no-such" }),
            "there is no `/etc/no-such`".into(),
        ),
        (
            json!({ "kind": "device", "path": "/dev/null", "access": "readWrite" }),
            json!({ "kind": "file", "path": "/etc/passwd", "access": "execute" }),
            "can't run `/etc/passwd`".into(),
        ),
        (
            json!({ "kind": "command", "name": "sh" }),
            json!({ "kind": "command", "name": "no-such-command" }),
            "no command `no-such-command`".into(),
        ),
        (
            json!({ "kind": "command", "name": old, "version": "1.9" }),
            json!({ "kind": "command", "name": old, "version": "1.10" }),
            "is version 1.9.3, older than 1.10".into(),
        ),
        (kernel, json!({ "kind": "kernelVersion", "version": "99" }), "older than 99".into()),
        (
            json!({ "kind": "memory", "size": "1MiB" }),
            json!({ "kind": "memory", "size": "900TiB" }),
            "of memory, less than 900TiB".into(),
        ),
        (
            json!({ "kind": "disk", "size": "1MiB" }),
            json!({ "kind": "disk", "size": "900TiB" }),
            "left, less than 900TiB".into(),
        ),
        (
            json!({ "kind": "sysctl", "name": "kernel.ostype", "value": "Linux" }),
            json!({ "kind": "sysctl", "name": "kernel.ostype", "value": "Other" }),
            "`kernel.ostype` is Linux, not Other".into(),
        ),
        (
            json!({ "kind": "sysctl", "name": "fs.file-max", "minimum": 1 }),
            json!({ "kind": "sysctl", "name": "kernel.no-such", "value": "1" }),
            "no setting `kernel.no-such`".into(),
        ),
        (
            json!({ "kind": "architecture", "oneOf": [arch] }),
            json!({ "kind": "architecture", "oneOf": ["pdp11"] }),
            "and has to be pdp11".into(),
        ),
        (
            json!({ "kind": "os", "oneOf": ["linux"] }),
            json!({ "kind": "os", "oneOf": ["macos", "windows"] }),
            "and has to be macos or windows".into(),
        ),
        (
            json!({ "kind": "scope", "oneOf": [scope] }),
            json!({ "kind": "scope", "oneOf": [other] }),
            format!("the instance's scope is {scope}"),
        ),
        (
            json!({ "kind": "platform", "oneOf": ["embedded"] }),
            json!({ "kind": "platform", "oneOf": ["systemd"] }),
            "the platform is embedded".into(),
        ),
        (
            json!({ "kind": "file", "path": "/etc/passwd" }),
            json!({ "kind": "kernelModule", "name": "no_such_module" }),
            "module `no_such_module` is not loaded".into(),
        ),
        (
            json!({ "kind": "file", "path": "/etc/passwd" }),
            json!({ "kind": "kernelArgument", "name": "no-such", "value": "1" }),
            "booted without `no-such=1`".into(),
        ),
        (
            json!({ "kind": "file", "path": "/etc/passwd" }),
            json!({ "kind": "cpuFlag", "name": "no-such-flag" }),
            "the processor has no `no-such-flag`".into(),
        ),
        (
            json!({ "kind": "port", "port": "{env.PORT}" }),
            json!({ "kind": "group", "name": "no-such-group" }),
            "there is no group `no-such-group`".into(),
        ),
    ]
}

#[test]
fn all_that_is_missing_is_told_at_once_and_nothing_is_changed() {
    let place = Place::new();
    let kinds = kinds(&place);
    let failing: Vec<Value> = kinds.iter().map(|(_, fails, _)| check(fails, "refuse")).collect();
    let archive_of_failing = archive(&place, "1.0.0", &json!({ "checks": failing }));
    let before = place.print();
    for further in [&[][..], &["--dry-run"]] {
        let refused = install(&place, &archive_of_failing, further);
        assert_eq!(refused.code, Some(4), "{refused:?}");
        for (_, _, words) in &kinds {
            assert!(refused.err.contains(words.as_str()), "{words}\n{}", refused.err);
        }
        assert!(refused.err.contains(", and it needs that") && refused.err.contains("--without-checks"));
    }
    assert_eq!(before, place.print());
    assert!(!place.deploy().join("mainstay.json").exists());

    let passing: Vec<Value> = kinds.iter().map(|(passes, _, _)| check(passes, "refuse")).collect();
    let passing = archive(&place, "1.1.0", &json!({ "checks": passing }));
    install(&place, &passing, &[]).good();
    let doctor = place.run(&["doctor"]).good();
    assert!(doctor.out.contains("✓ the host has all that the package needs"), "{doctor:?}");
}

#[test]
fn a_warning_tells_and_a_way_back_is_never_refused() {
    let place = Place::new();
    let gone = place.top().join("needed");
    std::fs::write(&gone, "").unwrap();
    let needs = |severity| json!({ "checks": [check(&json!({ "kind": "file", "path": gone, "mend": "bring it" }), severity)] });
    let first = archive(&place, "1.0.0", &needs("refuse"));
    install(&place, &first, &[]).good();
    let warns = archive(
        &place,
        "1.1.0",
        &json!({ "checks": [
        check(&json!({ "kind": "memory", "size": "900TiB" }), "warn"),
        check(&json!({ "kind": "file", "path": "/etc/no-such", "when": { "variables": { "PORT": ["none"] } } }), "refuse")
    ] }),
    );
    let told = place.run(&["upgrade", "--yes", "--from", &warns]).good();
    assert!(
        told.err.contains("this host may not do: the host has") && !told.err.contains("no-such"),
        "{told:?}"
    );
    // What the older version needs has gone meanwhile.
    std::fs::remove_file(&gone).unwrap();
    let back = place.run(&["upgrade", "--yes", "--rollback"]).good();
    assert!(back.err.contains("there is no `") && back.err.contains("bring it"), "{back:?}");
    let doctor = place.run(&["doctor"]);
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    assert!(doctor.out.contains("✗ there is no `") && doctor.out.contains("bring it"), "{doctor:?}");
    // Settings that take a restart are refused; what changes nothing is not.
    place.run(&["apply", "--yes"]).good();
    let manifest = place.deploy().join("mainstay.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let mut changed: Value = serde_json::from_str(&text).unwrap();
    changed["service"]["environment"]["MORE"] = json!("1");
    std::fs::write(&manifest, changed.to_string()).unwrap();
    place.run(&["apply", "--dry-run"]).fails(4, "there is no `");
    place.run(&["apply", "--yes", "--without-checks"]).good();
    let third = archive(&place, "1.2.0", &needs("refuse"));
    place.run(&["upgrade", "--yes", "--from", &third]).fails(4, "there is no `");
    place.run(&["upgrade", "--yes", "--from", &third, "--without-checks"]).good();
}

#[test]
fn a_port_of_ones_own_is_free() {
    let place = Place::new();
    let needs = json!({ "checks": [check(&json!({ "kind": "port", "port": "{env.PORT}" }), "refuse")] });
    let first = archive(&place, "1.0.0", &needs);
    let taken = TcpListener::bind(("127.0.0.1", place.port)).unwrap();
    install(&place, &first, &[]).fails(4, "somebody listens on port");
    drop(taken);
    install(&place, &first, &[]).good();
    // It runs, and has the port itself.
    place.run(&["upgrade", "--yes", "--from", &archive(&place, "1.1.0", &needs)]).good();
    assert!(place.run(&["doctor"]).good().out.contains("the host has all"));
}

/// What is answered in the same command counts, before any of it is a file.
#[test]
fn answers_of_the_same_installation_are_seen() {
    let place = Place::new();
    let needs = json!({ "checks": [check(&json!({ "kind": "port", "port": "{env.ADMIN}" }), "refuse")] });
    let first = archive(&place, "1.0.0", &needs);
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let admin = format!("ADMIN={}", taken.local_addr().unwrap().port());
    let file = place.top().join("typed.env");
    std::fs::write(&file, format!("{admin}\n")).unwrap();
    let by_file = ["--set", "service.environmentFile=web.env", "--env-file", file.as_str(), "--yes"];
    install(&place, &first, &by_file).fails(4, "somebody listens on port");
    install(&place, &first, &["--set", &format!("service.environment.{admin}"), "--yes"])
        .fails(4, "somebody listens on port");
    drop(taken);
    let done = install(&place, &first, &by_file).good();
    assert!(!done.err.contains("can't read"), "a file that comes with it is not missed: {done:?}");
    place.run(&["uninstall", "--yes", "--purge"]).good();
}

/// The file of variables is a step of the plan like others: it goes where the manifest or its package says, counts before
/// it is there, and is not there where the installation is refused.
#[test]
fn a_file_of_variables_comes_with_the_installation_or_not_at_all() {
    let place = Place::new();
    let needs = json!({ "checks": [check(&json!({ "kind": "port", "port": "{env.ADMIN}" }), "refuse")] });
    let first = archive_with(&place, "1.0.0", &needs, &json!({ "environmentFile": "vars/web.env" }));
    place.declare(&place.deploy(), "web", "");
    let manifest = place.deploy().join("mainstay.json");
    std::fs::write(
        &manifest,
        r#"{ "name": "web", "platform": "embedded", "package": { "name": "server" } }"#,
    )
    .unwrap();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (typed, folder) = (place.top().join("typed.env"), place.deploy().join("vars"));
    std::fs::write(&typed, format!("ADMIN={}\n", taken.local_addr().unwrap().port())).unwrap();
    let install = |more: &[&str]| place.run(&[&["install", "--env-file", typed.as_str()][..], more].concat());
    install(&["--from", &first]).fails(4, "somebody listens on port");
    assert!(!folder.exists(), "a refused installation leaves nothing");
    drop(taken);
    let shown = install(&["--from", &first, "--dry-run"]).good();
    assert!(shown.out.contains("write ") && shown.out.contains("vars/web.env"), "{shown:?}");
    assert!(!shown.out.contains("is kept as it is") && !folder.exists(), "{shown:?}");
    install(&["--from", &first]).good();
    let laid = folder.join("web.env");
    assert_eq!(std::fs::read(&laid).unwrap(), std::fs::read(&typed).unwrap());
    assert_eq!(laid.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // One that is there is its owner's.
    std::fs::write(&typed, "ADMIN=1\n").unwrap();
    let again = install(&["--from", &first]).good();
    assert!(again.err.contains("web.env` is kept as it is"), "{again:?}");
    assert_ne!(std::fs::read(&laid).unwrap(), std::fs::read(&typed).unwrap());
    place.run(&["uninstall", "--yes", "--purge"]).good();
    std::fs::remove_dir_all(&folder).unwrap();
    // A package may lead nobody out of the folder.
    std::os::unix::fs::symlink(place.top(), &folder).unwrap();
    install(&["--from", &first]).fails(2, "goes through the link");
    assert!(!place.top().join("web.env").exists());
    std::fs::remove_file(&folder).unwrap();
    // Neither names a place.
    let other = archive(&place, "1.1.0", &json!({}));
    install(&["--from", &other]).fails(2, "needs a place to be copied to");
    std::fs::remove_file(&typed).unwrap();
    install(&["--from", &other]).fails(2, "is not there");
}

#[test]
fn a_package_is_checked_wholly() {
    let place = Place::new();
    let folder = place.top().join("folder");
    std::fs::create_dir_all(folder.join("bin")).unwrap();
    let write =
        |text: &Value| std::fs::write(folder.join("mainstay-package.json"), format!("{text:#}")).unwrap();
    let said = |code: i32| {
        let output = place.run(&["pack", "--check", folder.as_str()]);
        assert_eq!(output.code, Some(code), "{output:?}");
        output.err + &output.out
    };
    std::fs::write(folder.join("bin/server"), "#!/bin/sh\n").unwrap();
    let mut description = json!({ "component": "server", "version": "1.0.0",
        "service": { "command": ["{package}/bin/server", "--words", "{package}/words", "{dta}"] } });
    write(&description);
    let refused = said(2);
    assert!(refused.contains("service.command[0]: `bin/server` can't be run: `chmod +x`"), "{refused}");
    assert!(refused.contains("mainstay-package.json:5:7"), "{refused}");
    std::fs::set_permissions(folder.join("bin/server"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let told = said(0);
    for words in [
        "warning: ",
        "service.command[2]: there is no `words`",
        "`{dta}` is no token",
        "`service.description` is missing",
        "`service.ready` is missing",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    // So are those in the package's own parts.
    let mut mistyped = description.clone();
    mistyped["status"] = json!({ "command": ["{package}/bin/server", "{daat}"], "fields": [{ "label": "A", "pointer": "/a" }] });
    mistyped["host"] = json!({
        "checks": [{ "kind": "file", "path": "/x/{confg}", "why": "w" }],
        "prepare": [{ "id": "a", "kind": "download", "path": "/x/{lgos}", "url": "https://x.example/{version}-{arch}",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "what": "w" }]
    });
    write(&mistyped);
    let told = said(0);
    for words in [
        "status.command[1]: `{daat}` is no token, and stays as it is; did you mean `{data}`?",
        "host.checks[0].path: `{confg}` is no token",
        "host.prepare[0].path: `{lgos}` is no token",
        "host.prepare[0].url: `{version}` stays as it is",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("`{arch}` stays"), "{told}");
    mistyped["status"] = json!({ "http": "http://127.0.0.1:{env.PORT}/{NAME}", "fields": [{ "label": "A", "pointer": "/a" }] });
    write(&mistyped);
    assert!(said(0).contains("status.http: `{NAME}` stays as it is"));
    // Every fault at once, each with its place.
    description["status"] = json!({ "fields": [
        { "label": "A", "pointer": "a.b", "unit": "x" }, { "label": "A", "pointer": "/b", "good": ["1"], "bad": ["1"] }
    ] });
    description["host"] = json!({
        "checks": [
            { "kind": "command", "path": "/x", "why": "w" }, { "kind": "sysctl", "name": "a.b", "why": "w" },
            { "kind": "scope", "oneOf": ["sytem"], "why": "w" }, { "kind": "file", "path": "relative", "why": "w" },
            { "kind": "port", "port": "http", "why": "w" }
        ],
        "prepare": [
            { "id": "a", "kind": "group", "name": "kvm", "rights": "account", "what": "w" },
            { "id": "a", "kind": "print", "safe": true, "what": "w" },
            { "id": "b", "kind": "folder", "path": "{package}/x", "what": "w" },
            { "id": "c", "kind": "folder", "path": "{data}/x", "what": "w" },
            { "id": "d", "kind": "folder", "path": "{data}/x", "rights": "account", "what": "w" }
        ]
    });
    description["development"] = json!({ "db": { "image": "i", "variables": { "URL": "{port}" } } });
    write(&description);
    let refused = said(2);
    for words in [
        "status: nothing says what is asked",
        "status.fields[0].pointer: `a.b` is no JSON pointer (RFC 6901): write it as in `/a/b`",
        "status.fields[0].unit: `unit` has a meaning",
        "status.fields[1].label: another line is called `A`",
        "status.fields[1].bad: `1` is good and bad",
        "host.checks[0].kind: this kind needs `name`",
        "host.checks[0].path: `path` has no meaning",
        "host.checks[1]: nothing says what it must be",
        "host.checks[2].oneOf[0]: `sytem` can't stand here",
        "host.checks[3].path: `relative` is not absolute",
        "host.checks[4].port: `http` is no port",
        "host.prepare[0].rights: only root",
        "host.prepare[1].id: another step",
        "host.prepare[1].safe: what is only printed",
        "host.prepare[2].path: what prepares the host lies",
        "host.prepare[3].path: the service's account can write in `{data}`",
        "development.db.variables.URL: `{port}` has no meaning",
    ] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
    assert!(!refused.contains("host.prepare[4]"), "{refused}");
    write(&json!({ "component": "server", "version": "1.0.0", "stauts": {} }));
    let told = said(2);
    assert!(told.contains("stauts: unknown field") && told.contains("did you mean `status`?"), "{told}");
}
