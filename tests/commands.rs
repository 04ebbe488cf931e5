//! The commands, typed: what they print where, and how they end. The real binary, in a folder of its own.
//!
//! `INSTA_UPDATE=always cargo test --test commands` writes the snapshot of the help anew.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use mainstay::model::schema::Published;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A host of its own: home, root and deploy folder below one temporary folder.
struct Host {
    folder: TempDir,
}

/// What a command left behind.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "deploy"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
        command
            .args(arguments)
            .current_dir(self.path("deploy"))
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .env("HOME", self.path("home"))
            .env("MAINSTAY_ROOT", self.path("root"))
            .env("TZ", "UTC");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().unwrap();
        Ended {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command that has to end with this code, and gives its data.
    fn expect(&self, code: i32, arguments: &[&str]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, code, "{arguments:?}\n{}\n{}", ended.out, ended.err);
        ended
    }

    /// The document that a command prints, checked against the schema that it names.
    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let ended = self.expect(code, &[arguments, &["--json"]].concat());
        let document = serde_json::from_str(&ended.out)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}\n{}", ended.out, ended.err));
        check(&document);
        document
    }

    /// What a command prints that reads a text from standard input.
    fn fed(&self, code: i32, arguments: &[&str], text: &str) -> String {
        let output = self.command(arguments).write_stdin(text).output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}");
        out
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn manifest(&self, manifest: &Value) {
        self.write("deploy/mainstay.json", &serde_json::to_string_pretty(manifest).unwrap());
    }
}

