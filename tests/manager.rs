//! Programs that a package manager brings: the version is that of what the service really starts. npm and pip are the
//! real ones; they install files of ours, so that no network is needed.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, says what it saw, and starts processes itself"
)]

mod real;

use std::io::Write as _;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::model::name::InstanceName;
use real::{LONG, Place, await_some};

const SERVER: &str = r#"#!/usr/bin/env node
if (process.argv[2] === "--version") { console.log("web says 9.9.9"); process.exit(0); }
if (process.env.BROKEN || VERSION.includes("broken")) { console.error("no luck"); process.exit(7); }
require("http").createServer((request, response) => {
  response.end(request.url === "/pid" ? String(process.pid) : VERSION);
}).listen(Number(process.argv[2]), "127.0.0.1");
"#;

const MODULE: &str = r#"import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write((str(os.getpid()) if self.path == "/pid" else VERSION).encode())
    def log_message(self, *words):
        pass
def main():
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
if __name__ == "__main__":
    main()
"#;

fn web() -> InstanceName {
    InstanceName::new("web").unwrap()
}

fn is_missing(tool: &str) -> bool {
    let missing = !Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if missing {
        real::left_out(&format!("{tool} is not installed"));
    }
    missing
}

fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Installs a version with npm below a prefix, and gives the program that npm made.
fn npm(place: &Place, prefix: &str, version: &str) -> Utf8PathBuf {
    let source = place.top().join(format!("npm-{version}"));
    std::fs::create_dir_all(source.join("lib")).unwrap();
    let package =
        format!(r#"{{ "name": "@acme/web", "version": "{version}", "bin": {{ "web": "lib/web.js" }} }}"#);
    std::fs::write(source.join("package.json"), package).unwrap();
    // As many packages have them: it says how files are loaded, and nothing of a version.
    std::fs::write(source.join("lib/package.json"), r#"{ "type": "commonjs" }"#).unwrap();
    std::fs::write(source.join("lib/web.js"), SERVER.replace("VERSION", &format!("\"{version}\""))).unwrap();
    let npm = |folder: &Utf8Path, arguments: &[&str]| {
        let mut command = Command::new("npm");
        command.current_dir(folder).args(arguments).args([
            "--offline",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]);
        command.env("npm_config_cache", place.top().join("npm-cache").as_str());
        done(&mut command)
    };
    let archive = npm(&source, &["pack"]).trim().to_owned();
    let folder = place.top().join(prefix);
    npm(&source, &["install", "-g", "--prefix", folder.as_str(), &format!("./{archive}")]);
    folder.join("bin/web")
}

/// A manifest of a program that stands somewhere.
fn declare(place: &Place, command: &[&str], further: &str) {
    let port = place.port;
    let command: Vec<String> = command.iter().map(|word| format!("\"{word}\"")).collect();
    let text = format!(
        r#"{{
  "name": "web", "platform": "embedded",
  "package": {{ "name": "web", "source": "manager", "version": "1.0.0" }},
  "service": {{
    "command": [{}, "{port}"],
    "environment": {{ "PATH": "{}" }},
    "restart": {{ "limit": 1, "delays": ["100ms"] }},
    "ready": {{ "http": "http://127.0.0.1:{port}/health", "timeout": "10s" }}{further}
  }}
}}
"#,
        command.join(", "),
        std::env::var("PATH").unwrap()
    );
    std::fs::write(place.deploy().join("mainstay.json"), text).unwrap();
}

fn status(place: &Place) -> serde_json::Value {
    serde_json::from_str(&place.run(&["status", "--json"]).out).unwrap()
}

fn recorded(place: &Place) -> Vec<String> {
    let receipt: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(place.layout.receipt(&web())).unwrap()).unwrap();
    let activations = receipt["activations"].as_array().unwrap().iter();
    activations.map(|activation| activation["version"].as_str().unwrap().to_owned()).collect()
}

fn manifest(place: &Place) -> String {
    std::fs::read_to_string(place.deploy().join("mainstay.json")).unwrap()
}

