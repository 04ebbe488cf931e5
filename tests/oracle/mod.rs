//! systemd's own parser as judge: `systemd-analyze` reads a unit and shows what it understood, without
//! privileges and without systemd running.

#![allow(dead_code, reason = "each test uses the part that it needs")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test runs tools and talks to its runner"
)]

use std::path::Path;
use std::process::{Command, Output};

/// What `systemd-analyze verify` made of a unit.
pub(crate) struct Verdict {
    /// What it understood.
    pub(crate) understood: Vec<u8>,
    /// What it complained of in this unit.
    pub(crate) complaints: Vec<String>,
}

/// Whether there is a judge. Where one is owed and missing, the test fails.
pub(crate) fn present() -> bool {
    let there =
        Command::new("systemd-analyze").arg("--version").output().is_ok_and(|out| out.status.success());
    if !there {
        eprintln!("left out: systemd-analyze is not installed, so systemd's own parser is not asked");
        let owed = cfg!(target_os = "linux") && std::env::var("CI").as_deref() == Ok("true");
        assert!(!owed, "with CI=true systemd-analyze must be installed on Linux");
    }
    there
}

/// The version of the judge.
pub(crate) fn version() -> u32 {
    let output = analyze(&["--version"], None);
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Lets systemd read the unit.
pub(crate) fn verify(unit: &Path) -> Verdict {
    let output = analyze(&["verify", "--man=no"], Some(unit));
    let name = unit.file_name().unwrap().to_str().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // At this talkativeness systemd also tells what it looks at; a complaint has one of these words.
    let words = ["gnoring", "nknown", "nvalid", "efusing", "ailed", "not executable"];
    let of_ours = |line: &&str| line.contains(name) && words.iter().any(|word| line.contains(word));
    let mut complaints: Vec<String> = said.lines().filter(of_ours).map(str::to_owned).collect();
    if !output.status.success() {
        complaints.push(format!("{}: {said}", output.status));
    }
    Verdict { understood: output.stdout, complaints }
}

/// What systemd says at its usual talkativeness: nothing, if all is well.
pub(crate) fn warnings(unit: &Path, user: bool) -> String {
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no"]).args(user.then_some("--user")).arg(unit).env("LC_ALL", "C.UTF-8");
    // A user's manager needs a folder for what lasts only while the user is there.
    command.env("XDG_RUNTIME_DIR", unit.parent().unwrap());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { said } else { format!("{}: {said}", output.status) }
}

/// How exposed systemd finds the unit, from 0 to 10.
pub(crate) fn exposure(unit: &Path) -> f64 {
    let output = analyze(&["security", "--offline=true", "--no-pager"], Some(unit));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.contains("Overall exposure level"));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    line.rsplit(": ").next().unwrap().split(' ').next().unwrap().parse().unwrap()
}

fn analyze(arguments: &[&str], unit: Option<&Path>) -> Output {
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).args(unit).env("LC_ALL", "C.UTF-8");
    if arguments[0] == "verify" {
        command.env("SYSTEMD_LOG_LEVEL", "debug");
    }
    command.output().unwrap()
}

/// The part of the answer that is about the unit of this name.
pub(crate) fn section<'a>(verdict: &'a Verdict, name: &str) -> &'a [u8] {
    // The arrow before it is of ASCII or not, as the version has it.
    let head = format!(" Unit {name}:\n");
    let from = find(&verdict.understood, head.as_bytes())
        .unwrap_or_else(|| panic!("systemd did not read the unit: {:?}", verdict.complaints));
    let rest = &verdict.understood[from..];
    let next = |arrow: &str| find(rest, format!("\n\t{arrow} Unit ").as_bytes());
    let end = [next("->"), next("→")].into_iter().flatten().min().unwrap_or(rest.len());
    &rest[..end]
}

/// Where the needle begins.
pub(crate) fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

