//! Services for development, as far as no container engine is needed: what is refused, that nothing of it is left, and in
//! which order an engine is asked, by a script that answers as one. With real containers: `tests/systems/dev`.
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

/// `install --dev` where the only program in `PATH` is an engine, if one was laid there.
fn install(place: &Place, archive: &str, further: &[&str]) -> real::Output {
    let mut command = place.command(real::MAINSTAY, &place.deploy());
    command.env("PATH", place.top().join("engine"));
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
        "c": { "image": "i", "wait": { "http": "http://127.0.0.1:{port}/" } },
        "d": { "image": "i", "port": { "host": 3, "inside": 3 }, "wait": { "http": "http://127.0.0.1:{ports}/" } },
        "e": { "image": "i", "port": { "host": 4, "inside": 4 }, "wait": { "http": "http://127.0.0.1:{port}/health" } },
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
        "development.c.wait.http: `{port}` has no meaning",
        "development.d.wait.http: `http://127.0.0.1:{ports}/` has no usable port",
    ] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    assert!(!said.err.contains("development.e"), "{}", said.err);
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

/// What answers as Podman does: it notes what it is asked, has what lies in its folder, and does what `at-pull` says while
/// it fetches an image.
const ENGINE: &str = r#"#!/bin/sh
PATH=/usr/bin:/bin
cd "${0%/*}" || exit 1
echo "$*" >>asked
missing() { echo "no such $1" >&2; exit 125; }
case "$*" in
    version*) echo 5.0.0 ;;
    "image inspect"*) [ -e image ] || missing image; echo '[{"Id": "sha256:1"}]' ;;
    pull*) touch image; [ ! -e at-pull ] || . ./at-pull ;;
    "container inspect"*) [ -e container ] || missing container; cat container ;;
    "volume inspect"*) missing volume ;;
    run*)
        labels=
        while [ $# -gt 0 ]; do
            case $1 in --label) labels="$labels,\"${2%%=*}\": \"${2#*=}\"" ;; esac
            shift
        done
        echo "[{\"State\": {\"Status\": \"running\"}, \"Config\": {\"Labels\": {${labels#,}}}}]" >container ;;
    rm*) rm -f container ;;
esac
"#;

/// A place with such an engine, and the engine's folder.
fn with_engine() -> (Place, camino::Utf8PathBuf) {
    let place = Place::new();
    let engine = place.top().join("engine");
    std::fs::create_dir(&engine).unwrap();
    mainstay::host::files::write(&engine.join("podman"), ENGINE, 0o755, None).unwrap();
    (place, engine)
}

fn asked(engine: &camino::Utf8Path) -> String {
    std::fs::read_to_string(engine.join("asked")).unwrap()
}

/// A service that is ready as soon as it runs.
fn portless() -> Value {
    json!({ "db": { "image": "localhost/db:1", "environment": { "PASSWORD": "{generated}" },
        "variables": { "URL": "db://{generated}" } } })
}

#[test]
fn no_image_is_fetched_for_what_is_refused() {
    let (place, engine) = with_engine();
    let archive = archive(&place, &portless());
    std::fs::write(engine.join("container"), r#"[{"State": {"Status": "running"}, "Config": {}}]"#).unwrap();
    for further in [&[][..], &["--dry-run"]] {
        let said = install(&place, &archive, further).fails(4, "web-dev-db");
        assert!(!said.err.contains("fetch"), "{}", said.err);
        nothing_is_left(&place);
    }
    assert!(!asked(&engine).contains("pull"), "{}", asked(&engine));
    // What is not refused is fetched, and only really.
    std::fs::remove_file(engine.join("container")).unwrap();
    let said = install(&place, &archive, &["--dry-run"]).good();
    assert!(
        said.err.contains("`localhost/db:1` would be fetched with `podman pull localhost/db:1`"),
        "{}",
        said.err
    );
    assert!(!asked(&engine).contains("pull"), "{}", asked(&engine));
    install(&place, &archive, &["--no-start"]).good();
    assert!(asked(&engine).contains("pull localhost/db:1"), "{}", asked(&engine));
}

#[test]
fn a_secret_that_another_command_has_made_meanwhile_is_not_written_over() {
    let (place, engine) = with_engine();
    let archive = archive(&place, &portless());
    let folder = place.layout.development(&"web".parse().unwrap());
    let other = format!("mkdir -p '{folder}'; echo of-another >'{folder}/db.secret'");
    std::fs::write(engine.join("at-pull"), other).unwrap();
    install(&place, &archive, &["--no-start"]).good();
    assert_eq!(std::fs::read_to_string(folder.join("db.secret")).unwrap(), "of-another\n");
    let variables = std::fs::read_to_string(place.deploy().join("server.env")).unwrap();
    assert!(variables.contains("URL=db://of-another"), "{variables}");
}
