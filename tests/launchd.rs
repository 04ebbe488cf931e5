//! The real binary on a launchd that is played by a test program: it really starts what is registered, and shows the
//! races that people meet on macOS. Each of these is shown to beat a driver that does not know it.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, says what it saw, and starts processes itself"
)]

mod real;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use mainstay::host::identity;
use mainstay::model::layout::{Layout, UserFolders};
use mainstay::model::name::InstanceName;
use mainstay::supervise::read_status;
use real::{LONG, MAINSTAY, Output, Place, await_some, program};
use rustix::process::Signal;
use serde_json::Value;

const LABEL: &str = "dev.mainstay.web";

/// A host with a launchd.
struct Mac {
    place: Place,
    layout: Layout,
    state: Utf8PathBuf,
}

impl Mac {
    fn new() -> Self {
        let place = Place::new();
        let layout = Layout::user(&UserFolders::of(place.top().to_owned())).below(place.root.clone());
        let state = place.top().join("launchd");
        let tools = place.top().join("tools");
        std::fs::create_dir_all(state.join("jobs")).unwrap();
        std::fs::create_dir(&tools).unwrap();
        std::os::unix::fs::symlink(program("launchctl"), tools.join("launchctl")).unwrap();
        let mac = Self { place, layout, state };
        mac.declare("");
        mac
    }

    fn declare(&self, settings: &str) {
        let deploy = self.place.deploy();
        self.place.declare(&deploy, "web", settings);
        self.edit(|manifest| manifest["platform"] = "launchd".into());
    }

    fn edit(&self, change: impl FnOnce(&mut Value)) {
        let path = self.place.deploy().join("mainstay.json");
        let mut manifest: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        change(&mut manifest);
        std::fs::write(&path, serde_json::to_string_pretty(&manifest).unwrap()).unwrap();
    }

    fn knobs(&self, text: &str) {
        std::fs::write(self.state.join("knobs"), text).unwrap();
    }

    fn prepared(&self, mut command: Command) -> Command {
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.place.top().join("tools")));
        command.env("FAKE_LAUNCHD", &self.state);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let (command, rest) = arguments.split_first().unwrap();
        let mut process = self.prepared(self.place.command(MAINSTAY, &self.place.deploy()));
        let output = process.arg(command).arg("--user").args(rest).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Output { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Types a command of launchd's.
    fn launchctl(&self, words: &[&str]) -> (i32, String) {
        let mut process = self.prepared(Command::new(self.place.top().join("tools/launchctl")));
        let output = process.env("HOME", self.place.top()).args(words).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.state.join("log")).unwrap_or_default()
    }

    fn forget(&self) {
        let _ = std::fs::remove_file(self.state.join("log"));
    }

    /// The process that launchd has started.
    fn resident(&self) -> Option<u32> {
        let job = self.state.join("jobs").join(target().replace('/', "_"));
        std::fs::read_to_string(job.join("pid")).ok()?.parse().ok()
    }

    fn is_registered(&self) -> bool {
        self.launchctl(&["print", &target()]).0 == 0
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.run(&["status", "--json"]).out).unwrap()
    }

    fn plist(&self) -> Utf8PathBuf {
        self.layout.definition(&web(), mainstay::model::manifest::PlatformKind::Launchd)
    }

    fn installed() -> Self {
        let mac = Self::new();
        mac.run(&["install", "--from", &mac.place.archive("1.0.0")]).good();
        mac
    }

    fn tree(&self) -> Option<String> {
        let pid = self.place.server()?;
        let file = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let file = Utf8PathBuf::try_from(file).ok()?;
        Some(file.strip_prefix(self.layout.install(&web())).ok()?.components().next()?.to_string())
    }
}

fn target() -> String {
    format!("{}/{LABEL}", domain())
}

fn domain() -> String {
    format!("gui/{}", rustix::process::geteuid().as_raw())
}

fn web() -> InstanceName {
    InstanceName::new("web").unwrap()
}

