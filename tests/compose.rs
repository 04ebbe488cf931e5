//! What Compose is told of a container: the text of `compose.yaml`, what Compose itself reads from it, and what is
//! refused because it has no words for it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod oracle;

use camino::Utf8Path;
use insta::assert_snapshot;
use mainstay::model::compose::EngineKind;
use mainstay::model::contradiction::read_manifest;
use mainstay::model::duration::Span;
use mainstay::model::launch::{Circumstances, LaunchSpec};
use mainstay::model::layout::Layout;
use mainstay::model::manifest::{PlatformKind, Scope};
use mainstay::model::name::InstanceName;
use mainstay::model::version::Version;
use mainstay::platform::compose::{query, reader, text};
use mainstay::platform::{self, Facts};
use serde_json::{Value, json};

const FACTS: Facts = Facts { systemd_version: 252, home: None, account: None };

fn spec(folder: &str, manifest: &Value) -> LaunchSpec {
    let text = manifest.to_string();
    let (manifest, _) = read_manifest("mainstay.json", &text).unwrap_or_else(|problems| panic!("{problems}"));
    let version = Version::new("1.2.3").unwrap();
    let circumstances = Circumstances {
        platform: PlatformKind::Compose,
        scope: Scope::System,
        deploy: folder.into(),
        version,
        owner: None,
    };
    LaunchSpec::resolve(&manifest, None, circumstances).unwrap()
}

fn manifest(service: &Value, compose: &Value) -> Value {
    let mut whole = json!({
        "name": "web", "platform": "compose", "package": { "name": "server" },
        "service": service, "compose": { "image": "quay.io/acme/server:1.2.3" }
    });
    for (key, value) in compose.as_object().unwrap() {
        whole["compose"][key] = value.clone();
    }
    whole
}

fn rendered(folder: &str, manifest: &Value) -> String {
    let definition = platform::definition(&spec(folder, manifest), &Layout::system(), &FACTS).unwrap();
    let compose = definition.compose.unwrap();
    assert_eq!(compose.path, Utf8Path::new(folder).join("compose.yaml"));
    assert!(text::is_untouched(&compose.text) && text::is_of(&compose.text, "web", folder.into()));
    assert!(!text::is_untouched(&compose.text.replace("web", "wet")));
    compose.text
}

/// Without the digests, which are others with each field that a launch gets.
fn shown(text: &str) -> String {
    let digest =
        |line: &&str| !line.starts_with("# mainstay-hash: ") && !line.contains("dev.mainstay.launch");
    text.lines().filter(digest).fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn a_minimal_container() {
    assert_snapshot!(shown(&rendered("/srv/web", &manifest(&json!({}), &json!({})))));
}

#[test]
fn a_container_with_everything() {
    let service = json!({
        "command": ["--data={data}", "--literal={{data}}", "50% \"off\" $HOME"],
        "environment": { "PORT": "80", "CONFIG": "{config}/a.toml" },
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
            { "source": "../shared", "target": "/shared", "readOnly": true },
            { "source": "cache", "target": "/cache" },
            { "source": "shop_mail", "target": "/mail", "external": true }
        ]
    });
    assert_snapshot!(shown(&rendered("/srv/web", &manifest(&service, &compose))));
}

#[test]
fn what_is_secret_stands_in_a_file_of_its_own() {
    let service = json!({ "environment": { "PORT": "80" }, "environmentFile": "web.env" });
    let text = rendered("/srv/web", &manifest(&service, &json!({ "network": "host" })));
    assert!(text.contains("    env_file: [\"/var/lib/mainstay/web/compose.env\"]\n"), "{text}");
    assert!(!text.contains("environment:") && text.contains("    network_mode: \"host\"\n"), "{text}");
}

#[test]
fn the_entry_says_whose_container_it_is() {
    let manifest = manifest(&json!({}), &json!({ "engine": "podman" }));
    let definition = platform::definition(&spec("/srv/web", &manifest), &Layout::system(), &FACTS).unwrap();
    let marker = platform::marker(PlatformKind::Compose, &definition.text).unwrap();
    assert_eq!((marker.name.as_str(), marker.folder.as_str()), ("web", "/srv/web"));
    // At the same place stands the entry of an embedded instance, which is another matter.
    assert_eq!(platform::marker(PlatformKind::Embedded, &definition.text), None);
    assert!(platform::untouched(PlatformKind::Compose, &definition.text));
}

/// What Compose reads: the only service of a file.
fn understood(folder: &Utf8Path, text: &str) -> Value {
    let file = folder.join("compose.yaml");
    fs_err::write(&file, text).unwrap();
    let answer = oracle::compose(&["--file", file.as_str(), "config", "--format", "json"]);
    let answer = answer.unwrap_or_else(|said| panic!("{said}\n{text}"));
    serde_json::from_str(&answer).unwrap()
}

