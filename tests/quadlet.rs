//! What Podman's Quadlet is told of a container: the text of the unit, what Podman's own generator and systemd's own
//! parser make of it, and what is refused because it has no words there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod oracle;

use camino::Utf8Path;
use insta::assert_snapshot;
use mainstay::model::contradiction::read_manifest;
use mainstay::model::environment_file;
use mainstay::model::launch::{Circumstances, LaunchSpec};
use mainstay::model::layout::Layout;
use mainstay::model::manifest::{PlatformKind, Scope};
use mainstay::model::version::Version;
use mainstay::platform::quadlet;
use serde_json::{Value, json};

const DIGEST: &str = "sha256:af1b97f800da5611fbb288f7022c81fe781f672179c9dc5a0dbcb054d0e0e87c";

fn spec(folder: &str, service: &Value, compose: &Value) -> LaunchSpec {
    let mut whole = json!({
        "name": "web", "platform": "compose", "package": { "name": "server" },
        "service": service, "compose": { "image": format!("quay.io/acme/server:1.2.3@{DIGEST}") }
    });
    for (key, value) in compose.as_object().unwrap() {
        whole["compose"][key] = value.clone();
    }
    let text = whole.to_string();
    let (manifest, _) = read_manifest("mainstay.json", &text).unwrap_or_else(|problems| panic!("{problems}"));
    let circumstances = Circumstances {
        platform: PlatformKind::Compose,
        scope: Scope::System,
        deploy: folder.into(),
        version: Version::new("1.2.3").unwrap(),
        owner: None,
    };
    LaunchSpec::resolve(&manifest, None, circumstances).unwrap()
}

fn rendered(spec: &LaunchSpec) -> Vec<quadlet::QuadletFile> {
    let (unit, volumes) = quadlet::render(spec, &Layout::system()).unwrap();
    assert!(quadlet::is_untouched(&unit.text) && !quadlet::is_untouched(&unit.text.replace("web", "wet")));
    std::iter::once(unit).chain(volumes).collect()
}

fn shown(spec: &LaunchSpec) -> String {
    let mut shown = String::new();
    for file in rendered(spec) {
        let lines = file.text.lines().filter(|line| !line.starts_with("Hash="));
        shown += &lines.fold(format!("# {}\n", file.path), |text, line| text + line + "\n");
    }
    shown
}

fn everything() -> LaunchSpec {
    let service = json!({
        "command": ["--data={data}", "--literal={{data}}", "50% \"off\" $HOME", ""],
        "environment": { "PORT": "80", "CONFIG": "{config}/a.toml" },
        "environmentFile": "web.env",
        "workingDirectory": "/srv", "stdin": "open", "boot": false,
        "stop": { "signal": "SIGQUIT", "timeout": "1m" },
        "ready": { "command": ["/bin/healthy", "{deploy}"], "timeout": "20s" },
        "limits": { "memory": "512MiB", "processes": 200, "openFiles": 4096 }
    });
    let compose = json!({
        "containerName": "orders", "user": "1000:1000", "entrypoint": ["/bin/server"],
        "ports": ["127.0.0.1:8080:80", "[::1]:53:53/udp", "1:2"],
        "volumes": [
            { "source": "{data}/pictures", "target": "/pictures" },
            { "source": "../a:b", "target": "/shared", "readOnly": true },
            { "source": "cache", "target": "/cache" },
            { "source": "shop_mail", "target": "/mail", "external": true }
        ]
    });
    spec("/srv/web", &service, &compose)
}

#[test]
fn a_minimal_container() {
    assert_snapshot!(shown(&spec("/srv/web", &json!({}), &json!({ "network": "host" }))));
}

#[test]
fn a_container_with_everything() {
    assert_snapshot!(shown(&everything()));
}