#[test]
fn npm_brings_and_one_restart_takes_it_up() {
    if is_missing("npm") {
        return;
    }
    let place = Place::new();
    let program = npm(&place, "prefix", "1.0.0");
    declare(&place, &[program.as_str()], "");
    let said = place.run(&["install"]).good();
    assert!(said.out.contains("web 1.0.0 is installed"), "{said:?}");
    assert_eq!(status(&place)["version"], "1.0.0", "{}", status(&place));
    let before = place.server().unwrap();

    // Nothing new was brought: nothing is done, and nothing claimed.
    let said = place.run(&["upgrade", "--yes"]).good();
    assert!(said.out.contains("nothing to do") && said.err.contains("npm install"), "{said:?}");
    let untouched = (place.print(), manifest(&place));
    let said = place.run(&["upgrade", "--yes", "--version", "1.1.0"]);
    let said = said.fails(5, "is version 1.0.0, not 1.1.0");
    let script = "prefix/lib/node_modules/@acme/web/lib/web.js";
    assert!(said.err.contains(script) && said.err.contains("@acme/web@1.1.0"), "{said:?}");

    // Another prefix does not count, whatever is typed: what the service starts does.
    npm(&place, "elsewhere", "1.1.0");
    place.run(&["upgrade", "--yes", "--version", "1.1.0"]).fails(5, "is version 1.0.0, not 1.1.0");
    assert_eq!((place.print(), manifest(&place)), untouched);
    assert_eq!(place.server(), Some(before));

    npm(&place, "prefix", "1.1.0");
    let said = place.run(&["upgrade", "--yes", "--version", "1.2.0"]).fails(5, "is version 1.1.0, not 1.2.0");
    assert!(said.err.contains("mainstay upgrade --version 1.1.0"), "{said:?}");
    let planned = place.run(&["upgrade", "--dry-run"]).good();
    assert!(planned.out.contains("mark ") && planned.out.contains("restart"), "{planned:?}");
    assert_eq!((place.server(), manifest(&place)), (Some(before), untouched.1));
    let said = place.run(&["upgrade", "--yes", "--version", "1.1.0"]).good();
    assert!(said.out.contains("1.0.0 -> 1.1.0, restarted in"), "{said:?}");
    assert_eq!(place.answer("/").as_deref(), Some("1.1.0"));
    assert_ne!(place.server(), Some(before));
    assert!(manifest(&place).contains(r#""version": "1.1.0""#));
    assert_eq!(recorded(&place), ["1.0.0", "1.1.0"]);
    assert_eq!(status(&place)["version"], "1.1.0");
    assert!(place.run(&["history"]).good().out.contains("upgraded"));

    let before = place.server().unwrap();
    place.run(&["upgrade", "--yes", "--restart-only"]).good();
    assert_ne!(place.server(), Some(before));
    assert_eq!(recorded(&place), ["1.0.0", "1.1.0"]);
    assert!(place.run(&["plan"]).good().out.contains("nothing to do"));
}

#[test]
fn what_runs_is_recorded_and_force_records_nothing() {
    if is_missing("npm") {
        return;
    }
    let place = Place::new();
    let program = npm(&place, "prefix", "1.0.0");
    declare(&place, &["node", program.as_str()], "");
    place.run(&["install"]).good();
    npm(&place, "prefix", "1.1.0");

    let said = place.run(&["upgrade", "--yes", "--force"]).good();
    assert!(said.err.contains("nobody looks which version"), "{said:?}");
    assert_eq!(place.answer("/").as_deref(), Some("1.1.0"));
    assert_eq!(recorded(&place), ["1.0.0"]);
    assert!(manifest(&place).contains(r#""version": "1.0.0""#));
    // A manifest that asks for another version than there is brings nothing about.
    place.run(&["apply", "--yes"]).fails(5, "is version 1.1.0, not 1.0.0");

    let before = place.server().unwrap();
    place.run(&["upgrade", "--yes", "--restart-only"]).good();
    assert_ne!(place.server(), Some(before));
    assert_eq!(recorded(&place), ["1.0.0", "1.1.0"]);

    // An older one is taken only where that is said.
    npm(&place, "prefix", "0.9.0");
    place.run(&["upgrade", "--yes"]).fails(4, "older than the active 1.1.0");
    assert_eq!(place.answer("/").as_deref(), Some("1.1.0"));
    place.run(&["upgrade", "--yes", "--version", "0.9.0"]).good();
    assert_eq!(
        (place.answer("/").as_deref(), recorded(&place).last().unwrap().as_str()),
        (Some("0.9.0"), "0.9.0")
    );

    let archive = place.archive("2.0.0");
    place.run(&["upgrade", "--yes", "--from", &archive]).fails(2, "no archive brings the program");
    let said = place.run(&["upgrade", "--yes", "--rollback"]).fails(4, "no old one here");
    assert!(said.err.contains("@acme/web@1.1.0"), "{said:?}");
    place.run(&["upgrade", "--yes", "--to", "1.1.0"]).fails(4, "no old one here");
}

#[test]
fn a_new_program_that_fails_leaves_no_old_one_and_says_so() {
    if is_missing("npm") {
        return;
    }
    let place = Place::new();
    let program = npm(&place, "prefix", "1.0.0");
    declare(&place, &[program.as_str()], "");
    place.run(&["install"]).good();
    npm(&place, "prefix", "1.1.0-broken");
    let said = place.run(&["upgrade", "--yes"]).fails(8, "there is no old one to go back to");
    assert!(said.err.contains("no luck"), "its last lines are shown: {said:?}");
    assert!(said.err.contains("npm install -g --prefix") && said.err.contains("@acme/web@1.0.0"), "{said:?}");
    assert_eq!(recorded(&place), ["1.0.0"], "what never ran is not recorded");
    assert!(manifest(&place).contains(r#""version": "1.0.0""#));
    npm(&place, "prefix", "1.0.0");
    place.run(&["upgrade", "--yes", "--restart-only"]);
    place.run(&["start"]).good();
    assert_eq!(place.answer("/").as_deref(), Some("1.0.0"));
    assert_eq!(status(&place)["version"], "1.0.0");
}

#[test]
fn an_upgrade_to_what_loops_fails_however_often_it_is_asked_for() {
    if is_missing("npm") {
        return;
    }
    let place = Place::new();
    let program = npm(&place, "prefix", "1.0.0");
    declare(&place, &[program.as_str()], "");
    let patient =
        manifest(&place).replace(r#""limit": 1, "delays": ["100ms"]"#, r#""limit": 9, "delays": ["1m"]"#);
    assert!(patient.contains("1m"));
    std::fs::write(place.deploy().join("mainstay.json"), patient).unwrap();
    place.run(&["install"]).good();
    npm(&place, "prefix", "1.1.0-broken");
    for time in 1..=3 {
        let said = place.run(&["upgrade", "--yes"]).fails(8, "there is no old one to go back to");
        assert!(said.err.contains("no luck"), "time {time}: {said:?}");
        assert_eq!(recorded(&place), ["1.0.0"], "time {time}");
        assert_eq!(status(&place)["state"], "backing-off", "time {time}");
    }
    npm(&place, "prefix", "1.2.0");
    place.run(&["upgrade", "--yes"]).good();
    assert_eq!(
        (place.answer("/").as_deref(), recorded(&place)),
        (Some("1.2.0"), vec!["1.0.0".into(), "1.2.0".into()])
    );
}

#[test]
fn another_prefix_in_the_manifest_has_a_way_back() {
    if is_missing("npm") {
        return;
    }
    let place = Place::new();
    let old = npm(&place, "old", "1.0.0");
    declare(&place, &[old.as_str()], "");
    place.run(&["install"]).good();
    let broken = npm(&place, "new", "1.1.0-broken");
    declare(&place, &[broken.as_str()], "");
    place.run(&["upgrade", "--yes"]).fails(7, "the version before runs again");
    assert_eq!(place.answer("/").as_deref(), Some("1.0.0"));
    assert_eq!(
        (recorded(&place), status(&place)["version"].clone()),
        (vec!["1.0.0".to_owned()], "1.0.0".into())
    );
    let good = npm(&place, "new", "1.1.0");
    declare(&place, &[good.as_str()], "");
    place.run(&["upgrade", "--yes"]).good();
    assert_eq!(place.answer("/").as_deref(), Some("1.1.0"));
    assert_eq!(recorded(&place), ["1.0.0", "1.1.0"]);
    // New settings of a program that was replaced since: the way back is to the old settings.
    npm(&place, "new", "1.2.0");
    declare(
        &place,
        &[good.as_str()],
        r#", "exitCodes": { "3": "fatal" }, "workingDirectory": "/nowhere/at/all""#,
    );
    place.run(&["upgrade", "--yes"]).fails(7, "it runs again with the settings before");
    assert_eq!(place.answer("/").as_deref(), Some("1.2.0"), "the old settings with the program as it is now");
    assert_eq!(status(&place)["version"], "1.2.0");
}

#[test]
fn a_command_killed_anywhere_leaves_the_service_running_and_the_next_one_ends_it() {
    if is_missing("npm") || is_missing("strace") {
        return;
    }
    let place = Place::new();
    let program = npm(&place, "prefix", "1.0.0");
    declare(&place, &[program.as_str()], "");
    place.run(&["install"]).good();
    let mut versions = ["1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0", "1.6.0"].iter();
    let mut kills = 0;
    for entry in [1, 3, 5, 7, 9] {
        let version = versions.next().unwrap();
        npm(&place, "prefix", version);
        let killed = place
            .command("strace", &place.deploy())
            .args(["--quiet=all", "--output=/dev/null", "--trace=fdatasync,fsync"])
            .arg(format!("--inject=fdatasync,fsync:signal=KILL:when={entry}"))
            .args([real::MAINSTAY, "upgrade", "--yes"])
            .output()
            .unwrap();
        kills += usize::from(!killed.status.success());
        await_some("the service", LONG, || place.server());
        place.run(&["recover"]).good();
        place.run(&["upgrade", "--yes"]).good();
        assert_eq!(place.answer("/").as_deref(), Some(*version), "killed at entry {entry}");
        assert_eq!(recorded(&place).last().unwrap(), version);
        assert_eq!(status(&place)["version"], *version);
        assert!(place.journal(&web()).is_empty());
    }
    assert!(kills > 2, "{kills}");
}

/// A wheel of a version: a zip with a module, an entry point and the files that say so.
fn wheel(place: &Place, version: &str) -> Utf8PathBuf {
    let path = place.top().join(format!("acme_web-{version}-py3-none-any.whl"));
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let information = format!("acme_web-{version}.dist-info");
    let files = [
        ("acme_web/__init__.py".to_owned(), String::new()),
        ("acme_web/__main__.py".to_owned(), MODULE.replace("VERSION", &format!("\"{version}\""))),
        (
            format!("{information}/METADATA"),
            format!("Metadata-Version: 2.1\nName: acme-web\nVersion: {version}\n"),
        ),
        (
            format!("{information}/WHEEL"),
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n".to_owned(),
        ),
        (
            format!("{information}/entry_points.txt"),
            "[console_scripts]\nweb = acme_web.__main__:main\n".to_owned(),
        ),
        (
            format!("{information}/RECORD"),
            format!(
                "acme_web/__init__.py,,\nacme_web/__main__.py,,\n{information}/METADATA,,\n{information}/WHEEL,,\n{information}/entry_points.txt,,\n{information}/RECORD,,\n"
            ),
        ),
    ];
    for (name, text) in files {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    path
}

fn pip(place: &Place, python: &str, version: &str, further: &[&str]) {
    let wheel = wheel(place, version);
    let mut command = Command::new(python);
    command.args([
        "-m",
        "pip",
        "install",
        "--no-index",
        "--upgrade",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    command.env("PIP_ROOT_USER_ACTION", "ignore").env("PIP_NO_CACHE_DIR", "1");
    done(command.args(further).arg(wheel.as_str()));
}

#[test]
fn pip_brings_into_an_environment_and_a_module_counts_as_well() {
    if is_missing("python3") {
        return;
    }
    let place = Place::new();
    let environment = place.top().join("venv");
    done(Command::new("python3").args(["-m", "venv", environment.as_str()]));
    let python = environment.join("bin/python").to_string();
    pip(&place, &python, "1.0.0", &[]);
    declare(&place, &[environment.join("bin/web").as_str()], "");
    place.run(&["install"]).good();
    assert_eq!((place.answer("/").as_deref(), recorded(&place)), (Some("1.0.0"), vec!["1.0.0".to_owned()]));
    let said = place.run(&["upgrade", "--yes", "--version", "1.1.0"]).fails(5, "is version 1.0.0, not 1.1.0");
    assert!(said.err.contains("venv/bin/python -m pip install acme-web==1.1.0"), "{said:?}");
    pip(&place, &python, "1.1.0", &[]);
    place.run(&["upgrade", "--yes"]).good();
    assert_eq!((place.answer("/").as_deref(), recorded(&place).len()), (Some("1.1.0"), 2));
    declare(&place, &[&python, "-m", "acme_web"], "");
    pip(&place, &python, "1.2.0", &[]);
    place.run(&["upgrade", "--yes"]).good();
    assert_eq!(
        (place.answer("/").as_deref(), recorded(&place).last().unwrap().as_str()),
        (Some("1.2.0"), "1.2.0")
    );
}

#[test]
fn pip_brings_into_a_folder_of_its_own() {
    if is_missing("python3") {
        return;
    }
    for kind in ["--target", "--prefix"] {
        let place = Place::new();
        let folder = place.top().join("brought");
        pip(&place, "python3", "1.0.0", &[kind, folder.as_str(), "--no-warn-script-location"]);
        let sites = if kind == "--target" {
            folder.clone()
        } else {
            let found = done(Command::new("find").args([folder.as_str(), "-name", "acme_web", "-type", "d"]));
            Utf8PathBuf::from(found.lines().next().unwrap()).parent().unwrap().to_owned()
        };
        declare(&place, &["env", &format!("PYTHONPATH={sites}"), folder.join("bin/web").as_str()], "");
        let said = place.run(&["install"]).good();
        assert!(said.out.contains("web 1.0.0 is installed"), "{kind}: {said:?}");
        assert_eq!(place.answer("/").as_deref(), Some("1.0.0"), "{kind}");
    }
}

#[test]
fn a_program_without_a_package_says_its_version_itself() {
    let place = Place::new();
    let program = place.top().join("web");
    let server = real::program("server");
    let make = |version: &str| {
        let text = format!(
            "#!/bin/sh\nif [ \"$1\" = --version ]; then echo \"web $HOME$SECRET {version}\"; exit; fi\nexec {} --port \"$1\"\n",
            server.display()
        );
        let beside = place.top().join("web.new");
        std::fs::write(&beside, text).unwrap();
        std::fs::set_permissions(&beside, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::rename(&beside, &program).unwrap();
    };
    make("1.0.0");
    declare(&place, &[program.as_str()], "");
    let text = manifest(&place).replace(r#""manager""#, r#""binary""#);
    std::fs::write(place.deploy().join("mainstay.json"), text).unwrap();
    place.run(&["install"]).good();
    make("2.0.0");
    let before = place.server().unwrap();
    place.run(&["upgrade", "--yes"]).good();
    assert_ne!(place.server(), Some(before));
    assert_eq!(recorded(&place), ["1.0.0", "2.0.0"]);
    make("");
    place.run(&["upgrade", "--yes"]).fails(5, "is not to be had");
    std::fs::remove_file(&program).unwrap();
    place.run(&["upgrade", "--yes"]).fails(5, "can't be found");
    assert!(place.server().is_some());
}

#[test]
fn an_archive_is_no_upgrade_of_a_program_that_stands_elsewhere() {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    let outside = place.top().join("outside");
    std::fs::copy(real::program("server"), &outside).unwrap();
    let text = manifest(&place).replace("{package}/bin/server", outside.as_str());
    std::fs::write(place.deploy().join("mainstay.json"), text).unwrap();
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    let before = (place.print(), place.server());
    let said = place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]);
    said.fails(4, "which no archive brings");
    assert_eq!((place.print(), place.server()), before);
}