#[test]
fn a_whole_life() {
    let mac = Mac::installed();
    assert_eq!(mac.tree().as_deref(), Some("server-1.0.0"));
    let status = mac.status();
    assert_eq!(
        (&status["state"], &status["platform"], &status["version"]),
        (&"ready".into(), &"launchd".into(), &"1.0.0".into()),
        "{status}"
    );
    let first = mac.resident().unwrap();
    assert_eq!(read_status(&mac.layout.status(&web())).unwrap().supervisor.pid, first);
    let list = mac.run(&["list", "--json"]).good();
    assert!(list.out.contains("\"launchd\"") && list.out.contains("\"ready\""), "{list:?}");
    let logs = mac.run(&["logs", "--no-follow"]).good();
    assert!(logs.out.contains("listening on"), "{logs:?}");

    // What runs goes on.
    mac.run(&["start"]).good();
    assert_eq!(mac.resident(), Some(first));
    mac.run(&["restart"]).good();
    let second = mac.resident().unwrap();
    assert_ne!(second, first, "another process");

    mac.run(&["upgrade", "--yes", "--from", &mac.place.archive("2.0.0")]).good();
    assert_eq!(mac.tree().as_deref(), Some("server-2.0.0"));
    assert_ne!(mac.resident(), Some(second));

    // A version that is not ready is taken back, by the process that launchd has started.
    mac.run(&["upgrade", "--yes", "--from", &mac.place.broken_archive("3.0.0")]).fails(7, "no luck");
    assert_eq!(mac.tree().as_deref(), Some("server-2.0.0"));
    assert_eq!(mac.status()["state"], "ready");

    mac.run(&["upgrade", "--rollback", "--yes"]).good();
    assert_eq!(mac.tree().as_deref(), Some("server-1.0.0"));

    mac.run(&["stop"]).good();
    assert!(mac.place.server().is_none() && !mac.is_registered());
    let status = mac.run(&["status", "--json"]);
    assert_eq!(status.code, Some(11), "{status:?}");
    mac.run(&["stop"]).good();
    mac.run(&["start"]).good();
    assert_eq!(mac.tree().as_deref(), Some("server-1.0.0"));

    mac.run(&["uninstall", "--yes", "--purge"]).good();
    assert!(!mac.plist().exists() && !mac.is_registered() && mac.place.server().is_none());
    assert!(!mac.log().contains("LEGACY"), "{}", mac.log());
}

#[test]
fn it_is_seen_and_mended_when_somebody_changes_it() {
    let mac = Mac::installed();
    let text = std::fs::read_to_string(mac.plist()).unwrap();
    for word in ["mainstay", "SuccessfulExit", "ExitTimeOut"] {
        assert!(text.contains(word), "{text}");
    }
    std::fs::write(mac.plist(), text.replace("<integer>1</integer>", "<integer>5</integer>")).unwrap();
    let plan = mac.run(&["plan"]);
    assert_eq!(plan.code, Some(9), "{plan:?}");
    assert!(plan.out.contains("edited"), "{plan:?}");
    mac.run(&["apply", "--yes"]).good();
    assert_eq!(std::fs::read_to_string(mac.plist()).unwrap(), text);
    mac.launchctl(&["disable", &target()]);
    let plan = mac.run(&["plan"]);
    assert!(plan.code == Some(9) && plan.out.contains("not enabled"), "{plan:?}");
    assert_eq!(mac.status()["boot"]["starts"], false);
    mac.run(&["apply", "--yes"]).good();
    assert_eq!(mac.run(&["plan"]).code, Some(0));
    let doctor = mac.run(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
}

#[test]
fn a_stop_lasts_until_the_next_login_and_without_boot_for_ever() {
    let mac = Mac::installed();
    mac.run(&["stop"]).good();
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(mac.place.server().is_none(), "nobody starts it again");
    let folder = mac.layout.property_lists().to_string();
    mac.launchctl(&["--login", &domain(), &folder]);
    await_some("the service", LONG, || mac.place.server());
    mac.edit(|manifest| manifest["service"]["boot"] = false.into());
    mac.run(&["apply", "--yes"]).good();
    assert!(mac.place.server().is_some(), "what runs goes on");
    mac.launchctl(&["--logout", &domain()]);
    mac.launchctl(&["--login", &domain(), &folder]);
    std::thread::sleep(Duration::from_millis(500));
    assert!(mac.place.server().is_none(), "it does not start at login");
    mac.run(&["start"]).good();
    assert_eq!(mac.status()["boot"]["starts"], false);
    mac.launchctl(&["--logout", &domain()]);
    mac.launchctl(&["--login", &domain(), &folder]);
    std::thread::sleep(Duration::from_millis(500));
    assert!(mac.place.server().is_none(), "nor after it was started by hand");
}

#[test]
fn a_supervisor_that_is_killed_is_started_again_and_a_final_ending_stays() {
    let mac = Mac::installed();
    let first = mac.resident().unwrap();
    let server = mac.place.server().unwrap();
    identity::signal(identity::identity_of(first).unwrap(), Signal::KILL).unwrap();
    await_some("another supervisor", LONG, || mac.resident().filter(|pid| *pid != first));
    await_some("the service", LONG, || mac.place.server().filter(|pid| *pid != server));
    mac.edit(|manifest| manifest["service"]["restart"] = serde_json::json!({ "when": "never" }));
    mac.run(&["apply", "--yes"]).good();
    let _ = mac.place.answer("/exit/5");
    await_some("its end", LONG, || mac.resident().is_none().then_some(()));
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(mac.place.server().is_none(), "launchd takes it for success");
    let status = mac.run(&["status", "--json"]);
    assert_eq!(status.code, Some(12), "{status:?}");
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["state"], "failed");
    assert_eq!(status["lastExit"], serde_json::json!({ "code": 5 }), "the true code is kept: {status}");
    mac.run(&["start"]).good();
}

