//! What stands in the blocks of the documents is typed, top-down, a home folder for each page, with the real binary:
//!
//! - ```` ```console ````: each `$ ` line is typed, and has to say what stands below it. `…` stands for what differs from host to
//!   host; a line of nothing else stands for any number of lines. A command whose transcript has no `error:` succeeds.
//! - ```` ```sh ````: a script, which succeeds.
//! - ```` ```json file=PATH ````, and other texts: written to that file.
//! - `<!-- run` … `-->`: a script that prepares what the page speaks of; nobody sees it.
//!
//! `exits=9` permits another exit code of mainstay, which has to occur. A block that can't be run here says why:
//! `needs=WHAT`, one of the words of [`NEEDS`]. Every other block fails.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that fails panics, says what it left out, and starts processes itself"
)]

mod documents;
mod home;
mod real;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use camino::Utf8PathBuf;
use documents::{Block, blocks, documents, root};
use home::{Home, Typed};

/// What a block may need that a test does not have, and what runs it nevertheless.
const NEEDS: [(&str, &str); 14] = [
    ("root", "rights of root: the suites of tests/systems"),
    ("systemd", "a real systemd: tests/systems/pages runs these"),
    ("hosts", "several machines with ssh servers: tests/systems/fleet"),
    ("engine", "Docker or Podman: tests/systems/pages runs these too"),
    ("windows", "Windows: tests/wine/pages runs these under Wine"),
    ("scheduler", "a Windows whose scheduler starts tasks, as Wine's does not"),
    ("macos", "macOS: tests/launchd.rs"),
    ("network", "a host that is not this one: tests/fetch.rs asks one of its own"),
    ("person", "somebody who answers questions: tests/wizard.rs"),
    ("terminal", "a shell that somebody types in: tests/completions.rs"),
    ("key", "a key for signatures: tests/trust.rs"),
    ("other", "a program of other makers, which may not be here"),
    ("build", "a build of this repository"),
    ("archive", "an archive that the page only speaks of"),
];

/// The languages that are no commands; other tests read some of them.
const NO_COMMANDS: [&str; 9] = ["js", "html", "json", "jsonc", "text", "dockerfile", "yaml", "ini", "toml"];

/// What is done with a block.
#[derive(Debug, PartialEq, Eq)]
enum Act {
    Type,
    Run,
    Write(String),
    LeaveOut(String),
    Nothing,
}

fn act(block: &Block) -> Result<Act, String> {
    if let Some(need) = block.says("needs") {
        let known = NEEDS.iter().any(|(known, _)| *known == need);
        return if known { Ok(Act::LeaveOut(need.to_owned())) } else { Err(format!("needs what? `{need}`")) };
    }
    match block.language() {
        "console" => Ok(Act::Type),
        "sh" => Ok(Act::Run),
        "text" if has_command(&block.text) => Err("a command stands in a text".to_owned()),
        known if NO_COMMANDS.contains(&known) => {
            Ok(block.says("file").map_or(Act::Nothing, |file| Act::Write(file.to_owned())))
        }
        other => Err(format!("`{other}` is neither run nor marked")),
    }
}

fn has_command(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("mainstay ") || line.starts_with("$ "))
}

/// The fence that a script gets which nobody sees.
const HIDDEN: &str = "```sh hidden\n";

/// Scripts that nobody sees, as blocks among the others.
fn with_preparations(text: &str) -> String {
    let mut parts = text.split("<!-- run\n");
    let begin = parts.next().unwrap().to_owned();
    parts.fold(begin, |text, part| text + HIDDEN + &part.replacen("\n-->\n", "\n```\n", 1))
}

/// Whether what was said is what the transcript says.
fn fits(said: &str, transcript: &str) -> bool {
    let lines = transcript.lines().map(|line| match line.trim() {
        "…" => "(?:.*\n)*?".to_owned(),
        _ => line.split('…').map(regex_lite::escape).collect::<Vec<_>>().join(".*") + "\n",
    });
    let pattern = format!("^{}$", lines.collect::<String>());
    regex_lite::Regex::new(&pattern).unwrap().is_match(said)
}