/// The words of a command line as systemd shows it: quoted where a shell would need it.
pub(crate) fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let (mut words, mut word, mut within, mut begun) = (Vec::new(), Vec::new(), false, false);
    let mut rest = line.iter().copied();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => {
                within = !within;
                begun = true;
            }
            b' ' if !within => {
                if std::mem::take(&mut begun) {
                    words.push(std::mem::take(&mut word));
                }
            }
            b'\\' if within => word.push(escaped(&mut rest)),
            _ => {
                begun = true;
                word.push(byte);
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

fn escaped(rest: &mut impl Iterator<Item = u8>) -> u8 {
    match rest.next().unwrap() {
        b'a' => 7,
        b'b' => 8,
        b't' => 9,
        b'n' => 10,
        b'v' => 11,
        b'f' => 12,
        b'r' => 13,
        high @ b'0'..=b'7' => {
            let mut digit = || u32::from(rest.next().unwrap() - b'0');
            u8::try_from(u32::from(high - b'0') * 64 + digit() * 8 + digit()).unwrap()
        }
        other => other,
    }
}

/// Compose, if there is one that reads as today's do: in the path, where its packages lay it, or in the root file
/// system that the suites on real systems keep.
fn compose_program() -> Option<std::path::PathBuf> {
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from).unwrap_or_default();
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(|| home.join(".cache"), Into::into);
    let plugin = Path::new("cli-plugins/docker-compose");
    let mut places: Vec<std::path::PathBuf> = vec![
        "docker-compose".into(),
        home.join(".docker").join(plugin),
        Path::new("/usr/libexec/docker").join(plugin),
        Path::new("/usr/lib/docker").join(plugin),
    ];
    let roots = std::fs::read_dir(cache.join("mainstay-tests")).into_iter().flatten().flatten();
    let roots = roots.filter(|entry| entry.file_name().to_string_lossy().starts_with("root-containers-"));
    places.extend(roots.map(|entry| entry.path().join("usr/libexec/docker").join(plugin)));
    let is_it = |place: &std::path::PathBuf| {
        let said = Command::new(place).args(["version", "--short"]).output();
        said.is_ok_and(|said| said.status.success() && !said.stdout.starts_with(b"1."))
    };
    places.into_iter().find(is_it)
}

/// Whether there is a Compose to ask. Where one is owed and missing, the test fails.
pub(crate) fn compose_present() -> bool {
    let there = compose_program().is_some();
    if !there {
        let why = "Compose is not installed, so it is not asked how it reads its files";
        eprintln!("left out: {why}");
        if let Some(list) = std::env::var_os("MAINSTAY_LEFT_OUT") {
            use std::io::Write as _;
            let mut list = std::fs::OpenOptions::new().create(true).append(true).open(list).unwrap();
            writeln!(list, "{why}").unwrap();
        }
        assert!(std::env::var("CI").as_deref() != Ok("true"), "with CI=true Compose must be installed");
    }
    there
}

/// What Compose answers, or what it complains of.
pub(crate) fn compose(arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(compose_program().unwrap());
    let output = command.args(arguments).env_clear().output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// Podman's generator of units, if there is one that reads as today's do, and what starts it: in the path of its package,
/// or in the root file system that the suites on real systems keep, whose own libraries it takes.
fn quadlet_program() -> Option<Vec<std::path::PathBuf>> {
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from).unwrap_or_default();
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(|| home.join(".cache"), Into::into);
    let program = Path::new("usr/libexec/podman/quadlet");
    let mut ways = vec![vec![Path::new("/").join(program)]];
    let roots = std::fs::read_dir(cache.join("mainstay-tests")).into_iter().flatten().flatten();
    let roots = roots.filter(|entry| entry.file_name().to_string_lossy().starts_with("root-containers-"));
    ways.extend(roots.map(|entry| {
        let root = entry.path();
        let library = format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH);
        let loader = std::fs::read_dir(root.join("usr/lib64")).into_iter().flatten().flatten();
        let loader =
            loader.map(|entry| entry.path()).find(|path| path.to_string_lossy().contains("ld-linux"));
        let loader = loader.unwrap_or_default();
        vec![loader, "--library-path".into(), root.join(library), root.join(program)]
    }));
    let is_it = |way: &Vec<std::path::PathBuf>| {
        let said = Command::new(&way[0]).args(&way[1..]).arg("--version").output();
        said.is_ok_and(|said| {
            let text = String::from_utf8_lossy(&said.stdout).into_owned();
            said.status.success() && !text.trim_start_matches("quadlet version ").starts_with("4.")
        })
    };
    ways.into_iter().find(is_it)
}

/// Whether there is a Quadlet to ask.
pub(crate) fn quadlet_present() -> bool {
    let there = quadlet_program().is_some();
    if !there {
        let why = "Podman's Quadlet is not installed, so it is not asked how it reads its units";
        eprintln!("left out: {why}");
        if let Some(list) = std::env::var_os("MAINSTAY_LEFT_OUT") {
            use std::io::Write as _;
            let mut list = std::fs::OpenOptions::new().create(true).append(true).open(list).unwrap();
            writeln!(list, "{why}").unwrap();
        }
    }
    there
}

/// The units that Quadlet makes of the files in a folder, by name, and what it complains of.
pub(crate) fn quadlet(folder: &Path) -> (std::collections::BTreeMap<String, String>, Vec<String>) {
    let way = quadlet_program().unwrap();
    let mut command = Command::new(&way[0]);
    command.args(&way[1..]).args(["--dryrun", "--no-kmsg-log"]).env("QUADLET_UNIT_DIRS", folder);
    let output = command.output().unwrap();
    let (text, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let complaints = said.lines().filter(|line| !line.contains("Loading source unit file"));
    let complaints = complaints.map(str::to_owned).collect();
    let mut units = std::collections::BTreeMap::new();
    for part in text.split("\n---") {
        if let Some((name, text)) = part.trim_start_matches("---").split_once("---\n") {
            units.insert(name.to_owned(), text.to_owned());
        }
    }
    (units, complaints)
}
