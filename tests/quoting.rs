//! What stands in an argument, a variable or a path comes out of systemd's own parser byte for byte, or is
//! refused with the reason.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod oracle;

use std::fmt::Write as _;
use std::path::PathBuf;

use camino::Utf8Path;
use mainstay::platform::systemd::escape::{self, Unsayable};

/// All that is special to one of systemd's grammars, and what can follow a backslash or a percent sign.
const ALPHABET: [char; 50] = [
    ' ', '%', '$', '"', '\'', '\\', ';', '#', '{', '}', '[', ']', '=', ':', ',', '|', '&', '<', '>', '*',
    '?', '~', '!', '@', '-', '+', '(', ')', '`', '/', '.', '\n', '\t', '\u{1}', '\u{a0}', '\u{200b}', 'é',
    '日', '😀', 'a', 'b', 'n', 'x', 's', 'u', 'h', 'i', '0', '4', '1',
];

/// The conformance corpus: texts that have broken other writers of units.
const CORPUS: [&str; 78] = [
    "",
    "a b",
    " lead",
    "trail ",
    "\t",
    "\n",
    "\r",
    "\"",
    "'",
    "a\"b'c",
    "\\",
    "a\\",
    "C:\\dir\\",
    "C:\\Program Files\\x\\",
    "\\\\srv\\share",
    "\\\"",
    "\\\\\"",
    "a\\qb",
    "%",
    "%%",
    "100%",
    "%i",
    "%n",
    "%h",
    "%PATH%",
    "%b",
    "$",
    "$$",
    "$HOME",
    "${X:-y}",
    "$(id)",
    "`id`",
    "$2a$08$Q0xNNZ8nkCcS5tRX7oJq0uZ8nYw0r8nQyFqYlJ4m9qj7y9u1o0sXe",
    ";",
    "a;b",
    "#x",
    "--x=y z",
    "-",
    "--",
    "@x",
    ":x",
    "+x",
    "!x",
    "|x",
    "~",
    "~/x",
    "*",
    "[a]",
    r#"{"k": "C:\\x"}"#,
    "é",
    "日",
    "😀",
    "\u{a0}",
    "\u{200b}",
    "\u{feff}",
    "\u{1}",
    "\u{7f}",
    "\u{1b}[31m",
    "yes",
    "no",
    "on",
    "0123",
    "1e3",
    "null",
    "12:30",
    "]]>",
    "&amp;",
    "<!--",
    "\r\n",
    "a\n[Service]\nUser=root",
    "a\\\nb",
    "\\n",
    "\\x41",
    "\\101",
    "\\s",
    "\\u0041",
    "=",
    "A=B",
];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % sides
    }

    fn text(&mut self) -> String {
        let length = self.roll(24);
        (0..length).map(|_| ALPHABET[self.roll(ALPHABET.len())]).collect()
    }
}

fn generated(seed: u64, count: usize) -> Vec<String> {
    let mut dice = Dice(seed);
    (0..count).map(|_| dice.text()).collect()
}

fn corpus() -> Vec<String> {
    let mut texts: Vec<String> = CORPUS.iter().copied().map(str::to_owned).collect();
    texts.push("x".repeat(8192));
    texts.push("\" \\ % \n".repeat(1024));
    texts
}

/// A unit in a folder of its own.
struct Unit {
    folder: tempfile::TempDir,
}

impl Unit {
    fn new(service: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[Unit]\nDescription=quoting\n\n[Service]\n{service}\n[Install]\nWantedBy=default.target\n"
        );
        fs_err::write(folder.path().join("quoting.service"), text).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("quoting.service")
    }

    /// What systemd understood.
    fn read(&self) -> oracle::Verdict {
        oracle::verify(&self.path())
    }
}

/// The lines with this key in what systemd understood.
fn values(section: &[u8], key: &str) -> Vec<Vec<u8>> {
    let key = format!("{key}: ");
    section
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.trim_ascii_start().strip_prefix(key.as_bytes()))
        .map(<[u8]>::to_vec)
        .collect()
}

