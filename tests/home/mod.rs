//! Somebody's home folder, with the programs and archives that the documents name: `~/web` with a program, `~/api` with three
//! versions of one, packed by somebody who does not know mainstay. The third of them never works.

#![allow(dead_code, reason = "each test needs a part of it")]

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::host::environment::systemd_booted;

use crate::real::{MAINSTAY, Place, program};

/// The home folder of the transcripts.
const HOME: &str = "/home/ann";
/// The ports that the documents use.
const PORTS: [&str; 4] = ["8000", "8001", "4000", "4001"];
/// The longest that a block may take, in seconds.
const LONGEST: &str = "60";

/// `mainstay`, as somebody types it who answers yes when asked, on a host without a service manager. A command may end with a
/// code of `PERMITTED` as well; all codes are written down.
const SHIM: &str = r#"#!/bin/bash
more=()
case $1 in
    install) [[ ! $BOOTED ]] || more=(--platform embedded) ;;
    upgrade | apply | uninstall | adopt | self-update) more=(--yes) ;;
    doctor) [[ " $* " != *' --fix '* ]] || more=(--yes) ;;
esac
case " $* " in *' --yes '*) more=() ;; esac
"$REAL" "$1" "${more[@]}" "${@:2}"
code=$?
echo "$code" >>"$CODES"
case " $PERMITTED " in *" $code "*) exit 0 ;; esac
exit "$code"
"#;

pub(crate) struct Home {
    pub(crate) place: Place,
    pub(crate) folder: Utf8PathBuf,
    ports: Vec<(String, String)>,
}

/// What became of some lines of a shell.
pub(crate) struct Typed {
    pub(crate) said: String,
    pub(crate) good: bool,
    /// The codes with which mainstay ended.
    pub(crate) codes: Vec<i32>,
}

impl Home {
    pub(crate) fn new() -> Self {
        let place = Place::new();
        let folder = place.top().to_owned();
        for name in ["web", "api", ".shim"] {
            std::fs::create_dir(folder.join(name)).unwrap();
        }
        std::fs::copy(program("server"), folder.join("web/server")).unwrap();
        for (version, script) in
            [("1.0.0", None), ("1.1.0", None), ("1.2.0", Some("#!/bin/sh\necho 'no luck' >&2\nexit 7\n"))]
        {
            archive(&folder.join(format!("api/server-{version}.tar.gz")), version, script, &[]);
        }
        let shim = folder.join(".shim/mainstay");
        std::fs::write(&shim, SHIM).unwrap();
        std::fs::set_permissions(&shim, std::fs::Permissions::from_mode(0o755)).unwrap();
        // All at once, so that no two are the same.
        let held: Vec<_> = PORTS.iter().map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
        let mut ports: Vec<u16> = held.iter().map(|held| held.local_addr().unwrap().port()).collect();
        ports[0] = place.port;
        let ports =
            PORTS.iter().zip(ports).map(|(theirs, ours)| ((*theirs).to_owned(), ours.to_string())).collect();
        Self { place, folder, ports }
    }

    /// What is typed here for what stands in a document.
    pub(crate) fn here(&self, text: &str) -> String {
        let text = text.replace(HOME, self.folder.as_str());
        self.ports.iter().fold(text, |text, (theirs, ours)| text.replace(theirs, ours))
    }

    /// Has a shell run some lines in a folder, which they may leave for another one. Standard output and standard error come
    /// as on a terminal, in one stream.
    pub(crate) fn typed(&self, folder: &mut Utf8PathBuf, lines: &str, permitted: &str) -> Typed {
        let note = |name: &str| self.folder.join(".shim").join(name);
        let [codes, went] = [note("codes"), note("went")];
        for file in [&codes, &went] {
            std::fs::write(file, "").unwrap();
        }
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut command = self.place.command("timeout", folder);
        command.args([LONGEST, "bash", "-euo", "pipefail", "-c"]);
        command.arg(format!("trap 'pwd >\"$WENT\"' EXIT\n{}", self.here(lines)));
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("PATH", format!("{}:{path}", self.folder.join(".shim")))
            .env("REAL", MAINSTAY)
            .env("PROGRAMS", program("server").parent().unwrap())
            .env("REPOSITORY", env!("CARGO_MANIFEST_DIR"))
            .env("CODES", &codes)
            .env("WENT", &went)
            .env("PERMITTED", permitted)
            .env("BOOTED", if systemd_booted() { "yes" } else { "" });
        command.stdin(Stdio::null()).stdout(writer.try_clone().unwrap()).stderr(writer);
        let mut child = command.spawn().unwrap();
        drop(command);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut reader, &mut said).unwrap();
        let good = child.wait().unwrap().success();
        let read = |file: &Utf8Path| std::fs::read_to_string(file).unwrap();
        let went = read(&went);
        if !went.is_empty() {
            *folder = went.trim_end().into();
        }
        let codes = read(&codes).lines().map(|code| code.parse().unwrap()).collect();
        Typed { said, good, codes }
    }
}

/// An archive without a description, as somebody packs a program who does not know mainstay.
pub(crate) fn archive(path: &Utf8Path, version: &str, script: Option<&str>, more: &[&str]) {
    let source = tempfile::tempdir().unwrap();
    let root = source.path().join(format!("server-{version}"));
    std::fs::create_dir_all(root.join("bin")).unwrap();
    for name in [&["server"], more].concat() {
        let file = root.join("bin").join(name);
        match script {
            Some(script) => std::fs::write(&file, script).unwrap(),
            None => drop(std::fs::copy(program("server"), &file).unwrap()),
        }
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::fs::write(root.join("words"), format!("words of {version}")).unwrap();
    let tar = std::process::Command::new("tar")
        .args(["-C", source.path().to_str().unwrap(), "-czf", path.as_str()])
        .arg(format!("server-{version}"))
        .status();
    assert!(tar.unwrap().success());
}
