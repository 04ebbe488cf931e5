//! Waves: the same upgrade for all instances of a component, one after the other, through the real binary.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod real;

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};

use mainstay::model::name::InstanceName;
use mainstay::supervise::read_status;
use real::{LONG, Output, Place, await_some};
use serde_json::Value;

/// Three instances of one component, and one of another.
struct Fleet {
    place: Place,
    ports: Vec<u16>,
}

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];

impl Fleet {
    fn new(version: &str, of_beta: &str) -> Self {
        let place = Place::new();
        let free: Vec<TcpListener> = (0..4).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
        let ports: Vec<u16> = free.iter().map(|port| port.local_addr().unwrap().port()).collect();
        drop(free);
        let fleet = Self { place, ports };
        for (name, port) in NAMES.iter().zip(&fleet.ports) {
            fleet.declare(name, "server", *port, if *name == "beta" { of_beta } else { "" });
            fleet.install(name, version);
        }
        fleet
    }

    fn declare(&self, name: &str, component: &str, port: u16, further: &str) {
        let folder = self.place.top().join("deploys").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!(
            r#"{{ "name": "{name}", "platform": "embedded", "package": {{ "name": "{component}" }},
  "service": {{ "command": ["{{package}}/bin/server", "--port", "{port}"],
    "ready": {{ "http": "http://127.0.0.1:{port}/health", "timeout": "10s" }} }}{further} }}
"#
        );
        std::fs::write(folder.join("mainstay.json"), text).unwrap();
    }

    fn install(&self, name: &str, version: &str) {
        let folder = self.place.top().join("deploys").join(name);
        self.place.run_in(&folder, &["install", "--from", &self.place.archive(version)]).good();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let every = ["upgrade", "--all", "--component", "server"];
        self.place.run(&[&every, arguments].concat())
    }

    fn document(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let said = self.run(&[arguments, &["--json", "--yes"]].concat());
        (said.code, serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}")))
    }

    fn version(&self, name: &str) -> String {
        let said = self.place.run(&["status", "--json", "--name", name]);
        let status: Value = serde_json::from_str(&said.out).unwrap();
        status["version"].as_str().unwrap().to_owned()
    }

    fn versions(&self) -> Vec<String> {
        NAMES.iter().map(|name| self.version(name)).collect()
    }
}

fn states(document: &Value) -> Vec<(&str, &str)> {
    let instances = document["instances"].as_array().unwrap().iter();
    instances.map(|it| (it["name"].as_str().unwrap(), it["state"].as_str().unwrap())).collect()
}

#[test]
fn all_instances_come_one_after_the_other_and_the_canary_first() {
    let fleet = Fleet::new("1.0.0", "");
    let others = fleet.place.top().join("deploys/other");
    fleet.declare("other", "something-else", fleet.ports[3], "");
    let archive = fleet.place.top().join("something-else-1.0.0.tar.gz");
    let source = fleet.place.top().join("source-other");
    std::fs::create_dir_all(source.join("bin")).unwrap();
    std::fs::copy(real::program("server"), source.join("bin/server")).unwrap();
    mainstay::package::pack::pack(&source, &archive).unwrap();
    fleet.place.run_in(&others, &["install", "--from", archive.as_str()]).good();

    let new = fleet.place.archive("0.10.0");
    let newer = fleet.place.archive("2.0.0");
    fleet.run(&["--from", &newer]).fails(2, "add `--yes`");
    let shown = fleet.run(&["--from", &newer, "--dry-run"]).good();
    assert_eq!(shown.out.matches("switch from server-1.0.0 to server-2.0.0").count(), 3, "{shown:?}");
    assert_eq!(fleet.versions(), ["1.0.0"; 3]);
    // What is refused for one is refused before any is touched.
    fleet.run(&["--from", &new, "--yes"]).fails(4, "older than the active");

    let (code, document) = fleet.document(&["--from", &newer, "--canary", "gamma"]);
    assert_eq!((code, document["schema"].as_str()), (Some(0), Some("wave.v1")));
    assert_eq!(states(&document), [("gamma", "done"), ("alpha", "done"), ("beta", "done")]);
    assert_eq!(document["instances"][0]["to"], "2.0.0");
    assert_eq!(fleet.versions(), ["2.0.0"; 3]);
    assert_eq!(fleet.version("other"), "1.0.0", "it is of another component");

    let (_, document) = fleet.document(&["--from", &newer]);
    assert_eq!(states(&document), [("alpha", "unchanged"), ("beta", "unchanged"), ("gamma", "unchanged")]);
    let said = fleet.run(&["--rollback", "--yes"]).good();
    assert_eq!(fleet.versions(), ["1.0.0"; 3], "{said:?}");
    let (_, document) = fleet.document(&["--restart-only"]);
    assert!(document["instances"][2]["downtimeMs"].is_u64(), "{document}");
    let tree = fleet.place.layout.tree(&"beta".parse().unwrap(), "server-2.0.0");
    assert!(tree.exists());
    fleet.document(&["--from", &fleet.place.archive("3.0.0")]);
    fleet.document(&["--from", &fleet.place.archive("4.0.0")]);
    fleet.run(&["--cleanup", "--yes"]).good();
    assert!(!tree.exists(), "old versions of each are removed");
}