fn command_line(unit: &Unit) -> Vec<Vec<u8>> {
    let verdict = unit.read();
    let section = oracle::section(&verdict, "quoting.service");
    let lines = values(section, "Command Line");
    assert_eq!(lines.len(), 1, "{:?}", verdict.complaints);
    // The programs need not exist.
    let about_us = |complaint: &&String| {
        complaint.contains("quoting.service") && !complaint.contains("is not executable")
    };
    assert_eq!(verdict.complaints.iter().find(about_us), None);
    oracle::words(&lines[0])
}

fn arguments_come_through(texts: &[String]) {
    let mut argv = vec!["/bin/true".to_owned()];
    argv.extend(texts.iter().cloned());
    let read = command_line(&Unit::new(&format!("ExecStart={}\n", escape::command(&argv).unwrap())));
    assert_eq!(read.len(), argv.len());
    for (expected, read) in argv.iter().zip(&read) {
        assert_eq!(expected.as_bytes(), read, "{expected:?} became {:?}", String::from_utf8_lossy(read));
    }
}

fn variables_come_through(texts: &[String]) {
    let mut service = String::from("ExecStart=/bin/true\n");
    let mut expected = String::new();
    for (number, text) in texts.iter().enumerate() {
        let name = format!("V{number}");
        writeln!(service, "Environment={}", escape::assignment(&name, text).unwrap()).unwrap();
        writeln!(expected, "\t\tEnvironment: {name}={text}").unwrap();
    }
    let verdict = Unit::new(&service).read();
    let section = oracle::section(&verdict, "quoting.service");
    if oracle::find(section, expected.as_bytes()).is_some() {
        return;
    }
    for (number, text) in texts.iter().enumerate() {
        let line = format!("\t\tEnvironment: V{number}={text}\n");
        assert!(oracle::find(section, line.as_bytes()).is_some(), "{text:?} was not understood");
    }
    panic!("every variable was understood, but there are more than were written");
}

#[test]
fn generated_arguments_come_through() {
    if oracle::present() {
        arguments_come_through(&generated(0x6d61_696e, 300));
        arguments_come_through(&generated(0x7374_6179, 300));
    }
}

#[test]
fn generated_variables_come_through() {
    if oracle::present() {
        variables_come_through(&generated(0x6d61_696e, 300));
        variables_come_through(&generated(0x7374_6179, 300));
    }
}

#[test]
fn the_corpus_comes_through() {
    if oracle::present() {
        arguments_come_through(&corpus());
        variables_come_through(&corpus());
    }
    assert_eq!(escape::argument("a\0b"), Err(Unsayable::Nul));
    assert_eq!(escape::assignment("A", "a\0b"), Err(Unsayable::Nul));
    for noncharacter in ['\u{fffe}', '\u{fdd0}', '\u{1ffff}'] {
        let text = noncharacter.to_string();
        assert_eq!(escape::argument(&text), Err(Unsayable::Noncharacter));
        assert_eq!(escape::assignment("A", &text), Err(Unsayable::Noncharacter));
    }
}

/// The programs whose paths are written as they are, and those that need `env`.
#[test]
fn paths_of_programs_come_through() {
    if !oracle::present() {
        return;
    }
    let mut texts = corpus();
    texts.extend(generated(0x7061_7468, 60));
    let (mut said, mut refused) = (0, 0);
    for text in texts.iter().filter(|text| text.len() < 200) {
        let program = format!("/opt/{text}");
        let Ok(line) = escape::command(&[program.as_str(), "x"]) else {
            refused += 1;
            assert!(program.ends_with('/') || program.contains('='), "{program:?} was refused");
            continue;
        };
        said += 1;
        let read = command_line(&Unit::new(&format!("ExecStart={line}\n")));
        let through_env = ["/usr/bin/env", "--", &program, "x"];
        let shortest = Utf8Path::new(&program).components().collect::<camino::Utf8PathBuf>();
        let direct = [shortest.as_str(), "x"];
        let read: Vec<&str> = read.iter().map(|word| std::str::from_utf8(word).unwrap()).collect();
        assert!(
            read == through_env || read == direct || read == [&program, "x"],
            "{program:?} became {read:?}"
        );
    }
    assert!(said > 100 && refused > 0, "{said} said, {refused} refused");
}