/// The command that systemd would run: what Podman's generator makes of the files, read by systemd's own parser, with
/// systemd's variables put in as it does at a start.
fn command(spec: &LaunchSpec) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for file in rendered(spec) {
        fs_err::write(folder.path().join(file.path.file_name().unwrap()), file.text).unwrap();
    }
    let (units, complaints) = oracle::quadlet(folder.path());
    assert!(complaints.is_empty(), "{complaints:?}");
    let unit = &units["web.service"];
    assert!(unit.contains("\n[X-Mainstay]\nComponent=server\nInstance=web\nScope=system\n"), "{unit}");
    let path = folder.path().join("web.service");
    fs_err::write(&path, unit).unwrap();
    let verdict = oracle::verify(&path);
    let section = oracle::section(&verdict, "web.service");
    let from = oracle::find(section, b"ExecStart:\n").unwrap();
    let line = &section[from..];
    let line = &line[oracle::find(line, b"Command Line: ").unwrap() + "Command Line: ".len()..];
    let line = &line[..oracle::find(line, b"\n").unwrap()];
    let words = oracle::words(line).into_iter().map(|word| String::from_utf8(word).unwrap());
    let kept = |word: String| match word.as_str() {
        "${MAINSTAY_EMPTY}" => String::new(),
        "${MAINSTAY_SEMICOLON}" => ";".to_owned(),
        word => once(word),
    };
    for name in ["MAINSTAY_EMPTY=", "MAINSTAY_SEMICOLON=;"] {
        let is_set = unit.contains(&format!("\nEnvironment={name}\n"));
        assert_eq!(is_set, unit.contains(&format!("${{{}}}", name.split('=').next().unwrap())), "{unit}");
    }
    words.map(kept).collect()
}

/// A text in which systemd puts no variable in: every `$` has to stand twice.
fn once(text: &str) -> String {
    assert!(!text.replace("$$", "").contains('$'), "systemd would put a variable into {text:?}");
    text.replace("$$", "$")
}

fn corpus() -> Vec<String> {
    let corpus: Value = serde_json::from_str(include_str!("systems/corpus.json")).unwrap();
    let texts = corpus["texts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned());
    // What systemd has no words for at all, and what mainstay would replace.
    texts.filter(|text| !text.contains(['\0', '\u{fffe}', '{'])).collect()
}

/// The values of an option, one behind the other.
fn options<'a>(words: &'a [String], option: &str) -> Vec<&'a str> {
    let pairs = words.windows(2).filter(|pair| pair[0] == option);
    pairs.map(|pair| pair[1].as_str()).collect()
}

#[test]
fn podman_and_systemd_read_the_corpus_as_it_was_written() {
    if !oracle::quadlet_present() || !oracle::present() {
        return;
    }
    let texts = corpus();
    assert!(texts.len() > 60);
    let environment: serde_json::Map<String, Value> =
        texts.iter().enumerate().map(|(number, text)| (format!("V{number}"), json!(text))).collect();
    let words: Vec<&str> = ["serve"].into_iter().chain(texts.iter().map(String::as_str)).collect();
    let service = json!({
        "command": words, "environment": environment, "ready": { "command": words },
    });
    let compose = json!({ "entrypoint": words, "user": "$USER 100% \"x\" y" });
    let read = command(&spec("/srv/a $HOME 'b' \"c\" # é", &service, &compose));
    let image = read.iter().position(|word| word.starts_with("quay.io/acme/server")).unwrap();
    assert_eq!(read[image + 1..], words);
    let variables = options(&read[..image], "--env");
    assert_eq!(variables.len(), texts.len());
    for (number, text) in texts.iter().enumerate() {
        assert!(variables.contains(&format!("V{number}={text}").as_str()), "{text:?}");
    }
    for option in ["--entrypoint", "--health-cmd"] {
        let list: Vec<String> = serde_json::from_str(options(&read, option)[0]).unwrap();
        assert_eq!(list, words, "{option}");
    }
    assert_eq!(options(&read, "--user"), ["$USER 100% \"x\" y"]);
}

