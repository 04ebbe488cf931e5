//! Services for development, as far as no container engine is needed: what is refused, and that nothing of it is left.
//! With real containers: `tests/systems/dev`.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test that can't go on fails"
)]

mod real;

use mainstay::package::pack;
use real::{Place, program};
use serde_json::{Value, json};

/// An archive of a server whose package describes these services for development.
fn archive(place: &Place, development: &Value) -> String {
    let source = place.top().join("source");
    std::fs::create_dir_all(source.join("bin")).unwrap();
    std::fs::copy(program("server"), source.join("bin/server")).unwrap();
    std::fs::write(source.join("words"), "1.0.0").unwrap();
    let description = json!({
        "component": "server", "version": "1.0.0",
        "service": { "command": ["{package}/bin/server", "--port", place.port.to_string()] },
        "environment": { "URL": { "describe": "where the data are", "required": true } },
        "development": development
    });
    std::fs::write(source.join("mainstay-package.json"), description.to_string()).unwrap();
    let archive = place.top().join("server-1.0.0.tar.gz");
    pack::pack(&source, &archive).unwrap();
    archive.into_string()
}

/// `install --dev` where no container engine is: in `PATH` there is nothing at all.
fn install(place: &Place, archive: &str, further: &[&str]) -> real::Output {
    let mut command = place.command(real::MAINSTAY, &place.deploy());
    command.env("PATH", place.top().join("no-programs"));
    command
        .args(["install", "--name", "web", "--platform", "embedded", "--from", archive, "--dev"])
        .args(further);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    real::Output { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn database() -> Value {
    json!({ "db": { "image": "localhost/db:1", "variables": { "URL": "db://{generated}@127.0.0.1:{port}" },
        "port": { "host": 1, "inside": 1 } } })
}

/// Nothing is in the deploy folder, and nothing in the folders of state.
fn nothing_is_left(place: &Place) {
    let left: Vec<_> = std::fs::read_dir(place.deploy()).unwrap().flatten().map(|it| it.path()).collect();
    assert!(left.is_empty(), "{left:?}");
    let found = place.print();
    assert!(!found.contains(".development") && !found.contains("receipt.json"), "{found}");
}

#[test]
fn without_a_container_engine_it_says_what_to_install() {
    let place = Place::new();
    let archive = archive(&place, &database());
    for further in [&[][..], &["--dry-run"]] {
        let said = install(&place, &archive, further);
        let said = said.fails(4, "need a container engine, and none answers");
        assert!(said.err.contains("install Podman"), "{}", said.err);
        nothing_is_left(&place);
    }
}

#[test]
fn a_package_that_describes_none_is_no_use_with_it() {
    let place = Place::new();
    let archive = archive(&place, &json!({}));
    install(&place, &archive, &["--set", "service.environment.URL=x"])
        .fails(2, "describes no services for development");
    nothing_is_left(&place);
}

#[test]
fn a_manifest_that_is_there_has_to_name_an_environment_file() {
    let place = Place::new();
    let archive = archive(&place, &database());
    let manifest =
        json!({ "name": "web", "platform": "embedded", "package": { "name": "server" } }).to_string();
    std::fs::write(place.deploy().join("mainstay.json"), &manifest).unwrap();
    install(&place, &archive, &[]).fails(2, "`--dev` needs an environment file");
    assert_eq!(std::fs::read_to_string(place.deploy().join("mainstay.json")).unwrap(), manifest);
}

#[test]
fn every_fault_of_a_description_is_told_with_its_place() {
    let place = Place::new();
    let folder = place.top().join("described");
    std::fs::create_dir_all(&folder).unwrap();
    let description = json!({ "component": "server", "version": "1.0.0", "development": {
        "db": { "image": "i", "variables": { "URL": "{port}" }, "volumes": { "data": "var" } },
        "a": { "image": "I:", "port": { "host": 1, "inside": 1 }, "variables": { "X": "1" }, "command": ["{generated}"] },
        "c": { "image": "i", "wait": { "tcp": "127.0.0.1:{port}" } },
        "d": { "image": "i", "port": { "host": 3, "inside": 3 }, "wait": { "http": "http://127.0.0.1:{ports}/" } },
        "e": { "image": "i", "port": { "host": 4, "inside": 4 }, "wait": { "http": "http://127.0.0.1:{port}/health" } },
        "f": { "image": "i", "port": { "host": 5, "inside": 5 }, "wait": { "tcp": "127.0.0.1:{port}" } },
        "b": { "image": "i", "port": { "host": 1, "inside": 2 }, "network": "host", "variables": { "X": "1" },
            "environment": { "Y": "one\ntwo" },
            "wait": { "tcp": "h:1", "http": "http://h/", "timeout": "0s" } }
    } });
    std::fs::write(folder.join("mainstay-package.json"), description.to_string()).unwrap();
    let said = place.run(&["pack", folder.as_str(), "--check"]).fails(2, "mainstay-package.json");
    for words in [
        "development.db.variables.URL: `{port}` has no meaning",
        "development.db.volumes.data: `var` is no place in a container",
        "development.a.image: `I:`",
        "development.a.command[0]: a secret on a command line",
        "development.b.port.host: `1` is the port of `a` already",
        "development.b.variables.X: `a` gives `X` already",
        "development.b.port.inside: in the host's network",
        "development.b.environment.Y: a value is one line",
        "development.b.wait.http: `http` stands beside `tcp`",
        "development.b.wait.timeout: `0s` is too short",
        "development.c.wait.tcp: `{port}` has no meaning",
        "development.d.wait.http: `http://127.0.0.1:{ports}/` has no usable port",
    ] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    assert!(!["development.e", "development.f"].iter().any(|right| said.err.contains(right)), "{}", said.err);
}

#[test]
fn a_token_that_there_is_not_is_doubted() {
    let place = Place::new();
    let folder = place.top().join("doubted");
    std::fs::create_dir_all(&folder).unwrap();
    let development = json!({ "db": { "image": "i", "environment": { "A": "{password}{generated}" } } });
    let description = json!({ "component": "server", "version": "1.0.0", "development": development,
        "service": { "command": ["/bin/true"], "environment": { "B": "{instance.nam}{instance.name}" } } });
    std::fs::write(folder.join("mainstay-package.json"), description.to_string()).unwrap();
    let said = place.run(&["pack", folder.as_str(), "--check"]).good();
    let told = said.out + &said.err;
    for words in [
        "development.db.environment.A: `{password}` stays as it is: here are `{generated}`, a secret, and `{port}` alone",
        "service.environment.B: `{instance.nam}` is no token, and stays as it is; there are `{instance.name}`",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(
        !told.contains("`{generated}` stays") && !told.contains("`{instance.name}` is no token"),
        "{told}"
    );
}