/// How a path is written for one setting.
type Grammar = fn(&Utf8Path) -> Result<String, Unsayable>;

#[test]
fn other_paths_come_through_or_are_refused() {
    if !oracle::present() {
        return;
    }
    let mut texts: Vec<String> = corpus().into_iter().filter(|text| text.len() < 200).collect();
    texts.extend(generated(0x666f_6c64, 120));
    texts.extend(["/./a//b/", "a/../b", "trailing\t"].map(str::to_owned));
    let settings: [(&str, Grammar, &str); 3] = [
        ("WorkingDirectory", escape::path, ""),
        ("EnvironmentFile", escape::pattern_path, ""),
        ("ReadWritePaths", |path| escape::listed_path("-", path), "-"),
    ];
    for (setting, grammar, prefix) in settings {
        let (mut said, mut refused) = (0, 0);
        for text in &texts {
            let path = format!("/srv/{text}");
            let path = Utf8Path::new(&path);
            let Ok(value) = grammar(path) else {
                refused += 1;
                continue;
            };
            said += 1;
            let unit = Unit::new(&format!("ExecStart=/bin/true\n{setting}={value}\n"));
            let verdict = unit.read();
            let read = values(oracle::section(&verdict, "quoting.service"), setting);
            let shortest: camino::Utf8PathBuf = path.components().collect();
            let expected = format!("{prefix}{shortest}");
            assert_eq!(read.len(), 1, "{path:?} in {setting}: {:?}", verdict.complaints);
            assert_eq!(
                expected.as_bytes(),
                read[0],
                "{path:?} in {setting} became {:?}",
                String::from_utf8_lossy(&read[0])
            );
        }
        assert!(said > 40 && refused > 10, "{setting}: {said} said, {refused} refused");
    }
}

#[test]
fn descriptions_come_through_or_are_refused() {
    if !oracle::present() {
        return;
    }
    for text in corpus().iter().filter(|text| !text.is_empty()) {
        let Ok(value) = escape::text(text) else { continue };
        let unit = Unit::new("ExecStart=/bin/true\n");
        let whole = fs_err::read_to_string(unit.path()).unwrap();
        let described = whole.replace("Description=quoting", &format!("Description={value}"));
        fs_err::write(unit.path(), described).unwrap();
        let verdict = unit.read();
        let read = values(oracle::section(&verdict, "quoting.service"), "Description");
        assert_eq!(read, [text.as_bytes()], "{text:?}");
    }
    assert_eq!(escape::text("a\\"), Err(Unsayable::LastBackslash));
    assert_eq!(escape::text("a\nb"), Err(Unsayable::Control));
}

/// The judge has to be able to say no: what is written carelessly is seen to be misread.
#[test]
fn the_judge_sees_careless_writing() {
    if !oracle::present() {
        return;
    }
    let read = command_line(&Unit::new("ExecStart=/bin/true \"a$$b\" \"50%%\" c\\x20d\n"));
    assert_eq!(read[1..], [b"a$$b".to_vec(), b"50%".to_vec(), b"c d".to_vec()]);
    let verdict = Unit::new("ExecStart=/bin/true\nEnvironment=\"A=C:\\dir\"\n").read();
    assert!(values(oracle::section(&verdict, "quoting.service"), "Environment").is_empty());
    assert!(!verdict.complaints.is_empty());
}