#[test]
fn paths_of_volumes_are_read_as_they_were_written_or_refused() {
    if !oracle::quadlet_present() || !oracle::present() {
        return;
    }
    let mut refused = Vec::new();
    let mut said = 0;
    let odd = ["a:b,c", "a\",:\"b", "C:\\x y"].map(str::to_owned);
    for text in corpus().into_iter().chain(odd) {
        let volumes = json!([
            { "source": format!("/srv/x{text}y"), "target": format!("/in{text}y"), "readOnly": true }
        ]);
        let spec = spec("/srv/web", &json!({}), &json!({ "volumes": volumes }));
        if quadlet::render(&spec, &Layout::system()).is_err() {
            refused.push(text);
            continue;
        }
        said += 1;
        let read = command(&spec);
        let (source, target) = (format!("/srv/x{text}y"), format!("/in{text}y"));
        let volume = format!("{source}:{target}:ro");
        let field = |text: String| {
            if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
        };
        let (from, to) = (field(format!("source={source}")), field(format!("destination={target}")));
        let mount = format!("type=bind,{from},{to},readonly");
        let found = [options(&read, "-v"), options(&read, "--mount")].concat();
        assert!(found == [volume.as_str()] || found == [mount.as_str()], "{text:?}: {found:?}");
    }
    assert!(said > 50, "{said} said");
    assert_eq!(refused, ["a\tb", "a\nb", "a\rb", "\u{1}", "\u{7f}"]);
}

#[test]
fn podman_takes_a_container_with_everything_as_it_is_meant() {
    if !oracle::quadlet_present() || !oracle::present() {
        return;
    }
    let read = command(&everything());
    for (option, values) in [
        ("--name", vec!["orders"]),
        ("--stop-timeout", vec!["65"]),
        ("--sdnotify=healthy", vec!["-d"]),
        ("--env-file", vec!["/srv/web/web.env"]),
        ("--publish", vec!["127.0.0.1:8080:80", "[::1]:53:53/udp", "1:2"]),
        ("--ulimit", vec!["nofile=4096:4096"]),
        ("--health-start-period", vec!["20s"]),
    ] {
        assert_eq!(options(&read, option), values, "{option} in {read:?}");
    }
    for word in ["--stop-signal=SIGQUIT", "--memory=536870912b", "--interactive"] {
        assert!(read.iter().any(|found| found == word), "{word} in {read:?}");
    }
    let volumes = options(&read, "-v");
    assert!(
        volumes.contains(&"mainstay-web_cache:/cache") && volumes.contains(&"shop_mail:/mail"),
        "{volumes:?}"
    );
}

#[test]
fn what_quadlet_has_no_words_for_is_refused_with_the_reason() {
    let refused = |service: Value, compose: Value| {
        quadlet::render(&spec("/srv/web", &service, &compose), &Layout::system()).unwrap_err().to_string()
    };
    let volume = |source: &str, target: &str| json!({ "volumes": [{ "source": source, "target": target }] });
    let all = [
        refused(json!({ "secrets": { "TOKEN": { "file": "token" } } }), json!({})),
        refused(json!({}), volume("/a\nb", "/x")),
        refused(json!({}), volume("/a\nb:c", "/x")),
        refused(json!({ "environment": { "A": "\u{fffe}" } }), json!({})),
        refused(json!({ "ready": { "command": ["/bin/is it"] } }), json!({})),
        refused(json!({ "workingDirectory": "/a\\" }), json!({})),
        refused(json!({ "workingDirectory": "/a \"b\"" }), json!({})),
    ];
    assert_snapshot!(all.join("\n"));
}

#[test]
fn an_environment_file_that_podman_would_read_otherwise_is_refused() {
    let spec = spec(
        "/srv/web",
        &json!({ "environment": { "PORT": "80" }, "environmentFile": "web.env" }),
        &json!({}),
    );
    let judged = |text: &str| {
        let ours = environment_file::parse(text).unwrap();
        quadlet::reads_alike(&spec, text, &ours).map_err(|refused| refused.reason)
    };
    assert_eq!(judged("# a comment\n\nA=b c\nB=$HOME 100%\n"), Ok(()));
    for text in ["A=\"b\"\n", "A='b'\n", "A= b\n", "A=b \n", "A=\"b\nc\"\n"] {
        assert!(judged(text).unwrap_err().contains("Podman reads A in another way"), "{text:?}");
    }
    assert!(judged("PORT=81\n").unwrap_err().contains("stands in `service.environment` too"));
    assert_eq!(Utf8Path::new("/srv/web/web.env"), spec.environment_file.as_deref().unwrap());
}