#[test]
fn the_first_failure_ends_the_wave() {
    let fleet = Fleet::new("1.0.0", r#", "upgrade": { "hooks": { "beforeStop": ["/bin/false"] } }"#);
    let (code, document) = fleet.document(&["--from", &fleet.place.archive("2.0.0")]);
    assert_eq!(states(&document), [("alpha", "done"), ("beta", "failed"), ("gamma", "untouched")]);
    assert_eq!(code, Some(1), "{document}");
    let failure = &document["instances"][1]["failure"];
    assert!(
        failure["exitCode"] == 1 && failure["message"].as_str().unwrap().contains("beforeStop"),
        "{document}"
    );
    assert_eq!(fleet.versions(), ["2.0.0", "1.0.0", "1.0.0"]);

    // A version that is no good gets no further than the canary.
    let broken = fleet.place.broken_archive("3.0.0");
    let said = fleet.run(&["--from", &broken, "--yes", "--canary", "gamma"]).fails(7, "no luck");
    let last: Vec<&str> = said.out.lines().collect();
    assert!(last[0].starts_with("failed") && last[0].contains("gamma"), "{said:?}");
    assert!(last[1].starts_with("untouched") && last[2].starts_with("untouched"), "{said:?}");
    assert_eq!(fleet.versions(), ["2.0.0", "1.0.0", "1.0.0"]);
}

#[test]
fn a_wave_needs_instances_and_a_canary_among_them() {
    let fleet = Fleet::new("1.0.0", "");
    let archive = fleet.place.archive("2.0.0");
    fleet.run(&["--from", &archive, "--yes", "--canary", "delta"]).fails(3, "delta");
    let none = ["upgrade", "--all", "--component", "nothing", "--from", &archive, "--yes"];
    fleet.place.run(&none).fails(3, "no instance of the component `nothing`");
    fleet.place.run(&["upgrade", "--all", "--yes", "--from", &archive]).fails(2, "--component");
    fleet.run(&["--name", "alpha", "--from", &archive]).fails(2, "--name");
    fleet.place.run(&["upgrade", "--name", "alpha", "--pick"]).fails(2, "--to VERSION");
    fleet.place.run(&["upgrade", "--name", "alpha", "--pick", "--rollback"]).fails(2, "--rollback");
    assert_eq!(fleet.versions(), ["1.0.0"; 3]);
}

#[test]
fn the_way_back_goes_by_activation_and_not_by_name() {
    let fleet = Fleet::new("0.9.0", "");
    fleet.run(&["--from", &fleet.place.archive("0.10.0"), "--yes"]).good();
    let alpha =
        |arguments: &[&str]| fleet.place.run(&[&["upgrade", "--name", "alpha", "--yes"], arguments].concat());
    alpha(&["--rollback"]).good();
    assert_eq!(fleet.version("alpha"), "0.9.0");
    alpha(&["--to", "0.10.0"]).good();
    assert_eq!(fleet.version("alpha"), "0.10.0");
    alpha(&["--rollback"]).good();
    assert_eq!(fleet.version("alpha"), "0.9.0", "0.10.0 follows 0.9.0, whatever letters say");
    alpha(&["--rollback"]).fails(4, "left to roll back to");
}

#[test]
fn the_others_wait_for_the_canarys_trial() {
    let fleet = Fleet::new("1.0.0", "");
    fleet.declare("gamma", "server", fleet.ports[2], r#", "upgrade": { "trial": "3s" }"#);
    let folder = fleet.place.top().join("deploys/gamma");
    fleet.place.run_in(&folder, &["apply", "--yes"]).good();
    let began = std::time::Instant::now();
    let wave = ["--from", &fleet.place.archive("2.0.0"), "--yes", "--canary", "gamma", "--wait-trial"];
    let said = fleet.run(&wave).good();
    assert!(began.elapsed() >= std::time::Duration::from_secs(3), "{said:?}");
    assert!(said.err.contains("waiting until gamma has passed its trial"), "{said:?}");
    assert_eq!(fleet.versions(), ["2.0.0"; 3]);
}

#[test]
fn a_canary_that_crashes_in_its_trial_ends_the_wave() {
    let fleet = Fleet::new("1.0.0", "");
    fleet.declare("gamma", "server", fleet.ports[2], r#", "upgrade": { "trial": "20s" }"#);
    let folder = fleet.place.top().join("deploys/gamma");
    fleet.place.run_in(&folder, &["apply", "--yes"]).good();
    let gamma: InstanceName = "gamma".parse().unwrap();
    let archive = fleet.place.archive("2.0.0");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let ready = || {
                let found = read_status(&fleet.place.layout.status(&gamma))?;
                let ready = found.trial.is_some_and(|trial| trial.ready_seconds >= 1);
                (ready && !fleet.place.layout.switch(&gamma).exists()).then_some(())
            };
            await_some("the trial of gamma", LONG, ready);
            let mut stream = TcpStream::connect(("127.0.0.1", fleet.ports[2])).unwrap();
            write!(stream, "GET /exit/3 HTTP/1.0\r\n\r\n").unwrap();
        });
        let wave = ["--from", &archive, "--yes", "--canary", "gamma", "--wait-trial"];
        fleet.run(&wave).fails(7, "2.0.0");
    });
    assert_eq!(fleet.versions(), ["1.0.0"; 3], "the others are as they were");
}
