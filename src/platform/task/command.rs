//! The commands of `schtasks`, and what its exit codes mean. Its words are in the language of the host, so nothing is
//! read from them but what the system itself says in that language.

use camino::Utf8Path;

/// `HRESULT` of a right that is missing.
const DENIED: u32 = 0x8007_0005;
/// `HRESULT`s of a task that is not there.
const ABSENT: [u32; 2] = [0x8007_0002, 0x8004_1302];
/// `HRESULT` of a task that runs already.
const RUNS: u32 = 0x8004_131F;
/// `HRESULT` of a scheduler that does not run.
const STOPPED: [u32; 2] = [0x8004_1322, 0x8004_1315];

/// By this word it ends with the `HRESULT`, which says in every language what happened.
pub const BY_CODE: &str = "/HRESULT";

fn schtasks(verb: &str, task: &str, more: &[&str]) -> Vec<String> {
    let task = format!("\\{task}");
    let words = ["schtasks.exe", verb, "/TN", &task];
    words.iter().chain(more).chain(&[BY_CODE]).map(|word| (*word).to_owned()).collect()
}

/// Registers a task by its file, in the place of one that is there.
#[must_use]
pub fn create(task: &str, file: &Utf8Path) -> Vec<String> {
    schtasks("/Create", task, &["/XML", file.as_str(), "/F"])
}

/// The task as the scheduler has it.
#[must_use]
pub fn query(task: &str) -> Vec<String> {
    schtasks("/Query", task, &["/XML"])
}

/// Starts a task.
#[must_use]
pub fn run(task: &str) -> Vec<String> {
    schtasks("/Run", task, &[])
}

/// Ends a task by force.
#[must_use]
pub fn end(task: &str) -> Vec<String> {
    schtasks("/End", task, &[])
}

/// Removes a task.
#[must_use]
pub fn delete(task: &str) -> Vec<String> {
    schtasks("/Delete", task, &["/F"])
}

/// What the system says of some errors, in the host's language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemWords {
    /// Of error 5, a right that is missing.
    pub denied: String,
    /// Of errors 2 and 3, something that is not there.
    pub absent: Vec<String>,
}

/// How a command of `schtasks` ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// The right is missing.
    Denied,
    /// There is no such task.
    Absent,
    /// It runs already.
    Runs,
    /// The scheduler itself does not run.
    NoScheduler,
    /// Something else, which its words say.
    Failed(String),
}

/// Whether an ending is one of a `schtasks` that does not know the word by which it ends with a code: of an old one, or of
/// one that is not Windows' own. It has done nothing then.
#[must_use]
pub fn knows_no_codes(code: Option<i32>) -> bool {
    code.is_some_and(|code| code != 0 && code.cast_unsigned() < 0x8000_0000)
}

/// What an ending means. With `/HRESULT` the code says it, in every language; where a system does not know that word, it
/// ends with 1 and says the rest in its own.
#[must_use]
pub fn outcome(code: Option<i32>, said: &str, words: &SystemWords) -> Outcome {
    let hresult = code.map(i32::cast_unsigned);
    let says = |wanted: &str| {
        let wanted = wanted.trim().trim_end_matches(['.', '。']);
        !wanted.is_empty() && said.contains(wanted)
    };
    let named = |code: u32| {
        let number = format!("{code:x}");
        hresult == Some(code) || said.to_lowercase().contains(&number)
    };
    match code {
        Some(0) => Outcome::Done,
        Some(5) => Outcome::Denied,
        Some(2) => Outcome::Absent,
        _ if named(DENIED) || says(&words.denied) => Outcome::Denied,
        _ if ABSENT.into_iter().any(named) || words.absent.iter().any(|words| says(words)) => Outcome::Absent,
        _ if named(RUNS) => Outcome::Runs,
        _ if STOPPED.into_iter().any(named) => Outcome::NoScheduler,
        _ => Outcome::Failed(match said.trim() {
            "" => code.map_or_else(|| "it was ended".to_owned(), |code| format!("it ended with {code:#x}")),
            said => said.to_owned(),
        }),
    }
}

impl Outcome {
    /// What is to be done about it, where that can be said.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Denied => {
                "the task of this name is another person's, or a policy of the host lets only administrators register tasks: choose another name, open a command prompt with \"Run as administrator\" and install there with `--system`, or use `--platform embedded`"
            }
            Self::Absent => "`mainstay apply` in its deploy folder registers it again",
            Self::NoScheduler => {
                "the service \"Task Scheduler\" does not run: start it, or use `--platform embedded`"
            }
            Self::Done | Self::Runs | Self::Failed(_) => return None,
        })
    }
}