#[test]
fn a_version_that_fails_in_its_trial_is_taken_back_by_the_same_process() {
    let mac = Mac::new();
    mac.edit(|manifest| manifest["upgrade"] = serde_json::json!({ "trial": "30s" }));
    mac.run(&["install", "--from", &mac.place.archive("1.0.0")]).good();
    mac.run(&["upgrade", "--yes", "--from", &mac.place.archive("2.0.0")]).good();
    let resident = mac.resident().unwrap();
    let _ = mac.place.answer("/exit/3");
    await_some("the old version", LONG, || mac.tree().filter(|tree| tree == "server-1.0.0"));
    assert_eq!(mac.resident(), Some(resident));
    assert_eq!(mac.status()["takenBack"]["version"], "2.0.0");
}

/// A driver as people write it: it knows the verbs, and believes them.
fn naive(mac: &Mac, words: &[&[&str]]) -> Vec<i32> {
    words.iter().map(|words| mac.launchctl(words).0).collect()
}

/// Changes what the definition says, so that launchd has to take it anew.
fn redefine(mac: &Mac, seconds: u64) {
    mac.edit(|manifest| {
        manifest["service"]["stop"] = serde_json::json!({ "timeout": format!("{seconds}s") });
    });
}

#[test]
fn the_race_after_a_bootout_is_waited_out_and_leaves_a_naive_driver_down() {
    for code in [5, 37] {
        let mac = Mac::installed();
        mac.knobs(&format!("busy=3000\nbusy-code={code}\nlingers=1000\n"));
        let (target, plist) = (target(), mac.plist().to_string());
        let said = naive(&mac, &[&["bootout", &target], &["bootstrap", &domain(), &plist]]);
        std::thread::sleep(Duration::from_secs(2));
        assert!(said[1] != 0 && !mac.is_registered(), "the naive driver meets no race: {said:?}");
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(naive(&mac, &[&["bootstrap", &domain(), &plist]]), [0]);
        await_some("the service", LONG, || mac.place.server());

        mac.forget();
        redefine(&mac, 7);
        let began = Instant::now();
        mac.run(&["apply", "--yes"]).good();
        mac.run(&["restart"]).good();
        let log = mac.log();
        let tries = log.lines().filter(|line| line.starts_with("bootstrap")).count();
        assert!(tries > 1 && began.elapsed() > Duration::from_secs(3), "{log}");
        assert!(std::fs::read_to_string(mac.plist()).unwrap().contains("<integer>32</integer>"));
        assert!(mac.place.server().is_some());
    }
}