/// The commands of a transcript, with what each says; lines that end with `\` go on.
fn commands(transcript: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    let mut goes_on = false;
    for line in transcript.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(typed), _) => commands.push((typed.to_owned(), String::new())),
            (None, Some((typed, _))) if goes_on => *typed += &["\n", line].concat(),
            (None, Some((_, said))) => *said += &[line, "\n"].concat(),
            (None, None) => panic!("a transcript begins with `$ `, and not with `{line}`"),
        }
        goes_on = (goes_on || line.starts_with("$ ")) && line.ends_with('\\');
    }
    commands
}

/// What somebody does who reads a page and types what stands there.
struct Reader {
    home: Home,
    folder: Utf8PathBuf,
}

impl Reader {
    fn new() -> Self {
        let home = Home::new();
        let folder = home.folder.clone();
        Self { home, folder }
    }

    /// Runs lines; what they say, and with which codes mainstay ended.
    fn run(&mut self, lines: &str, permitted: &str) -> Result<Typed, String> {
        let typed = self.home.typed(&mut self.folder, lines, permitted);
        if typed.good {
            Ok(typed)
        } else {
            Err(format!("fails, mainstay with {:?}:\n{}", typed.codes, typed.said))
        }
    }

    /// Runs a transcript; with which codes mainstay ended.
    fn compare(&mut self, transcript: &str, exits: Option<&str>) -> Result<Vec<i32>, String> {
        let mut codes = Vec::new();
        for (typed, shown) in commands(transcript) {
            let fails = shown.lines().any(|line| line.starts_with("error"));
            let permitted = exits.unwrap_or(if fails { "1 2 3 4 5 6 7 8" } else { "" });
            let done = self.run(&typed, permitted).map_err(|fault| format!("`{typed}` {fault}"))?;
            let (said, shown) = (done.said, self.home.here(&shown));
            if !fits(&said, &shown) {
                return Err(format!("`{typed}` says\n{said}\nand not\n{shown}"));
            }
            if fails && done.codes.iter().all(|code| *code == 0) {
                return Err(format!("`{typed}` succeeds:\n{said}"));
            }
            codes.extend(done.codes);
        }
        Ok(codes)
    }

    fn block(&mut self, block: &Block, act: &Act) -> Result<(), String> {
        let exits = block.says("exits");
        let codes = match act {
            Act::Run => self.run(&block.text, exits.unwrap_or_default())?.codes,
            Act::Type => self.compare(&block.text, exits)?,
            Act::Write(file) => {
                let file = self.home.folder.join(file.trim_start_matches("~/"));
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, self.home.here(&block.text)).unwrap();
                Vec::new()
            }
            Act::LeaveOut(_) | Act::Nothing => Vec::new(),
        };
        let missed = exits.filter(|code| !codes.contains(&code.parse().unwrap()));
        missed.map_or(Ok(()), |code| Err(format!("never ends with {code}: {codes:?}")))
    }
}

/// What is wrong with a page.
fn faults(name: &str, blocks: &[Block]) -> Vec<String> {
    let mut reader = None;
    let mut faults = Vec::new();
    for block in blocks {
        let fault = |fault: String| format!("{name}:{}: {fault}", block.line);
        match act(block) {
            Ok(Act::LeaveOut(_) | Act::Nothing) => {}
            Ok(act) => {
                if let Err(found) = reader.get_or_insert_with(Reader::new).block(block, &act) {
                    faults.push(fault(found));
                }
            }
            Err(found) => faults.push(fault(found)),
        }
    }
    faults
}

fn name_of(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
}