/// Compose doubles every `$` of what it prints, so that it could read it again.
fn single(text: &str) -> String {
    text.replace("$$", "$")
}

#[test]
fn compose_reads_the_corpus_as_it_was_written() {
    if !oracle::compose_present() {
        return;
    }
    let corpus: Vec<String> =
        serde_json::from_str::<Value>(include_str!("systems/corpus.json")).unwrap()["texts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().unwrap().to_owned())
            .chain(STRANGE.map(str::to_owned))
            .filter(|text| !text.contains('\0'))
            .collect();
    assert!(corpus.len() > 70);
    // A known token would be replaced, which is another test's matter.
    let literal: Vec<String> = corpus.iter().filter(|text| !text.contains('{')).cloned().collect();
    let environment: serde_json::Map<String, Value> =
        literal.iter().enumerate().map(|(number, text)| (format!("V{number}"), json!(text))).collect();
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let words: Vec<&str> = ["serve"].into_iter().chain(literal.iter().map(String::as_str)).collect();
    let service = json!({ "command": words, "environment": environment });
    let compose = json!({ "entrypoint": words, "user": "$USER \"x\"" });
    let strange = "/srv/a $HOME 'b' \"c\" # é";
    let read = understood(folder, &rendered(strange, &manifest(&service, &compose)));
    let web = &read["services"]["web"];
    for (number, text) in literal.iter().enumerate() {
        for list in ["command", "entrypoint"] {
            assert_eq!(single(web[list][number + 1].as_str().unwrap()), *text, "{list}");
        }
        assert_eq!(single(web["environment"][format!("V{number}")].as_str().unwrap()), *text);
    }
    assert_eq!(single(web["user"].as_str().unwrap()), "$USER \"x\"");
    assert_eq!(single(web["labels"]["dev.mainstay.folder"].as_str().unwrap()), strange);
    assert_eq!(read["name"], "mainstay-web");
}

#[test]
fn compose_reads_paths_checks_and_labels_of_the_corpus_as_they_were_written() {
    if !oracle::compose_present() {
        return;
    }
    let corpus: Value = serde_json::from_str(include_str!("systems/corpus.json")).unwrap();
    let texts = corpus["texts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap());
    let texts: Vec<&str> = texts.chain(STRANGE).filter(|text| !text.contains(['\0', '{'])).collect();
    assert!(texts.len() > 70);
    let source = |number: usize| format!("/srv/{number}-{}-", texts[number]);
    let target = |number: usize| format!("/in/{number}-{}-", texts[number]);
    let volumes: Vec<Value> = (0..texts.len())
        .map(|number| json!({ "source": source(number), "target": target(number), "readOnly": true }))
        .collect();
    let words: Vec<&str> = ["check"].into_iter().chain(texts.iter().copied()).collect();
    let service = json!({ "ready": { "command": words }, "workingDirectory": source(1) });
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let read = understood(folder, &rendered("/srv/web", &manifest(&service, &json!({ "volumes": volumes }))));
    let web = &read["services"]["web"];
    for number in 0..texts.len() {
        let volume = &web["volumes"][number];
        assert_eq!(single(volume["source"].as_str().unwrap()), source(number));
        assert_eq!(single(volume["target"].as_str().unwrap()), target(number));
        assert_eq!(single(web["healthcheck"]["test"][number + 2].as_str().unwrap()), texts[number]);
    }
    assert_eq!(single(web["working_dir"].as_str().unwrap()), source(1));
    // A label holds any text that a folder's name can: none is lost between two.
    for text in texts.iter().filter(|text| !text.contains(char::is_control)) {
        let strange = format!("/srv/{text}x");
        let read = understood(folder, &text_of(&strange));
        let labels = &read["services"]["web"]["labels"];
        assert_eq!(single(labels["dev.mainstay.folder"].as_str().unwrap()), strange);
        assert_eq!(single(read["x-mainstay"]["folder"].as_str().unwrap()), strange);
    }
}

fn text_of(folder: &str) -> String {
    rendered(folder, &manifest(&json!({}), &json!({})))
}

#[test]
fn a_restart_gives_the_program_its_time_to_end() {
    let name = InstanceName::new("web").unwrap();
    let argv = query::restart(EngineKind::Podman, &name, None, Span::seconds(30));
    assert_eq!(argv.join(" "), "podman compose --project-name mainstay-web restart --timeout 35");
}

#[test]
fn compose_reads_the_file_of_variables_as_it_was_written() {
    if !oracle::compose_present() {
        return;
    }
    let corpus: Value = serde_json::from_str(include_str!("systems/corpus.json")).unwrap();
    let texts = corpus["texts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap());
    let texts: Vec<&str> = texts.chain(STRANGE).filter(|text| !text.contains('\0')).collect();
    let lines: String = texts
        .iter()
        .enumerate()
        .map(|(number, value)| text::assignment(&format!("V{number}"), value))
        .chain([text::assignment("LAST", "x")])
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    fs_err::write(folder.join("compose.env"), lines).unwrap();
    let read = understood(folder, "services:\n  web:\n    image: x\n    env_file: [\"./compose.env\"]\n");
    let environment = &read["services"]["web"]["environment"];
    for (number, text) in texts.iter().enumerate() {
        assert_eq!(single(environment[format!("V{number}")].as_str().unwrap()), *text, "{text:?}");
    }
    assert_eq!(environment["LAST"], "x");
}

/// What YAML, Compose or its files of variables treat in a way of their own.
const STRANGE: [&str; 12] = [
    "\u{7f}",
    "\u{85}",
    "\u{9f}",
    "\u{2028}\u{2029}",
    "\u{feff}x",
    "\u{fffe}",
    "$$$",
    "${A:?no}",
    "it's \\\"$HOME\\\" \\n",
    "\\$HOME",
    "a\nb\n\n",
    "#x #y",
];

#[test]
fn compose_takes_a_container_with_everything_as_it_is_meant() {
    if !oracle::compose_present() {
        return;
    }
    let service = json!({
        "stdin": "open", "stop": { "signal": "SIGQUIT", "timeout": "1m" },
        "ready": { "command": ["/bin/healthy"], "timeout": "20s" },
        "limits": { "memory": "512MiB", "processes": 200, "openFiles": 4096 }
    });
    let compose = json!({
        "ports": ["127.0.0.1:8080:80", "53:53/udp"],
        "volumes": [
            { "source": "./a:b,c", "target": "/x", "readOnly": true },
            { "source": "cache", "target": "/cache" },
            { "source": "shop_mail", "target": "/mail", "external": true }
        ]
    });
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let read = understood(folder, &rendered("/srv/web", &manifest(&service, &compose)));
    let web = &read["services"]["web"];
    assert_eq!(
        web["ports"][0],
        json!({ "mode": "ingress", "host_ip": "127.0.0.1", "target": 80, "published": "8080", "protocol": "tcp" })
    );
    assert_eq!(web["volumes"][0]["source"], "/srv/web/a:b,c");
    assert_eq!(web["volumes"][0]["read_only"], true);
    assert_eq!(read["volumes"]["cache"]["name"], "mainstay-web_cache");
    assert_eq!(read["volumes"]["shop_mail"], json!({ "name": "shop_mail", "external": true }));
    assert_eq!(web["stop_grace_period"], "1m5s");
    assert_eq!(web["mem_limit"], "536870912");
    assert_eq!(web["healthcheck"]["test"], json!(["CMD", "/bin/healthy"]));
    assert_eq!((&web["restart"], &web["stop_signal"]), (&json!("always"), &json!("SIGQUIT")));
}

/// Reads what everybody may read, and in which no variable stands.
fn read_openly(config: &str, wanted: Option<&str>, text: &str) -> Result<reader::Read, reader::ReadError> {
    let said = reader::Said { config, plain: config, is_open: true, are_variables_open: true };
    reader::read(&said, wanted, "/srv/compose.yaml".into(), text)
}

#[test]
fn words_of_yaml_are_names_of_variables_too() {
    let service = json!({ "environment": { "no": "a", "null": "b", "true": "c" } });
    let text = rendered("/srv/web", &manifest(&service, &json!({})));
    for line in ["      \"no\": \"a\"\n", "      \"null\": \"b\"\n", "      \"true\": \"c\"\n"] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn what_others_can_not_read_is_kept_from_the_manifest() {
    let service = |environment: Value, more: Value| {
        let mut service = json!({ "image": "localhost/web:1.0.0", "environment": environment });
        service.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "name": "shop", "services": { "web": service } }).to_string()
    };
    let resolved = json!({ "MODE": "a$$b", "PORT": "80", "DSN": "hunter2", "FILED": "hunter3" });
    let config = service(resolved, json!({ "command": ["x", "hunter4"] }));
    let command = json!({ "command": ["x", "${API_TOKEN:-none}"], "env_file": [{ "path": "web.env" }] });
    let map = service(json!({ "MODE": "a$$b", "PORT": 80, "DSN": "${DSN}" }), command.clone());
    let list = service(json!(["MODE=a$$b", "PORT=80", "DSN=x$DSN"]), command);
    let private = |read: &reader::Read| {
        read.draft.private.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>()
    };
    for plain in [&map, &list] {
        let said = reader::Said { config: &config, plain, is_open: true, are_variables_open: true };
        let read = reader::read(&said, None, "/x".into(), "").unwrap();
        assert_eq!(private(&read), ["DSN", "FILED"]);
        let refused: Vec<_> =
            read.draft.refused().map(|line| (line.key.as_str(), line.value.as_str())).collect();
        assert_eq!(refused, [("command", "…")]);
        assert!(read.draft.service.command.is_none());
        let files = read.draft.lines.iter().find(|line| line.key == "env_file").unwrap();
        assert_eq!(files.field.as_deref(), Some("service.environmentFile"));
    }
    let said = reader::Said { config: &config, plain: &map, is_open: false, are_variables_open: true };
    assert_eq!(private(&reader::read(&said, None, "/x".into(), "").unwrap()).len(), 4);
    // A variable of any name is taken for a secret where its file is closed to others.
    let named = map.replace("API_TOKEN", "PLACE");
    for (are_variables_open, refused) in [(true, 0), (false, 1)] {
        let said = reader::Said { config: &config, plain: &named, is_open: true, are_variables_open };
        assert_eq!(reader::read(&said, None, "/x".into(), "").unwrap().draft.refused().count(), refused);
    }
}

#[test]
fn a_service_of_somebody_else_is_read_with_a_word_on_each_setting() {
    let config = json!({
        "name": "shop",
        "networks": { "default": { "name": "shop_default", "ipam": {} } },
        "volumes": { "mail": { "name": "shop_mail" } },
        "services": { "web": {
            "image": "localhost/web:1.0.0", "command": ["--cost=$$5", "{data}"], "entrypoint": null,
            "environment": { "A": "b", "HOST": null }, "networks": { "default": null },
            "ports": [{ "mode": "ingress", "host_ip": "127.0.0.1", "target": 80, "published": "8080", "protocol": "tcp" }],
            "volumes": [
                { "type": "bind", "source": "/srv/data", "target": "/data", "bind": { "create_host_path": true } },
                { "type": "volume", "source": "mail", "target": "/mail", "read_only": true, "volume": {} }
            ],
            "restart": "no", "stop_grace_period": "1m0s", "privileged": true
        } }
    });
    let text = "services:\n  web:\n    image: localhost/web:1.0.0\n    privileged: true\n";
    let read = read_openly(&config.to_string(), None, text).unwrap();
    assert_eq!((read.project.as_str(), read.service.as_str()), ("shop", "web"));
    assert_eq!(read.draft.service.command.as_deref().unwrap(), ["--cost=$5", "{{data}}"]);
    assert_eq!(read.compose.ports[0].to_string(), "127.0.0.1:8080:80");
    let mail = &read.compose.volumes[1];
    assert_eq!((mail.source.as_str(), mail.external, mail.read_only), ("shop_mail", true, true));
    let refused: Vec<String> =
        read.draft.refused().map(|line| format!("{} {}", line.place(), line.key)).collect();
    assert_eq!(
        refused,
        ["/srv/compose.yaml environment", "/srv/compose.yaml:4 privileged", "/srv/compose.yaml restart"]
    );
    let two =
        json!({ "name": "x", "services": { "a": { "image": "a:1" }, "b": { "image": "b:1" } } }).to_string();
    assert!(matches!(read_openly(&two, None, ""), Err(reader::ReadError::Which { .. })));
    // The file is put away as a whole, so what else is in it would be lost.
    let one = read_openly(&two, Some("a"), "").unwrap();
    assert_eq!(one.draft.refused().count(), 1);
    let built = json!({ "name": "x", "services": { "a": { "build": { "context": "." } } } }).to_string();
    assert!(matches!(read_openly(&built, None, ""), Err(reader::ReadError::NoImage { .. })));
}

#[test]
fn what_becomes_different_of_a_setting_is_said() {
    let config = json!({ "name": "shop", "services": { "web": {
        "image": "x:1", "restart": "always", "stop_grace_period": "10s",
        "healthcheck": { "test": ["CMD", "/bin/ok"], "interval": "1m0s", "retries": 9 },
        "volumes": [{ "type": "bind", "source": "/a", "target": "/b", "bind": { "create_host_path": true } }]
    } } })
    .to_string();
    let read = read_openly(&config, None, "").unwrap();
    let notes: Vec<String> = read
        .draft
        .lines
        .iter()
        .filter_map(|line| line.note.as_ref().map(|note| format!("{}: {note}", line.key)))
        .collect();
    assert_eq!(
        notes,
        [
            "healthcheck: now interval 10s, timeout 5s, retries 3; before: interval 1m0s, retries 9",
            "image: pinned to the bytes that are here under this name",
            "stop_grace_period: the engine waits 5s longer before it kills it",
            "volumes: a folder of the host that is not there is refused, not made",
        ]
    );
}