#[test]
fn a_command_that_dies_between_a_bootout_and_a_bootstrap_leaves_nothing_down() {
    let mac = Mac::installed();
    let before = mac.place.server();
    mac.knobs("busy=2000\nlingers=500\n");
    redefine(&mac, 7);
    mac.run(&["apply", "--yes", "--no-restart"]).good();
    mac.forget();
    let mut command = mac.prepared(mac.place.command(MAINSTAY, &mac.place.deploy()));
    command.args(["restart", "--user"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    await_some("the bootout", LONG, || mac.log().contains("bootout").then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    await_some("the gap", LONG, || mac.place.server().is_none().then_some(()));
    await_some("the service", LONG, || mac.place.server().filter(|pid| Some(*pid) != before));
    assert!(mac.is_registered());
    mac.run(&["recover"]).good();
    assert!(mac.place.server().is_some());
}

#[test]
fn what_is_registered_and_does_not_run_is_started_and_a_naive_driver_believes_it() {
    let mac = Mac::installed();
    mac.run(&["stop"]).good();
    mac.knobs("sleepy=1\n");
    let plist = mac.plist().to_string();
    assert_eq!(naive(&mac, &[&["bootstrap", &domain(), &plist]]), [0]);
    std::thread::sleep(Duration::from_secs(1));
    assert!(mac.is_registered() && mac.place.server().is_none(), "the naive driver is content");
    mac.run(&["start"]).good();
    assert!(mac.place.server().is_some());
    mac.run(&["stop"]).good();
    mac.run(&["start"]).good();
    assert!(mac.place.server().is_some());
}

#[test]
fn a_registration_that_is_said_and_not_made_is_found_out() {
    let mac = Mac::installed();
    mac.run(&["stop"]).good();
    mac.knobs("deaf=1\n");
    let plist = mac.plist().to_string();
    assert_eq!(naive(&mac, &[&["bootstrap", &domain(), &plist]]), [0], "the naive driver is content");
    let failed = mac.run(&["start"]);
    assert!(failed.code != Some(0) && failed.err.contains("did not register"), "{failed:?}");
}

#[test]
fn a_restart_drains_and_one_that_gives_the_old_process_is_made_again() {
    let mac = Mac::installed();
    mac.knobs("sticky=1\n");
    let before = mac.resident().unwrap();
    assert_eq!(naive(&mac, &[&["kickstart", "-k", &target()]]), [0]);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(mac.resident(), Some(before), "the naive driver has restarted nothing");
    mac.forget();
    mac.run(&["restart"]).good();
    assert_ne!(mac.resident(), Some(before));
    assert!(!mac.log().contains("kickstart -k"), "nothing was killed: {}", mac.log());
    // A supervisor that is stuck can't be asked: it is killed, as often as it takes.
    mac.knobs("sticky=1\n");
    let stuck = mac.resident().unwrap();
    let frozen = identity::identity_of(stuck).unwrap();
    identity::signal(frozen, Signal::STOP).unwrap();
    mac.forget();
    let restarted = mac.run(&["restart"]);
    assert_eq!(restarted.code, Some(0), "{restarted:?}\n{}", mac.log());
    assert_eq!(mac.log().lines().filter(|line| line.starts_with("kickstart -k")).count(), 2);
    assert_ne!(mac.resident(), Some(stuck));
    assert!(mac.place.server().is_some());
}

#[test]
fn without_a_session_at_the_screen_the_users_own_domain_has_it() {
    let mac = Mac::new();
    mac.knobs("no-gui=1\n");
    assert_eq!(naive(&mac, &[&["bootstrap", &domain(), "/nothing"]]), [112]);
    mac.run(&["install", "--from", &mac.place.archive("1.0.0")]).good();
    assert_eq!(mac.status()["state"], "ready");
    assert_eq!(mac.launchctl(&["print", &target().replace("gui", "user")]).0, 0);
    mac.run(&["restart"]).good();
    mac.run(&["stop"]).good();
    assert!(mac.place.server().is_none());
}

#[test]
fn a_command_that_dies_in_the_middle_leaves_a_service_that_the_next_one_brings_back() {
    let mac = Mac::installed();
    let archive = mac.place.archive("2.0.0");
    for after in [30, 120, 400] {
        let mut command = mac.prepared(mac.place.command(MAINSTAY, &mac.place.deploy()));
        command.args(["upgrade", "--user", "--yes", "--force", "--from", &archive]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(after));
        let _ = child.kill();
        let _ = child.wait();
        mac.run(&["recover"]).good();
        await_some("the service", LONG, || mac.tree());
        let left = mainstay::host::files::list(&mac.layout.journal(&web())).unwrap().unwrap_or_default();
        assert!(left.iter().all(|name| name.starts_with('.')), "{left:?}");
    }
}

/// Writes a property list by hand, as people do, and has launchd take it. Gives its path.
fn by_hand(mac: &Mac, words: &[&str]) -> Utf8PathBuf {
    let path = mac.layout.property_lists().join("com.example.site.plist");
    std::fs::create_dir_all(mac.layout.property_lists()).unwrap();
    let words: String = words.iter().flat_map(|word| ["<string>", word, "</string>"]).collect();
    let text = format!(
        "<?xml version=\"1.0\"?><plist version=\"1.0\"><dict>\n<key>Label</key><string>com.example.site</string>\n\
         <key>ProgramArguments</key><array>{words}</array>\n<key>RunAtLoad</key><true/>\n</dict></plist>\n"
    );
    std::fs::write(&path, text).unwrap();
    assert_eq!(mac.launchctl(&["bootstrap", &domain(), path.as_str()]).0, 0);
    await_some("the service as it was", LONG, || mac.place.server());
    std::fs::remove_file(mac.place.deploy().join("mainstay.json")).unwrap();
    path
}

fn has(mac: &Mac, label: &str) -> bool {
    mac.launchctl(&["print", &format!("{}/{label}", domain())]).0 == 0
}

#[test]
fn a_hand_written_property_list_is_adopted_and_given_back() {
    let mac = Mac::new();
    let (server, port) = (program("server"), mac.place.port.to_string());
    let old = by_hand(&mac, &[server.to_str().unwrap(), "--port", &port]);
    let text = std::fs::read_to_string(&old).unwrap();
    let before = mac.place.server();
    let shown = mac.run(&["adopt", "--plist", old.as_str(), "--dry-run"]).good();
    assert!(shown.out.contains("dev.mainstay.site") && old.exists(), "{shown:?}");
    assert_eq!(mac.place.server(), before, "nothing has happened");
    mac.run(&["adopt", "--plist", old.as_str(), "--yes"]).good();
    assert!(!old.exists() && !has(&mac, "com.example.site") && has(&mac, "dev.mainstay.site"));
    let after = mac.place.server();
    assert!(after.is_some() && after != before);
    assert_eq!(mac.run(&["status"]).code, Some(0));
    mac.run(&["restart"]).good();
    mac.run(&["uninstall", "--yes", "--restore"]).good();
    assert_eq!(std::fs::read_to_string(&old).unwrap(), text);
    assert!(has(&mac, "com.example.site") && !has(&mac, "dev.mainstay.site"));
    await_some("the service as it was", LONG, || mac.place.server());
}

#[test]
fn what_does_not_run_under_mainstay_runs_again_as_it_was() {
    let mac = Mac::new();
    // launchd gives its services this variable, and mainstay gives its programs none that they do not ask for.
    let line = format!(
        "test -n \"$XPC_SERVICE_NAME\" || exit 3; exec {} --port {}",
        program("server").display(),
        mac.place.port
    );
    let old = by_hand(&mac, &["/bin/sh", "-c", &line]);
    mac.knobs("busy=1500\nlingers=300\n");
    let refused = mac.run(&["adopt", "--plist", old.as_str(), "--yes", "--name", "site"]);
    assert!(refused.code.is_some_and(|code| code != 0), "{refused:?}");
    assert!(old.exists() && has(&mac, "com.example.site") && !has(&mac, "dev.mainstay.site"), "{refused:?}");
    await_some("the service as it was", LONG, || mac.place.server());
}