#[test]
fn every_block_can_be_typed_and_does_what_it_shows() {
    let wanted = std::env::var("PAGES").unwrap_or_default();
    let pages: Vec<(String, Vec<Block>)> = documents()
        .into_iter()
        .map(|(path, text)| (name_of(&path), blocks(&with_preparations(&text))))
        .filter(|(name, _)| name.contains(&wanted))
        .collect();
    let open = Mutex::new(pages.iter().collect::<Vec<_>>());
    let found = Mutex::new(Vec::new());
    // They mostly wait.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some((name, blocks)) = open.lock().unwrap().pop() else { break };
                    let began = Instant::now();
                    let faults = faults(name, blocks);
                    println!("{name}: {} blocks, {:.1} s", blocks.len(), began.elapsed().as_secs_f32());
                    found.lock().unwrap().extend(faults);
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{} blocks are wrong:\n\n{}", found.len(), found.join("\n\n"));
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    let mut run = 0_usize;
    for block in pages.iter().flat_map(|(_, blocks)| blocks) {
        match act(block).unwrap() {
            Act::LeaveOut(need) => *left_out.entry(need).or_default() += 1,
            Act::Run | Act::Type if !block.info.contains("hidden") => run += 1,
            Act::Run | Act::Type | Act::Write(_) | Act::Nothing => {}
        }
    }
    // These are run all the same, by tests/systems/pages.
    let on_systemd = left_out.remove("systemd").unwrap_or_default();
    println!(
        "{run} blocks were run, {on_systemd} are for a real systemd; left out, by what they need: {left_out:?}"
    );
    assert!(!wanted.is_empty() || run > left_out.values().sum::<usize>(), "more is left out than run");
}

/// The most commands that a task of the README may take.
const MOST: usize = 3;

#[test]
fn the_readme_shows_each_task_in_few_commands() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let tasks: Vec<Block> = blocks(&text).into_iter().filter(|block| block.language() == "console").collect();
    let headings: Vec<&str> = tasks.iter().map(|task| task.heading.as_str()).collect();
    assert_eq!(
        headings,
        ["A service from a program", "A service from an archive", "An upgrade, and the way back"]
    );
    for task in &tasks {
        let typed = commands(&task.text);
        assert!((1..=MOST).contains(&typed.len()), "{}: {typed:?}", task.heading);
    }
}

fn page(text: &str) -> Vec<String> {
    faults("page", &blocks(&with_preparations(text)))
}

#[test]
fn a_page_that_is_wrong_is_found() {
    let only = |faults: Vec<String>, words: &str| {
        assert!(faults.len() == 1 && faults[0].contains(words), "{words}: {faults:?}");
    };
    only(page("```sh\nmainstay status\n```\n"), "fails, mainstay with [3]");
    only(page("```sh\nfalse\n```\n"), "fails");
    only(page("```sh exits=9\nmainstay --version\n```\n"), "never ends with 9");
    only(page("```console\n$ echo a\nb\n```\n"), "`echo a` says\na\n");
    only(page("```console\n$ echo error; mainstay --version\nerror\n…\n```\n"), "succeeds");
    only(page("```bash\ntrue\n```\n"), "neither run nor marked");
    only(page("```sh needs=luck\ntrue\n```\n"), "needs what? `luck`");
    only(page("```text\n$ mainstay status\n```\n"), "a command stands in a text");
    only(page("```\nmainstay status\n```\n"), "neither run nor marked");
    let good = "<!-- run\nmkdir -p ~/there; cd ~/there\n-->\n```json file=~/there/a.json\n{ \"port\": 8000 }\n```\n\
                ```sh\ntest \"$PWD\" = ~/there; grep port a.json; ! grep 800\"0\" a.json\n```\n```console\n$ echo a; \\\necho b\na\n…\n```\n\
                ```sh exits=3\nmainstay status\n```\n```sh needs=root\nfalse\n```\n<!-- on systemd\nfalse\n-->\n";
    assert_eq!(page(good), [""; 0]);
}

#[test]
fn transcripts_are_compared_line_by_line() {
    assert!(fits("a\nb 1\nc\n", "a\nb …\nc\n") && fits("a\nx\ny\nc\n", "a\n…\nc\n") && fits("a\n", "a\n…\n"));
    assert!(
        !fits("a\nb\n", "a\n") && !fits("a\n", "a\nb\n") && !fits("a.b\n", "aXb\n") && !fits("x\na\n", "a\n")
    );
}