fn check(document: &Value) {
    let name = document["schema"].as_str().unwrap_or_else(|| panic!("no schema: {document}"));
    let schema = Published::from_name(name).unwrap_or_else(|| panic!("{name} is not published"));
    let schema: Value = serde_json::from_str(&schema.text()).unwrap();
    if let Err(error) = jsonschema::draft7::new(&schema).unwrap().validate(document) {
        panic!("{name}: {error}\n{document:#}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The names of all commands, as the help lists them.
fn commands(host: &Host) -> Vec<String> {
    let help = host.expect(0, &["--help"]).out;
    let listed = help.split("\nCommands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    // A description that is too long for its line goes on below it, further in.
    let names = listed.lines().filter(|line| !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn the_list_of_commands_is_closed() {
    let host = Host::new();
    let mut told = host.expect(0, &["--help"]).out;
    let names = commands(&host);
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let help = host.expect(0, &[&name, "--help"]).out;
        told.extend(["\n=== ", &name, " ===\n", &help]);
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("commands");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("help", told));
}

#[test]
fn where_nothing_is_installed_everything_says_so() {
    let host = Host::new();
    let list = host.expect(0, &["list", "--user"]);
    assert_eq!(list.out, "");
    assert!(list.err.contains("mainstay install"), "{}", list.err);
    assert_eq!(host.expect(0, &["list", "--user", "--quiet"]).err, "");
    assert_eq!(host.json(0, &["list", "--user"])["instances"], json!([]));
    let status = host.expect(3, &["status"]);
    assert_eq!(status.out, "");
    assert!(status.err.contains("no manifest in"), "{}", status.err);
    let unknown = host.expect(3, &["status", "--name", "web"]);
    assert!(unknown.err.contains("there is no instance `web`"), "{}", unknown.err);
    assert_eq!(host.json(3, &["status", "--name", "web"])["exitCode"], 3);
    for command in ["logs", "history"] {
        assert_eq!(host.expect(3, &[command, "--name", "web"]).out, "");
    }
    host.manifest(&json!({ "name": "web", "scope": "user", "platform": "embedded",
        "package": { "name": "server" }, "service": { "command": ["{package}/run"] } }));
    let status = host.expect(3, &["status", "--user"]);
    assert!(status.err.contains("is not installed") && status.err.contains("mainstay install"));
    assert!(!host.path("root").exists(), "looking makes nothing");
}

#[test]
fn what_is_typed_wrong_ends_with_2() {
    let host = Host::new();
    for arguments in [
        &["statsu"][..],
        &["status", "--nmae", "x"],
        &["list", "--system", "--user"],
        &["schema", "manifesto"],
        &["man", "statsu"],
        &["pack", "/nonexistent-folder"],
        &["pack", "."],
        &["logs", "--level", "bad"],
        &["logs", "--follow", "--until", "1h"],
    ] {
        assert_eq!(host.expect(2, arguments).out, "", "{arguments:?}");
    }
    assert!(host.expect(2, &["schema", "manifset"]).err.contains("did you mean"));
    let named = host.expect(2, &["status", "web"]).err;
    assert!(named.contains("`--name web`"), "{named}");
    assert!(!host.expect(2, &["status", "--web"]).err.contains("--name"));
}

#[test]
fn every_fault_of_a_manifest_has_its_place() {
    let host = Host::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests");
    let mut count = 0;
    for entry in std::fs::read_dir(folder.join("invalid")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        count += 1;
        let ended = host.expect(2, &["validate", "--short", text(&path)]);
        let line = ended.out.lines().next().unwrap();
        let place = line.strip_prefix(&format!("{}:", text(&path))).unwrap();
        let mut numbers = place.split(':');
        for _ in 0..2 {
            let number: usize = numbers.next().unwrap().parse().unwrap();
            assert!(number > 0, "{line}");
        }
        assert!(ended.err.contains("mainstay schema"), "{}", ended.err);
        // Where the text is shown, there is a caret, and the same place.
        let shown = host.expect(2, &["validate", text(&path)]).out;
        let column = place.split(':').take(2).collect::<Vec<_>>().join(":");
        assert!(
            shown.contains(&format!("--> {}:{column}\n", text(&path))) || shown.contains("is empty"),
            "{shown}"
        );
        assert!(shown.contains('^') || shown.contains("is empty"), "{shown}");
        let answer = host.json(2, &["validate", text(&path)]);
        assert_eq!(answer["valid"], false);
        let problems = answer["files"][0]["problems"].as_array().unwrap();
        let warnings = answer["files"][0]["warnings"].as_array().unwrap();
        assert_eq!(problems.len() + warnings.len(), ended.out.lines().count());
        for problem in problems {
            assert_eq!(problem["severity"], "error");
            let place = |line: &str, column: &str| (problem[line].as_u64(), problem[column].as_u64());
            assert!(place("line", "column") <= place("endLine", "endColumn"), "{problem}");
        }
    }
    assert!(count > 30);
    let valid = folder.join("valid/minimal.json");
    host.expect(0, &["validate", text(&valid)]);
    let several = host.expect(2, &["validate", "--short", text(&valid), "missing.json", "."]);
    assert_eq!(several.out.lines().count(), 3, "{}", several.out);
    assert!(several.out.contains("missing.json:1:1: there is no such file"), "{}", several.out);
    host.manifest(&json!({ "name": "web", "package": { "name": "x" } }));
    assert_eq!(host.expect(0, &["validate"]).out, "mainstay.json: sound\n");
    host.manifest(&json!({ "name": "web", "package": { "name": "x" },
        "service": { "command": ["{pakage}/run"] } }));
    let doubted = host.expect(0, &["validate"]).out;
    assert!(doubted.contains("warning: service.command[0]: `{pakage}` is no token"), "{doubted}");
    let answer = host.json(0, &["validate"]);
    assert_eq!(
        (&answer["valid"], answer["files"][0]["warnings"][0]["line"].as_u64()),
        (&json!(true), Some(8))
    );
    assert_eq!(answer["files"][0]["warnings"][0]["severity"], "warning");
    assert_eq!(host.json(2, &["validate", "--strict"])["valid"], true);
    host.write("deploy/mainstay-package.json", "{}");
    let both = host.expect(2, &["validate", "--short", "."]).out;
    assert!(both.contains("mainstay-package.json:1:1: "), "{both}");
}

/// A program that reads documents has one for every end of a command.
#[test]
fn wrong_flags_are_told_in_a_document_too() {
    let host = Host::new();
    let answer = host.json(2, &["install", "--no-such-flag"]);
    assert_eq!(answer["exitCode"], 2);
    assert_eq!(answer["message"], "unexpected argument '--no-such-flag' found");
    assert!(answer["help"].as_array().unwrap().iter().any(|line| line.as_str().unwrap().contains("Usage: ")));
    assert!(host.json(2, &["upgrade", "--to"])["message"].as_str().unwrap().contains("'--to"));
    // What stands after `--` is the program's.
    assert_eq!(host.expect(2, &["install", "--no-such-flag", "--", "--json"]).out, "");
    assert!(host.expect(0, &["install", "--help", "--json"]).out.contains("Usage"));
}

#[test]
fn what_would_be_ignored_is_refused() {
    let host = Host::new();
    host.manifest(&json!({ "name": "web", "platform": "embedded",
        "package": { "name": "web", "source": "binary" }, "service": { "command": ["/bin/sleep", "1000"] } }));
    let refused = |further: &[&str], words: &str| {
        let said = host.expect(2, &[&["install", "--dry-run"], further].concat()).err;
        assert!(said.contains(words), "{said}");
    };
    refused(&["--platform", "systemd"], "`--platform systemd` is for a new manifest");
    refused(&["--user-name", "nobody"], "`--user-name nobody` is for a new manifest");
    refused(&["--name", "two"], "is the manifest of `web`: leave `--name` out");
    host.expect(0, &["install", "--dry-run", "--platform", "embedded"]);
    std::fs::remove_file(host.path("deploy/mainstay.json")).unwrap();
    let binary = ["--name", "web", "--binary", "/bin/sh"];
    refused(&[&binary[..], &["--answers", "x.json"]].concat(), "cannot be used with");
}

/// Who has nothing installed can't upgrade.
#[test]
fn a_missing_version_is_brought_by_what_fits() {
    let host = Host::new();
    host.manifest(&json!({ "name": "web", "platform": "embedded",
        "package": { "name": "web", "version": "1.0.0" }, "service": { "command": ["{package}/web"] } }));
    let said = host.expect(4, &["apply", "--yes"]).err;
    assert!(said.contains("`mainstay install --from ARCHIVE`"), "{said}");
}

/// Twice the faults take twice the time.
#[test]
fn a_manifest_with_thousands_of_faults_is_answered_soon() {
    let host = Host::new();
    let variables: serde_json::Map<String, Value> =
        (0..4000).map(|number| (format!("no name {number}"), json!("x"))).collect();
    host.manifest(&json!({ "name": "web", "package": { "name": "x" },
        "service": { "command": ["a"], "environment": variables } }));
    let began = std::time::Instant::now();
    let shown = host.expect(2, &["validate"]).out;
    assert!(shown.contains("no name 3999") && shown.matches("error: ").count() == 4000);
    // It took 16 s where each fault read the whole text again.
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
}

/// Nobody writes to it, so who read it would wait for ever.
#[test]
fn a_named_pipe_in_the_place_of_a_file_is_told_and_not_waited_for() {
    let host = Host::new();
    let pipe = |name: &str| {
        let path = host.folder.path().join("deploy").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        assert_cmd::Command::new("mkfifo").arg(&path).assert().success();
        path
    };
    let manifest = pipe("mainstay.json");
    let said = host.expect(2, &["validate", "mainstay.json"]).out;
    assert!(said.contains("it is a named pipe"), "{said}");
    let refused = host.run(&["plan"]);
    assert!(matches!(refused.code, 1 | 4) && refused.err.contains("mainstay.json"), "{}", refused.err);
    std::fs::remove_file(manifest).unwrap();
    pipe("web.env");
    pipe("secret");
    host.manifest(&json!({ "name": "web", "platform": "embedded",
        "package": { "name": "web", "source": "binary" },
        "service": { "command": ["/bin/sleep", "1000"], "environmentFile": "web.env",
            "secrets": { "KEY": { "file": "secret" } } } }));
    host.expect(0, &["validate"]);
    let planned = host.run(&["install", "--dry-run"]);
    assert!(planned.err.contains("it is a named pipe") || planned.out.contains("it is a named pipe"));
}

#[test]
fn what_stands_in_an_image_is_not_looked_for_on_this_host() {
    let host = Host::new();
    let manifest = |platform: &str| {
        let mut manifest = json!({
            "name": "web", "platform": platform, "package": { "name": "web" },
            "service": { "command": ["/no/such/program"], "ready": { "command": ["/no/such/probe"] } }
        });
        if platform == "compose" {
            manifest["compose"] = json!({ "image": "localhost/web:1.0.0", "network": "host" });
        }
        host.manifest(&manifest);
        host.json(0, &["validate"])["files"][0]["warnings"].as_array().unwrap().len()
    };
    assert_eq!((manifest("compose"), manifest("embedded")), (0, 2));
}

#[test]
fn what_this_host_lacks_is_a_warning() {
    let host = Host::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    host.write("deploy/open", "secret");
    host.write("deploy/broken.env", "A=1\nA=2\n");
    host.write("deploy/text", "no program");
    set_mode(&host.path("deploy/open"), 0o644);
    set_mode(&host.path("deploy/text"), 0o644);
    host.manifest(&json!({
        "name": "web",
        "package": { "name": "x", "version": "latest", "url": "http://example.com/{version}.zip", "download": { "ca": "no.pem" } },
        "service": {
            "command": ["/no/such/program"],
            "onFailure": ["{deploy}/text"],
            "user": "nobody-of-that-name", "group": "nobodys-group",
            "environment": { "PORT": port.to_string(), "PATH": "/home/a/.nvm/versions/node/v20.1.0/bin" },
            "environmentFile": "broken.env",
            "secrets": { "OPEN": { "file": "open" }, "GONE": { "file": "gone" } },
            "workingDirectory": "/no/such/folder",
            "ready": { "http": "http://127.0.0.1:{env.PORT}/" }
        }
    }));
    let answer = host.json(0, &["validate"]);
    assert_eq!(answer["files"][0]["problems"], json!([]));
    let mut paths: Vec<&str> = answer["files"][0]["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "package.download.ca",
            "package.url",
            "package.version",
            "service.command[0]",
            "service.environment.PATH",
            "service.environmentFile",
            "service.group",
            "service.onFailure[0]",
            "service.ready.http",
            "service.secrets.GONE.file",
            "service.secrets.OPEN.file",
            "service.user",
            "service.workingDirectory",
        ]
    );
    let shown = host.expect(0, &["validate"]);
    assert!(shown.out.contains(&format!("somebody listens at `127.0.0.1:{port}`")), "{}", shown.out);
    assert!(shown.err.contains("13 warnings"), "{}", shown.err);
    host.expect(2, &["validate", "--strict"]);
    // With the port free and the files there, those warnings are gone.
    drop(listener);
    host.write("deploy/broken.env", "A=1\n");
    host.write("deploy/gone", "secret");
    set_mode(&host.path("deploy/open"), 0o600);
    set_mode(&host.path("deploy/gone"), 0o600);
    set_mode(&host.path("deploy/text"), 0o755);
    assert_eq!(host.json(0, &["validate"])["files"][0]["warnings"].as_array().unwrap().len(), 8);
}

#[test]
fn standard_input_is_checked_by_what_it_is() {
    let host = Host::new();
    let told = host.fed(2, &["validate", "-"], "{ \"name\": 1, \"package\": { \"name\": \"x\" } }");
    assert!(told.contains("--> standard input:1:11"), "{told}");
    let told = host.fed(2, &["validate", "-"], "{ \"component\": \"x\", \"versoin\": \"1\" }");
    assert!(told.contains("did you mean `version`?"), "{told}");
    assert_eq!(
        host.fed(0, &["validate", "-"], "{ \"component\": \"x\", \"version\": \"1\" }"),
        "standard input: sound\n"
    );
}

#[test]
fn a_manifest_is_refused_with_the_text_around_the_fault_wherever_it_is_read() {
    let host = Host::new();
    host.write("deploy/mainstay.json", "{\n  \"name\": \"web\",\n  \"package\": { \"nmae\": \"x\" }\n}\n");
    let refused = host.expect(2, &["install", "--from", "x.tar.gz"]).err;
    assert!(
        refused.contains("mainstay.json:3:16") && refused.contains("^^^^^^ did you mean `name`?"),
        "{refused}"
    );
    let answer = host.json(2, &["plan"]);
    assert_eq!(
        (&answer["problems"][0]["path"], &answer["problems"][0]["endColumn"]),
        (&json!("package.nmae"), &json!(22))
    );
}

#[test]
fn texts_for_other_programs_are_printed() {
    let host = Host::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(host.expect(0, &["completions", shell]).out.contains("MAINSTAY_COMPLETE"), "{shell}");
        assert!(host.json(0, &["completions", shell])["text"].as_str().unwrap().contains("mainstay"));
    }
    for name in commands(&host) {
        let page = host.expect(0, &["man", &name]).out;
        assert!(page.contains(&format!(".TH MAINSTAY-{} 1", name.to_uppercase())), "{page}");
    }
    assert!(host.expect(0, &["man"]).out.contains(".TH MAINSTAY 1"));
    host.json(0, &["man", "status"]);
    let names = host.expect(0, &["schema", "--list"]).out;
    assert_eq!(names.lines().count(), Published::ALL.len());
    assert_eq!(
        host.json(0, &["schema", "--list"])["schemas"].as_array().unwrap().len(),
        Published::ALL.len()
    );
    for document in Published::ALL {
        assert_eq!(host.expect(0, &["schema", document.name()]).out, document.text());
    }
    assert_eq!(host.expect(0, &["schema"]).out, Published::Manifest.text());
}

#[test]
fn definitions_are_rendered_for_any_platform() {
    let host = Host::new();
    host.manifest(&json!({ "name": "web", "package": { "name": "server" },
        "service": { "command": ["{package}/run"] } }));
    let unit = host.expect(0, &["render", "--user", "--platform", "systemd", "--systemd-version", "255"]);
    assert!(unit.out.contains("X-Mainstay-Instance=web") && unit.out.contains("ExecStart="), "{}", unit.out);
    assert!(!unit.out.contains("# /"), "where it stands is talk: {}", unit.out);
    let entry = host.expect(0, &["render", "--user", "--platform", "embedded"]);
    assert_eq!(serde_json::from_str::<Value>(&entry.out).unwrap()["marker"]["name"], "web");
    let answer = host.json(0, &["render", "--user", "--platform", "systemd", "--systemd-version", "255"]);
    assert_eq!(answer["text"], unit.out);
    let without = host.expect(2, &["render", "--user", "--platform", "quadlet"]);
    assert!(without.err.contains("a container needs an image"), "{}", without.err);
    let old = host.expect(4, &["render", "--user", "--platform", "systemd", "--systemd-version", "200"]);
    assert!(old.err.contains("too old"), "{}", old.err);
    host.manifest(&json!({ "name": "web", "package": { "name": "server" } }));
    assert!(host.expect(2, &["render", "--user"]).err.contains("which program to run"));
}

#[test]
fn folders_are_packed_and_checked() {
    let host = Host::new();
    host.write("package/bin/server", "#!/bin/sh\n");
    host.write("package/README", "hello\n");
    let package = host.path("package");
    let nameless = host.expect(2, &["pack", text(&package)]);
    assert!(nameless.err.contains("--output"), "{}", nameless.err);
    let archive = host.path("one.tar.gz");
    let packed = host.expect(0, &["pack", text(&package), "--output", text(&archive)]);
    let (digest, named) = packed.out.trim_end().split_once("  ").unwrap();
    assert_eq!((digest.len(), named), (64, text(&archive)));
    let again = host.path("two.tar.gz");
    assert_eq!(host.json(0, &["pack", text(&package), "--output", text(&again)])["sha256"], digest);
    assert_eq!(std::fs::read(&archive).unwrap(), std::fs::read(&again).unwrap());
    host.write(
        "package/mainstay-package.json",
        r#"{ "component": "server", "version": "1.0.0", "service": {} }"#,
    );
    let answer = host.json(0, &["pack", text(&package)]);
    assert_eq!(answer["archive"], "server-1.0.0.tar.gz");
    assert!(host.path("deploy/server-1.0.0.tar.gz").exists());
    let checked = host.json(0, &["pack", text(&package), "--check"]);
    assert_eq!(checked["sha256"], answer["sha256"]);
    assert_eq!(checked.get("archive"), None);
    std::os::unix::fs::symlink("/etc/passwd", package.join("out")).unwrap();
    let refused = host.expect(5, &["pack", text(&package), "--check"]);
    assert!(refused.err.contains("/out`"), "{}", refused.err);
    host.write("package/mainstay-package.json", r#"{ "component": "server" }"#);
    assert!(host.expect(2, &["pack", text(&package), "--check"]).err.contains("version"));
}

#[test]
fn colours_are_only_for_terminals() {
    let host = Host::new();
    assert!(!host.expect(3, &["status"]).err.contains('\x1b'));
    let coloured = host.command(&["status"]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(String::from_utf8(coloured.stderr).unwrap().contains('\x1b'));
    let alone = host.command(&["status"]).env("NO_COLOR", "1").output().unwrap();
    assert!(!String::from_utf8(alone.stderr).unwrap().contains('\x1b'));
}

/// An instance on the embedded platform, which is stopped whatever happens.
struct Installed(Host);

impl Drop for Installed {
    fn drop(&mut self) {
        self.0.run(&["uninstall", "--user", "--yes", "--purge"]);
    }
}

fn archive(host: &Host, version: &str) -> String {
    let program = format!(
        "#!/bin/sh\necho listening {version}\necho 'WARNING slow' >&2\necho '<3>disk full' >&2\nexec sleep 1000\n"
    );
    let name = format!("package-{version}/bin/run");
    let path = host.write(&name, &program);
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    host.write(&format!("package-{version}/VERSION"), version);
    let archive = text(&host.path(&format!("server-{version}.tar.gz"))).to_owned();
    host.expect(0, &["pack", text(&host.path(&format!("package-{version}"))), "--output", &archive]);
    archive
}

#[test]
fn a_whole_life_is_told_in_documents() {
    let host = Installed(Host::new());
    let host = &host.0;
    host.manifest(&json!({ "name": "web", "scope": "user", "platform": "embedded",
        "package": { "name": "server" },
        "service": { "command": ["{package}/bin/run"], "ready": { "delay": "100ms" } } }));
    let (first, second) = (archive(host, "1.0.0"), archive(host, "1.1.0"));
    assert_eq!(host.json(0, &["install", "--user", "--from", &first, "--dry-run"])["dryRun"], true);
    host.json(0, &["install", "--user", "--from", &first, "--yes"]);
    let status = host.json(0, &["status", "--user"]);
    assert_eq!((&status["state"], &status["version"]), (&json!("ready"), &json!("1.0.0")));
    assert_eq!(status["boot"]["starts"], false);
    let screen = host.expect(0, &["status", "--user"]).out;
    for words in ["running and ready", "1.0.0", "starts at boot: no, because", "mainstay boot --user"] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    let list = host.json(0, &["list", "--user"]);
    assert_eq!(list["instances"][0]["state"], "ready");
    assert!(host.expect(0, &["list", "--user"]).out.starts_with("NAME  STATE"));
    assert_eq!(host.json(0, &["plan", "--user"])["changed"], false);
    host.json(0, &["upgrade", "--user", "--from", &second, "--yes"]);
    let status = host.json(0, &["status", "--name", "web", "--user"]);
    assert_eq!((&status["version"], &status["previousVersion"]), (&json!("1.1.0"), &json!("1.0.0")));
    logs(host);
    host.json(0, &["upgrade", "--user", "--rollback", "--yes"]);
    host.json(0, &["restart", "--user"]);
    host.json(0, &["apply", "--user", "--yes"]);
    host.json(0, &["upgrade", "--user", "--cleanup", "--yes"]);
    host.json(0, &["stop", "--user"]);
    assert_eq!(host.json(11, &["status", "--user"])["exitCode"], 11);
    assert_eq!(host.json(0, &["list", "--user"])["instances"][0]["state"], "stopped");
    assert!(host.expect(11, &["status", "--user"]).out.contains("stopped"));
    host.json(0, &["start", "--user"]);
    assert_eq!(host.json(0, &["recover", "--user"])["recovered"], 0);
    let seen = r#"{"at":"2026-01-01T00:00:00Z","event":"ended","outcome":"partial","exit":{"code":2},"message":"it exited\u001b[2J"}"#;
    let events = host.path("root/state/web/report/events.jsonl");
    let further = std::fs::read_to_string(&events).unwrap_or_default();
    std::fs::write(&events, format!("{seen}\nno event\n{further}")).unwrap();
    let history = host.json(0, &["history", "--user"]);
    let events = history["events"].as_array().unwrap();
    assert_eq!((&events[0]["event"], &events[0]["outcome"]), (&json!("ended"), &json!("partial")));
    let actions: Vec<_> = events.iter().filter_map(|event| event["action"].as_str()).collect();
    let told = host.expect(0, &["history", "--user"]).out;
    assert!(
        told.contains("2026-01-01") && told.contains("ended: partial") && !told.contains('\x1b'),
        "{told}"
    );
    assert_eq!(host.json(0, &["history", "--user", "-n", "1"])["events"].as_array().unwrap().len(), 1);
    assert_eq!(actions[..3], ["installed", "upgraded", "rolled-back"]);
    assert!(host.expect(0, &["history", "--user"]).out.contains("1.0.0 -> 1.1.0"));
    files(host);
    host.json(0, &["uninstall", "--user", "--yes"]);
    host.json(3, &["status", "--user"]);
    host.expect(0, &["history", "--user", "--name", "web"]);
    assert_eq!(host.json(0, &["list", "--user"])["instances"], json!([]));
}

#[test]
fn what_is_typed_at_a_bad_moment_is_told() {
    let host = Installed(Host::new());
    let host = &host.0;
    let manifest = |ready: Value| {
        host.manifest(&json!({ "name": "web", "scope": "user", "platform": "embedded",
            "package": { "name": "server", "version": "1.0.0" },
            "service": { "command": ["{package}/bin/run"], "ready": ready,
                "environmentFile": "web.env", "secrets": { "TOKEN": { "file": "token" } } } }));
    };
    manifest(json!({ "delay": "100ms" }));
    let secret = host.write("deploy/token", "x");
    host.write("deploy/web.env", "TOKEN=secret\nPATH=/usr/bin:/home/a/.pyenv/versions/3.12.1/bin\n");
    set_mode(&secret, 0o600);
    let installed = host.expect(0, &["install", "--user", "--from", &archive(host, "1.0.0"), "--yes"]);
    assert!(!installed.err.contains("secret"), "{}", installed.err);
    assert!(
        installed.err.contains("`/home/a/.pyenv/versions/3.12.1` holds one version"),
        "{}",
        installed.err
    );
    // A secret that all can read.
    set_mode(&secret, 0o644);
    let told = host.expect(0, &["apply", "--user", "--yes"]).err;
    assert!(told.contains("every account of this host can read the secret"), "{told}");
    let notices = &host.json(0, &["plan", "--user"])["notices"];
    let told = |notice: &Value| notice.as_str().unwrap().contains("chmod o-r");
    assert!(notices.as_array().unwrap().iter().any(told), "{notices}");
    // There is no version before, but another command is at work.
    host.expect(4, &["upgrade", "--user", "--rollback", "--yes"]);
    let lock = host.path("root/state/.locks/web.operation.lock");
    mainstay::host::lock::holding(text(&lock).into(), std::time::Duration::ZERO, || {
        let busy = host.expect(6, &["upgrade", "--user", "--rollback", "--yes"]).err;
        assert!(busy.contains("web"), "{busy}");
    })
    .unwrap();
    // What ended by itself says why; what was stopped does not.
    host.manifest(&json!({ "name": "web", "scope": "user", "platform": "embedded",
        "package": { "name": "server", "version": "1.0.0" },
        "service": { "command": ["/bin/sh", "-c", "sleep 0.2; exit 2"], "ready": { "delay": "50ms" },
            "exitCodes": { "2": "partial" } } }));
    host.expect(0, &["apply", "--user", "--yes"]);
    wait_for(host, 11);
    let ended = host.json(11, &["status", "--user"]);
    assert!(ended["message"].as_str().unwrap().contains("code 2 (partial)"), "{ended:#}");
    assert_eq!(ended["lastOutcome"], "partial");
    // Ctrl-C while a start waits.
    host.expect(0, &["stop", "--user"]);
    manifest(json!({ "file": "{run}/never" }));
    host.expect(0, &["apply", "--user", "--yes"]);
    let ended = interrupted(host, &["start", "--user"]);
    assert!(ended.contains("interrupted") && ended.contains("mainstay status --name web"), "{ended}");
    host.expect(10, &["status", "--user"]);
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn an_instance_runs_once_and_running_it_registers_nothing() {
    let host = Installed(Host::new());
    let host = &host.0;
    host.manifest(&json!({ "name": "web", "scope": "user", "platform": "embedded",
        "package": { "name": "server", "version": "1.0.0" },
        "service": { "command": ["{package}/bin/run"], "ready": { "delay": "100ms" }, "pidFile": "{run}/other" } }));
    host.expect(0, &["install", "--user", "--from", &archive(host, "1.0.0"), "--no-start", "--yes"]);
    let registered = || {
        let names = |folder: &str| -> Vec<_> {
            let entries = std::fs::read_dir(host.path(folder)).into_iter().flatten();
            entries.map(|entry| entry.unwrap().file_name()).collect()
        };
        let definition = std::fs::read_to_string(host.path("root/state/web/definition.json")).unwrap();
        (names("home"), names("root/config"), definition)
    };
    let before = registered();
    let running = spawned(host, &["run", "--user", "--name", "web", "--pid-file", "web.pid"]);
    wait_for(host, 0);
    let second = host.expect(0, &["run", "--user", "--name", "web"]).err;
    assert!(second.contains("web runs already: process"), "{second}");
    let status = host.json(0, &["status", "--user"]);
    let pid_file = host.path("deploy/web.pid");
    assert_eq!(std::fs::read_to_string(&pid_file).unwrap(), format!("{}\n", status["pid"]));
    assert_eq!(registered(), before);
    signal(&running, rustix::process::Signal::TERM);
    let ended = running.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(!pid_file.exists());
    // All instances that start at boot: there is this one.
    let boot = spawned(host, &["boot", "--user"]);
    wait_for(host, 0);
    assert_eq!(registered(), before);
    signal(&boot, rustix::process::Signal::TERM);
    assert_eq!(boot.wait_with_output().unwrap().status.code(), Some(0));
    host.expect(11, &["status", "--user"]);
}

#[test]
fn a_doctor_says_what_is_wrong_and_mends_what_is_safe() {
    let host = Installed(Host::new());
    let host = &host.0;
    let nothing = host.json(0, &["doctor", "--user"]);
    assert_eq!((&nothing["healthy"], &nothing["instances"]), (&json!(true), &json!([])));
    host.manifest(&json!({ "name": "web", "scope": "user", "platform": "embedded",
        "package": { "name": "server", "version": "1.0.0" },
        "service": { "command": ["{package}/bin/run"], "ready": { "delay": "100ms" }, "pidFile": "{deploy}/web.pid" } }));
    host.expect(0, &["install", "--user", "--from", &archive(host, "1.0.0"), "--yes"]);
    let finding = |code: i32, check: &str| {
        let answer = host.json(code, &["doctor", "--user"]);
        let findings = answer["instances"][0]["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["check"] == check);
        found.unwrap_or_else(|| panic!("{check}: {answer:#}")).clone()
    };
    let healthy = host.expect(0, &["doctor", "--user"]).out;
    assert!(healthy.contains("✓ running and ready") && !healthy.contains('✗'), "{healthy}");
    assert_eq!(finding(0, "pid-file")["verdict"], "sound");
    assert!(host.expect(0, &["doctor", "--user", "--fix"]).err.contains("nothing here can be mended"));
    // A pid file of a process that has ended.
    host.expect(0, &["stop", "--user"]);
    let ended = spawned(host, &["list", "--user"]);
    let pid = ended.id();
    ended.wait_with_output().unwrap();
    let pid_file = host.write("deploy/web.pid", &format!("{pid}\n"));
    let stale = finding(0, "pid-file");
    assert_eq!(stale["verdict"], "doubtful");
    assert!(stale["fix"].as_str().unwrap().contains("remove"), "{stale}");
    assert!(host.expect(2, &["doctor", "--user", "--fix"]).err.contains("--yes"), "nobody is there to ask");
    assert!(pid_file.exists());
    host.expect(0, &["doctor", "--user", "--fix", "--yes"]);
    assert!(!pid_file.exists());
    // A report that can't be read: files and platform still speak.
    host.expect(0, &["start", "--user"]);
    let report = host.path("root/state/web/report/status.json");
    let said = std::fs::read(&report).unwrap();
    std::fs::write(&report, "{ half").unwrap();
    let status = host.expect(13, &["status", "--user"]).out;
    assert!(
        status.contains("unknown, because") && status.contains("what embedded and the files say"),
        "{status}"
    );
    assert_eq!(host.json(13, &["status", "--user"])["version"], "1.0.0");
    assert!(
        host.json(0, &["list", "--user"])["notices"][0].as_str().unwrap().contains("`web` can't be read")
    );
    assert_eq!(finding(1, "report")["verdict"], "wrong");
    host.expect(0, &["logs", "--user", "--no-follow"]);
    std::fs::write(&report, said).unwrap();
    host.expect(0, &["status", "--user"]);
    host.expect(0, &["stop", "--user"]);
    // One that names a living process is left alone.
    host.write("deploy/web.pid", &format!("{}\n", std::process::id()));
    assert!(finding(1, "pid-file")["message"].as_str().unwrap().contains("not of this service"));
    host.expect(1, &["doctor", "--user", "--fix"]);
    assert!(pid_file.exists());
    std::fs::remove_file(&pid_file).unwrap();
    // A current link that leads nowhere.
    let link = host.path("root/install/web/server");
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("server-0.9.0", &link).unwrap();
    assert_eq!(finding(1, "version")["verdict"], "wrong");
    let mended = host.json(0, &["doctor", "--user", "--fix", "--yes"]);
    assert_eq!(mended["mended"].as_array().unwrap().len(), 1, "{mended:#}");
    assert_eq!(std::fs::read_link(&link).unwrap(), Path::new("server-1.0.0"));
    // A folder that all can change.
    let folder = host.path("root/state/web");
    let open = |mode| std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(mode));
    open(0o777).unwrap();
    assert!(finding(1, "permissions")["message"].as_str().unwrap().contains("(mode 0777)"));
    host.expect(0, &["doctor", "--user", "--fix", "--yes"]);
    assert_eq!(finding(0, "permissions")["verdict"], "sound");
    // A file of the active version that was changed.
    let run = host.path("root/install/web/server/bin/run");
    let whole = std::fs::read(&run).unwrap();
    let edit = |bytes: &[u8]| {
        std::fs::set_permissions(&run, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::write(&run, bytes).unwrap();
    };
    edit(&whole[..whole.len() - 1]);
    assert!(finding(1, "version")["hint"].as_str().unwrap().contains("mainstay repair"));
    edit(&whole);
    assert_eq!(finding(0, "version")["verdict"], "sound");
    // An index that can't be brought up to date; a clock that was set back.
    let index = host.path("root/config/instances.json");
    assert!(index.exists(), "the index is elsewhere");
    std::fs::remove_file(&index).unwrap();
    std::fs::create_dir(&index).unwrap();
    assert_eq!(finding(0, "index")["verdict"], "doubtful");
    std::fs::remove_dir(&index).unwrap();
    assert_eq!(finding(0, "index")["verdict"], "sound");
    let receipt = host.path("root/state/web/receipt.json");
    let said = std::fs::read_to_string(&receipt).unwrap();
    let mut later: Value = serde_json::from_str(&said).unwrap();
    later["activations"][0]["at"] = json!("2100-01-01T00:00:00Z");
    std::fs::write(&receipt, later.to_string()).unwrap();
    assert_eq!(finding(0, "clock")["verdict"], "doubtful");
    std::fs::write(&receipt, said).unwrap();
    // A definition that is gone.
    std::fs::remove_file(host.path("root/state/web/definition.json")).unwrap();
    let gone = finding(1, "definition");
    assert!(gone["hint"].as_str().unwrap().contains("mainstay apply"), "{gone}");
    host.expect(0, &["apply", "--user", "--yes"]);
    assert_eq!(finding(0, "definition")["verdict"], "sound");
}

/// Starts a command and leaves it running.
#[expect(clippy::disallowed_methods, reason = "a child that is signalled is no one-shot command")]
fn spawned(host: &Host, arguments: &[&str]) -> std::process::Child {
    let described = host.command(arguments);
    let mut command = std::process::Command::new(described.get_program());
    command.args(described.get_args()).current_dir(host.path("deploy")).env_clear();
    command.envs(described.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap()
}

fn signal(child: &std::process::Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// Waits until `status` ends with this code.
fn wait_for(host: &Host, code: i32) {
    for _ in 0..400 {
        if host.run(&["status", "--user"]).code == code {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("{}", host.run(&["status", "--user"]).out);
}

/// Starts a command, interrupts it once the service is starting, and gives what it said.
fn interrupted(host: &Host, arguments: &[&str]) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    let child = spawned(host, arguments);
    wait_for(host, 10);
    signal(&child, rustix::process::Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

/// The lines of a log, sifted.
fn logs(host: &Host) {
    let lines = |arguments: &[&str]| -> Vec<Value> {
        let ended = host.expect(0, &[&["logs", "--user", "--json"], arguments].concat());
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).inspect(check).collect()
    };
    let texts = |arguments: &[&str]| -> Vec<String> {
        lines(arguments).iter().map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(&["--level", "error"]), ["disk full", "disk full"]);
    assert_eq!(texts(&["--level", "warning", "--lines", "2"]), ["WARNING slow", "disk full"]);
    assert_eq!(texts(&["--grep", "^listening 1.[01]"]), ["listening 1.0.0", "listening 1.1.0"]);
    assert_eq!(texts(&["--grep", "^listening", "--lines", "1"]), ["listening 1.1.0"]);
    assert_eq!(texts(&["--until", "1d"]).len(), 0);
    assert!(!texts(&["--since", "1h"]).is_empty());
    let plain = host.expect(0, &["logs", "--user", "--grep", "listening", "--no-follow"]).out;
    assert!(plain.lines().all(|line| line.starts_with("20")), "{plain}");
    assert!(host.expect(2, &["logs", "--user", "--grep", "("]).err.contains("no regular expression"));
    assert!(host.expect(2, &["logs", "--user", "--since", "soon"]).err.contains("`--since soon`"));
}

/// The files that an instance keeps are what their schemas say.
fn files(host: &Host) {
    let state = host.path("root/state/web");
    let read = |name: &str| std::fs::read_to_string(state.join(name)).unwrap();
    let valid = |document: Published, text: &str| {
        let schema: Value = serde_json::from_str(&document.text()).unwrap();
        let instance: Value = serde_json::from_str(text).unwrap();
        if let Err(error) = jsonschema::draft7::new(&schema).unwrap().validate(&instance) {
            panic!("{}: {error}\n{text}", document.name());
        }
    };
    valid(Published::Receipt, &read("receipt.json"));
    valid(Published::Report, &read("report/status.json"));
    valid(Published::Launch, &read("launch/server-1.0.0.json"));
    read("history.jsonl").lines().for_each(|line| valid(Published::Event, line));
    valid(Published::Index, &std::fs::read_to_string(host.path("root/config/instances.json")).unwrap());
}
